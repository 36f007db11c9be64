"""Promising and spending: never over a limit, and the totals are always what the rows come to."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind, ReservationState
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType, SubsidyPeriod
from enterprise_access.apps.subsidy_access_policies.domain.reasons import CreditReason
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused, PolicyUnknown, ReservationEnded
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTotals,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_access_policies.services import (
    LedgerNews,
    record_transaction,
    release,
    reserve,
    spend,
)
from enterprise_access.apps.subsidy_access_policies.services.budget import record_balance

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
RUN = "course-v1:edX+DemoX+2026_T1"
PERIOD = SubsidyPeriod(start=None, expiration=None)
REDEMPTION, ALLOCATION = ReservationKind.REDEMPTION, ReservationKind.ALLOCATION


def make_subsidy(*, balance: int = 1_000) -> Subsidy:
    return Subsidy.objects.create(
        uuid=uuid4(), customer_uuid=UUID(int=1), balance=balance, total_deposits=balance, fetched_at=NOON
    )


def make_policy(subsidy: Subsidy, **about) -> SubsidyAccessPolicy:
    defaults = {
        "customer_uuid": UUID(int=1),
        "catalog_uuid": UUID(int=2),
        "display_name": str(uuid4()),
        "policy_type": PolicyType.PER_LEARNER_SPEND.value,
        "access_method": AccessMethod.DIRECT.value,
    }
    return SubsidyAccessPolicy.objects.create(subsidy=subsidy, **{**defaults, **about})


def promise(policy, amount=100, *, learner=7, kind=REDEMPTION, **about) -> Reservation:
    return reserve(
        policy_uuid=policy.pk,
        lms_user_id=learner,
        content_key=RUN,
        amount_cents=amount,
        kind=kind,
        now=NOON,
        **about,
    )


def news(policy, *, uuid=None, cents=100, learner=7, state=TransactionState.COMMITTED, **about) -> LedgerNews:
    known = {
        "uuid": uuid or uuid4(),
        "subsidy_uuid": policy.subsidy_id,
        "policy_uuid": policy.pk,
        "lms_user_id": learner,
        "content_key": RUN,
        "quantity_cents": -cents,
        "state": state,
        "is_reversed": False,
        "created": NOON,
        "modified": NOON,
        "source": "answer",
    }
    return LedgerNews(**{**known, **about})


def refused(*args, **about) -> StrEnum:
    with pytest.raises(BudgetRefused) as caught:
        promise(*args, **about)
    return caught.value.reason


def totals(policy) -> tuple[int, int, int, int]:
    row = PolicyTotals.objects.get(pk=policy.pk)
    return row.held, row.allocated, row.spent, row.redemptions


def assert_totals_agree() -> None:
    assert [one for subsidy in Subsidy.objects.all() for one in list_differences(subsidy)] == []


@pytest.mark.django_db
class TestLimits:
    """The last cents fit, and one cent more does not."""

    def test_the_balance(self):
        policy = make_policy(make_subsidy())
        promise(policy, 1_000)
        assert refused(policy, 1) is CreditReason.NOT_ENOUGH_VALUE

    def test_the_balance_is_shared_by_policies(self):
        subsidy = make_subsidy()
        promise(make_policy(subsidy), 600)
        assert refused(make_policy(subsidy), 401) is CreditReason.NOT_ENOUGH_VALUE

    def test_the_spend_limit(self):
        policy = make_policy(make_subsidy(), spend_limit=300)
        promise(policy, 300)
        assert refused(policy, 1) is CreditReason.POLICY_SPEND_LIMIT

    def test_a_learners_spend_limit(self):
        policy = make_policy(make_subsidy(), per_learner_spend_limit=300)
        promise(policy, 300)
        assert refused(policy, 1) is CreditReason.LEARNER_SPEND_LIMIT
        promise(policy, 300, learner=8)

    def test_a_learners_enrollment_limit(self):
        about = {"policy_type": PolicyType.PER_LEARNER_ENROLLMENT.value, "per_learner_enrollment_limit": 1}
        policy = make_policy(make_subsidy(), **about)
        promise(policy, 0)
        assert refused(policy, 0) is CreditReason.LEARNER_ENROLLMENT_LIMIT

    def test_an_account_that_was_never_read_promises_nothing(self):
        subsidy = Subsidy.objects.create(uuid=uuid4(), customer_uuid=UUID(int=1))
        assert refused(make_policy(subsidy)) is CreditReason.SUBSIDY_UNAVAILABLE

    @pytest.mark.parametrize("about", [{"active": False}, {"retired": True}])
    def test_an_ended_policy_promises_nothing(self, about):
        assert refused(make_policy(make_subsidy(), **about)) is CreditReason.POLICY_EXPIRED

    def test_an_ended_account_promises_nothing(self):
        subsidy = make_subsidy()
        Subsidy.objects.update(expires_at=NOON)
        assert refused(make_policy(subsidy)) is CreditReason.SUBSIDY_EXPIRED

    def test_an_unknown_policy_promises_nothing(self):
        policy = make_policy(make_subsidy())
        policy.uuid = uuid4()
        with pytest.raises(PolicyUnknown):
            promise(policy)


@pytest.mark.django_db
class TestOnePromise:
    """One row for a promise, whatever becomes of it."""

    def test_released_money_is_free_again(self):
        policy = make_policy(make_subsidy())
        row = promise(policy, 1_000)
        release(reservation_uuid=row.pk)
        release(reservation_uuid=row.pk)
        assert totals(policy) == (0, 0, 0, 0)
        promise(policy, 1_000)
        assert_totals_agree()

    def test_spent_money_is_counted_by_its_transaction(self):
        policy = make_policy(make_subsidy())
        row, heard = promise(policy, 100), news(policy, cents=90)
        for _ in range(2):
            spend(reservation_uuid=row.pk, news=heard, now=NOON)
        assert totals(policy) == (0, 0, 90, 1)
        with pytest.raises(ReservationEnded):
            release(reservation_uuid=row.pk)
        with pytest.raises(ReservationEnded):
            spend(reservation_uuid=row.pk, news=news(policy), now=NOON)
        assert_totals_agree()

    def test_released_money_is_not_spent(self):
        policy = make_policy(make_subsidy())
        row = promise(policy)
        release(reservation_uuid=row.pk)
        with pytest.raises(ReservationEnded):
            spend(reservation_uuid=row.pk, news=news(policy), now=NOON)

    def test_a_reversal_gives_everything_back(self):
        policy = make_policy(make_subsidy(), per_learner_spend_limit=100)
        row, heard = promise(policy), news(policy)
        spend(reservation_uuid=row.pk, news=heard, now=NOON)
        copy = record_transaction(news=news(policy, uuid=heard.uuid, is_reversed=True), now=NOON)
        assert copy.reversed_at == NOON
        assert totals(policy) == (0, 0, 0, 0)
        promise(policy)
        assert_totals_agree()

    def test_an_allocation_becomes_a_redemption_and_an_allocation_again(self):
        policy = make_policy(
            make_subsidy(),
            policy_type=PolicyType.ASSIGNED.value,
            access_method=AccessMethod.ASSIGNED.value,
            spend_limit=100,
        )
        assignment = uuid4()
        row = promise(policy, learner=None, kind=ALLOCATION, assignment_uuid=assignment)
        assert totals(policy) == (0, 100, 0, 0)
        again = promise(policy, kind=REDEMPTION, assignment_uuid=assignment, attempt_uuid=uuid4())
        assert again.pk == row.pk
        assert totals(policy) == (100, 0, 0, 1)
        assert_totals_agree()
        release(reservation_uuid=row.pk, as_allocation=True)
        assert totals(policy) == (0, 100, 0, 0)
        assert Reservation.objects.count() == 1
        assert_totals_agree()

    def test_the_promise_of_an_assignment_is_one_redemptions_at_a_time(self):
        policy = make_policy(make_subsidy())
        assignment, first = uuid4(), uuid4()
        row = promise(policy, kind=ALLOCATION, assignment_uuid=assignment)
        for _ in range(2):
            promise(policy, assignment_uuid=assignment, attempt_uuid=first)
        reason = refused(policy, assignment_uuid=assignment, attempt_uuid=uuid4())
        assert reason is CreditReason.REDEMPTION_IN_PROGRESS
        row.refresh_from_db()
        assert (row.attempt_uuid, totals(policy)) == (first, (100, 0, 0, 1))
        release(reservation_uuid=row.pk, as_allocation=True)
        assert promise(policy, assignment_uuid=assignment, attempt_uuid=uuid4()).pk == row.pk
        assert_totals_agree()

    def test_an_assignment_has_one_promise_that_stands(self):
        policy = make_policy(make_subsidy())
        row = promise(policy, kind=ALLOCATION, assignment_uuid=uuid4())
        copy = Reservation(
            policy=policy,
            content_key=RUN,
            amount=1,
            kind=row.kind,
            state=row.state,
            assignment_uuid=row.assignment_uuid,
        )
        with pytest.raises(IntegrityError), transaction.atomic():
            copy.save()


@pytest.mark.django_db
class TestAccount:
    """What the balance shows is not subtracted again."""

    def test_money_that_was_seen_before_the_read_is_in_the_balance(self):
        subsidy = make_subsidy()
        policy = make_policy(subsidy)
        record_transaction(news=news(policy, cents=400), now=NOON + timedelta(seconds=1))
        assert SubsidyTotals.objects.get().promised == 400
        later = NOON + timedelta(seconds=2)
        about = {"subsidy_uuid": subsidy.pk, "deposits_cents": 1_000, "period": PERIOD}
        record_balance(balance_cents=600, read_started_at=later, **about)
        assert SubsidyTotals.objects.get().promised == 0
        record_balance(balance_cents=5, read_started_at=NOON, **about)
        assert Subsidy.objects.get().balance == 600
        promise(policy, 600)
        assert refused(policy, 1) is CreditReason.NOT_ENOUGH_VALUE
        assert_totals_agree()

    def test_foreign_spending_of_an_unknown_policy_burdens_the_account_only(self):
        policy = make_policy(make_subsidy())
        record_transaction(news=news(policy, policy_uuid=uuid4(), cents=950), now=NOON)
        assert refused(policy, 51) is CreditReason.NOT_ENOUGH_VALUE
        assert_totals_agree()

    def test_deposits_and_failures_use_nothing(self):
        policy = make_policy(make_subsidy())
        record_transaction(news=news(policy, cents=-500, learner=None, policy_uuid=None), now=NOON)
        record_transaction(news=news(policy, state=TransactionState.FAILED), now=NOON)
        assert SubsidyTotals.objects.get().promised == 0
        assert_totals_agree()


@pytest.mark.django_db
class TestTables:
    """What a budget may be is held by the database, too."""

    @pytest.mark.parametrize(
        "about",
        [
            {"spend_limit": -1},
            {"per_learner_enrollment_limit": 1},
            {"policy_type": PolicyType.ASSIGNED.value, "access_method": AccessMethod.ASSIGNED.value},
            {"access_method": AccessMethod.REQUEST.value, "pays_for_default_enrollments": True},
        ],
    )
    def test_limits_that_do_not_fit_the_type_are_not_stored(self, about):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_policy(make_subsidy(), **about)

    def test_two_active_budgets_that_are_the_same_are_not_stored(self):
        subsidy = make_subsidy()
        first = make_policy(subsidy, display_name="Team North")
        with pytest.raises(IntegrityError), transaction.atomic():
            make_policy(subsidy, display_name="team  north ")
        make_policy(subsidy, display_name="team north", active=False)
        first.active = False
        first.save()
        make_policy(subsidy, display_name="Team North")

    def test_changes_have_a_history(self):
        policy = make_policy(make_subsidy())
        policy.spend_limit = 5
        policy.save()
        assert policy.history.count() == 2


@pytest.mark.django_db
class TestVerifying:
    """`manage.py verify_budgets`."""

    def test_it_is_silent_when_all_totals_agree(self, capsys):
        promise(make_policy(make_subsidy()))
        call_command("verify_budgets")
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("model", [SubsidyTotals, PolicyTotals, LearnerTotals])
    def test_each_kind_of_total_that_differs_is_named_and_exits_1(self, capsys, model):
        promise(make_policy(make_subsidy()))
        name = "promised" if model is SubsidyTotals else "held"
        model.objects.update(**{name: 99})
        with pytest.raises(SystemExit) as caught:
            call_command("verify_budgets")
        assert caught.value.code == 1
        assert f"{name}: stored 99, computed 100" in capsys.readouterr().out


class Budgets(RuleBasedStateMachine):
    """Anything in any order: nothing is over, and the totals are what the rows come to."""

    numbers = count(1)

    @initialize()
    def begin(self) -> None:
        for model in (Reservation, SubsidyTransaction, LearnerTotals, PolicyTotals, SubsidyTotals):
            model.objects.all().delete()
        SubsidyAccessPolicy.objects.all().delete()
        Subsidy.objects.all().delete()
        self.subsidy = make_subsidy()
        limits: tuple[dict[str, int], ...] = ({"spend_limit": 500}, {"per_learner_spend_limit": 300}, {})
        self.policies = [make_policy(self.subsidy, **about) for about in limits]
        self.is_foreign_spending = False

    @rule(
        which=st.integers(0, 2),
        amount=st.integers(0, 400),
        learner=st.sampled_from([7, 8]),
        kind=st.sampled_from(ReservationKind),
    )
    def reserve_some(self, which, amount, learner, kind) -> None:
        try:
            promise(self.policies[which], amount, learner=learner, kind=kind)
        except BudgetRefused:
            return

    @rule(pick=st.integers(0, 50), state=st.sampled_from(TransactionState), is_reversed=st.booleans())
    def hear_of_one(self, pick, state, is_reversed) -> None:
        rows = list(Reservation.objects.exclude(state=ReservationState.RELEASED.value).select_related("policy"))
        if not rows:
            return
        row = rows[pick % len(rows)]
        heard = news(
            row.policy,
            uuid=row.transaction_uuid or uuid4(),
            cents=row.amount,
            learner=row.lms_user_id,
            state=state,
            is_reversed=is_reversed and state is TransactionState.COMMITTED,
            modified=NOON + timedelta(seconds=next(self.numbers)),
        )
        if row.state == ReservationState.HELD.value:
            spend(reservation_uuid=row.pk, news=heard, now=NOON + timedelta(seconds=next(self.numbers)))
        else:
            record_transaction(news=heard, now=NOON + timedelta(seconds=next(self.numbers)))

    @rule(pick=st.integers(0, 50))
    def release_one(self, pick) -> None:
        rows = list(Reservation.objects.filter(state=ReservationState.HELD.value))
        if rows:
            release(reservation_uuid=rows[pick % len(rows)].pk)

    @rule()
    def read_balance(self) -> None:
        counted = SubsidyTransaction.objects.exclude(state=TransactionState.FAILED.value).filter(is_reversed=False)
        record_balance(
            subsidy_uuid=self.subsidy.pk,
            balance_cents=1_000 + sum(counted.values_list("quantity", flat=True)),
            deposits_cents=1_000,
            period=PERIOD,
            read_started_at=NOON + timedelta(seconds=next(self.numbers)),
        )

    @invariant()
    def totals_agree_and_nothing_is_over(self) -> None:
        if not hasattr(self, "policies"):
            return
        assert_totals_agree()
        for row in PolicyTotals.objects.select_related("policy"):
            limit = row.policy.spend_limit
            assert limit is None or row.held + row.allocated + row.spent <= limit


@pytest.mark.django_db
def test_whatever_happens_the_totals_are_what_the_rows_come_to():
    about = settings(max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Budgets, settings=about)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_order_of_news_does_not_matter_to_the_totals(data):
    with transaction.atomic():
        policy = make_policy(make_subsidy())
        states = st.tuples(st.sampled_from(TransactionState), st.booleans(), st.integers(0, 3))
        drawn = data.draw(st.lists(states, min_size=1, max_size=5))
        found = []
        for order in (drawn, data.draw(st.permutations(drawn))):
            uuid = uuid4()
            for state, is_reversed, seconds in order:
                heard = news(
                    policy,
                    uuid=uuid,
                    state=state,
                    is_reversed=is_reversed and state is TransactionState.COMMITTED,
                    modified=NOON + timedelta(seconds=seconds),
                )
                record_transaction(news=heard, now=NOON)
            row = SubsidyTransaction.objects.get(pk=uuid)
            found.append((row.state, row.is_reversed, row.modified))
        assert found[0] == found[1]
        assert_totals_agree()
        transaction.set_rollback(True)
