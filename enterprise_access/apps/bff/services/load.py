"""One page while it is loaded: who asks for what, how much time is left, and what could not be loaded."""

import logging
from collections.abc import Callable
from typing import Final, TypeVar
from uuid import UUID

from attrs import define, field, frozen
from django.conf import settings

from enterprise_access.apps.bff.domain.choosing import WantedCustomer
from enterprise_access.apps.bff.domain.problems import Problem, Section
from enterprise_access.apps.core.domain import Caller
from enterprise_access.lib.errors import ServiceError, UpstreamError
from enterprise_access.lib.parallel import BackgroundCalls, Deferred

log = logging.getLogger(__name__)

T = TypeVar("T")

# Which share of the budget may be over when these end: what the learner's own courses tell of the enrollments, the
# learner's customers, what default enrollments are decided from, all that is asked at the start, taking a license,
# waiting for enrollments, and reading once more what they changed. The rest is for writing the answer. A service that
# keeps the facts back leaves time to take a license.
OWN: Final = 0.4
LINKS: Final = 0.45
FACTS: Final = 0.55
CALLS: Final = 0.65
LICENSE: Final = 0.8
WAIT: Final = 0.88
AGAIN: Final = 0.95
# More than a page starts at once: a call must not wait for another one to end.
MAX_CALLS: Final = 12


@frozen(kw_only=True)
class Visitor:
    """Who loads the page. `token` is their own, and goes to the services that answer its owner alone."""

    caller: Caller
    lms_user_id: int
    username: str = field(repr=False)
    token: str = field(repr=False)


@define(kw_only=True)
class PageLoad:
    """One page while it is being loaded. Threads talk HTTP only: tables are read and written in the main thread."""

    visitor: Visitor
    wanted: WantedCustomer
    with_enrollments: bool
    background: BackgroundCalls
    started_at: float
    errors: list[Problem] = field(factory=list)
    warnings: list[Problem] = field(factory=list)

    def start(self, call: Callable[[], T]) -> Deferred[T]:
        """Start a call beside the others."""
        return self.background.start(call)

    def at(self, share: float) -> float:
        """Return the moment, as time.monotonic() has it, when this share of the budget is over."""
        return self.started_at + share * settings.PORTAL_BUDGET_SECONDS

    def part(self, part: Section, load: Callable[[], T], otherwise: T) -> T:
        """Load a part of the page. If that fails the page says so, and goes on with something harmless."""
        try:
            return load()
        except ServiceError as error:
            why = f"{error.service} {error.reason.value}" if isinstance(error, UpstreamError) else error.code
            log.warning("A part of a portal page is missing. part=%s why=%s", part.name, why)
        except Exception:
            why = "unexpected error"
            log.exception("A part of a portal page failed. part=%s", part.name)
        problem = part.failed(why)
        if problem not in self.errors:
            self.errors.append(problem)
        return otherwise


@frozen(kw_only=True)
class PageTarget:
    """The customer that the page shows. Staff may look at one that they are not linked to."""

    customer_uuid: UUID
    has_identity_provider: bool
    is_linked: bool
