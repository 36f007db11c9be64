"""GET learner-status from a process that has answered before: it keeps what it can, and says nothing that is over."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import refresh_content
from enterprise_access.apps.content_metadata.selectors.content import _cache as content_cache
from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.apps.default_enrollments.models import RealizationOverride
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    change_key,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    DAY,
    DEMO,
    DEMO_RUN,
    HOUR,
    LINUX,
    LINUX_RUN,
    MINUTE,
    STATS,
    intend,
    visit,
)
from enterprise_access.apps.default_enrollments.tests.test_api_learner_status import STATEMENTS, ask_well, items_of
from simulator.seed import ACME

pytestmark = pytest.mark.django_db


def items(client: APIClient) -> dict[str, dict[str, Any]]:
    return items_of(ask_well(client))


def warm(client: APIClient) -> None:
    """Let the process keep what it is going to keep."""
    for _ in range(3):
        ask_well(client)


def in_another_process(**do: Any) -> None:
    """Refresh content as another process does, which shares database and cache with this one, and nothing else."""
    kept, content_cache._kept = content_cache._kept, {}
    refresh_content(**do)
    content_cache._kept = kept


def test_a_warm_answer_is_the_first_answer_and_asks_nobody(world, api_as, clock):
    intend(DEMO, LINUX, STATS, AUDIT_ONLY, "MITx+6.00.1x", "GetSmarter+AIB")
    visit(ADA)
    client = api_as("ada")
    first = ask_well(client)
    world.journal.forget()
    warm(client)
    assert ask_well(client) == first
    assert world.journal.calls() == []


def test_an_intention_that_staff_add_is_in_the_next_answer(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    intend(LINUX)
    assert set(items(api_as("ada"))) == {DEMO, LINUX}


def test_an_intention_that_staff_delete_or_restore_is_gone_from_the_next_answer_or_back(world, api_as):
    demo, _ = intend(DEMO, LINUX)
    warm(api_as("ada"))
    delete_intention(demo)
    assert set(items(api_as("ada"))) == {LINUX}
    restore_intention(demo)
    assert set(items(api_as("ada"))) == {DEMO, LINUX}


def test_an_intention_whose_key_staff_change_is_the_other_course_in_the_next_answer(world, api_as):
    [intention] = intend(DEMO)
    warm(api_as("ada"))
    change_key(intention, content_key=LINUX)
    [item] = items(api_as("ada")).values()
    assert (item["content_key"], item["course_run_key"], item["uuid"]) == (LINUX, LINUX_RUN, str(intention.pk))


def test_content_that_another_process_has_refreshed_is_in_the_next_answer(world, api_as, clock):
    intend(DEMO)
    warm(api_as("ada"))
    world.close_run(run_key=DEMO_RUN)
    clock.shift(timedelta(seconds=1))
    in_another_process(customer_uuid=ACME, content_keys=[DEMO])
    assert items(api_as("ada"))[DEMO]["reason"] == "enrollment_closed"


def test_content_and_modes_are_trusted_for_a_moment_and_no_longer(
    world, api_as, clock, settings, django_assert_num_queries
):
    intend(DEMO)
    client = api_as("ada")
    settings.CONTENT_TRUSTED_SECONDS = 60
    warm(client)
    clock.shift(timedelta(seconds=1))
    world.close_run(run_key=DEMO_RUN)
    in_another_process(customer_uuid=ACME, content_keys=[DEMO])
    RunModes.objects.filter(course_run_key=DEMO_RUN).update(modes={"audit": None})
    with django_assert_num_queries(STATEMENTS - 1):
        item = items(client)[DEMO]
    assert (item["best_mode_for_course_run"], item["reason"]) == ("verified", "needs_enrollment")
    settings.CONTENT_TRUSTED_SECONDS = 0
    item = items(client)[DEMO]
    assert (item["best_mode_for_course_run"], item["reason"]) == ("audit", "enrollment_closed")


def test_what_the_process_itself_has_fetched_is_never_missed(world, api_as, clock, settings):
    intend(DEMO)
    client = api_as("ada")
    visit(ADA)
    RunModes.objects.filter(course_run_key=DEMO_RUN).update(modes={"audit": None})
    warm(client)
    settings.CONTENT_TRUSTED_SECONDS = 60
    world.close_run(run_key=DEMO_RUN)
    clock.shift(timedelta(seconds=1))
    refresh_content(customer_uuid=ACME, content_keys=[DEMO])
    item = items(client)[DEMO]
    assert (item["best_mode_for_course_run"], item["is_course_run_enrollable"]) == ("audit", False)
    RunModes.objects.all().delete()
    refresh_modes(course_run_keys=[DEMO_RUN])
    assert items(client)[DEMO]["best_mode_for_course_run"] == "verified"


def test_content_that_left_the_cache_is_asked_for_again(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    world.advertise(course_key=DEMO, run_key=None)
    cache.clear()
    assert items(api_as("ada"))[DEMO]["reason"] == "no_advertised_run"


def test_modes_that_a_worker_has_fetched_are_in_the_next_answer(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    RunModes.objects.filter(course_run_key=DEMO_RUN).update(modes={"audit": None}, fetched_at=timezone.now())
    item = items(api_as("ada"))[DEMO]
    assert (item["best_mode_for_course_run"], item["downgrade_target"]) == ("audit", "audit")


def test_a_run_that_became_invitation_only_is_told_in_the_next_answer(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    RunModes.objects.filter(course_run_key=DEMO_RUN).update(is_invitation_only=True)
    assert items(api_as("ada"))[DEMO]["reason"] == "invitation_only"


def test_modes_that_are_too_old_are_not_decided_by_any_more(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    RunModes.objects.update(modes={"audit": None}, fetched_at=timezone.now() - 2 * DAY)
    # What the catalog sells is the next best evidence.
    assert items(api_as("ada"))[DEMO]["best_mode_for_course_run"] == "verified"


def test_what_staff_allow_once_more_is_in_the_next_answer(world, api_as, clock):
    [intention] = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    clock.shift(2 * MINUTE)
    client = api_as("ada")
    warm(client)
    assert items(client)[DEMO]["rule"] == "D2"
    RealizationOverride.objects.create(
        intention=intention, lms_user_id=ADA, by="sam", reason="asked", unused_for=uuid4().hex
    )
    assert items(client)[DEMO]["bucket"] == "enrollable"


def test_a_customer_that_was_switched_off_or_paused_meanwhile_is_told_truly(world, api_as):
    intend(DEMO)
    warm(api_as("ada"))
    EnterpriseCustomer.objects.update(realization_paused=True)
    assert items(api_as("ada"))[DEMO]["reason"] == "needs_enrollment"
    EnterpriseCustomer.objects.update(is_active=False)
    assert items(api_as("ada"))[DEMO]["reason"] == "customer_inactive"


def test_a_learner_who_was_unlinked_meanwhile_is_not_associated(world, api_as):
    intend(DEMO)
    client = api_as("ada")
    warm(client)
    EnterpriseLearner.objects.filter(lms_user_id=ADA).update(is_linked=False)
    answer = client.get(
        "/api/v1/default-enterprise-enrollment-intentions/learner-status/", {"enterprise_customer_uuid": str(ACME)}
    )
    assert answer.json()["code"] == "learner_not_linked"


def test_what_one_learner_has_is_not_shown_to_another(world, api_as, clock):
    intend(DEMO, LINUX)
    first = items(api_as("erin"))
    visit(ADA)
    warm(api_as("ada"))
    assert items(api_as("erin")) == first
    assert {item["realization"] for item in first.values()} == {None}
    assert {item["bucket"] for item in items(api_as("ada")).values()} == {"already_enrolled"}


def test_enrollment_closes_for_a_process_that_has_seen_it_open(world, api_as, clock):
    world.change_run(run_key=DEMO_RUN, enrollment_end=timezone.now() + MINUTE / 2)
    intend(DEMO)
    client = api_as("ada")
    warm(client)
    item = items(client)[DEMO]
    assert (item["is_course_run_enrollable"], item["reason"]) == (True, "needs_enrollment")
    clock.shift(MINUTE / 2)
    assert items(client)[DEMO]["reason"] == "needs_enrollment"
    clock.shift(timedelta(seconds=1))
    item = items(client)[DEMO]
    assert (item["is_course_run_enrollable"], item["reason"]) == (False, "enrollment_closed")


def test_content_that_is_due_is_refreshed_although_the_process_knows_it(simulator, world, api_as, clock, settings):
    settings.LINKS_FRESH_SECONDS = settings.ENROLLMENTS_FRESH_SECONDS = 3 * 3600
    intend(DEMO)
    client = api_as("ada")
    warm(client)
    clock.shift(2 * HOUR)
    client = api_as("ada")
    world.close_run(run_key=DEMO_RUN)
    assert items(client)[DEMO]["reason"] == "enrollment_closed"
