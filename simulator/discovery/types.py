"""The types of courses and runs of the simulated course-discovery: those that it comes with, and those of operators.

Its uuids are made when a type is, so no two installations have the same; here they follow from the slug.
"""

from __future__ import annotations

from attrs import frozen

from ..values import EXECUTIVE_EDUCATION, Course, Run


@frozen(kw_only=True)
class ModeOfType:
    """A mode as discovery has it."""

    slug: str
    name: str
    is_id_verified: bool = False
    is_credit_eligible: bool = False
    certificate_type: str = ""
    payee: str = ""


@frozen
class RunType:
    """A type that runs may have. `tracks` are pairs of mode and seat type; None = a mode without a product."""

    slug: str
    name: str
    tracks: tuple[tuple[str, str | None], ...]


@frozen(kw_only=True)
class CourseType:
    """A type that courses may have. `orgs`: only these may give it to a course."""

    slug: str
    name: str
    entitlement: str | None
    run_types: tuple[str, ...]
    orgs: tuple[str, ...] = ()


MODES = {
    mode.slug: mode
    for mode in (
        ModeOfType(slug="audit", name="Audit"),
        ModeOfType(
            slug="professional",
            name="Professional Certificate",
            is_id_verified=True,
            certificate_type="professional",
            payee="platform",
        ),
        ModeOfType(
            slug="verified", name="Verified", is_id_verified=True, certificate_type="verified", payee="platform"
        ),
        ModeOfType(slug="honor", name="Honor", certificate_type="honor"),
        ModeOfType(slug="masters", name="Masters", payee="organization"),
        ModeOfType(
            slug="no-id-professional",
            name="Professional Certificate without ID",
            certificate_type="professional",
            payee="platform",
        ),
        ModeOfType(
            slug="unpaid-executive-education",
            name="Unpaid Executive Education",
            certificate_type="unpaid-executive-education",
        ),
    )
}
_AUDIT = ("audit", "audit")
_VERIFIED = ("verified", "verified")
RUN_TYPES = {
    run_type.slug: run_type
    for run_type in (
        RunType("audit", "Audit Only", (_AUDIT,)),
        RunType("professional", "Professional Only", (("professional", "professional"),)),
        RunType("verified-audit", "Verified and Audit", (_AUDIT, _VERIFIED)),
        RunType("empty", "Empty", ()),
        RunType("honor", "Honor Only", (("honor", "honor"),)),
        RunType("verified", "Verified Only", (_VERIFIED,)),
        RunType("masters", "Masters only", (("masters", None),)),
        RunType("masters-verified-audit", "Masters, Verified, and Audit", (("masters", None), _VERIFIED, _AUDIT)),
        RunType("no-id-professional", "Professional, No ID", (("no-id-professional", "no-id-professional"),)),
        RunType(
            "unpaid-executive-education",
            "Unpaid Executive Education",
            (("unpaid-executive-education", "unpaid-executive-education"),),
        ),
    )
}
# In the order in which they were made.
COURSE_TYPES = (
    CourseType(slug="audit", name="Audit Only", entitlement=None, run_types=("audit",)),
    CourseType(
        slug="professional",
        name="Professional Only",
        entitlement="professional",
        run_types=("professional", "no-id-professional"),
    ),
    CourseType(
        slug="verified-audit", name="Verified and Audit", entitlement="verified", run_types=("audit", "verified-audit")
    ),
    CourseType(slug="empty", name="Empty", entitlement=None, run_types=()),
    CourseType(slug="honor", name="Honor Only", entitlement=None, run_types=("honor",)),
    CourseType(slug="verified", name="Verified Only", entitlement="verified", run_types=("verified",)),
    CourseType(slug="masters", name="Masters only", entitlement=None, run_types=("masters",), orgs=("GTx",)),
    CourseType(
        slug="masters-verified-audit",
        name="Masters, Verified, and Audit",
        entitlement="verified",
        run_types=("masters-verified-audit", "verified-audit", "audit", "masters"),
    ),
    CourseType(
        slug=EXECUTIVE_EDUCATION,
        name="Executive Education(2U)",
        entitlement="paid-executive-education",
        run_types=("unpaid-executive-education",),
    ),
)


def run_type_of(run: Run) -> str:
    """Return the slug of the type that has the run's seats; one that no one has made a type for is empty."""
    seats = {seat.type for seat in run.seats}
    fitting = (row.slug for row in RUN_TYPES.values() if {seat for _, seat in row.tracks if seat} == seats)
    return next(fitting, "empty") if seats else "empty"


def entitlement_of(course: Course) -> str | None:
    """Return what is sold of the course as a whole."""
    return next((row.entitlement for row in COURSE_TYPES if row.slug == course.course_type), None)
