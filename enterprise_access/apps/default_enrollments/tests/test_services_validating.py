"""Validating intentions: since when each verdict is what it is, what has changed, and the mail about it."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import ClassVar

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from enterprise_access.apps.default_enrollments import tasks
from enterprise_access.apps.default_enrollments.models import IntentionHealth
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.validating import (
    CheckedState,
    mail_digest,
    make_digest,
    validate_intentions,
)
from enterprise_access.apps.default_enrollments.tests.stories import DAY, DEMO, DEMO_RUN, HOUR, intend
from enterprise_access.lib.metrics import VERDICT_CHANGES
from simulator.faults import FaultKind
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

CLOSED, CLOSED_RUN = "BerkeleyX+CS188.1x", "course-v1:BerkeleyX+CS188.1x+2026"


@pytest.fixture(autouse=True)
def _stopped(clock):
    """Time passes only when a test says so."""


def validate(delay=timedelta(0)):
    return validate_intentions(customer_uuid=ACME, delay=delay, now=timezone.now())


def states():
    return {one.intention.content_key: (one.state, one.reason) for one in validate().standings}


def test_each_intention_is_healthy_or_says_why_not(world):
    intend(DEMO, CLOSED)
    assert states() == {
        DEMO: (CheckedState.HEALTHY, "needs_enrollment"),
        CLOSED: (CheckedState.UNHEALTHY, "enrollment_closed"),
    }


def test_a_verdict_is_as_old_as_its_reason_whatever_else_changes(world, clock):
    intend(CLOSED)
    began = timezone.now()
    validate()
    clock.shift(HOUR)
    # The fingerprint changes, and the reason does not.
    world.change_run(run_key=CLOSED_RUN, end=timezone.now() + 300 * DAY)
    validate()
    health = IntentionHealth.objects.get()
    assert (health.reason_since, health.changed_at, health.checked_at) == (began, began + HOUR, began + HOUR)
    clock.shift(HOUR)
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    (standing,) = validate().standings
    assert (standing.state, standing.since) == (CheckedState.HEALTHY, began + 2 * HOUR)


def test_a_change_of_the_verdict_is_counted_once(world, clock):
    intend(DEMO)
    validate()
    counter = VERDICT_CHANGES.labels("enrollment_closed")
    before = counter._value.get()
    world.close_run(run_key=DEMO_RUN)
    clock.shift(HOUR)
    assert validate().changed == 1
    assert validate().changed == 0
    assert counter._value.get() == before + 1


def test_what_was_checked_lately_is_not_asked_about_again(world, clock):
    intend(DEMO)
    validate()
    clock.shift(timedelta(minutes=20))
    calls = len(world.journal.calls())
    (standing,) = validate(delay=timedelta(minutes=30)).standings
    assert standing.state is CheckedState.HEALTHY
    assert len(world.journal.calls()) == calls
    clock.shift(timedelta(minutes=11))
    validate(delay=timedelta(minutes=30))
    assert len(world.journal.calls()) > calls


def test_only_what_is_due_is_asked_about(world, clock):
    intend(DEMO)
    validate()
    clock.shift(timedelta(minutes=20))
    intend(CLOSED)
    found = validate(delay=timedelta(minutes=30))
    assert found.changed == 1
    by_key = {row.intention.content_key: row.checked_at for row in IntentionHealth.objects.all()}
    assert by_key[CLOSED] - by_key[DEMO] == timedelta(minutes=20)


def test_a_catalog_that_is_away_changes_no_verdict_and_is_told(world, simulator, clock):
    intend(DEMO)
    validate()
    clock.shift(HOUR)
    simulator.faults.add(FaultKind.UNREACHABLE, "catalog.*", times=None)
    found = validate()
    assert found.problem
    assert not found.is_complete
    assert [one.state for one in found.standings] == [CheckedState.HEALTHY]


def test_what_was_never_checked_is_unknown(world, simulator):
    intend(DEMO)
    simulator.faults.add(FaultKind.UNREACHABLE, "catalog.*", times=None)
    (standing,) = validate().standings
    assert (standing.state, standing.reason, standing.since) == (CheckedState.UNKNOWN, "", None)


def test_deleted_intentions_are_nobodys_business(world):
    (intention,) = intend(CLOSED)
    validate()
    delete_intention(intention)
    assert validate().standings == ()
    assert not make_digest(now=timezone.now()).is_worth_a_mail


# --- the digest ------------------------------------------------------------------------------------------------------


@pytest.fixture
def recipients(settings):
    settings.VALIDATION_DIGEST_RECIPIENTS = ["staff@example.com", "support@example.com"]


def test_the_digest_says_what_is_wrong_since_when_and_what_to_do(world, recipients, clock):
    intend(DEMO, CLOSED)
    validate()
    since = timezone.now()
    clock.shift(HOUR)
    assert mail_digest(now=timezone.now()) == 2
    assert [message.to for message in mail.outbox] == [["staff@example.com"], ["support@example.com"]]
    text = mail.outbox[0].body
    assert f"{CLOSED} of " in text
    assert f"enrollment_closed since {since:%Y-%m-%d %H:%M} UTC" in text
    assert "What to do: The end of enrollment is moved, or another run is advertised." in text
    assert DEMO not in text
    assert mail.outbox[0].subject == "Default enrollments: 1 need attention, 0 recovered"


def test_what_got_well_is_told_once(world, recipients, clock):
    intend(CLOSED)
    validate()
    clock.shift(3 * DAY)
    world.change_run(run_key=CLOSED_RUN, enrollment_end=None)
    validate()
    tasks.mail_digest()
    assert "healthy again" in mail.outbox[0].body
    assert CLOSED in mail.outbox[0].body
    clock.shift(2 * DAY)
    assert mail_digest(now=timezone.now()) == 0


def test_without_news_there_is_no_mail(world, recipients):
    intend(DEMO)
    validate()
    assert mail_digest(now=timezone.now()) == 0
    assert mail.outbox == []


def test_nobody_is_told_unless_somebody_is_named(world):
    intend(CLOSED)
    validate()
    assert mail_digest(now=timezone.now()) == 0
    assert mail.outbox == []


def test_collecting_the_digest_takes_as_many_queries_for_many_as_for_few(world, django_assert_num_queries):
    intend(CLOSED, DEMO)
    world.close_run(run_key=DEMO_RUN)
    validate()
    with django_assert_num_queries(2):
        assert len(make_digest(now=timezone.now()).unhealthy) == 2


class RefusingBackend(EmailBackend):
    """A provider that refuses addresses, each with an error that names it."""

    refused: ClassVar[set[str]] = set()

    def send_messages(self, messages):
        for message in messages:
            if message.to[0] in self.refused:
                raise SMTPRecipientsRefused({message.to[0]: (550, b"no such user")})
        return super().send_messages(messages)


@pytest.fixture
def refused(settings):
    """Return the addresses that the provider refuses, to add to and to take from."""
    settings.EMAIL_BACKEND = f"{__name__}.RefusingBackend"
    yield RefusingBackend.refused
    RefusingBackend.refused.clear()


def mailed():
    found = [message.to[0] for message in mail.outbox]
    mail.outbox.clear()
    return found


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_recipient_who_is_refused_keeps_the_digest_from_nobody_else(world, refused, settings, clock, bad):
    settings.VALIDATION_DIGEST_RECIPIENTS = addresses = [f"staff{number}@example.com" for number in range(3)]
    refused.add(addresses[bad])
    others = [address for address in addresses if address != addresses[bad]]
    intend(CLOSED)
    validate()
    for _ in range(3):
        assert mail_digest(now=timezone.now()) == 2
        assert mailed() == others
        for _ in range(23):
            clock.shift(HOUR)
            assert mail_digest(now=timezone.now()) == 0
        clock.shift(HOUR)


def test_whoever_could_not_be_reached_is_mailed_by_the_next_task_and_once_a_day(world, recipients, refused, clock):
    intend(CLOSED)
    validate()
    refused.update(["staff@example.com", "support@example.com"])
    assert mail_digest(now=timezone.now()) == 0
    clock.shift(HOUR)
    refused.clear()
    assert [mail_digest(now=timezone.now()) for _ in range(3)] == [2, 0, 0]
    assert mailed() == ["staff@example.com", "support@example.com"]


def test_an_address_that_is_named_twice_is_mailed_once(world, settings):
    settings.VALIDATION_DIGEST_RECIPIENTS = ["staff@example.com", "Staff@Example.com ", "staff@example.com"]
    intend(CLOSED)
    validate()
    assert mail_digest(now=timezone.now()) == 1


def test_the_task_leaves_what_it_could_not_ask_for_the_next_round(world, simulator):
    intend(DEMO)
    simulator.faults.add(FaultKind.UNREACHABLE, "catalog.*", times=None)
    tasks.check_intentions(customer_uuid=str(ACME))
    assert not IntentionHealth.objects.exists()
