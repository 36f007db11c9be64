"""What of a mode, track, run type or course type cannot be as it is, a sentence each."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from enterprise_access.apps.course_types.domain.values import (
    CERTIFICATE_TYPES,
    PAYEES,
    CourseType,
    Mode,
    RunType,
    Track,
)


def repeated(slugs: Iterable[str]) -> list[str]:
    return [slug for slug, count in Counter(slugs).items() if count > 1]


def mode_problems(mode: Mode) -> Iterator[str]:
    """Say what of the mode cannot be as it is."""
    if mode.certificate_type not in CERTIFICATE_TYPES:
        yield f"Mode {mode.slug!r} has the certificate type {mode.certificate_type!r}, which nobody knows."
    if mode.payee not in PAYEES:
        yield f"Mode {mode.slug!r} pays {mode.payee!r}, which is neither platform nor organization."


def rank_problems(modes: Iterable[Mode]) -> Iterator[str]:
    counted = Counter(mode.enroll_rank for mode in modes if mode.enroll_rank is not None)
    yield from (f"Several modes have the rank {rank}." for rank, count in counted.items() if count > 1)


def run_type_problems(run_type: RunType) -> Iterator[str]:
    """Say what of the run type cannot be as it is."""
    name = f"Run type {run_type.slug!r}"
    if run_type.is_empty and (run_type.tracks or run_type.is_marketable):
        yield f"{name} means that nothing is known: it has no tracks and is not marketable."
    for slug in repeated(track.mode.slug for track in run_type.tracks):
        yield f"{name} has the mode {slug!r} more than once."
    for slug in repeated(track.seat_type.slug for track in run_type.tracks if track.seat_type):
        yield f"{name} has the seat type {slug!r} more than once."
    for track in run_type.tracks:
        yield from track_problems(track)


def track_problems(track: Track) -> Iterator[str]:
    """Say what of the track cannot be as it is: without a certificate type ecommerce sells any seat as audit."""
    if track.has_product and not track.mode.is_audit and not track.mode.certificate_type:
        yield f"Mode {track.mode.slug!r} has a seat and no certificate type: ecommerce would sell it as audit."


def course_type_problems(
    course_type: CourseType, *, seat_types: Collection[str], run_types: Collection[str]
) -> Iterator[str]:
    """Say what of the course type cannot be as it is, given the slugs of the seat types and run types there are."""
    name = f"Course type {course_type.slug!r}"
    if course_type.is_empty and (course_type.entitlement_types or course_type.run_types):
        yield f"{name} means that nothing is known: it has neither entitlements nor run types."
    if len(course_type.entitlement_types) > 1:
        yield f"{name} has more than one entitlement type; a course can hold one entitlement."
    for slug in course_type.entitlement_types:
        if slug not in seat_types:
            yield f"{name} has the entitlement type {slug!r}, which is no seat type."
    for slug in course_type.run_types:
        if slug not in run_types:
            yield f"{name} has the run type {slug!r}, which there is not."
    for slug in repeated(course_type.run_types):
        yield f"{name} has the run type {slug!r} more than once."
