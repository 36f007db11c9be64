"""Of all attempts for one learner and intention exactly one is the newest, and it is the last."""

import importlib

import pytest
from django.apps import apps
from django.db.models import Max
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.standing import Learners, count_learners
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    LONG_ENOUGH,
    PROJECT,
    attempts_of,
    intend,
    visit,
)
from simulator.seed import ACME, ACME_ANNUAL

pytestmark = pytest.mark.django_db


def newest():
    return set(RealizationAttempt.objects.newest().values_list("pk", flat=True))


def last_of_each():
    rows = RealizationAttempt.objects.order_by().values("lms_user_id", "intention_id").annotate(last=Max("pk"))
    return {row["last"] for row in rows}


def test_a_first_attempt_is_the_newest(world):
    intend(DEMO, LINUX)
    visit(ADA, HAL)
    assert len(newest()) == 4
    assert newest() == last_of_each()


def test_another_outcome_replaces_it(world):
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    visit(HAL)
    assert [outcome for outcome, _ in attempts_of(HAL)] == ["blocked", "realized"]
    assert newest() == last_of_each()
    (intention,) = intend_again()
    assert count_learners(customer_uuid=ACME) == {intention: Learners(realized=1)}


def intend_again():
    return set(RealizationAttempt.objects.values_list("intention_id", flat=True))


def test_only_of_the_same_learner_and_intention(world):
    intend(DEMO, LINUX, PROJECT)
    visit(ADA, BEN, HAL)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA, BEN, HAL)
    assert newest() == last_of_each()
    assert len(newest()) == 9


def test_the_same_again_stays_the_newest(world):
    intend(DEMO)
    visit(HAL)
    visit(HAL)
    assert len(attempts_of(HAL)) == 1
    assert newest() == last_of_each()


def test_a_doubt_that_is_settled_is_still_one_row(world, simulator, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    simulator.faults.add("drop", "lms.enroll_learners")
    visit(ADA)
    time_machine.shift(LONG_ENOUGH)
    visit(ADA)
    assert newest() == last_of_each()


def test_rows_from_before_there_was_a_mark_are_marked(world):
    intend(DEMO, LINUX)
    visit(ADA, HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    visit(HAL)
    RealizationAttempt.objects.update(is_newest=True)
    migration = importlib.import_module(
        f"{RealizationAttempt.__module__.partition('.models')[0]}.migrations.0005_newest_attempt"
    )
    migration.mark_replaced(apps, None)
    assert newest() == last_of_each()
    assert len(newest()) < RealizationAttempt.objects.count()
