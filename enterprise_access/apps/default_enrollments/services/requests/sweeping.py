"""Long walks over all customers or all learners, as background jobs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from enterprise_access.apps.customers.selectors import name_customers
from enterprise_access.apps.customers.services import read_linked_learners
from enterprise_access.apps.default_enrollments.services.health.verdicts import list_customers_with_intentions
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import (
    Scope,
    learners_in_scope,
    request_some,
)
from enterprise_access.apps.default_enrollments.services.validating import CheckedState, validate_intentions
from enterprise_access.jobs.kinds import JobStep, Kind, RowResult, RunningJob
from enterprise_access.lib import clock

CHECK_JOB: Final = "default_enrollments.check_all"
BACKFILL_JOB: Final = "default_enrollments.backfill"
MAY_CHECK: Final = "default_enrollments.change_defaultenterpriseenrollmentintention"
MAY_BACKFILL: Final = "default_enrollments.change_realizationrequest"
SECONDS_PER_MINUTE: Final = 60


def parameters_of_check() -> dict[str, Any]:
    """Return the parameters of a job that checks every default enrollment."""
    return {"customers": [str(customer_uuid) for customer_uuid in list_customers_with_intentions()]}


def run_check_step(job: RunningJob) -> JobStep:
    """Check the default enrollments of the next customer."""
    customers: Sequence[str] = job.parameters["customers"]
    done = min(job.cursor.get("next", 0) + 1, len(customers))
    results = [_check(UUID(customers[done - 1]))] if customers else []
    return JobStep(
        results=results, cursor={"next": done}, done=done, is_last=done >= len(customers), total=len(customers)
    )


def _check(customer_uuid: UUID) -> RowResult:
    found = validate_intentions(customer_uuid=customer_uuid, delay=timedelta(0), now=clock.now())
    states = [standing.state for standing in found.standings]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in CheckedState)
    return RowResult(
        cells=(name_customers([customer_uuid]).get(customer_uuid, ""), str(customer_uuid)),
        outcome="unavailable" if found.problem else "checked",
        text=found.problem or f"{counts}; {found.changed} changed",
    )


CHECK_ALL = Kind(
    name=CHECK_JOB,
    columns=("customer", "uuid"),
    outcomes={"checked": "Checked", "unavailable": "Could not be checked"},
    permission=MAY_CHECK,
    run_step=run_check_step,
)


# --- the backfill ----------------------------------------------------------------------------------------------------


def parameters_of_backfill(
    *, customer_uuid: UUID, learners_per_minute: int | None, intention_uuid: UUID | None = None
) -> dict[str, Any]:
    """Return the parameters of a job that requests evaluation of every linked learner of a customer.

    `intention_uuid`: leave out the learners whom this intention has enrolled.
    """
    parameters = {"customer": str(customer_uuid), "learners_per_minute": learners_per_minute}
    return parameters if intention_uuid is None else {**parameters, "intention": str(intention_uuid)}


def run_backfill_step(job: RunningJob) -> JobStep:
    """Request evaluation of the learners on the next page of the LMS's list. Asking twice is asking once."""
    number, rate = job.cursor.get("page", 1), job.parameters["learners_per_minute"]
    scope = Scope(
        customer_uuid=UUID(job.parameters["customer"]),
        intention_uuids=frozenset(UUID(uuid) for uuid in [job.parameters.get("intention")] if uuid),
        after=job.cursor.get("after", 0),
    )
    page = read_linked_learners(customer_uuid=scope.customer_uuid, page=number)
    ids = list(learners_in_scope(scope, page.learners))
    asked = request_some(scope, ids)
    last = max((learner.lms_user_id for learner in page.learners), default=scope.after)
    done = job.cursor.get("done", 0) + asked
    results = [
        RowResult(cells=(str(number), f"{scope.after + 1} to {last}"), outcome="asked", text=f"Learners: {asked}")
    ]
    if page.unreadable:
        # Which of their customers is the active one is unknown, so that they cannot be queued.
        ids_of_odd = ", ".join(str(lms_user_id) for lms_user_id in page.unreadable)
        results.append(
            RowResult(cells=(str(number), ids_of_odd), outcome="unreadable", text=f"Learners: {len(page.unreadable)}")
        )
    return JobStep(
        results=results,
        cursor={"page": number + 1, "after": max(last, scope.after), "done": done},
        done=done,
        is_last=not page.has_more,
        pause_seconds=asked * SECONDS_PER_MINUTE / rate if rate else 0,
    )


BACKFILL = Kind(
    name=BACKFILL_JOB,
    columns=("page", "LMS user ids"),
    outcomes={"asked": "Page queued", "unreadable": "Left out: the LMS's answer about them cannot be read"},
    permission=MAY_BACKFILL,
    run_step=run_backfill_step,
)
