"""Decision cases in a file: read into the values that the rules take, and answered by the real rules.

The format is that of tests/data/decision-oracle.json. Members that say nothing when absent may be left out: no
enrollments, no realizations, no override. What is absent among catalogs, modes, licenses and `is_active` is unknown.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from enterprise_access.apps.content_metadata.domain import (
    ContentType,
    Course,
    CourseRun,
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
    course_key_of_run,
)
from enterprise_access.apps.default_enrollments.domain.decision import decide
from enterprise_access.apps.default_enrollments.domain.license_payer import LicensePayer
from enterprise_access.apps.default_enrollments.domain.paying import PaymentOffer, Purchase, choose_payers
from enterprise_access.apps.default_enrollments.domain.values import Case, Enrollment, RealizationFact, Reason
from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan
from enterprise_access.lib.oracle import (
    Evaluated,
    Members,
    Result,
    UnreadableMemberError,
    boolean,
    cases_of,
    evaluate_each,
    instant,
    list_of,
    load,
    option_of,
    text,
    uuid,
)

Answer = Mapping[str, str | None]

# Licenses are looked up by learner; the file speaks of one learner, who has no number.
_LEARNER: Final = 1


def evaluate_file(path: Path) -> Iterator[Result]:
    """Answer every case of a file with the real rules. Raises UnreadableFileError."""
    return evaluate_all(load(path, members=tuple(_FUNCTIONS)))


def evaluate_all(content: Mapping[str, Any]) -> Iterator[Result]:
    """Answer every case with the real rules, function by function."""
    for function, answer in _FUNCTIONS.items():
        yield from evaluate_each(cases_of(content, function), partial(_evaluate, answer), name=function)


def _evaluate(answer: Callable[[Members], Answer], case: Members) -> Evaluated:
    expected = case.members("expected")
    if not expected.raw:
        raise UnreadableMemberError("expected is empty.")
    # A license in our spelling of its uuid.
    license_uuid = expected.optional("license", uuid, None)
    want = expected.raw if license_uuid is None else {**expected.raw, "license": str(license_uuid)}
    return Evaluated(id=case.get("id", text), want=want, got=answer(case))


# The two functions


def _decide(case: Members) -> Answer:
    verdict = decide(read_case(case), now=case.get("now", instant))
    return {
        "rule": verdict.rule.value,
        "verdict": verdict.kind.value,
        "bucket": verdict.bucket.value,
        "reason": verdict.reason.value,
        "mode": verdict.mode,
    }


def _choose_payer(case: Members) -> Answer:
    licenses = case.optional("licenses", list_of(_license), None)
    purchase = Purchase(
        lms_user_id=_LEARNER,
        course_key="",
        course_run_key="",
        mode="",
        catalogs=case.get("catalogs", list_of(uuid)),
    )
    [chosen] = choose_payers([LicensePayer(licenses={_LEARNER: licenses})], [purchase])
    if isinstance(chosen, PaymentOffer):
        return {"license": str(chosen.uuid), "reason": None}
    return {"license": None, "reason": chosen.code}


_FUNCTIONS: dict[str, Callable[[Members], Answer]] = {"decide": _decide, "choose_payer": _choose_payer}


# From JSON to values


def read_case(case: Members) -> Case:
    """Return the facts of one case of `decide`."""
    learner = case.members("learner")
    intention = case.members("intention")
    resolution = case.members("resolution")
    return Case(
        is_linked=learner.get("linked", boolean),
        is_customer_active=learner.get("customer_active", boolean),
        content_type=intention.get("content_type", option_of(ContentType)),
        content_key=intention.get("content_key", text),
        course_key=case.optional("course_key", text, None),
        resolution=_resolution(resolution, course_key=case.optional("course_key", text, None)),
        catalogs=case.optional("catalogs", list_of(uuid), None),
        modes=case.optional("modes", _instants, None),
        is_invitation_only=_is_invitation_only(resolution),
        enrollments=case.optional("enrollments", list_of(_enrollment), ()),
        realizations=case.optional("realizations", list_of(_realization), ()),
        is_covered_in_plan=case.optional("planned_for_same_course", boolean, False),
        has_override=case.optional("override", boolean, False),
    )


def _resolution(resolution: Members, *, course_key: str | None) -> Resolution:
    status = resolution.get("status", text)
    if status == "unresolved":
        return Unresolved(reason=resolution.get("reason", option_of(UnresolvedReason)))
    if status != "resolved":
        raise UnreadableMemberError(f"{resolution.name}.status is neither resolved nor unresolved.")
    run = _run(resolution.members("run"))
    course = Course(
        key=course_key or course_key_of_run(run.key) or "",
        course_type=resolution.optional("course_type", text, None),
        runs=(run,),
    )
    return Resolved(course=course, run=run)


def _run(run: Members) -> CourseRun:
    return CourseRun(
        key=run.get("key", text),
        status=run.optional("status", text, None),
        enrollment_starts_at=run.optional("enrollment_start", instant, None),
        enrollment_ends_at=run.optional("enrollment_end", instant, None),
        ends_at=run.optional("end", instant, None),
        has_dates="enrollment_start" in run.raw and "enrollment_end" in run.raw,
        is_enrollable_snapshot=run.optional("is_enrollable", boolean, None),
        upgrade_deadlines=run.optional("upgrade_deadlines", _instants, {}),
    )


def _is_invitation_only(resolution: Members) -> bool:
    if resolution.raw.get("run") is None:
        return False
    return resolution.members("run").optional("invitation_only", boolean, False)


def _enrollment(raw: Any, name: str) -> Enrollment:
    row = Members(raw, name)
    return Enrollment(
        course_key=row.optional("course_key", text, None),
        course_run_key=row.get("course_run_key", text),
        mode=row.get("mode", text),
        is_active=row.optional("is_active", boolean, None),
        is_revoked=row.optional("is_revoked", boolean, False),
    )


def _realization(raw: Any, name: str) -> RealizationFact:
    row = Members(raw, name)
    return RealizationFact(
        course_key=row.optional("course_key", text, None),
        course_run_key=row.get("course_run_key", text),
        of_this_intention=row.optional("of_this_intention", boolean, True),
        left_at=row.optional("left_at", instant, None),
        left_reason=row.optional("left_reason", option_of(Reason), None),
    )


def _license(raw: Any, name: str) -> License:
    row = Members(raw, name)
    plan = row.members("plan")
    return License(
        uuid=row.get("uuid", uuid),
        status=LicenseStatus(row.get("status", text)),
        plan=Plan(
            uuid=plan.get("uuid", uuid),
            catalog_uuid=plan.optional("catalog", uuid, None),
            is_current=plan.get("is_current", boolean),
            is_active=plan.get("is_active", boolean),
            expires_at=plan.optional("expires", instant, None),
        ),
    )


def _instants(value: Any, name: str) -> dict[str, datetime | None]:
    members = Members(value, name)
    return {member: members.nullable(member, instant) for member in members.raw}
