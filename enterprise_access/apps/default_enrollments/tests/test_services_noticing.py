"""What becomes of realized enrollments: left, downgraded, upgraded again. Seen once, and never by looking backwards."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.default_enrollments.services.learners.noticing import notice_changes
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    MAX,
    MINUTE,
    attempts_of,
    intend,
    realizations_of,
    times_sent,
    visit,
)
from simulator.seed import ACME, ACME_ANNUAL

LEAVING = {"learner_unenrolled", "license_revoked"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def realized(world, clock):
    """Let ada be enrolled by us, a day ago."""
    intend(DEMO)
    visit(ADA)
    clock.shift(DAY)
    return world


def realization():
    return realizations_of(ADA)[DEMO_RUN]


def license_of(world, username):
    return next(row for row in world.licenses_of(username) if row.status == "activated")


def test_that_the_learner_left_is_written_once_with_the_first_sight(realized, clock):
    realized.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    first = realization()
    assert first.left_at == timezone.now()
    clock.shift(DAY)
    visit(ADA)
    assert (realization().left_at, realization().left_reason) == (first.left_at, first.left_reason)


def test_who_left_is_never_enrolled_again_whatever_happens(realized, clock):
    realized.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    for _ in range(5):
        clock.shift(10 * DAY)
        visit(ADA)
    realized.add_run(key="course-v1:edX+DemoX+2027_T1")
    clock.shift(DAY)
    visit(ADA)
    assert times_sent(realized, ADA, DEMO_RUN) == 1
    assert len(realized.enrollments_of("ada")) == 1


def test_who_left_and_came_back_alone_is_left_alone_and_the_history_stays(realized, clock):
    realized.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    realized.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    clock.shift(DAY)
    visit(ADA)
    assert realization().left_at is not None
    assert realized.enrollment("ada", DEMO_RUN).mode == "audit"
    outcome, reason = attempts_of(ADA)[-1]
    assert (outcome, reason in LEAVING) == ("blocked", True)


def test_a_revocation_that_leaves_the_learner_in_audit_is_a_downgrade(realized, clock):
    realized.revoke(license_uuid=license_of(realized, "ada").uuid)
    visit(ADA)
    assert realization().downgraded_at == timezone.now()
    assert (realization().seen_mode, realization().left_at) == ("audit", None)
    assert attempts_of(ADA)[-1] == ("blocked", "no_license")


def test_a_new_license_upgrades_who_was_downgraded(realized, clock):
    realized.revoke(license_uuid=license_of(realized, "ada").uuid)
    visit(ADA)
    realized.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    clock.shift(DAY)
    assert visit(ADA).realized == 1
    clock.shift(DAY)
    visit(ADA)
    assert (realization().downgraded_at, realization().seen_mode) == (None, "verified")
    assert len(realizations_of(ADA)) == 1
    assert attempts_of(ADA)[-1] == ("realized", "license_revoked")


def test_a_revocation_without_an_audit_mode_is_leaving_by_revocation(world, clock):
    intend("ImperialX+MATH1")
    visit(ADA)
    run = "course-v1:ImperialX+MATH1+2026"
    world.revoke(license_uuid=license_of(world, "ada").uuid)
    clock.shift(DAY)
    visit(ADA)
    left = realizations_of(ADA)[run]
    assert (left.left_at, left.left_reason) == (timezone.now(), "license_revoked")
    world.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    clock.shift(DAY)
    visit(ADA)
    assert times_sent(world, ADA, run) == 1


def test_an_audit_enrollment_that_was_realized_is_no_downgrade(world, clock):
    intend(AUDIT_ONLY)
    visit(ADA)
    clock.shift(DAY)
    visit(ADA)
    assert realizations_of(ADA)[AUDIT_ONLY_RUN].downgraded_at is None


def test_the_mode_that_was_seen_last_is_kept(realized):
    realized.enroll(username="ada", run_key=DEMO_RUN, mode="professional")
    visit(ADA)
    assert realization().seen_mode == "professional"
    assert realization().predicted_mode == "verified"


def test_what_was_noticed_is_in_the_history(realized):
    before = realization().history.count()
    realized.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    assert realization().history.count() == before + 1


def test_looking_again_without_a_change_writes_nothing(realized, clock):
    visit(ADA)
    before = realization().history.count()
    for _ in range(3):
        clock.shift(HOUR)
        visit(ADA)
    assert realization().history.count() == before


def test_an_enrollment_that_cannot_be_seen_is_waited_for_and_not_made_again(realized, clock):
    row = realized.enrollment("ada", DEMO_RUN)
    realized.drop("enrollment hidden", row)
    visit(ADA)
    assert attempts_of(ADA)[-1] == ("blocked", "enrollment_not_visible")
    assert realization().left_at is None
    realized.put("enrollment back", row)
    clock.shift(HOUR)
    visit(ADA)
    assert times_sent(realized, ADA, DEMO_RUN) == 1
    assert attempts_of(ADA)[-1] == ("not_needed", "enrolled")


# --- Reads that are older than what we did ---------------------------------------------------------------------------


def test_a_read_from_before_the_enrollment_does_not_make_anybody_a_leaver(world, meanwhile, clock):
    """A page reads the platform, a worker enrolls, and only then the page looks at the realizations."""
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    world.leave(username="ada", run_key=DEMO_RUN)
    intend(DEMO)

    def work_in_between():
        clock.shift(timedelta(seconds=2))
        meanwhile("/enroll_learners_in_courses/", after=lambda: clock.shift(timedelta(seconds=1)))
        assert visit(ADA).realized == 1
        clock.shift(timedelta(seconds=2))

    EnterpriseLearner.objects.update(enrollments_fetched_at=None)
    meanwhile("/api/enrollment/v1/enrollments", after=work_in_between)
    get_learner_status(customer_uuid=ACME, lms_user_id=ADA)
    assert realization().left_at is None
    clock.shift(MINUTE)
    visit(ADA)
    assert attempts_of(ADA)[-1] == ("realized", "needs_enrollment")


def test_a_read_from_after_the_enrollment_tells(world, clock):
    intend(DEMO)
    visit(ADA)
    clock.shift(MINUTE)
    world.leave(username="ada", run_key=DEMO_RUN)
    get_learner_status(customer_uuid=ACME, lms_user_id=ADA)
    assert realization().left_at is not None


def test_nothing_is_noticed_about_runs_that_the_platform_does_not_show(world):
    intend(DEMO)
    visit(ADA, MAX)
    row = realization()
    notice_changes([(row,)], {ADA: (), MAX: ()}, {}, now=timezone.now())
    assert row.left_at is None
