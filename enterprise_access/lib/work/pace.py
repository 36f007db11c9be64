"""How many rows a round of work should take, judging by how long the rounds before it took."""

from typing import Final

from attrs import define

# How long a round should take: a learner of another customer waits for one round at most.
ROUND_SECONDS: Final = 4.0
MIN_BATCH: Final = 10
# How much a round counts when the next one is over.
_KEPT: Final = 0.8


@define
class RoundCosts:
    """What rounds cost: so much each, however small, and so much for each row.

    Smaller rounds help only as far as rows cost anything. Where most of the time goes into the round itself (a slow
    service, which is asked for all rows at once), they would make everybody wait longer.
    """

    rounds: float = 0.0
    rows: float = 0.0
    seconds: float = 0.0
    squares: float = 0.0
    products: float = 0.0
    seconds_per_row: float = 0.0

    def note(self, *, rows: int, seconds: float) -> None:
        """Learn from a round."""
        self.rounds = self.rounds * _KEPT + 1
        self.rows = self.rows * _KEPT + rows
        self.seconds = self.seconds * _KEPT + seconds
        self.squares = self.squares * _KEPT + rows * rows
        self.products = self.products * _KEPT + rows * seconds
        spread = self.squares / self.rounds - (self.rows / self.rounds) ** 2
        if spread >= 1:
            shared = self.products / self.rounds - self.rows * self.seconds / self.rounds**2
            self.seconds_per_row = max(0.0, shared / spread)
        else:
            self._guess()

    def _guess(self) -> None:
        """Rounds of one size do not tell the row's part from the round's: let the next ones be of another size."""
        at_most = self.seconds / self.rows
        is_too_long = self.seconds / self.rounds > ROUND_SECONDS and self.rows / self.rounds > MIN_BATCH + 1
        if is_too_long or not self.seconds_per_row:
            self.seconds_per_row = at_most
        else:
            self.seconds_per_row = min(self.seconds_per_row * _KEPT, at_most)

    def batch(self, limit: int) -> int:
        """Return how many rows the next round should take, `limit` at most."""
        if self.seconds_per_row <= 0:
            return limit
        of_round = (self.seconds - self.seconds_per_row * self.rows) / self.rounds
        for_rows = max(ROUND_SECONDS - of_round, ROUND_SECONDS / 2)
        return max(min(MIN_BATCH, limit), min(limit, int(for_rows / self.seconds_per_row)))
