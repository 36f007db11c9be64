"""What a redemption may tell the ledger besides learner and run: a flat object, and never what steers ledger or LMS."""

from collections.abc import Mapping
from typing import Any, Final

from enterprise_access.apps.redemption.errors import MetadataRefused

MAX_MEMBERS: Final = 20
MAX_LENGTH: Final = 1000
# Ours to set: with these a learner could enroll after the deadline, or claim another payment.
_STEERING: Final = frozenset({"allow_late_enrollment", "force_enrollment"})
_STEERING_PARTS: Final = ("fallback", "external_reference", "idempotency")
# What the provider of executive education asks of a learner (as the learner portal sends it).
NEEDED_FOR_EXECUTIVE_EDUCATION: Final = (
    "geag_first_name",
    "geag_last_name",
    "geag_email",
    "geag_date_of_birth",
    "geag_terms_accepted_at",
)


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Raise MetadataRefused for what is no flat object of texts and booleans, is too long, or steers the ledger."""
    if len(metadata) > MAX_MEMBERS:
        raise MetadataRefused(f"metadata has more than {MAX_MEMBERS} members.")
    for name, value in metadata.items():
        if len(name) > MAX_LENGTH or (isinstance(value, str) and len(value) > MAX_LENGTH):
            raise MetadataRefused(f"A member of metadata is longer than {MAX_LENGTH} characters.")
        if not isinstance(value, str | bool):
            raise MetadataRefused(f"metadata.{name} is neither text nor a boolean.")
        if name.casefold() in _STEERING or any(part in name.casefold() for part in _STEERING_PARTS):
            raise MetadataRefused(f"metadata.{name} cannot be set by a caller.")
        if "\x00" in name or (isinstance(value, str) and "\x00" in value):
            raise MetadataRefused("metadata has a character that cannot be stored.")


def need_executive_education(metadata: Mapping[str, Any]) -> None:
    """Raise MetadataRefused, naming the members, unless everything is there that executive education needs."""
    missing = [name for name in NEEDED_FOR_EXECUTIVE_EDUCATION if not metadata.get(name)]
    if missing:
        raise MetadataRefused(f"Executive education needs metadata: {', '.join(missing)}.", extra={"missing": missing})
