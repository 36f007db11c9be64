"""What a kind of workflow is made of. To add one, write one file: values, steps, and `register(WorkflowKind(...))`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar, cast
from uuid import UUID

import attrs

I = TypeVar("I")  # noqa: E741 (input)
O = TypeVar("O")  # noqa: E741 (output)


@attrs.frozen(kw_only=True)
class SoFar:
    """What a step may know: what was requested, whom it concerns, and the outputs of the steps before it."""

    asked: Any
    people: tuple[str, ...] = attrs.field(default=(), repr=False)
    outputs: Mapping[str, Any] = attrs.field(factory=dict)

    def output(self, step: "type[Step[Any, O]]") -> O:
        """Return the output of a step before this one. Raises KeyError where that one was skipped."""
        return cast(O, self.outputs[step.name])


@attrs.frozen(kw_only=True)
class RunningStep:
    """A step while it runs.

    Call `about_to_write(key)` before every write: it saves the intention, and raises LeaseLost where another worker
    has taken over. `was_written(key)` says whether this workflow has sent that write, now or in an earlier attempt.
    A step with several writes calls `has_found(key)` for each whose result it has found: its outcome is known then.
    `memory` is for what `find` leaves to `create`.
    """

    workflow_uuid: UUID
    so_far: SoFar
    about_to_write: Callable[[str], None]
    was_written: Callable[[str], bool]
    has_found: Callable[[str], None]
    memory: dict[str, Any] = attrs.field(factory=dict, repr=False)


class Step(Generic[I, O]):
    """One step. It looks first and then creates, so that running it again never makes a second thing.

    `correctable` names the members of its input that staff may correct when it is retried.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    input_class: ClassVar[type[Any]]
    output_class: ClassVar[type[Any]]
    correctable: ClassVar[frozenset[str]] = frozenset()

    def make_input(self, so_far: SoFar) -> I | None:
        """Return what the step needs, from what is known; None skips the step. Asks nothing."""
        raise NotImplementedError

    def find(self, given: I, running: RunningStep) -> O | None:
        """Return what exists already; None where it has to be created. Raises StepRefused if it contradicts `given`."""
        return None

    def create(self, given: I, running: RunningStep) -> O:
        """Create it. Raises UpstreamError."""
        raise NotImplementedError

    def has_created(self, output: O, running: RunningStep) -> bool:
        """Say whether this workflow has created something in this step."""
        return running.was_written("")


@attrs.frozen(kw_only=True)
class WorkflowKind:
    """A kind of workflow: the class of what is requested, and the steps in their order.

    `is_repeated`: asking again after the end repeats the steps; otherwise the result is answered.
    """

    name: str
    title: str
    input_class: type[Any]
    steps: Sequence[Step[Any, Any]]
    is_repeated: bool = False


_KINDS: Final[dict[str, WorkflowKind]] = {}


def register(kind: WorkflowKind) -> WorkflowKind:
    """Make a kind known by its name."""
    _KINDS[kind.name] = kind
    return kind


def kind_of(name: str) -> WorkflowKind:
    """Return a kind by its name. Raises KeyError."""
    return _KINDS[name]
