"""What admins and learners do with assignments and requests on a random day of learner credit (`credit_day.py`)."""

import random
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from enterprise_access.apps.content_assignments.errors import (
    AllocationInvalid,
    AllocationRefused,
    AssignmentTransitionRefused,
)
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.content_assignments.services.expiring import expire_due
from enterprise_access.apps.content_assignments.services.linking import link_due
from enterprise_access.apps.content_assignments.services.transitions import cancel
from enterprise_access.apps.content_assignments.tests.scene import allocate, make_assigned_budget
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.creating import Asker, withdraw_request
from enterprise_access.apps.subsidy_requests.services.credit import create_credit_request
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import approve_credit, cancel_credit
from enterprise_access.apps.subsidy_requests.services.reviewing import decline
from enterprise_access.apps.subsidy_requests.tests.made import CREDIT, make_asked_budget, review
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError, UpstreamError
from simulator.seed import ACME

# People who never come: one without an account, and one whom the LMS refuses to link.
ABSENT = ("nobody@example.com", "nobody@nowhere.invalid")


class Admins:
    """A budget that is spent by assigning, and one that learners ask for; both on courses of one catalog."""

    def __init__(
        self, chance: random.Random, *, emails: dict[int, str], courses: list[str], limit: int, catalog_uuid: UUID
    ) -> None:
        self.random, self.emails, self.courses = chance, emails, courses
        self.assigned = make_assigned_budget(spend_limit=limit, catalog_uuid=catalog_uuid)
        self.asked = make_asked_budget(spend_limit=limit, catalog_uuid=catalog_uuid)

    def steps(self) -> list[tuple[int, Callable[[], object]]]:
        return [
            (3, self.allocate),
            (1, self.cancel_assignment),
            (1, self.expire),
            (1, self.link),
            (2, self.ask),
            (2, self.approve),
            (1, self.decline),
            (1, self.withdraw),
            (1, self.cancel_request),
        ]

    def wanted_of(self, policy: SubsidyAccessPolicy) -> list[tuple[int, str]]:
        """Return who has which course by an allocated assignment of a budget."""
        rows = LearnerContentAssignment.objects.filter(policy_uuid=policy.pk, state="allocated").order_by("pk")
        ids = {email: learner for learner, email in self.emails.items()}
        return [(ids[row.learner_email], row.content_key) for row in rows if row.learner_email in ids]

    def allocate(self) -> None:
        people = [*self.emails.values()] * 3 + [*ABSENT]
        with suppress(AllocationRefused, AllocationInvalid, UpstreamError):
            allocate(self.assigned, [self.random.choice(people)], key=self.random.choice(self.courses))

    def cancel_assignment(self) -> None:
        rows = list(LearnerContentAssignment.objects.filter(state__in=["allocated", "errored"]).order_by("pk"))
        if rows:
            with suppress(AssignmentTransitionRefused):
                cancel([self.random.choice(rows).pk], now=clock.now())

    def expire(self) -> None:
        expire_due(now=clock.now())

    def link(self) -> None:
        link_due()

    def ask(self) -> None:
        """Ask for a course, for the first time or again."""
        learner = self.random.choice(list(self.emails))
        with suppress(ServiceError):
            create_credit_request(
                customer_uuid=ACME,
                policy_uuid=self.asked.pk,
                asker=Asker(lms_user_id=learner, email=self.emails[learner]),
                course_id=self.random.choice(self.courses),
                now=clock.now(),
            )

    def approve(self) -> None:
        for row in self._some("requested", "error"):
            with suppress(ServiceError):
                approve_credit(review(row), policy_uuid=self.asked.pk)

    def decline(self) -> None:
        for row in self._some("requested", "error"):
            with suppress(ServiceError):
                decline(review(row), subsidy_type=CREDIT, reason="")

    def withdraw(self) -> None:
        for row in self._some("requested"):
            with suppress(ServiceError):
                withdraw_request(
                    request_uuid=row.pk, subsidy_type=CREDIT, lms_user_id=row.lms_user_id or 0, now=clock.now()
                )

    def cancel_request(self) -> None:
        for row in self._some("approved"):
            with suppress(ServiceError):
                cancel_credit(review(row))

    def _some(self, *states: str) -> list[SubsidyRequest]:
        """Return one request in one of these states, if there is one."""
        rows = list(SubsidyRequest.objects.filter(state__in=states).order_by("pk"))
        return self.random.sample(rows, min(1, len(rows)))
