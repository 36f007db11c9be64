"""Email addresses that an admin allocates to: trimmed, validated, each person once."""

import re
from typing import Final

MAX_EMAILS: Final = 1000

# What replaces an address that was cleared, here and in openedx/enterprise-access, ends like this.
_CLEARED_END: Final = "@retired.invalid"
_MAX_LENGTH: Final = 254
_ATOM: Final = r"[-!#$%&'*+/=?^_`{}|~0-9A-Za-z]+"
_LABEL: Final = r"[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,61}[A-Za-z0-9\u00a1-\uffff])?"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")


def fold_email(email: str) -> str:
    """Return the form in which addresses are compared."""
    return email.strip().lower()


def is_cleared(email: str) -> bool:
    """Say whether an address is one that stands for a cleared one."""
    return fold_email(email).endswith(_CLEARED_END)


def normalize_emails(emails: object) -> tuple[str, ...] | None:
    """Return the addresses in order, in their first spelling; None when one of them is none, or they are too many."""
    if not isinstance(emails, list | tuple):
        return None
    by_fold: dict[str, str] = {}
    for email in emails:
        if not isinstance(email, str) or not _is_address(email.strip()):
            return None
        by_fold.setdefault(fold_email(email), email.strip())
    return tuple(by_fold.values()) if 0 < len(by_fold) <= MAX_EMAILS else None


def _is_address(email: str) -> bool:
    return len(email) <= _MAX_LENGTH and _ADDRESS.fullmatch(email) is not None
