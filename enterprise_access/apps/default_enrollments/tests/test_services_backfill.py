"""The backfill: everybody in scope is owed a look, a piece at a time, in an order that does not drift."""

from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_access.apps.default_enrollments.errors import IntentionUnknown
from enterprise_access.apps.default_enrollments.models import (
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import (
    LEARNERS_AT_ONCE,
    Foretold,
    Scope,
    check_scope,
    foretell,
    in_words,
    request_all,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BULK,
    DAVE,
    DAY,
    DEMO,
    DEMO_RUN,
    FRANK,
    GRACE,
    HAL,
    LINUX,
    MAX,
    PROJECT,
    Realization,
    ask_for,
    asked,
    intend,
    request_of,
    visit,
    work,
)
from enterprise_access.lib.errors import UpstreamError
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

LINKS = "lms.learners"
MANY = 250

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd(world, clock):
    """Add so many learners to acme that they fill several pages; return everybody whom a backfill is about, by id."""
    ids = [world.add_learner(username=f"learner{number:03}", customer=ACME).id for number in range(MANY)]
    return sorted({*ids, *linked(world)})


def linked(world, *, with_inactive_links=False):
    """Return who is linked to acme, as the world has it."""
    return {
        row.user_id
        for row in world.tables.links.where(customer=ACME)
        if row.is_linked and (row.is_active or with_inactive_links)
    }


def backfill(scope=None, *, rate=None, sleep=None):
    return list(request_all(scope or Scope(customer_uuid=ACME), learners_per_minute=rate, sleep=sleep or never))


def never(seconds):
    raise AssertionError(f"There is no reason to sleep for {seconds} seconds.")


def owed(customer=ACME):
    return sorted(RealizationRequest.objects.filter(customer_id=customer).values_list("lms_user_id", flat=True))


# --- Everybody, once -------------------------------------------------------------------------------------------------


def test_everybody_is_asked_for_in_pieces_by_rising_id(crowd):
    intend(DEMO)
    progress = backfill()
    assert owed() == crowd
    assert progress == [
        (100, crowd[99]),
        (200, crowd[199]),
        (len(crowd), crowd[-1]),
    ]
    assert set(RealizationRequest.objects.values_list("trigger", "due_at")) == {(Trigger.BACKFILL, timezone.now())}


def test_pages_do_not_shift_while_learners_are_enrolled(crowd, world, clock):
    """Enrolling changes links, and so the LMS's own order: who is modified last comes first there."""
    intend(DEMO)
    last = 0
    for _, last in request_all(Scope(customer_uuid=ACME), learners_per_minute=None, sleep=never):
        clock.shift(1)
        for username in [user.username for user in world.tables.users if user.id in {last, crowd[-1], crowd[150]}]:
            world.link(username=username, customer=ACME)
        work(limit=10)
    assert owed() == crowd
    assert last == crowd[-1]


def test_who_has_another_customer_selected_is_left_out_unless_asked_for(world):
    intend(DEMO)
    assert FRANK not in linked(world)
    backfill()
    assert FRANK not in owed()
    backfill(Scope(customer_uuid=ACME, with_inactive_links=True))
    assert FRANK in owed()
    assert set(owed()) == linked(world, with_inactive_links=True)


def test_who_is_not_linked_any_more_is_left_out(world):
    intend(DEMO)
    backfill(Scope(customer_uuid=ACME, with_inactive_links=True))
    assert GRACE not in owed()


def test_learners_of_other_customers_are_not_asked_for(world):
    intend(DEMO)
    backfill()
    assert owed(GLOBEX) == []


def test_asking_twice_is_asking_once(world):
    intend(DEMO)
    first = backfill()
    assert backfill() == first
    assert owed() == sorted(linked(world))


def test_who_waits_already_keeps_the_place_in_the_line(world, clock):
    intend(DEMO)
    ask_for(ADA)
    since = request_of(ADA).due_at
    clock.shift(DAY)
    backfill()
    assert request_of(ADA).due_at == since


def test_a_customer_without_learners_is_nothing_to_do(world):
    tiny = world.add_customer(slug="tiny")
    assert backfill(Scope(customer_uuid=tiny.uuid)) == []
    assert not RealizationRequest.objects.exists()


# --- Some learners, some intentions ----------------------------------------------------------------------------------


def test_named_learners_only(world):
    intend(DEMO)
    world.journal.forget()
    assert backfill(Scope(customer_uuid=ACME, lms_user_ids=frozenset({MAX, ADA}))) == [(2, MAX)]
    assert owed() == [ADA, MAX]
    assert asked(world, LINKS) == 0


def test_many_named_learners_come_in_pieces_too(world):
    intend(DEMO)
    ids = frozenset(range(50_000, 50_000 + LEARNERS_AT_ONCE + 1))
    assert backfill(Scope(customer_uuid=ACME, lms_user_ids=ids)) == [(100, 50_099), (101, 50_100)]


def test_who_has_all_of_the_named_intentions_is_left_out(world, clock):
    demo, project = intend(DEMO, PROJECT)
    visit(ADA)
    clock.shift(DAY)
    (linux,) = intend(LINUX)
    learners = frozenset({ADA, MAX})
    both = Scope(customer_uuid=ACME, lms_user_ids=learners, intention_uuids=frozenset({demo.pk, project.pk}))
    assert backfill(both) == [(1, MAX)]
    assert request_of(ADA).due_at is None
    one_is_missing = Scope(customer_uuid=ACME, lms_user_ids=learners, intention_uuids=frozenset({demo.pk, linux.pk}))
    assert backfill(one_is_missing) == [(2, MAX)]
    assert request_of(ADA).due_at == timezone.now()


def test_progress_goes_on_also_where_nobody_is_left_to_ask_for(world):
    (demo,) = intend(DEMO)
    visit(ADA)
    scope = Scope(customer_uuid=ACME, lms_user_ids=frozenset({ADA}), intention_uuids=frozenset({demo.pk}))
    assert backfill(scope, rate=1) == [(0, ADA)]


def test_intentions_have_to_be_the_customers_own_and_alive(world):
    demo, project = intend(DEMO, PROJECT)
    (of_another,) = intend("TUMx+AUTO1", customer=GLOBEX)
    project.deleted_at = timezone.now()
    project.save()
    check_scope(Scope(customer_uuid=ACME))
    check_scope(Scope(customer_uuid=ACME, intention_uuids=frozenset({demo.pk})))
    for uuid in (uuid4(), of_another.pk, project.pk):
        with pytest.raises(IntentionUnknown, match=str(uuid)):
            check_scope(Scope(customer_uuid=ACME, intention_uuids=frozenset({demo.pk, uuid})))


# --- Not too fast, stopped and resumed -------------------------------------------------------------------------------


def test_the_rate_is_kept_between_pieces(crowd):
    intend(DEMO)
    naps = []
    backfill(rate=60, sleep=naps.append)
    assert naps == [100, 100, len(crowd) - 200]


def test_without_a_rate_nobody_sleeps(crowd):
    intend(DEMO)
    backfill(sleep=never)


def test_what_was_yielded_is_done_and_the_rest_can_follow(crowd):
    intend(DEMO)
    progress = request_all(Scope(customer_uuid=ACME), learners_per_minute=None, sleep=never)
    done, last = next(progress)
    progress.close()
    assert (owed(), done) == (crowd[:100], 100)
    assert sum(1 for _ in backfill(Scope(customer_uuid=ACME, after=last))) == 2
    assert owed() == crowd


def test_the_rest_of_named_learners_can_follow_too(world):
    intend(DEMO)
    backfill(Scope(customer_uuid=ACME, lms_user_ids=frozenset({ADA, MAX, DAVE}), after=ADA))
    assert owed() == [MAX, DAVE]


def test_a_silent_lms_in_the_middle_loses_nothing(crowd, simulator, clock):
    intend(DEMO)
    seen = []
    with pytest.raises(UpstreamError):
        for done, last in request_all(Scope(customer_uuid=ACME), learners_per_minute=None, sleep=never):
            seen.append((done, last))
            simulator.faults.add("unreachable", LINKS, times=None)
    assert seen == [(100, crowd[99])]
    assert owed() == crowd[:100]
    simulator.faults.clear()
    clock.shift(600)
    backfill(Scope(customer_uuid=ACME, after=crowd[99]))
    assert owed() == crowd


@pytest.mark.parametrize(
    ("kind", "about"),
    [("hang", {}), ("status", {"status": 500}), ("html", {}), ("missing_keys", {"keys": ["results"]})],
)
def test_a_silent_lms_is_never_a_customer_without_learners(world, simulator, kind, about):
    intend(DEMO)
    simulator.faults.add(kind, LINKS, times=None, **about)
    with pytest.raises(UpstreamError):
        backfill()
    assert owed() == []


# --- Saying what would happen ----------------------------------------------------------------------------------------


def test_it_is_foretold_what_would_happen_to_whom_and_why(world, clock):
    intend(DEMO)
    learners = frozenset({ADA, HAL, DAVE, GRACE})
    told = list(foretell(Scope(customer_uuid=ACME, lms_user_ids=learners)))
    assert [(entry.lms_user_id, entry.what, entry.reason) for entry in told] == [
        (ADA, "enroll", "needs_enrollment"),
        (HAL, "nothing", "no_license"),
        (DAVE, "nothing", told[2].reason),
        (GRACE, "nothing", "learner_not_linked"),
    ]
    assert told[2].reason in {"learner_unenrolled", "license_revoked"}
    assert (told[0].content_key, told[0].course_run_key) == (DEMO, DEMO_RUN)


def test_an_upgrade_is_foretold_as_one(world):
    intend(DEMO)
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    (entry,) = foretell(Scope(customer_uuid=ACME, lms_user_ids=frozenset({ADA})))
    assert (entry.what, entry.reason) == ("upgrade", "needs_upgrade")


def test_only_the_named_intentions_are_told_of(world):
    demo, _ = intend(DEMO, PROJECT)
    for learner in (ADA, HAL):
        scope = Scope(customer_uuid=ACME, lms_user_ids=frozenset({learner}), intention_uuids=frozenset({demo.pk}))
        assert [entry.content_key for entry in foretell(scope)] == [DEMO]


def test_foretelling_enrolls_nobody_and_owes_nothing(crowd, world):
    intend(DEMO)
    told = list(foretell(Scope(customer_uuid=ACME)))
    assert [entry.lms_user_id for entry in told] == crowd
    assert asked(world, BULK) == 0
    assert owed() == []
    assert not RealizationAttempt.objects.exists()
    assert not Realization.objects.exists()


def test_what_is_foretold_is_what_happens(world, clock):
    intend(DEMO, PROJECT, LINUX)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    scope = Scope(customer_uuid=ACME)
    foretold = {
        (entry.lms_user_id, entry.course_run_key) for entry in foretell(scope) if entry.what in {"enroll", "upgrade"}
    }
    backfill(scope)
    clock.shift(60)
    work()
    assert set(Realization.objects.values_list("lms_user_id", "course_run_key")) == foretold
    assert foretold


def test_lines_are_full_sentences():
    entry = Foretold(
        lms_user_id=ADA, content_key=DEMO, what="nothing", reason="learner_not_linked", course_run_key=DEMO_RUN
    )
    assert in_words(entry) == (
        f"learner 1001: edX+DemoX ({DEMO_RUN}): nothing. The learner is not linked to the customer now."
    )
    entry = Foretold(lms_user_id=ADA, content_key=DEMO, what="nothing", reason="learner_not_linked", course_run_key="")
    assert in_words(entry).startswith("learner 1001: edX+DemoX: nothing. The learner")
