"""`learner_seen`: what apps above are told, and what becomes of a receiver that fails."""

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.domain import SeenBy
from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.customers.services import (
    SeenLink,
    fetch_customer,
    note_link,
    note_sightings,
    resolve_logins,
)
from enterprise_access.apps.customers.services.signals import learner_seen
from simulator.seed import ACME

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]

ADA, BEN = 1001, 1002


@pytest.fixture
def told():
    """Return what a receiver of an app above was told."""
    found = []

    def receive(*, customer_uuid, lms_user_ids, seen_by, at, **_signal):
        found.append((customer_uuid, sorted(lms_user_ids), seen_by))

    learner_seen.connect(receive, weak=False)
    yield found
    learner_seen.disconnect(receive)


def log_in(*lms_user_ids):
    note_sightings(seen=dict.fromkeys(lms_user_ids, timezone.now()))
    return resolve_logins(limit=100, now=timezone.now())


def test_logins_of_a_customer_are_told_together(told):
    fetch_customer(customer_uuid=ACME)
    log_in(ADA, BEN)
    assert told == [(ACME, [ADA, BEN], SeenBy.LOGIN)]


def test_nothing_is_told_of_a_customer_without_a_copy(told):
    log_in(ADA)
    assert told == []


def test_a_login_is_told_again_when_a_receiver_failed(told):
    def fail(**_signal):
        raise ValueError("a bug")

    fetch_customer(customer_uuid=ACME)
    learner_seen.connect(fail)
    log_in(ADA)
    assert LearnerSighting.objects.get().due_at is not None
    learner_seen.disconnect(fail)
    LearnerSighting.objects.update(due_at=timezone.now())
    assert resolve_logins(limit=100, now=timezone.now()) == 1
    assert told == [(ACME, [ADA], SeenBy.LOGIN)] * 2
    assert LearnerSighting.objects.get().due_at is None


@pytest.mark.parametrize("is_active", [True, False])
def test_a_page_tells_of_its_own_learner(told, is_active):
    seen = SeenLink(
        customer_uuid=ACME,
        slug="acme",
        name="Acme",
        is_customer_active=is_active,
        lms_user_id=ADA,
        username="ada",
        enterprise_customer_user_id=1,
        is_active_link=True,
        fetched_at=timezone.now(),
    )
    note_link(seen)
    assert told == ([(ACME, [ADA], SeenBy.PAGE)] if is_active else [])
