"""Writing down what happened: once, whatever is repeated; and never the subsidy that paid."""

import pytest
from django.apps import apps
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
)
from enterprise_access.apps.default_enrollments.services.realizing.recording import record_realized, settle_attempt
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    DAY,
    DEMO,
    DEMO_RUN,
    attempts_of,
    intend,
    realizations_of,
    visit,
)

Realization = DefaultEnterpriseEnrollmentRealization

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(world, meanwhile):
    """Return an attempt that was sent, and has no outcome yet."""
    intend(DEMO)
    visit(ADA)
    Realization.objects.all().delete()
    row = RealizationAttempt.objects.get()
    row.outcome = Outcome.SENDING
    row.save()
    return row


def test_a_success_recorded_twice_is_one_realization(attempt):
    record_realized(attempt, now=timezone.now())
    record_realized(attempt, now=timezone.now())
    assert Realization.objects.count() == 1
    assert attempts_of(ADA) == [("realized", "needs_enrollment")]


def test_a_success_recorded_by_two_workers_is_one_realization(attempt):
    twin = RealizationAttempt.objects.get(pk=attempt.pk)
    record_realized(attempt, now=timezone.now())
    record_realized(twin, now=timezone.now(), seen_mode="verified")
    assert realizations_of(ADA)[DEMO_RUN].seen_mode == "verified"


def test_a_realization_says_who_where_and_since_when(attempt, world, clock):
    record_realized(attempt, now=timezone.now())
    row = realizations_of(ADA)[DEMO_RUN]
    assert (row.course_key, row.course_run_key, row.predicted_mode) == (DEMO, DEMO_RUN, "verified")
    assert row.enterprise_customer_user_id == world.links_of("ada")[0].id
    assert row.realized_at == timezone.now()
    assert (row.left_at, row.left_reason, row.downgraded_at) == (None, "", None)


def test_a_realization_that_was_left_again_says_so(attempt, clock):
    record_realized(attempt, now=timezone.now(), left_reason="learner_unenrolled")
    row = realizations_of(ADA)[DEMO_RUN]
    assert (row.left_at, row.left_reason) == (timezone.now(), "learner_unenrolled")


def test_a_repeat_does_not_move_the_instant_of_the_realization(attempt, clock):
    record_realized(attempt, now=timezone.now())
    first = realizations_of(ADA)[DEMO_RUN].realized_at
    clock.shift(DAY)
    record_realized(attempt, now=timezone.now())
    assert realizations_of(ADA)[DEMO_RUN].realized_at == first


def test_a_repeat_that_was_left_again_says_so_too(attempt, clock):
    record_realized(attempt, now=timezone.now())
    record_realized(attempt, now=timezone.now(), left_reason="learner_unenrolled")
    row = realizations_of(ADA)[DEMO_RUN]
    assert (row.left_at, row.left_reason) == (timezone.now(), "learner_unenrolled")


def test_a_repeat_does_not_forget_that_the_learner_left(attempt):
    record_realized(attempt, now=timezone.now(), left_reason="learner_unenrolled")
    record_realized(attempt, now=timezone.now())
    assert realizations_of(ADA)[DEMO_RUN].left_at is not None


def test_the_outcome_and_its_time_are_all_that_settling_changes(attempt, clock):
    before = RealizationAttempt.objects.values().get()
    clock.shift(DAY)
    settle_attempt(attempt, outcome=Outcome.BLOCKED, reason="refused_by_lms", now=timezone.now())
    after = RealizationAttempt.objects.values().get()
    changed = {name for name in after if before[name] != after[name]}
    assert changed == {"outcome", "reason", "last_seen_at"}


def test_what_was_sent_is_kept_with_the_attempt(attempt, world):
    assert (attempt.course_key, attempt.course_run_key, attempt.mode) == (DEMO, DEMO_RUN, "verified")
    assert (attempt.is_upgrade, attempt.was_enrolled, attempt.trigger) == (False, False, "portal")
    assert attempt.enterprise_customer_user_id == world.links_of("ada")[0].id


def test_no_table_of_the_domain_knows_of_a_license_a_plan_or_a_price(world):
    intend(DEMO, AUDIT_ONLY)
    visit(ADA)
    licenses = {str(row.uuid) for row in world.licenses_of("ada")}
    models = apps.get_app_config("default_enrollments").get_models()
    for model in models:
        names = {field.name for field in model._meta.get_fields()}
        assert not {name for name in names if "license" in name or "plan" in name or "price" in name}
        assert not [row for row in model.objects.values() if licenses & set(map(str, row.values()))]
