"""Imports as background jobs: from a CSV file, and from the LMS.

A job that only checks comes first; people see its results, and start the job that saves.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from django.contrib.admin.models import ADDITION, CHANGE

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.models import Intention
from enterprise_access.apps.default_enrollments.services.csv_intentions import (
    CheckedRow,
    Owner,
    Row,
    RowState,
    check_rows,
    find_owners,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_saved
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention, restore_intention
from enterprise_access.apps.default_enrollments.services.moving_in.from_lms import Arrival, ArrivalFate, list_arrivals
from enterprise_access.jobs.kinds import FollowUp, JobStep, Kind, RowResult, RunningJob
from enterprise_access.lib.errors import NotFound, ServiceError, UpstreamError, UpstreamRefused
from enterprise_access.lib.keys import fold

MAY_ADD: Final = "default_enrollments.add_defaultenterpriseenrollmentintention"
CSV_IMPORT: Final = "default_enrollments.import_csv"
LMS_IMPORT: Final = "default_enrollments.import_lms"
# A step is stored as one: small enough to see progress, large enough to ask the catalog for many keys at once.
ROWS_AT_ONCE: Final = 25
# After so many tries, a customer about which the LMS does not answer is an error of its own rows.
TRIES: Final = 3

ADDED, RESTORED = "added", "restored"
_OUTCOMES: Final = {
    ADDED: "Added",
    RESTORED: "Restored",
    "add": "Will be added",
    "restore": "Deleted before; restored only on request",
    "exists": "Already there",
    "error": "Error",
}
_OUTCOME_OF_FATE: Final = {
    ArrivalFate.ADD: "add",
    ArrivalFate.EXISTS: "exists",
    ArrivalFate.DELETED_HERE: "restore",
    ArrivalFate.REFUSED: "error",
}
_RISK: Final = "No paid mode is known: learners who left the course in the LMS would be enrolled again."


def parameters_of_csv(rows: Sequence[Row], *, save: bool = False, restore: bool = False) -> dict[str, Any]:
    """Return the parameters of a job that checks (or saves) the rows of a file."""
    return {"rows": [[row.line, row.customer, row.content_key] for row in rows], "save": save, "restore": restore}


def run_csv_step(job: RunningJob) -> JobStep:
    """Check the next rows of a file, and save them if the job is to save. Safe to repeat."""
    rows = [Row(line=line, customer=customer, content_key=key) for line, customer, key in job.parameters["rows"]]
    begin = job.cursor.get("next", 0)
    piece, owners = rows[begin : begin + ROWS_AT_ONCE], _owners_of(job)
    owners |= find_owners(row for row in piece if row.customer not in owners)
    _wait_for_the_lms(owners, job)
    results = [_csv_result(each, job) for each in check_rows(piece, customers=owners, before=rows[:begin])]
    _check_what_was_saved(results)
    done = begin + len(piece)
    kept = {
        name: str(owner) if isinstance(owner, UUID) else {"problem": owner.detail} for name, owner in owners.items()
    }
    return JobStep(
        results=results,
        cursor={"next": done, "customers": kept},
        done=done,
        is_last=done >= len(rows),
        total=len(rows),
    )


def _check_what_was_saved(results: Sequence[RowResult]) -> None:
    saved = (result.logged[0] for result in results if result.logged is not None)
    check_saved([row for row in saved if isinstance(row, Intention)], asks_lms=False)


def _owners_of(job: RunningJob) -> dict[str, Owner]:
    """Return the customers that earlier steps have looked up: each name is requested once."""
    kept: Mapping[str, Any] = job.cursor.get("customers", {})
    return {
        name: UUID(value) if isinstance(value, str) else CustomerUnknown(value["problem"])
        for name, value in kept.items()
    }


def _wait_for_the_lms(owners: Mapping[str, Owner], job: RunningJob) -> None:
    for owner in owners.values():
        if isinstance(owner, ServiceError) and _is_worth_waiting(owner, job):
            raise owner


def _is_worth_waiting(error: ServiceError, job: RunningJob) -> bool:
    """Say whether the same question may be answered later: not what is refused, and not for ever."""
    return isinstance(error, UpstreamError) and not isinstance(error, UpstreamRefused) and job.failures < TRIES


def _csv_result(each: CheckedRow, job: RunningJob) -> RowResult:
    outcome, text, logged = each.state.value, each.problem, None
    if each.customer_uuid is not None and each.preview is not None and job.parameters["save"]:
        twin = each.preview.twin
        if each.state is RowState.ADD or (twin is not None and twin.pk == _uuid_of(job, twin.customer_id, twin)):
            outcome, text, logged = _add(job, each.customer_uuid, each.row.content_key, "Added from a CSV file.")
        elif each.state is RowState.RESTORE and twin is not None and job.parameters["restore"]:
            restore_intention(twin)
            outcome, text, logged = RESTORED, "", (twin, CHANGE, "Restored from a CSV file.")
    return RowResult(
        cells=(str(each.line), each.row.customer, each.row.content_key, _run_of(each)),
        outcome=outcome,
        text="\n".join([text, *_in_words(each.warnings)]).strip(),
        logged=logged,
    )


def _run_of(each: CheckedRow) -> str:
    run = each.preview.description.content.run if each.preview else None
    return run.key if run else ""


def _in_words(warnings: Sequence[Reason]) -> list[str]:
    return [explain(warning).text for warning in warnings]


def _uuid_of(job: RunningJob, customer_uuid: UUID, key: object) -> UUID:
    """Return the uuid of what this job adds: so that a step that is repeated knows its own work."""
    return uuid5(job.uuid, f"{customer_uuid}:{fold(str(key))}")


def _add(
    job: RunningJob, customer_uuid: UUID, content_key: str, message: str
) -> tuple[str, str, tuple[Intention, int, str] | None]:
    uuid = _uuid_of(job, customer_uuid, content_key)
    mine = Intention.objects.filter(pk=uuid).first()
    try:
        added = mine or add_intention(customer_uuid=customer_uuid, content_key=content_key, uuid=uuid)[0]
    except (IntentionExists, IntentionDeleted) as error:
        return "exists", error.detail, None  # Somebody was quicker.
    except ServiceError as error:
        if _is_worth_waiting(error, job):
            raise
        return "error", error.detail, None
    return ADDED, "", (added, ADDITION, message)


# --- from the LMS ----------------------------------------------------------------------------------------------------


def run_lms_step(job: RunningJob) -> JobStep:
    """Check, or take over, what the LMS intends for the next customer. Safe to repeat."""
    customers, begin = job.parameters["customers"], job.cursor.get("next", 0)
    results = _lms_results(job, UUID(customers[begin])) if begin < len(customers) else []
    _check_what_was_saved(results)
    done = min(begin + 1, len(customers))
    return JobStep(
        results=results, cursor={"next": done}, done=done, is_last=done >= len(customers), total=len(customers)
    )


def _lms_results(job: RunningJob, customer_uuid: UUID) -> list[RowResult]:
    try:
        return [_lms_result(job, customer_uuid, each) for each in list_arrivals(customer_uuid=customer_uuid)]
    except (NotFound, UpstreamError) as error:
        if _is_worth_waiting(error, job):
            raise
        return [RowResult(cells=(str(customer_uuid), "", ""), outcome="error", text=error.detail)]


def _lms_result(job: RunningJob, customer_uuid: UUID, each: Arrival) -> RowResult:
    outcome, text, logged = _OUTCOME_OF_FATE[each.fate], each.problem, None
    is_mine = Intention.objects.filter(pk=_uuid_of(job, customer_uuid, each.content_key)).exists()
    if job.parameters["save"] and (each.fate is ArrivalFate.ADD or is_mine):
        outcome, text, logged = _add(job, customer_uuid, each.content_key, "Taken over from the LMS.")
    notes = [text, *_in_words(each.warnings), _RISK if each.risks_leavers and outcome != "error" else ""]
    return RowResult(
        cells=(str(customer_uuid), each.content_key, each.course_run_key),
        outcome=outcome,
        text="\n".join(filter(None, notes)),
        logged=logged,
    )


def _apply(parameters: Mapping[str, Any], counts: Mapping[str, int]) -> FollowUp | None:
    if parameters["save"] or not (counts.get("add") or counts.get("restore")):
        return None
    restorable = counts.get("restore", 0) if "rows" in parameters else 0
    choice = ("restore", f"Restore those that were deleted ({restorable})") if restorable else None
    return FollowUp(button="Save what can be saved", parameters={**parameters, "save": True}, choice=choice)


IMPORT_CSV = Kind(
    name=CSV_IMPORT,
    columns=("line", "customer", "content key", "resolves to"),
    outcomes=_OUTCOMES,
    permission=MAY_ADD,
    run_step=run_csv_step,
    apply=_apply,
)
IMPORT_LMS = Kind(
    name=LMS_IMPORT,
    columns=("customer", "content key", "resolves to"),
    outcomes=_OUTCOMES,
    permission=MAY_ADD,
    run_step=run_lms_step,
    apply=_apply,
)
