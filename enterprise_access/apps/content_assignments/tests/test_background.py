"""What happens by itself: links, expiry, clearing, reversal, logins."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from openedx_events.learning.data import UserData, UserPersonalData

from enterprise_access.apps.content_assignments.handlers import note_people
from enterprise_access.apps.content_assignments.models import LinkRequest
from enterprise_access.apps.content_assignments.selectors.timeline import timeline_of
from enterprise_access.apps.content_assignments.services import clearing, expiring, linking, redeeming, transitions
from enterprise_access.apps.content_assignments.services.people import see_learner, see_learners
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.services import record_transaction, spend
from enterprise_access.events.handling import Event
from enterprise_access.lib import clock
from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.timeline import get_timeline
from simulator.faults import FaultKind
from simulator.seed import ACME

from .scene import (
    ADA,
    BEN,
    DEMO,
    Assignment,
    actions_of,
    allocate,
    allocated,
    begin_redeeming,
    check_money,
    make_assigned_budget,
    news_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
DAY = timedelta(days=1)


@pytest.fixture
def policy(world):
    return make_assigned_budget()


def redeem(row):
    """Redeem an assignment as the redemption app does: the assignment first, then the money."""
    now, news = clock.now(), news_of(row)
    redeeming.lock_for_redemption(assignment_uuid=row.pk)
    promise = begin_redeeming(row)
    redeeming.accept(assignment_uuid=row.pk, transaction_uuid=news.uuid, lms_user_id=ADA, now=now)
    spend(reservation_uuid=promise.pk, news=news, now=now)
    return news


class TestLinking:
    def test_people_are_linked_or_noted_once(self, policy, world):
        rows = allocate(policy, ["ada@example.com", "new-person@example.com"]).created
        linking.link_due()
        assert [row.email for row in world.tables.pending_learners] == ["new-person@example.com"]
        assert {tuple(actions_of(row.pk)) for row in rows} == {(("learner_linked", ""),)}
        calls = len(world.journal.calls(service="lms"))
        linking.link_due()
        assert len(world.journal.calls(service="lms")) == calls

    def test_an_address_that_the_lms_refuses_is_found_among_the_others(self, policy):
        rows = allocate(policy, ["ada@example.com", "bad@nowhere.invalid", "ben@example.com"]).created
        linking.link_due()
        states = {row.learner_email: Assignment.objects.get(pk=row.pk).state for row in rows}
        assert states == {
            "ada@example.com": "allocated",
            "bad@nowhere.invalid": "errored",
            "ben@example.com": "allocated",
        }
        assert not LinkRequest.objects.exclude(due_at=None).exists()
        check_money(policy)

    def test_an_lms_that_is_away_is_waited_for_and_no_assignment_fails(self, policy, simulator):
        row = allocated(policy)
        simulator.faults.add(FaultKind.STATUS, "lms.link_pending_learners", status=503, times=None)
        linking.link_due()
        row.refresh_from_db()
        assert (row.state, actions_of(row.pk)) == ("allocated", [])
        assert LinkRequest.objects.get().waiting_for.startswith("lms_")

    def test_links_that_fail_keep_no_other_call_from_the_lms(self, policy, simulator):
        allocate(policy, [f"person{number}@example.com" for number in range(8)])
        simulator.faults.add(FaultKind.STATUS, "lms.link_pending_learners", status=503, times=None)
        linking.link_due()
        assert breaker_of("lms").is_closed
        assert not breaker_of("lms", part="links").is_closed


class TestExpiring:
    def test_what_is_due_expires_and_what_is_being_redeemed_waits(self, policy):
        rows = allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"]).created
        begin_redeeming(rows[0])
        later = clock.now() + 91 * DAY
        dry = expiring.expire_due(now=later, is_dry_run=True)
        assert (dry.judged, dry.expired, len(dry.uuids)) == (3, 2, 2)
        assert Assignment.objects.filter(state="allocated").count() == 3
        assert expiring.expire_due(now=later, batch=2).expired == 2
        assert expiring.expire_due(now=later).expired == 0
        assert Notification.objects.filter(kind="assignment_expired").count() == 2
        ended = Assignment.objects.filter(state="expired")
        assert {row.expiration_reason for row in ended} <= {"NINETY_DAYS_PASSED", "ENROLLMENT_DATE_PASSED"}

    def test_a_silent_catalog_expires_nothing_that_may_still_be_good(self, policy, simulator):
        row = allocated(policy)
        simulator.faults.add(FaultKind.STATUS, "catalog.*", status=503, times=None)
        assert expiring.expire_due(now=clock.now() + DAY).expired == 0
        assert expiring.expire_due(now=row.allocated_at + 90 * DAY).expired == 1

    def test_a_row_that_cannot_be_judged_stops_no_other(self, policy):
        odd, due, late = allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"]).created
        Assignment.objects.filter(pk=odd.pk).update(allocated_at=datetime(9999, 12, 31, tzinfo=UTC))
        done = expiring.expire_due(now=clock.now() + 91 * DAY, batch=1)
        assert (done.judged, done.expired, done.held_up) == (3, 2, 1)
        assert set(Assignment.objects.filter(state="expired").values_list("pk", flat=True)) == {due.pk, late.pk}
        check_money(policy)

    def test_dates_that_moved_are_shown(self, policy):
        row = allocated(policy)
        Assignment.objects.filter(pk=row.pk).update(expires_at=clock.now() - DAY)
        expiring.expire_due(now=clock.now())
        row.refresh_from_db()
        assert row.expires_at > clock.now()

    def test_the_command_says_what_it_did(self, policy):
        allocated(policy)
        out = StringIO()
        call_command("expire_assignments", "--dry-run", stdout=out)
        assert out.getvalue().startswith("1 assignments judged, 0 would be expired, 0 held up")


class TestClearing:
    def test_an_address_goes_some_time_after_the_mail_about_the_end(self, policy, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        row = allocated(policy)
        transitions.cancel([row.pk], now=clock.now())
        later = clock.now() + timedelta(days=settings.ASSIGNMENT_EMAIL_DAYS + 1)
        assert clearing.clear_due_emails(now=later) == 0
        Notification.objects.update(outcome="sent", settled_at=clock.now())
        assert clearing.clear_due_emails(now=clock.now() + DAY) == 0
        assert clearing.clear_due_emails(now=later, is_dry_run=True) == 1
        assert clearing.clear_due_emails(now=later) == 1
        assert not Assignment.history.filter(learner_email="ada@example.com").exists()
        # The person is recognized by the account no more, and gets a row of its own.
        assert len(allocate(policy, ["ada@example.com"]).created) == 1

    def test_a_redeemed_one_keeps_its_address_until_the_learner_is_unlinked(self, policy):
        row = allocated(policy)
        redeem(row)
        customer = EnterpriseCustomer.objects.get_or_create(
            uuid=ACME, defaults={"slug": "acme", "name": "Acme", "fetched_at": clock.now()}
        )[0]
        link = EnterpriseLearner.objects.create(
            customer=customer,
            lms_user_id=ADA,
            enterprise_customer_user_id=1,
            username="ada",
            is_linked=True,
            is_active_link=True,
            fetched_at=clock.now(),
        )
        assert clearing.clear_due_emails(now=clock.now() + 365 * DAY) == 0
        link.is_linked = False
        link.save()
        assert clearing.clear_due_emails(now=clock.now()) == 1


class TestReversal:
    def test_money_that_came_back_reverses_the_assignment_once(self, policy):
        row = allocated(policy)
        news = redeem(row)
        check_money(policy)
        for _ in range(2):
            record_transaction(
                news=news_of(row, uuid=news.uuid, is_reversed=True, modified=clock.now()), now=clock.now()
            )
        row.refresh_from_db()
        assert (row.state, [name for name, _ in actions_of(row.pk)]) == ("reversed", ["redeemed", "reversed"])
        check_money(policy)
        assert len(allocate(policy, ["ada@example.com"]).updated) == 1


def test_who_logs_in_gets_the_assignments_of_the_address(policy):
    row = allocated(policy, key=DEMO)
    users = [(ADA, "Ada@example.com"), (BEN, "ben@example.com")]
    events = [
        Event(
            id=uuid4(),
            type="login",
            at=clock.now(),
            data={"user": UserData(id=key, is_active=True, pii=UserPersonalData(username="u", email=email, name=""))},
        )
        for key, email in users
    ]
    note_people(events)
    note_people(events)
    row.refresh_from_db()
    assert row.lms_user_id == ADA


def test_an_address_of_two_accounts_leads_to_neither(policy):
    (row,) = allocate(policy, ["ada@example.com"]).created
    assert see_learners({ADA: "ada@example.com", BEN: "ADA@example.com"}, clock.now()) == 0
    assert is_unclear(row)
    other = make_assigned_budget()
    assert see_learner(ADA, "ada@example.com", clock.now()) == 1
    # (Another account comes with the same address: which of the two a later assignment is for is unknown.)
    (late,) = allocate(other, ["ada@example.com"]).created
    Assignment.objects.filter(pk=late.pk).update(lms_user_id=None)
    assert see_learner(BEN, "ada@example.com", clock.now()) == 0
    assert (is_unclear(row), row.lms_user_id) == (False, ADA)
    assert (is_unclear(late), late.lms_user_id) == (True, None)
    assert "account: unknown" in [entry.what for entry in timeline_of(late)]
    written = late.history.count()
    assert see_learner(BEN, "ada@example.com", clock.now()) == 0
    assert late.history.count() == written
    transitions.cancel([late.pk], now=clock.now())
    assert not is_unclear(allocate(other, ["ada@example.com"]).updated[0])


def is_unclear(row):
    row.refresh_from_db()
    return row.account_unclear_at is not None


def test_the_timeline_of_a_learner_tells_of_assignments(policy):
    row, _other = allocate(policy, ["ada@example.com", "ben@example.com"]).created
    see_learner(ADA, "ada@example.com", clock.now())
    transitions.cancel([row.pk], now=clock.now())
    events = [one for one in get_timeline(customer_uuid=ACME, lms_user_id=ADA).events if "assignment" in one.about]
    assert [event.kind for event in events if event.kind != "mail"] == ["assignment_cancelled", "assignment_allocated"]
    assert sorted(event.text for event in events if event.kind == "mail") == [
        f"Mail about {DEMO} (assignment_allocated): still to be sent.",
        f"Mail about {DEMO} (assignment_cancelled): still to be sent.",
    ]
    assert {event.about["assignment"] for event in events} == {str(row.pk)}
    assert not [one for one in get_timeline(customer_uuid=ACME, lms_user_id=BEN).events if "assignment" in one.about]
