"""The outcome of handing in a mail: what is certain, and what is not. Pure."""

from enum import StrEnum
from typing import Final


class NotificationOutcome(StrEnum):
    """How a notification ended. A row without an outcome is still to be sent."""

    SENT = "sent"
    """The provider has taken the mail."""
    REFUSED = "refused"
    """The provider will never take it: the address, or the mail itself, is not acceptable."""
    NOT_NEEDED = "not_needed"
    """What it would say is no longer true, or there is no address any more."""
    UNKNOWN = "unknown"
    """The provider fell silent while it had the mail. It is not sent twice: staff decide."""


# The error of a mail that was taken and came back later.
BOUNCED: Final = "bounced"


class ProviderAnswer(StrEnum):
    """What a provider's answer to one mail means."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    """Certainly not taken; ask again. Other mails may be taken."""
    AWAY = "away"
    """Certainly not taken, and no other mail would be either."""
    UNKNOWN = "unknown"


# WCAG 2.1, 1.4.3: text needs this contrast, in a ratio of luminances.
_CONTRAST: Final = 4.5


def readable_on(color: str, *, dark: str) -> str:
    """Return the color of text on a background (#rrggbb): white where it can be read, else `dark`."""
    return "#ffffff" if 1.05 / (_luminance(color) + 0.05) >= _CONTRAST else dark


def _luminance(color: str) -> float:
    """Return the relative luminance of a color, 0 to 1."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


_THROTTLED: Final = 429
_NOT_OURS_TO_MEND: Final = range(400, 500)
_PERMANENT: Final = 500
# A provider that does not know us, or not any more: no mail is at fault.
_ABOUT_US: Final = frozenset({401, 402, 403, 404, 407})


def answer_of_smtp(code: int) -> ProviderAnswer:
    """Return what an SMTP reply to a mail or its recipient means (RFC 5321, 4.2.1): 5xx is permanent, 4xx is not."""
    return ProviderAnswer.REFUSED if code >= _PERMANENT else ProviderAnswer.LATER


def answer_of_http(status: int) -> ProviderAnswer:
    """Return what the status of a provider's HTTP API means: 5xx and 429 are the provider's state, 400 is the mail."""
    if status == _THROTTLED or status in _ABOUT_US or status not in _NOT_OURS_TO_MEND:
        return ProviderAnswer.AWAY
    return ProviderAnswer.REFUSED
