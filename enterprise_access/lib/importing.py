"""What an import of existing rows needs, whatever they are: what became of each row, and whether it may be written.

A row that was imported says so in its history. As long as that is its latest entry, nobody has changed the row here,
and a later import may overwrite it; otherwise the two differ for a reason, and people decide.
"""

from collections.abc import Collection, Hashable, Iterable
from enum import StrEnum
from typing import Final

from attrs import frozen
from django.db.models import Model

# The reason in the history of a row.
IMPORTED: Final = "Imported from openedx/enterprise-access"
CHANGED_HERE: Final = (
    "It was changed here since it was imported, and differs from the source now. It stays as it is here."
)
NOT_IMPORTED: Final = "It exists here, was not imported, and differs from the source. It stays as it is here."


class Fate(StrEnum):
    """What became of a row of the source."""

    ADDED = "added"
    CHANGED = "changed"
    SAME = "the same"
    CONFLICT = "conflict"
    REFUSED = "refused"


@frozen(kw_only=True)
class Outcome:
    """What became of one row, and why, where it was not taken over."""

    name: str
    fate: Fate
    why: str = ""


def refused(name: object, why: str) -> Outcome:
    """Return the outcome of a row that cannot be taken over."""
    return Outcome(name=str(name), fate=Fate.REFUSED, why=why)


def outcome_of(name: object, fate: Fate, *, was_imported: bool = True) -> Outcome:
    """Return the outcome of a row that was judged by `fate_of`."""
    why = (CHANGED_HERE if was_imported else NOT_IMPORTED) if fate is Fate.CONFLICT else ""
    return Outcome(name=str(name), fate=fate, why=why)


def fate_of(stored: Model | None, wanted: Model, *, columns: Iterable[str], is_untouched: bool) -> Fate:
    """Say what to do with a row. `stored`: as it is here; `is_untouched`: nobody has changed it since the import."""
    if stored is None:
        return Fate.ADDED
    if all(getattr(stored, name) == getattr(wanted, name) for name in columns):
        return Fate.SAME
    return Fate.CHANGED if is_untouched else Fate.CONFLICT


@frozen(kw_only=True)
class Past:
    """Which rows were imported at all, and of these which nobody has changed since."""

    imported: frozenset[Hashable]
    untouched: frozenset[Hashable]


def past_of(model: type[Model], keys: Collection[Hashable]) -> Past:
    """Read from the histories of rows whether they were imported, and changed since."""
    key = model._meta.pk.attname
    history = model.history.filter(**{f"{key}__in": list(keys)})  # type: ignore[attr-defined]
    latest: dict[Hashable, str] = {}
    imported: set[Hashable] = set()
    for pk, reason in history.order_by("history_id").values_list(key, "history_change_reason"):
        latest[pk] = reason or ""
        if reason == IMPORTED:
            imported.add(pk)
    untouched = frozenset(pk for pk, reason in latest.items() if reason == IMPORTED)
    return Past(imported=frozenset(imported), untouched=untouched)
