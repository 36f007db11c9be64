"""How what a course has in ecommerce and in the LMS differs from what it should have."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from enterprise_access.apps.course_types.domain.modes import AUDIT, NO_ID_PROFESSIONAL, PROFESSIONAL
from enterprise_access.apps.course_types.domain.products import (
    MODES_THAT_THE_LMS_KEEPS,
    CourseSpec,
    Route,
    RunSpec,
    SeatSpec,
)


@frozen(kw_only=True)
class ActualSeat:
    """A seat as it is. None = not told, and therefore not compared."""

    certificate_type: str | None = None
    is_id_verified: bool | None = None
    expires_at: datetime | None = None


@frozen(kw_only=True)
class ActualRun:
    """What a run has: seats by seat type, and the slugs of its LMS modes. None = could not be learned."""

    seats: Mapping[str, ActualSeat] | None = None
    lms_modes: frozenset[str] | None = None


@frozen(kw_only=True)
class ActualCourse:
    """What a course and its runs have. None = could not be learned, and a run that is absent likewise."""

    entitlements: frozenset[str] | None = None
    runs: Mapping[str, ActualRun] = field(factory=dict)


class FindingKind(StrEnum):
    """In which way something differs from what should be."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    MISMATCHED = "mismatched"


class Subject(StrEnum):
    """What differs."""

    ENTITLEMENT = "entitlement"
    SEAT = "seat"
    LMS_MODE = "lms_mode"


@frozen(kw_only=True)
class Finding:
    """One difference, and what it leads to.

    `run_key` None = of the course itself. `detail` says how a mismatch differs.
    """

    kind: FindingKind
    subject: Subject
    slug: str
    consequence: str
    run_key: str | None = None
    detail: str = ""


def diff(wanted: CourseSpec, actual: ActualCourse) -> tuple[Finding, ...]:
    """Return how what there is differs from what should be. What could not be learned is no difference."""
    findings = [*_entitlement_findings(wanted, actual)]
    for key, run in wanted.runs.items():
        has = actual.runs.get(key, ActualRun())
        findings += [*_seat_findings(key, run, has), *_mode_findings(key, run, has)]
    return tuple(findings)


Consequence = Callable[[str], str]


def _compared(
    wanted: Collection[str],
    has: Collection[str],
    *,
    subject: Subject,
    run_key: str | None,
    missing: Consequence,
    unexpected: Consequence,
) -> Iterator[Finding]:
    for slug in (slug for slug in wanted if slug not in has):
        kind = FindingKind.MISSING
        yield Finding(kind=kind, subject=subject, slug=slug, run_key=run_key, consequence=missing(slug))
    for slug in sorted(slug for slug in has if slug not in wanted):
        kind = FindingKind.UNEXPECTED
        yield Finding(kind=kind, subject=subject, slug=slug, run_key=run_key, consequence=unexpected(slug))


def _entitlement_findings(wanted: CourseSpec, actual: ActualCourse) -> Iterator[Finding]:
    if actual.entitlements is None:
        return
    yield from _compared(
        wanted.entitlements,
        actual.entitlements,
        subject=Subject.ENTITLEMENT,
        run_key=None,
        missing=lambda _slug: "Nobody can buy the course as a whole, and choose the run later.",
        unexpected=lambda _slug: (
            "Discovery refuses it when it reads from ecommerce, and removes nothing that day, from any course."
        ),
    )


def _seat_findings(run_key: str, wanted: RunSpec, has: ActualRun) -> Iterator[Finding]:
    if has.seats is None:
        return
    specs = {seat.seat_type: seat for seat in wanted.seats}
    yield from _compared(
        specs,
        has.seats,
        subject=Subject.SEAT,
        run_key=run_key,
        missing=lambda slug: _missing_seat(specs[slug]),
        unexpected=lambda _slug: (
            "Discovery refuses it when it reads from ecommerce, and removes nothing that day, from any course."
        ),
    )
    for slug in (slug for slug in specs if slug in has.seats):
        yield from _seat_mismatches(run_key, specs[slug], has.seats[slug])


def _missing_seat(seat: SeatSpec) -> str:
    if seat.lms_mode == AUDIT:
        return (
            "The next publication through ecommerce removes the LMS mode audit; "
            "a license that is revoked then un-enrolls instead of moving the learner to audit."
        )
    return f"Nobody can buy it, and the next publication through ecommerce removes the LMS mode {seat.lms_mode}."


def _seat_mismatches(run_key: str, wanted: SeatSpec, has: ActualSeat) -> Iterator[Finding]:
    for detail, consequence in _mismatches(wanted, has):
        yield Finding(
            kind=FindingKind.MISMATCHED,
            subject=Subject.SEAT,
            slug=wanted.seat_type,
            run_key=run_key,
            detail=detail,
            consequence=consequence,
        )


def _mismatches(wanted: SeatSpec, has: ActualSeat) -> Iterator[tuple[str, str]]:
    """Give how the seat differs, and what of it."""
    if has.certificate_type is not None and has.certificate_type != wanted.certificate_type:
        yield (
            f"certificate type {has.certificate_type or 'none'} instead of {wanted.certificate_type or 'none'}",
            f"Ecommerce makes another LMS mode of it than {wanted.lms_mode}, and whoever buys it gets that.",
        )
    if has.is_id_verified is not None and has.is_id_verified != wanted.is_id_verified:
        yield (
            f"ID check {_on(has.is_id_verified)} instead of {_on(wanted.is_id_verified)}",
            _other_id_check(wanted),
        )
    if has.expires_at is not None and has.expires_at != wanted.expires_at:
        yield (
            f"expires at {has.expires_at.isoformat()} instead of {_when(wanted.expires_at)}",
            _other_expiry(wanted),
        )


def _on(flag: bool) -> str:
    return "on" if flag else "off"


def _when(instant: datetime | None) -> str:
    return "never" if instant is None else instant.isoformat()


def _other_id_check(wanted: SeatSpec) -> str:
    if wanted.certificate_type == PROFESSIONAL:
        other = NO_ID_PROFESSIONAL if wanted.is_id_verified else PROFESSIONAL
        return f"The LMS has the mode {other} instead of {wanted.lms_mode}."
    return "Learners are asked to prove who they are, or not, against what the mode promises."


def _other_expiry(wanted: SeatSpec) -> str:
    if wanted.expires_at is None:
        return "The seat stops being sold although its mode has no deadline; the LMS refuses to let such a mode expire."
    return "The seat stops being sold, and the LMS mode stops being open, at another time than the course says."


def _mode_findings(run_key: str, wanted: RunSpec, has: ActualRun) -> Iterator[Finding]:
    if has.lms_modes is None:
        return
    routes = {mode.slug: mode.route for mode in wanted.modes}
    yield from _compared(
        routes,
        has.lms_modes,
        subject=Subject.LMS_MODE,
        run_key=run_key,
        missing=lambda slug: _missing_mode(slug, routes[slug]),
        unexpected=_unexpected_mode,
    )


def _missing_mode(slug: str, route: Route) -> str:
    if slug == AUDIT:
        return "A license that is revoked un-enrolls instead of moving the learner to audit."
    if route is Route.DIRECT and slug in MODES_THAT_THE_LMS_KEEPS:
        return "Nobody can be enrolled in it; discovery adds it when the run is next saved after review."
    if route is Route.DIRECT:
        return (
            "Nobody can be enrolled in it; discovery adds it when the run is next saved after review, "
            "and the next publication through ecommerce removes it again."
        )
    return "Nobody can be enrolled in it until the run is next published through ecommerce."


def _unexpected_mode(slug: str) -> str:
    if slug in MODES_THAT_THE_LMS_KEEPS:
        return (
            "It stays until somebody removes it in the LMS by hand; the LMS may pick it for nobody, or for everybody."
        )
    return "The next publication through ecommerce removes it; until then the LMS may enroll learners in it."
