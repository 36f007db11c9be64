"""A learner with a long past costs no more than one with a short one, and the past says the same as read one by one."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.models.signals import post_init
from django.utils import timezone

from enterprise_access.apps.default_enrollments.domain.looking_again import is_waiting
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Outcome, RealizationAttempt, Trigger
from enterprise_access.apps.default_enrollments.selectors.past import get_past
from enterprise_access.apps.default_enrollments.services.realizing.announcing import _reasons_before
from enterprise_access.apps.default_enrollments.services.realizing.refusals import LmsRefusal, list_refusals
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, LINUX, intend
from simulator.seed import ACME

LEARNERS = range(1, 21)
REFUSED = (Outcome.BLOCKED, Reason.REFUSED_BY_LMS)
SEEN = [
    REFUSED,
    REFUSED,
    (Outcome.BLOCKED, Reason.NO_LICENSE),
    (Outcome.BLOCKED, Reason.LMS_UNAVAILABLE),
    (Outcome.BLOCKED, "voucher_unavailable"),
    (Outcome.NOT_NEEDED, Reason.ENROLLED),
    (Outcome.REALIZED, Reason.NEEDS_ENROLLMENT),
    (Outcome.SENDING, Reason.NEEDS_ENROLLMENT),
    (Outcome.IN_DOUBT, Reason.OUTCOME_UNKNOWN),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def intentions(world):
    return intend(DEMO, LINUX)


def add_past(intentions, length, *, seed=0):
    """Give every learner a past with every intention; return it by pair, oldest first."""
    choose = random.Random(seed)
    start = timezone.now() - timedelta(days=1)
    pasts = {}
    for learner in LEARNERS:
        for intention in intentions:
            rows = [
                RealizationAttempt(
                    intention=intention,
                    lms_user_id=learner,
                    outcome=outcome,
                    reason=reason,
                    course_run_key=f"run{number % 3}",
                    mode="verified",
                    trigger=Trigger.LOGIN,
                    is_newest=number == length - 1,
                    created_at=start,
                    last_seen_at=start + timedelta(seconds=number),
                )
                for number, (outcome, reason) in enumerate(choose.choices(SEEN, k=length))
            ]
            pasts[learner, intention.pk] = rows
    RealizationAttempt.objects.bulk_create(row for rows in pasts.values() for row in rows)
    return pasts


@contextmanager
def counting() -> Iterator[list[RealizationAttempt]]:
    """Collect the attempts that are read from the database."""
    read: list[RealizationAttempt] = []

    def note(instance, **_):
        read.append(instance)

    post_init.connect(note, sender=RealizationAttempt)
    try:
        yield read
    finally:
        post_init.disconnect(note, sender=RealizationAttempt)


def refusal_in(rows):
    """Read a past one by one, as it was done first."""
    found = None
    for row in rows:
        times = found.times + 1 if found else 1
        found = (
            LmsRefusal(course_run_key=row.course_run_key, mode=row.mode, times=times, last_at=row.last_seen_at)
            if (row.outcome, row.reason) == REFUSED
            else None
        )
    return found


def reason_before(rows):
    told = [
        row
        for row in rows
        if row.outcome not in (Outcome.SENDING, Outcome.IN_DOUBT)
        and not (row.outcome == Outcome.BLOCKED and is_waiting(row.reason))
    ]
    return (told[-1].reason if told[-1].outcome == Outcome.BLOCKED else "") if told else None


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_what_was_refused_last_and_how_often(intentions, length):
    pasts = add_past(intentions, length, seed=length)
    with counting() as read:
        found = list_refusals(
            customer_uuid=ACME, lms_user_ids=list(LEARNERS), intentions=[row.pk for row in intentions]
        )
    assert found == {pair: refusal for pair, rows in pasts.items() if (refusal := refusal_in(rows))}
    assert len(read) == len(found)


@pytest.mark.parametrize("length", [1, 2, 5, 40])
def test_why_a_learner_was_blocked_the_last_time(intentions, length):
    pasts = add_past(intentions, length, seed=length)
    newest = [rows.pop() for rows in pasts.values()]
    with counting() as read:
        found = _reasons_before(newest)
    expected = {(intention, learner): reason_before(rows) for (learner, intention), rows in pasts.items()}
    assert found == {pair: reason for pair, reason in expected.items() if reason is not None}
    assert len(read) <= len(pasts)


@pytest.mark.parametrize("length", [1, 5, 40])
def test_the_last_look_at_each_default_enrollment(intentions, length):
    pasts = add_past(intentions, length, seed=length)
    for learner in LEARNERS:
        looks = get_past(customer_uuid=ACME, lms_user_id=learner).last_looks
        for intention in intentions:
            newest = pasts[learner, intention.pk][-1]
            assert (looks[intention.pk].outcome, looks[intention.pk].reason) == (newest.outcome, newest.reason)
