"""Running workflows: claim one, run step after step, save each output before the next step.

A worker may end anywhere. Another one repeats the step that it was at, and finds what was created.
Nothing is locked while a service is asked.
"""

import logging
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import attrs

from enterprise_access.apps.provisioning.domain.states import FINISHED_STEPS, StepState
from enterprise_access.apps.provisioning.domain.values import from_json, to_json
from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.models import Workflow, WorkflowStep
from enterprise_access.apps.provisioning.services.workflows import recording
from enterprise_access.apps.provisioning.services.workflows.recording import UNKNOWN_FOR, Ended
from enterprise_access.apps.provisioning.services.workflows.steps import RunningStep, SoFar, Step, kind_of
from enterprise_access.lib import clock
from enterprise_access.lib.errors import UpstreamError, UpstreamRefused
from enterprise_access.lib.http.deadline import deadline
from enterprise_access.lib.stopping import is_stopping
from enterprise_access.lib.work import asking, leases, waking
from enterprise_access.lib.work.blame import is_nobodys_fault
from enterprise_access.lib.work.leases import Lease, LeaseLost
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR, BackOff, Queue

log = logging.getLogger(__name__)

RUN_JOB: Final = "provisioning.run_due"
OUTCOME_UNKNOWN: Final = "outcome_unknown"
# How long a worker stays with one workflow before others have their turn.
WORK_SECONDS: Final = 60.0
# No step begins with less time than this: its calls would be cut off, and their outcome unknown.
MIN_STEP_SECONDS: Final = 3.0

QUEUE = Queue(
    name="provisioning.workflows",
    model=Workflow,
    job=RUN_JOB,
    lease_seconds=120,
    back_off=BackOff(first=timedelta(minutes=1), last=timedelta(minutes=30)),
)


def run_workflow(*, workflow_uuid: UUID, seconds: float = WORK_SECONDS) -> None:
    """Run a workflow if it is due and no other process has it, for so long at most."""
    _run_claimed(workflow_uuid, time.monotonic() + seconds)


def run_due(*, limit: int = 1) -> int:
    """Run what is due, for a while; return how many workflows were worked on."""
    return waking.work(QUEUE, lambda _group, _batch: _run_next(), limit=limit)


def sweep() -> None:
    """Tell a worker of what a lost message or an ended worker left behind, and retry what failed unexpectedly."""
    asking.retry_failed(QUEUE, waiting_for=UNEXPECTED_ERROR)
    if waking.is_anything_due(QUEUE):
        waking.wake(QUEUE)


def _run_next() -> int:
    return _run_claimed(None, time.monotonic() + WORK_SECONDS)


def _run_claimed(workflow_uuid: UUID | None, ends_at: float) -> int:
    rows = QUEUE.rows() if workflow_uuid is None else QUEUE.rows().filter(pk=workflow_uuid)
    with leases.claim(QUEUE, limit=1, rows=rows) as lease:
        for item in lease.items:
            try:
                _run(lease, item, ends_at)
            except LeaseLost:
                log.info("Another worker has taken a workflow over. workflow=%s", item.pk)
    return len(lease.items)


def _run(lease: Lease[Workflow], item: Workflow, ends_at: float) -> None:
    kind = kind_of(item.kind)
    so_far = SoFar(asked=from_json(kind.input_class, item.input), people=tuple(item.people))
    for step, row in zip(kind.steps, item.steps.order_by("position"), strict=True):
        if row.state not in FINISHED_STEPS:
            if is_stopping() or time.monotonic() + MIN_STEP_SECONDS > ends_at:
                # Handed back as it is: due, so that a worker goes on.
                waking.wake(QUEUE)
                return
            ended = _attempt_noting_errors(lease, step, row, so_far, ends_at)
            recording.record(row, ended)
            if ended.state not in FINISHED_STEPS:
                _stop(lease, item, row, ended)
                return
        if row.state == StepState.DONE:
            so_far = attrs.evolve(so_far, outputs={**so_far.outputs, step.name: read_output(step, row)})
    recording.finish(lease, item)
    log.info("A workflow is done. workflow=%s kind=%s", item.pk, item.kind)


def _stop(lease: Lease[Workflow], item: Workflow, row: WorkflowStep, ended: Ended) -> None:
    log.warning("A workflow stopped. workflow=%s step=%s reason=%s", item.pk, row.name, ended.code)
    if ended.state is StepState.FAILED:
        recording.fail(lease, item, ended.code)
    else:
        recording.wait(lease, item, QUEUE, ended)


def _attempt_noting_errors(
    lease: Lease[Workflow], step: Step[Any, Any], row: WorkflowStep, so_far: SoFar, ends_at: float
) -> Ended:
    """Run a step once, and say on its row what an unexpected error was; its text may name a person."""
    try:
        with deadline(ends_at):
            return _attempt(lease, step, row, so_far)
    except Exception as error:
        if not (is_nobodys_fault(error) or isinstance(error, LeaseLost)):
            recording.record(row, Ended(StepState.WAITING, code=UNEXPECTED_ERROR, problem=type(error).__name__))
        raise


def _attempt(lease: Lease[Workflow], step: Step[Any, Any], row: WorkflowStep, so_far: SoFar) -> Ended:
    """Run a step once. An unexpected error is left to the caller, which counts it against the workflow."""
    given = step.make_input(so_far)
    if given is None:
        return Ended(StepState.SKIPPED)
    given = correct(step, given, row.correction)
    recording.begin(lease, row, given)
    earlier = list(row.intended)
    running = RunningStep(
        workflow_uuid=row.workflow_id,
        so_far=so_far,
        about_to_write=lambda key: recording.intend(lease, row, key),
        was_written=lambda key: key in row.intended,
        has_found=lambda key: recording.settle_outcome(row, key),
    )
    try:
        output = _find_or_create(step, given, row, running)
    except StepRefused as error:
        return Ended(StepState.FAILED, code=error.reason, problem=error.detail)
    except UpstreamError as error:
        if not error.may_have_happened:
            recording.take_back(row, [key for key in row.intended[-1:] if key not in earlier])
        state = StepState.FAILED if isinstance(error, UpstreamRefused) else StepState.WAITING
        return Ended(state, code=f"{error.code}:{error.service}", problem=_sentence(error))
    if output is None:
        return _still_unknown(row)
    return Ended(StepState.DONE, output=output, is_created=step.has_created(output, running))


def _find_or_create(step: Step[Any, Any], given: Any, row: WorkflowStep, running: RunningStep) -> Any | None:
    """Return the output; None while the outcome of an earlier write is unknown."""
    found = step.find(given, running)
    if found is not None:
        return found
    if row.sent_at is not None and clock.now() < row.sent_at + UNKNOWN_FOR:
        return None
    try:
        return step.create(given, running)
    except UpstreamRefused:
        # It may exist since a moment ago: created by a write that came late, or by another client.
        found = step.find(given, running)
        if found is None:
            raise
        return found


def _still_unknown(row: WorkflowStep) -> Ended:
    return Ended(
        StepState.WAITING,
        code=OUTCOME_UNKNOWN,
        problem="An earlier answer was lost. What it created is looked for before anything is sent again.",
        due_at=(row.sent_at or clock.now()) + UNKNOWN_FOR,
    )


def _sentence(error: UpstreamError) -> str:
    return f"{error.detail.rstrip('.')} ({error.reason.value})."


def correct(step: Step[Any, Any], given: Any, correction: dict[str, Any]) -> Any:
    """Return the input with what staff have corrected."""
    if not correction:
        return given
    changed = from_json(step.input_class, to_json(given) | correction)
    return attrs.evolve(given, **{name: getattr(changed, name) for name in correction})


def read_output(step: Step[Any, Any], row: WorkflowStep) -> Any:
    """Return the typed output of a step that is done."""
    return from_json(step.output_class, row.output)
