"""Facts of accounts, of a learner's transactions and of priced content: asked for once, and unknown when not told."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.models import (
    PolicyTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.selectors import (
    get_policy,
    learner_uses_of,
    list_differences,
    list_policies,
    totals_of,
)
from enterprise_access.apps.subsidy_access_policies.selectors.budget_page import get_budget_page
from enterprise_access.apps.subsidy_access_policies.services import (
    begin_to_refresh_transactions,
    fetch_offers,
    refresh_accounts,
    release,
    reserve,
)
from enterprise_access.apps.subsidy_access_policies.services.allocations import release_allocations
from enterprise_access.apps.subsidy_access_policies.services.signals import transaction_committed, transaction_reversed
from enterprise_access.apps.subsidy_access_policies.tests.ledger import (
    ADA,
    DEMO_RUN,
    MINUTE,
    calls,
    known_account,
    make_budget,
    redeemed,
)
from enterprise_access.lib import clock
from simulator import ledger
from simulator.faults import FaultKind
from simulator.seed import ACME, ACME_CREDIT, ACME_CUSTOM, ACME_LEADERSHIP

pytestmark = pytest.mark.django_db


def read_ada(max_age: timedelta = MINUTE) -> frozenset[UUID]:
    finish = begin_to_refresh_transactions([ADA], subsidy_uuids=[ACME_CREDIT], since=clock.now() - max_age)
    return finish()[ADA]


class TestAccounts:
    def test_an_account_is_read_once_while_it_is_young(self, world):
        for _ in range(2):
            found = refresh_accounts([ACME_CREDIT, ACME_CREDIT], max_age=MINUTE, now=clock.now())
            assert (found[ACME_CREDIT].balance, found[ACME_CREDIT].customer_uuid) == (500_000, ACME)
        assert len(calls(world)) == 1

    def test_one_that_cannot_be_asked_is_missing_and_the_others_are_not(self, simulator):
        unknown = uuid4()
        assert set(refresh_accounts([ACME_CREDIT, unknown], max_age=MINUTE, now=clock.now())) == {ACME_CREDIT}
        simulator.faults.add(FaultKind.STATUS, "subsidy.*", status=503, times=None)
        assert refresh_accounts([ACME_CREDIT], max_age=timedelta(0), now=clock.now()) == {}
        assert Subsidy.objects.get().balance == 500_000

    def test_without_enterprise_subsidy_nothing_is_known(self, settings):
        settings.SUBSIDY_BASE_URL = None
        assert refresh_accounts([ACME_CREDIT], max_age=MINUTE, now=clock.now()) == {}


class TestTransactions:
    def test_a_learners_transactions_are_copied_and_counted_once(self, world):
        policy = make_budget()
        redeemed(world, policy.pk)
        for _ in range(2):
            assert read_ada() == {ACME_CREDIT}
        assert calls(world).count("subsidy.admin_transactions") == 1
        assert learner_uses_of([policy], lms_user_ids=[ADA])[ADA][policy.pk].spent_cents == 14_900
        assert list_differences(policy.subsidy) == []

    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": FaultKind.STATUS, "status": 500},
            {"kind": FaultKind.HANG},
            {"kind": FaultKind.ODD_ROW, "row_of": DEMO_RUN, "keys": ["quantity"], "value": "many"},
            {"kind": FaultKind.ODD_ROW, "row_of": DEMO_RUN, "keys": ["state"], "value": "parked"},
        ],
    )
    def test_what_is_not_told_in_full_is_unknown(self, world, simulator, fault):
        redeemed(world, make_budget().pk)
        simulator.faults.add(endpoint="subsidy.admin_transactions", times=None, **fault)
        assert read_ada() == frozenset()

    def test_both_turns_of_a_transaction_are_told_once_with_its_promise(self, world):
        heard = []

        def receiver(name):
            def receive(sender, transaction, reservation, **_):
                assert sender is SubsidyTransaction
                heard.append((name, transaction.pk, reservation and reservation.pk))

            return receive

        committed, was_reversed = receiver("committed"), receiver("reversed")
        transaction_committed.connect(committed)
        transaction_reversed.connect(was_reversed)
        policy, attempt = make_budget(), uuid4()
        promise = reserve(
            policy_uuid=policy.pk,
            lms_user_id=ADA,
            content_key=DEMO_RUN,
            amount_cents=14_900,
            kind=ReservationKind.REDEMPTION,
            attempt_uuid=attempt,
            now=clock.now(),
        )
        row = redeemed(world, policy.pk, key=str(attempt))
        for _ in range(2):
            read_ada(timedelta(0))
        assert Reservation.objects.get().transaction_uuid == row.uuid
        totals = PolicyTotals.objects.get()
        assert (totals.held, totals.spent, totals.redemptions) == (0, 14_900, 1)
        ledger.reverse(world, row)
        for _ in range(2):
            read_ada(timedelta(0))
        assert heard == [("committed", row.uuid, promise.pk), ("reversed", row.uuid, promise.pk)]
        assert list_differences(policy.subsidy) == []


class TestOffers:
    def test_a_run_and_its_course_have_a_price_and_dates(self, world):
        policy, other = make_budget(), make_budget(display_name="Leaders", catalog_uuid=ACME_LEADERSHIP)
        keys = [DEMO_RUN, "edX+DemoX", "edX+OLD101", "edX+Nowhere"]
        offers = fetch_offers([policy, other], keys, now=clock.now())
        for key in keys[:2]:
            offer = offers[policy.pk, key]
            assert (offer.run_key, offer.course_key, offer.run_dollars) == (DEMO_RUN, "edX+DemoX", 149.0)
            assert (offer.is_in_catalog, offer.has_metadata) == (True, True)
            assert offer.start_date == world.run(DEMO_RUN).start
        assert offers[policy.pk, "edX+Nowhere"].is_in_catalog is False
        asked = len(world.journal.calls(service="catalog"))
        fetch_offers([policy, other], keys, now=clock.now())
        assert len(world.journal.calls(service="catalog")) == asked

    def test_a_restricted_run_is_only_where_its_catalog_allows_it(self, world):
        policy, custom = make_budget(), make_budget(display_name="Custom", catalog_uuid=ACME_CUSTOM)
        key = "course-v1:edX+RestrictX+B2B_2026"
        offers = fetch_offers([policy, custom], [key], now=clock.now())
        assert [offers[one.pk, key].is_in_catalog for one in (policy, custom)] == [False, True]

    def test_a_catalog_that_cannot_be_asked_says_nothing(self, world, simulator):
        policy = make_budget()
        simulator.faults.add(FaultKind.STATUS, "catalog.*", status=503, times=None)
        offer = fetch_offers([policy], [DEMO_RUN], now=clock.now())[policy.pk, DEMO_RUN]
        assert (offer.is_in_catalog, offer.has_metadata, offer.run_dollars) == (None, None, None)


def test_the_use_of_many_budgets_is_one_statement_and_unread_money_is_none(django_assert_num_queries, world):
    subsidy = known_account()
    policies = [make_budget(display_name=str(number), spend_limit=1_000 * number) for number in range(5)]
    redeemed(world, policies[2].pk)
    read_ada()
    with django_assert_num_queries(1):
        uses = totals_of(policies)
    assert (uses[policies[2].pk].policy_cents, uses[policies[2].pk].available_cents) == (2_000 - 14_900, 0)
    assert uses[policies[4].pk].available_cents == 4_000
    assert uses[policies[0].pk].total_spend_limits_cents == 10_000
    with django_assert_num_queries(2):
        assert list(list_policies(customer_uuid=ACME, is_active=True)) == policies
    Subsidy.objects.update(balance=None, fetched_at=None)
    assert totals_of(policies)[policies[0].pk].available_cents is None
    assert get_policy(policies[0].pk).subsidy == subsidy
    assert SubsidyAccessPolicy.objects.count() == 5


def test_the_chart_tells_what_was_spent_and_promised_by_the_end_of_each_month(world):
    policy, now = make_budget(), clock.now()
    redeemed(world, policy.pk)
    read_ada()
    promises = [
        reserve(
            policy_uuid=policy.pk,
            lms_user_id=number,
            content_key=DEMO_RUN,
            amount_cents=10**number,
            kind=ReservationKind.ALLOCATION,
            now=now,
            assignment_uuid=uuid4(),
        )
        for number in range(1, 4)
    ]
    release(reservation_uuid=promises[0].pk)
    release_allocations([promises[1]])
    # All of them were promised three months ago, one ended the month after, and one has ended now.
    Reservation.objects.update(created=now - timedelta(days=93))
    Reservation.objects.filter(pk=promises[0].pk).update(modified=now - timedelta(days=62))
    months, use = get_budget_page(policy, now=now).months, totals_of([policy])[policy.pk]
    promised = list(dict.fromkeys(month.promised_cents for month in months))
    assert promised == [0, 1_110, 1_100, use.held_cents + use.allocated_cents] == [0, 1_110, 1_100, 1_000]
    assert [month.spent_cents for month in months[-2:]] == [0, use.spent_cents]
