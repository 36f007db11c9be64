"""Keeping the table of attempts small, and taking a person out of everything."""

from contextlib import suppress
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone

from enterprise_access.apps.content_assignments.services.people import see_learner
from enterprise_access.apps.content_assignments.services.transitions import cancel
from enterprise_access.apps.content_assignments.tests.scene import allocated, make_assigned_budget
from enterprise_access.apps.core.domain import Role
from enterprise_access.apps.core.models import AccessRole, AccessRoleAssignment
from enterprise_access.apps.customers.services import note_sightings
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    Outcome,
    RealizationAttempt,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.operations.pruning import prune_attempts, retire_learner
from enterprise_access.apps.default_enrollments.services.overrides import grant_override
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    DAY,
    DEMO,
    DEMO_RUN,
    MAX,
    PROJECT,
    PROJECT_RUN,
    intend,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from enterprise_access.apps.groups.models import GroupMembership
from enterprise_access.apps.licenses.services.claims import take_claim
from enterprise_access.apps.redemption.tests.ledgers import begin
from enterprise_access.apps.subsidy_access_policies.services import spend
from enterprise_access.apps.subsidy_access_policies.tests.test_budget import make_policy, make_subsidy, news
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment
from enterprise_access.apps.subsidy_requests.tests.made import made
from enterprise_access.events.models import Outbox
from enterprise_access.events.services import learner_key
from enterprise_access.events.tests.conftest import bus  # noqa: F401
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

OLD = timedelta(days=200)


# --- Attempts --------------------------------------------------------------------------------------------------------


def attempt(
    intention: DefaultEnterpriseEnrollmentIntention,
    outcome: Outcome = Outcome.BLOCKED,
    *,
    lms_user_id: int = ADA,
    age: timedelta = OLD,
) -> int:
    at = timezone.now() - age
    RealizationAttempt.objects.filter(intention=intention, lms_user_id=lms_user_id).update(is_newest=False)
    made = RealizationAttempt.objects.create(
        intention=intention,
        lms_user_id=lms_user_id,
        outcome=outcome,
        reason="no_license",
        trigger=Trigger.LOGIN,
        created_at=at,
        last_seen_at=at,
    )
    return made.pk


def prune(**options):
    return prune_attempts(older_than=timezone.now() - timedelta(days=90), **options)


def kept():
    return set(RealizationAttempt.objects.values_list("pk", flat=True))


def test_the_latest_of_every_learner_and_intention_stays_however_old(world):
    demo, project = intend(DEMO, PROJECT)
    attempt(demo)
    attempt(project)
    attempt(demo, lms_user_id=MAX)
    latest = {attempt(demo), attempt(project), attempt(demo, lms_user_id=MAX)}
    assert prune() == 3
    assert kept() == latest


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.NOT_NEEDED])
def test_what_was_replaced_and_is_old_goes(world, outcome):
    (demo,) = intend(DEMO)
    attempt(demo, outcome)
    latest = attempt(demo, age=timedelta())
    assert prune() == 1
    assert kept() == {latest}


@pytest.mark.parametrize("outcome", [Outcome.REALIZED, Outcome.SENDING, Outcome.IN_DOUBT])
def test_what_realized_and_what_is_not_settled_stays(world, outcome):
    (demo,) = intend(DEMO)
    wanted = {attempt(demo, outcome), attempt(demo)}
    assert prune() == 0
    assert kept() == wanted


def test_what_is_not_old_stays(world):
    (demo,) = intend(DEMO)
    wanted = {attempt(demo, age=timedelta(days=89)), attempt(demo)}
    assert prune() == 0
    assert kept() == wanted


def test_what_was_seen_again_lately_is_not_old(world):
    (demo,) = intend(DEMO)
    first = attempt(demo)
    RealizationAttempt.objects.filter(pk=first).update(last_seen_at=timezone.now())
    attempt(demo)
    assert prune() == 0


def test_many_go_in_several_steps(world):
    (demo,) = intend(DEMO)
    attempts = [attempt(demo) for _ in range(6)]
    assert prune(at_once=2) == 5
    assert kept() == {attempts[-1]}


def test_the_command_says_how_many_went(world):
    (demo,) = intend(DEMO)
    attempt(demo, age=timedelta(days=31))
    attempt(demo)
    out = StringIO()
    call_command("prune_attempts", stdout=out)
    assert out.getvalue() == "0 attempts deleted.\n"
    call_command("prune_attempts", days=30, stdout=out)
    assert out.getvalue().endswith("\n1 attempts deleted.\n")


# --- A person --------------------------------------------------------------------------------------------------------

# Every table that names a learner, so that a new one cannot be forgotten.
TABLES = [
    model
    for model in apps.get_models(include_auto_created=True)
    if "lms_user_id" in {field.name for field in model._meta.get_fields()}
]


def rows_of(lms_user_id):
    """Return how many rows every table has of the learner."""
    counts = {model._meta.label: model._default_manager.filter(lms_user_id=lms_user_id).count() for model in TABLES}
    return counts | {Outbox._meta.label: Outbox.objects.filter(key=learner_key(lms_user_id)).count()}


def _spend_credit(lms_user_id):
    """Let the learner have redeemed with learner credit."""
    policy = make_policy(make_subsidy())
    attempt = begin(policy, learner=lms_user_id, cents=100)
    spend(reservation_uuid=attempt.reservation_uuid, news=news(policy, learner=lms_user_id), now=timezone.now())


def _assign(lms_user_id, email):
    """Let a course have been assigned to the learner, and the assignment be cancelled."""
    row = allocated(make_assigned_budget(), email)
    see_learner(lms_user_id, email, timezone.now())
    cancel([row.pk], now=timezone.now())


@pytest.fixture
def everywhere(world, clock, bus):  # noqa: F811
    """Let ada and max be in every table that names learners."""
    demo, project = intend(DEMO, PROJECT)
    visit(ADA, MAX)
    clock.shift(DAY)
    for username in ("ada", "max"):
        world.leave(username=username, run_key=DEMO_RUN)
        world.leave(username=username, run_key=PROJECT_RUN)
    visit(ADA, MAX)
    for lms_user_id, username in ((ADA, "ada"), (MAX, "max")):
        request = made(lms_user_id)
        AutoEnrollment.objects.create(
            request=request, customer_uuid=ACME, lms_user_id=lms_user_id, batch=uuid4(), created=timezone.now()
        )
        GroupMembership.objects.create(
            group_uuid=ACME, lms_user_id=lms_user_id, membership="accepted", fetched_at=timezone.now()
        )
        for intention in (demo, project):
            grant_override(
                intention=intention, lms_user_id=lms_user_id, by="amy_admin", reason="Asked.", now=timezone.now()
            )
        user = get_user_model().objects.create_user(username, lms_user_id=lms_user_id)
        role, _ = AccessRole.objects.get_or_create(name=Role.OPERATOR)
        AccessRoleAssignment.objects.create(user=user, role=role, context="*")
        _spend_credit(lms_user_id)
        _assign(lms_user_id, f"{username}@example.com")
        take_claim(customer_uuid=ACME, lms_user_id=lms_user_id, now=timezone.now())
    note_sightings(seen={ADA: timezone.now(), MAX: timezone.now()})
    return world


def test_the_learners_of_these_tests_are_in_every_table(everywhere):
    assert [table for table, count in rows_of(ADA).items() if not count] == []
    assert [table for table, count in rows_of(MAX).items() if not count] == []


def test_a_retired_learner_is_in_no_table_any_more_and_others_are_untouched(everywhere):
    others = rows_of(MAX)
    call_command("retire_learner", ADA, stdout=StringIO())
    assert [table for table, count in rows_of(ADA).items() if count] == []
    assert rows_of(MAX) == others


def test_histories_go_too(everywhere):
    retire_learner(lms_user_id=ADA)
    histories = [model for model in TABLES if model.__name__.startswith("Historical")]
    assert histories
    assert [model for model in histories if model._default_manager.filter(lms_user_id=ADA).exists()] == []


def test_no_address_of_an_assignment_is_left(everywhere):
    retire_learner(lms_user_id=ADA)
    for model in TABLES:
        if "learner_email" in {field.name for field in model._meta.get_fields()}:
            assert not model._default_manager.filter(learner_email="ada@example.com").exists()
            assert model._default_manager.filter(learner_email="max@example.com").exists()


def test_what_went_is_told_by_table(everywhere):
    out = StringIO()
    call_command("retire_learner", ADA, stdout=out)
    lines = dict(line.rsplit(": ", 1) for line in out.getvalue().splitlines())
    assert lines["user"] == "1"
    assert lines["default enrollment realization"] == "2"
    assert lines["realization override"] == "2"
    assert "0" not in lines.values()


def test_retiring_twice_or_somebody_unknown_does_nothing(everywhere):
    retire_learner(lms_user_id=ADA)
    assert set(retire_learner(lms_user_id=ADA).values()) == {0}
    assert set(retire_learner(lms_user_id=424242).values()) == {0}


def test_the_lms_is_not_asked_and_not_touched(everywhere):
    everywhere.journal.forget()
    retire_learner(lms_user_id=ADA)
    assert everywhere.journal.calls() == []
    assert len(everywhere.enrollments_of("ada")) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_retiring_while_a_worker_enrolls_brings_nothing_back_and_costs_others_only_time(world, clock, meanwhile, when):
    intend(DEMO)
    meanwhile("/enroll_learners_in_courses/", **{when: lambda: retire_learner(lms_user_id=ADA)})
    with suppress(DatabaseError):
        visit(ADA, MAX)
    clock.shift(timedelta(hours=2))
    work()
    assert [table for table, count in rows_of(ADA).items() if count] == []
    assert realizations_of(MAX)[DEMO_RUN].left_at is None
    assert times_sent(world, MAX, DEMO_RUN) == 1


def test_who_comes_back_after_retiring_and_left_is_left_alone(everywhere, clock):
    """Our memory is gone, but the platform still shows the paid enrollment that was left."""
    retire_learner(lms_user_id=ADA)
    clock.shift(DAY)
    visit(ADA)
    assert times_sent(everywhere, ADA, DEMO_RUN) == 1
    assert request_of(ADA).due_at is None
