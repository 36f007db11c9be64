"""The kinds of job. An app registers its own when it is ready."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from attrs import field, frozen
from django.db.models import Model


@frozen(kw_only=True)
class RunningJob:
    """A job as its kind sees it. `failures`: how many steps in a row have failed, so that a row that always fails can
    become an error of its own instead of holding up the others."""

    uuid: UUID
    parameters: Mapping[str, Any]
    cursor: Mapping[str, Any]
    failures: int


@frozen(kw_only=True)
class RowResult:
    """The outcome of one row. `logged`: a row that was changed, the action flag and the message for the admin log."""

    cells: Sequence[str]
    outcome: str
    text: str = ""
    logged: tuple[Model, int, str] | None = None


@frozen(kw_only=True)
class JobStep:
    """What a step has done, and where the next one begins. `pause_seconds`: how long to wait before that."""

    results: Sequence[RowResult]
    cursor: Mapping[str, Any]
    done: int
    is_last: bool
    total: int | None = None
    pause_seconds: float = 0


@frozen(kw_only=True)
class FollowUp:
    """A job that applies what another has found: its button, its parameters, and one thing that people may choose
    (the name of a parameter that is then true, and the label of the box)."""

    button: str
    parameters: Mapping[str, Any]
    choice: tuple[str, str] | None = None


@frozen(kw_only=True)
class Kind:
    """A kind of job.

    `run_step` does a small piece of work, some seconds long, and may be run again with the same cursor when a worker
    ends before its result is stored: its writes have to be safe to repeat. It raises UpstreamError to be tried again
    later. `outcomes` are the labels of outcomes, the good ones first. `permission` is needed to start, see and cancel.
    `apply` says, of a finished job's parameters and number of results by outcome, which job would apply them.
    """

    name: str
    columns: Sequence[str]
    outcomes: Mapping[str, str]
    permission: str
    run_step: Callable[[RunningJob], JobStep]
    apply: Callable[[Mapping[str, Any], Mapping[str, int]], FollowUp | None] = field(
        default=lambda parameters, counts: None  # noqa: ARG005
    )


KINDS: Final[dict[str, Kind]] = {}


def register(kind: Kind) -> None:
    """Let jobs of this kind be started."""
    KINDS[kind.name] = kind
