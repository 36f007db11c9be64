"""Anything in any order: the money held is that of the allocated rows, and no row does what its state forbids."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from enterprise_access.apps.content_assignments.domain.expiring import ExpirationReason
from enterprise_access.apps.content_assignments.errors import AllocationRefused, AssignmentTransitionRefused
from enterprise_access.apps.content_assignments.services import redeeming, reminding, transitions
from enterprise_access.apps.content_assignments.services.people import clear_emails, see_learner
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    PolicyTotals,
    Reservation,
    SubsidyAccessPolicy,
    SubsidyTotals,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.services import (
    record_transaction,
    release,
    spend,
)
from enterprise_access.lib import clock

from .scene import PRICE, Assignment, allocate, begin_redeeming, check_money, make_assigned_budget, news_of

PEOPLE = [f"p{number}@example.com" for number in range(4)]
SPEND_LIMIT = 3 * PRICE
people = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=3, unique=True)
person = st.sampled_from(PEOPLE)


class Assignments(RuleBasedStateMachine):
    """One budget that four people compete for."""

    @initialize()
    def begin(self) -> None:
        for model in (Reservation, SubsidyTransaction, LearnerTotals, PolicyTotals, SubsidyTotals, Notification):
            model.objects.all().delete()
        Assignment.objects.all().delete()
        SubsidyAccessPolicy.objects.all().delete()
        self.policy = make_assigned_budget(spend_limit=SPEND_LIMIT)
        self.open: dict = {}
        self.spent: dict = {}

    def rows(self, emails) -> list[Assignment]:
        return list(Assignment.objects.filter(policy_uuid=self.policy.pk, learner_email__in=emails))

    @rule(emails=people)
    def allocate(self, emails) -> None:
        with suppress(AllocationRefused):
            allocate(self.policy, emails)

    @rule(emails=people)
    def cancel(self, emails) -> None:
        self.end(
            lambda uuids: transitions.cancel(uuids, now=clock.now()), emails, {"allocated", "errored", "cancelled"}
        )

    @rule(emails=people)
    def expire(self, emails) -> None:
        reason = ExpirationReason.SUBSIDY_EXPIRED
        self.end(
            lambda uuids: transitions.expire(uuids, reason=reason, now=clock.now()), emails, {"allocated", "expired"}
        )

    @rule(email=person)
    def error(self, email) -> None:
        self.end(
            lambda uuids: [transitions.error(uuid, reason="x", now=clock.now()) for uuid in uuids],
            [email],
            {"allocated", "errored"},
        )

    def end(self, act, emails, allowed) -> None:
        """Do it, and check that it was done exactly when every row may."""
        rows = self.rows(emails)
        may = all(row.state in allowed and (row.state != "allocated" or row.pk not in self.open) for row in rows)
        before = {row.pk: row.state for row in rows}
        try:
            act([row.pk for row in rows])
            assert may
        except AssignmentTransitionRefused:
            assert not may
            assert {row.pk: row.state for row in self.rows(emails)} == before

    @rule(emails=people)
    def remind(self, emails) -> None:
        with suppress(AssignmentTransitionRefused):
            reminding.remind([row.pk for row in self.rows(emails)], now=clock.now())

    @rule(email=person)
    def begin_redeeming(self, email) -> None:
        for row in self.rows([email]):
            if row.pk in self.open:
                continue
            try:
                redeeming.lock_for_redemption(assignment_uuid=row.pk)
            except AssignmentTransitionRefused:
                assert row.state != "allocated"
                continue
            self.open[row.pk] = begin_redeeming(row, learner=7)

    @rule(email=person, is_success=st.booleans())
    def end_redeeming(self, email, is_success) -> None:
        for row in self.rows([email]):
            promise = self.open.pop(row.pk, None)
            if promise is None:
                continue
            if not is_success:
                redeeming.note_failed_redemption(assignment_uuid=row.pk, now=clock.now())
                release(reservation_uuid=promise.pk, as_allocation=True)
                continue
            news = news_of(row, lms_user_id=7)
            redeeming.accept(assignment_uuid=row.pk, transaction_uuid=news.uuid, lms_user_id=7, now=clock.now())
            spend(reservation_uuid=promise.pk, news=news, now=clock.now())
            self.spent[row.pk] = news.uuid

    @rule(email=person)
    def reverse(self, email) -> None:
        for row in self.rows([email]):
            if (uuid := self.spent.pop(row.pk, None)) is not None:
                record_transaction(news=news_of(row, uuid=uuid, lms_user_id=7, is_reversed=True), now=clock.now())
                row.refresh_from_db()
                assert row.state == "reversed"

    @rule(email=person)
    def see(self, email) -> None:
        see_learner(7, email, clock.now())

    @rule(email=person)
    def clear(self, email) -> None:
        clear_emails([row.pk for row in self.rows([email]) if row.state == "cancelled"], now=clock.now())

    @invariant()
    def money_is_that_of_the_rows(self) -> None:
        if not hasattr(self, "policy"):
            return
        rows = list(Assignment.objects.filter(policy_uuid=self.policy.pk))
        kept = sum(row.price_cents for row in rows if row.state in ("allocated", "accepted"))
        assert kept <= SPEND_LIMIT
        open_rows = [row for row in rows if row.pk in self.open]
        assert all(row.state == "allocated" for row in open_rows)
        if not open_rows:
            check_money(self.policy)
        held = set(Reservation.objects.filter(state="held").values_list("assignment_uuid", flat=True))
        assert held == {row.pk for row in rows if row.state == "allocated"}


@pytest.mark.django_db
def test_whatever_happens_the_money_is_that_of_the_rows(world):
    about = settings(max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Assignments, settings=about)
