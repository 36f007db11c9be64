"""The recordings of the neighbours, replayed; and short names for what comes out of it."""

from functools import singledispatch
from pathlib import Path
from typing import Any
from uuid import UUID

from enterprise_access.upstream.catalog.types import Catalog, Containment, ContentRecord
from enterprise_access.upstream.license_manager.types import (
    AgreementRecord,
    Assignments,
    LicenseRecord,
    OwnLicensesRecord,
    PlanLicense,
    PlanRecord,
    StaffLicense,
)
from enterprise_access.upstream.lms.types import (
    Customer,
    DefaultIntention,
    DefaultIntentions,
    EnrollAnswer,
    EnterpriseEnrollmentDetail,
    EnterpriseEnrollmentRecord,
    LearnerLink,
    PlatformEnrollmentRecord,
    PortalEnrollment,
    RunModesRecord,
)
from enterprise_access.upstream.replay import Comparison, Result, read_recording, replay
from enterprise_access.upstream.replay.result import Failure, Value

RECORDINGS = Path(__file__).resolve().parents[3] / "tests" / "recordings"

# How the request that we send compares with the recorded one.
EQUAL, DIFFERENT, REFUSED = Comparison.EQUAL, Comparison.DIFFERENT, Comparison.REFUSED_LOCALLY


def recording(service, name):
    return read_recording(RECORDINGS / service / f"{name}.json", folder=RECORDINGS / service)


def replayed(service: str, name: str) -> Result:
    return replay(recording(service, name))


def value_of(service: str, name: str) -> Any:
    """Return the value that a recording becomes."""
    outcome = replayed(service, name).outcome
    assert isinstance(outcome, Value)
    return outcome.value


def failure_of(service: str, name: str) -> Any:
    """Return the failure that a recording becomes."""
    outcome = replayed(service, name).outcome
    assert isinstance(outcome, Failure)
    return outcome.error


def names_in_use(service):
    """Return the names of all recordings of endpoints in use, so that a table can prove that it is complete."""
    results = [replayed(service, path.stem) for path in sorted((RECORDINGS / service).glob("*.json"))]
    return {Path(result.name).stem for result in results if result.method is not None}


def said(outcome):
    """Return a failure as `Kind reason status`, and a value by its main members."""
    if outcome is None:
        return None
    if isinstance(outcome, Failure):
        error = outcome.error
        parts = [type(error).__name__, error.reason.value, *([str(error.status)] if error.status else [])]
        return " ".join(parts)
    return short(outcome.value)


def understood(result: Result):
    """Return what was made of the recorded answer, be it that our client would not have asked so."""
    return said(result.answer or result.outcome)


def _mark(**flags):
    return "".join(f" {name}" for name, is_set in flags.items() if is_set)


@singledispatch
def short(value):
    raise TypeError(f"no short name for {type(value)}")


short.register(type(None), lambda _: "none")
short.register(str, lambda value: value)
short.register(tuple, lambda value: [short(item) for item in value])
short.register(frozenset, lambda value: sorted(value))


@short.register
def _(value: Customer):
    return f"{value.slug}{_mark(active=value.active)} {len(value.catalog_uuids)} catalogs"


# The customers of the recordings, by slug.
CUSTOMERS = {
    UUID("7ae10000-0000-4000-8000-000000000001"): "acme",
    UUID("7ae10000-0000-4000-8000-000000000002"): "globex",
}


@short.register
def _(value: LearnerLink):
    return (
        f"{value.enterprise_customer_user_id} {value.lms_user_id} {value.username} {CUSTOMERS[value.customer.uuid]}"
        f"{_mark(active=value.is_active_link)}"
    )


def _run(key):
    return key.removeprefix("course-v1:AX+")


@short.register
def _(value: DefaultIntentions):
    return (f"{len(value.intentions)} of {value.count}", *map(short, value.intentions[:2]))


@short.register
def _(value: DefaultIntention):
    run = _run(value.course_run_key) if value.course_run_key else "no run"
    return f"{value.content_key.removeprefix('AX+')} {run} {value.mode}{_mark(open=value.is_enrollable)}"


@short.register
def _(value: EnrollAnswer):
    return (
        *(
            f"ok {row.lms_user_id} {_run(row.course_run_key)} {str(row.fulfillment_uuid)[:8]}"
            for row in value.successes
        ),
        *(f"failed {row.lms_user_id} {_run(row.course_run_key)}" for row in value.failures),
        *(f"pending {_run(row.course_run_key)}" for row in value.pending),
        *(f"invalid {user_id}" for user_id in value.invalid_user_ids),
        *value.invalid_email_addresses,
    )


@short.register
def _(value: PlatformEnrollmentRecord):
    return f"{value.username} {_run(value.course_run_key)} {value.mode}{_mark(active=value.is_active)}"


@short.register
def _(value: PortalEnrollment):
    marks = _mark(active=value.is_active, revoked=value.is_revoked)
    return f"{_run(value.course_run_key)} {value.mode} {value.run_status}{marks}"


@short.register
def _(value: RunModesRecord):
    modes = ",".join(mode.slug for mode in value.modes)
    return f"{_run(value.course_run_key)} {modes}{_mark(invited_only=value.is_invitation_only)}"


@short.register
def _(value: EnterpriseEnrollmentRecord):
    unenrolled = value.unenrolled_at is not None
    return (
        f"{value.enterprise_customer_user_id} {_run(value.course_run_key)} {value.mode}{_mark(unenrolled=unenrolled)}"
    )


@short.register
def _(value: EnterpriseEnrollmentDetail):
    unenrolled = value.is_unenrolled and value.unenrolled_at is not None
    marks = _mark(active=value.is_active, revoked=value.is_revoked, unenrolled=unenrolled)
    return f"{_run(value.course_run_key)} {value.mode}{marks}"


@short.register
def _(value: Catalog):
    return str(value.uuid)[:4]


@short.register
def _(value: Containment):
    if value.catalog_uuids is None:
        return str(value.is_contained)
    return " ".join([str(value.is_contained), "in", *(str(uuid)[:4] for uuid in value.catalog_uuids)])


@short.register
def _(value: ContentRecord):
    runs = "" if value.course_runs is None else f" {len(value.course_runs)} runs"
    advertised = f" advertises {str(value.advertised_course_run_uuid)[:8]}" if value.has_advertised_run_key else ""
    return f"{value.content_type} {value.key}{runs}{advertised}"


@short.register
def _(value: Assignments):
    given = [f"{row.user_email} {str(row.license_uuid)[:8]}" for row in value.licenses]
    return f"{value.already_associated} held, {', '.join(given)}"


@short.register(LicenseRecord)
@short.register(PlanLicense)
def _(value):
    plan = value.plan if isinstance(value, LicenseRecord) else None
    marks = _mark(current=plan.is_current, active=plan.is_active) if plan else ""
    return f"{str(value.uuid)[:8]} {value.status} {str(value.plan_uuid)[:8]}{marks}"


@short.register
def _(value: OwnLicensesRecord):
    agreement = str(value.agreement.uuid)[:8] if value.agreement else "no agreement"
    return [agreement, *map(short, value.licenses)]


@short.register
def _(value: PlanRecord):
    return f"{str(value.uuid)[:8]}{_mark(current=value.is_current, active=value.is_active)}"


@short.register
def _(value: AgreementRecord):
    return f"{str(value.uuid)[:8]} {value.net_days_until_expiration} days, {str(value.auto_apply_plan_uuid)[:8]}"


@short.register
def _(value: StaffLicense):
    return f"{value.status} {value.plan_title}"
