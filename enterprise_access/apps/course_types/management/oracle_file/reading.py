"""The members of the cases, and what they want, read as the rules take them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from enterprise_access.apps.course_types.domain.modes import Modes, PayingSubsidy, SeatDeadline
from enterprise_access.apps.course_types.domain.seeds import seeded_graph
from enterprise_access.apps.course_types.domain.values import CERTIFICATE_TYPES, Mode, SeatType, Track
from enterprise_access.lib.oracle import (
    Members,
    Reader,
    UnreadableMemberError,
    boolean,
    instant,
    list_of,
    or_none,
    text,
)

_ALLOWED: Final = "allowed"
_DENIED: Final = "denied"
# How a cell of a matrix may say it; DROP is what only upstream allows.
_VERDICTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("allowed", "allow", "yes", "y", "=", "true", "1"), _ALLOWED),
    **dict.fromkeys(("denied", "deny", "no", "n", "-", "drop", "false", "0"), _DENIED),
}


def told(is_allowed: bool) -> str:
    return _ALLOWED if is_allowed else _DENIED


def read_verdict(value: Any, name: str) -> str:
    said = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
    if said not in _VERDICTS:
        raise UnreadableMemberError(f"{name} is neither {_ALLOWED} nor {_DENIED}.")
    return _VERDICTS[said]


def read_wanted_match(value: Any, name: str) -> Any:
    want = Members(value, name)
    if not want.get("matched", boolean):
        return {"matched": False}
    return {
        "matched": True,
        "course_type": want.get("course_type", text),
        "run_types": list(want.get("run_types", read_slugs)),
    }


def read_wanted_spec(value: Any, name: str) -> Any:
    want = Members(value, name)
    readers: dict[str, Reader[Any]] = {
        "ecommerce_products": lambda raw, place: set(list_of(_product)(raw, place)),
        "lms_modes_via_ecommerce": lambda raw, place: frozenset(read_slugs(raw, place)),
        "lms_modes_pushed_directly": lambda raw, place: frozenset(read_slugs(raw, place)),
    }
    unknown = set(want.raw) - set(readers)
    if unknown or not want.raw:
        raise UnreadableMemberError(f"{name} has to have some of the members {', '.join(readers)}, and no other.")
    return {member: want.get(member, readers[member]) for member in want.raw}


def _product(value: Any, name: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) != 4:
        raise UnreadableMemberError(f"{name} is not kind, certificate type, ID check and expiry.")
    kind, certificate_type, id_check, expiry = value
    return (
        text(kind, f"{name}[0]"),
        text(certificate_type, f"{name}[1]"),
        id_check if id_check is None else boolean(id_check, f"{name}[2]"),
        expiry if expiry is None else instant(expiry, f"{name}[3]"),
    )


read_slugs = list_of(text)
read_slugs_or_none = or_none(read_slugs)
text_or_none = or_none(text)
instant_or_none = or_none(instant)


def read_modes(value: Any, name: str) -> Modes:
    """Read modes, listed or with their expiry."""
    if not isinstance(value, dict):
        return dict.fromkeys(read_slugs(value, name))
    return {slug: instant_or_none(expiry, f"{name}.{slug}") for slug, expiry in value.items()}


def read_pairs(value: Any, name: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of course type and run type: lists of two, `course-type:run-type`, or run types by course type."""
    if not isinstance(value, dict):
        return list_of(_pair)(value, name)
    return tuple((one, other) for one, others in value.items() for other in read_slugs(others, f"{name}.{one}"))


def _pair(value: Any, name: str) -> tuple[str, str]:
    parts = value.split(":") if isinstance(value, str) else value
    if not isinstance(parts, list) or len(parts) != 2:
        raise UnreadableMemberError(f"{name} is not a pair of course type and run type.")
    return text(parts[0], name), text(parts[1], name)


def read_seat_deadline(value: Any, name: str) -> SeatDeadline:
    seat = Members(value, name)
    return SeatDeadline(
        seat_type=seat.get("type", text),
        stored=seat.optional("upgrade_deadline", instant, None),
        override=seat.optional("upgrade_deadline_override", instant, None),
    )


def read_track(value: Any, name: str) -> Track:
    """Read a pair of mode and seat type. One that we do not know counts as one of which only the slug is known."""
    if not isinstance(value, list) or len(value) != 2:
        raise UnreadableMemberError(f"{name} is not a pair of mode and seat type.")
    mode, seat_type = text(value[0], f"{name}[0]"), text_or_none(value[1], f"{name}[1]")
    return Track(mode=_mode(mode), seat_type=None if seat_type is None else seat_type_of(seat_type))


def _mode(slug: str) -> Mode:
    known = seeded_graph().modes.get(slug)
    return known or Mode(slug=slug, certificate_type=slug if slug in CERTIFICATE_TYPES else "")


def seat_type_of(slug: str) -> SeatType:
    return seeded_graph().seat_types.get(slug) or SeatType(slug=slug)


def read_lost_subsidy(value: Any, name: str) -> PayingSubsidy:
    """Read what was taken back out of the words for the event, such as "license revoked/expired"."""
    event = text(value, name).lower()
    if re.search("licen[cs]e|subscription|plan", event):
        return PayingSubsidy.LICENSE
    if re.search("credit|transaction|assignment|redemption|budget|subsidy", event):
        return PayingSubsidy.LEARNER_CREDIT
    raise UnreadableMemberError(f"{name} is {value!r}, the loss of neither a license nor of learner credit.")
