"""Reads of content: from keys to runs, and the modes of runs."""

from enterprise_access.apps.content_metadata.selectors.content import (
    Content,
    fetch_content,
    peek_content,
    refresh_content,
)
from enterprise_access.apps.content_metadata.selectors.modes import (
    KnownModes,
    ModesSource,
    as_known_modes,
    forget_seen_modes,
    list_known_modes,
    list_last_known_modes,
    list_modes,
    with_other_evidence,
)

__all__ = [
    "Content",
    "KnownModes",
    "ModesSource",
    "as_known_modes",
    "fetch_content",
    "forget_seen_modes",
    "list_known_modes",
    "list_last_known_modes",
    "list_modes",
    "peek_content",
    "refresh_content",
    "with_other_evidence",
]
