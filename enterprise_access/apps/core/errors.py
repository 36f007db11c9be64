"""What core refuses."""


class ClaimMalformed(ValueError):
    """A claim of a token that was signed properly is of a kind that the LMS does not issue."""

    def __init__(self, claim: str, expected: str) -> None:
        super().__init__(f"The token's claim {claim} has to be {expected}.")
