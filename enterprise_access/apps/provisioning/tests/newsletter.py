"""A second kind of workflow, in one file: it opens a newsletter, and subscribes a reader if there is one."""

from typing import ClassVar

from attrs import frozen

from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.services.workflows.steps import (
    RunningStep,
    SoFar,
    Step,
    WorkflowKind,
    register,
)
from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable


@frozen(kw_only=True)
class Asked:
    """Which newsletter, and for whom."""

    title: str
    reader: str | None = None


@frozen(kw_only=True)
class Newsletter:
    """A newsletter."""

    number: int
    title: str


@frozen(kw_only=True)
class Subscription:
    """A reader of a newsletter."""

    number: int
    reader: str


class Press:
    """The service that has newsletters: what it has, and how often it is away or crashes."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.readers: list[tuple[int, str]] = []
        self.away = 0
        self.crashes = 0

    def ask(self) -> None:
        """Raise what the test wants."""
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("reader@example.com")
        if self.away:
            self.away -= 1
            raise UpstreamUnavailable("The press is away.", service="press", reason=UpstreamReason.TIMEOUT)


press = Press()


class Open(Step[Asked, Newsletter]):
    """Open the newsletter."""

    name = "open"
    title = "Newsletter"
    input_class = Asked
    output_class = Newsletter
    correctable: ClassVar = frozenset({"title"})

    def make_input(self, so_far: SoFar) -> Asked:
        asked: Asked = so_far.asked
        return asked

    def find(self, given: Asked, running: RunningStep) -> Newsletter | None:
        press.ask()
        if given.title == "forbidden":
            raise StepRefused("There is no newsletter of that title. Choose another one.", reason="title_refused")
        return (
            Newsletter(number=press.titles.index(given.title), title=given.title)
            if given.title in press.titles
            else None
        )

    def create(self, given: Asked, running: RunningStep) -> Newsletter:
        running.about_to_write("")
        press.titles.append(given.title)
        return Newsletter(number=len(press.titles) - 1, title=given.title)


class Subscribe(Step[Subscription, Subscription]):
    """Subscribe the reader; without one there is nothing to do."""

    name = "subscribe"
    title = "Subscription"
    input_class = Subscription
    output_class = Subscription

    def make_input(self, so_far: SoFar) -> Subscription | None:
        if so_far.asked.reader is None:
            return None
        return Subscription(number=so_far.output(Open).number, reader=so_far.asked.reader)

    def find(self, given: Subscription, running: RunningStep) -> Subscription | None:
        press.ask()
        return given if (given.number, given.reader) in press.readers else None

    def create(self, given: Subscription, running: RunningStep) -> Subscription:
        running.about_to_write("")
        press.readers.append((given.number, given.reader))
        return given


NEWSLETTER = register(
    WorkflowKind(name="newsletter", title="Open a newsletter", input_class=Asked, steps=(Open(), Subscribe()))
)
