"""Once, and never against the learner: whatever a round changes itself, whatever customer a call was made for, and
whatever became of a course's key."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.selectors import content
from enterprise_access.apps.default_enrollments.errors import OverrideNotNeeded
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentRealization,
    RealizationOverride,
)
from enterprise_access.apps.default_enrollments.services.learners.status import get_learner_status
from enterprise_access.apps.default_enrollments.services.overrides import cancel_override, grant_override
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    DAY,
    DEMO,
    DEMO_RUN,
    HAL,
    HOUR,
    LINUX,
    LINUX_RUN,
    MINUTE,
    PROJECT_RUN,
    add_learners,
    ask_for,
    asked,
    attempts_of,
    bulk_posts,
    intend,
    realizations_of,
    request_of,
    times_sent,
    visit,
    work,
)
from enterprise_access.events.handling import handle
from enterprise_access.events.tests.made import changed, unenrolled
from enterprise_access.lib.work import leases
from simulator import enrolling
from simulator.seed import ACME, ACME_ANNUAL, ACME_OPEN, GLOBEX

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


# --- A round never acts on facts that it has changed itself ----------------------------------------------------------


@pytest.mark.parametrize("has_event_bus", [True, False])
@pytest.mark.parametrize(("key", "run_key"), [(AUDIT_ONLY, AUDIT_ONLY_RUN), (DEMO, DEMO_RUN)])
def test_an_override_that_a_round_uses_up_itself_lets_nothing_else_through(
    world, simulator, clock, has_event_bus, key, run_key
):
    (intention,) = intend(key)
    visit(ADA)
    clock.shift(DAY)
    world.leave(username="ada", run_key=run_key)
    visit(ADA)
    clock.shift(DAY)
    grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    simulator.faults.add("drop", "lms.enroll_learners", times=1)
    work()
    assert world.enrollment("ada", run_key).is_active
    clock.shift(2 * SECOND)
    world.leave(username="ada", run_key=run_key)
    if has_event_bus:
        handle([unenrolled(ADA, run_key, mode=world.enrollment("ada", run_key).mode)])
    for _ in range(3):
        clock.shift(3 * MINUTE)
        visit(ADA)
        # Already in the round that settles the call: what it decides by is read again afterwards.
        assert attempts_of(ADA)[-1] == ("blocked", "learner_unenrolled")
    assert times_sent(world, ADA, run_key) == 2
    assert not world.enrollment("ada", run_key).is_active
    assert RealizationOverride.objects.get().used_at is not None
    left = realizations_of(ADA)[run_key]
    assert (left.left_at is not None, left.left_reason) == (True, "learner_unenrolled")


# --- An unknown outcome holds back every customer --------------------------------------------------------------------


def at_two_customers(key):
    """Let acme and globex intend the course."""
    intend(key)
    intend(key, customer=GLOBEX)


@pytest.fixture
def carl(world):
    """Add a learner with a license of each of two customers."""
    user = world.add_learner(username="carl", customer="acme")
    world.add_license(plan_uuid=ACME_ANNUAL, username="carl")
    world.link(username="carl", customer="globex")
    catalog = world.add_catalog(customer="globex", title="Of globex", courses=[DEMO, AUDIT_ONLY])
    plan = world.add_plan(customer="globex", catalog_uuid=catalog.uuid, title="Of globex")
    world.add_license(plan_uuid=plan.uuid, username="carl")
    return user.id


@pytest.mark.parametrize("has_event_bus", [True, False])
def test_who_left_what_one_customers_lost_call_made_is_not_enrolled_by_another(
    world, simulator, clock, carl, has_event_bus
):
    at_two_customers(AUDIT_ONLY)
    simulator.faults.add("drop", "lms.enroll_learners", times=1)
    visit(carl)
    clock.shift(SECOND)
    world.leave(username="carl", run_key=AUDIT_ONLY_RUN)
    if has_event_bus:
        handle([unenrolled(carl, AUDIT_ONLY_RUN)])
    for customer in (GLOBEX, ACME, GLOBEX):
        clock.shift(2 * SECOND)
        visit(carl, customer=customer)
    clock.shift(DAY)
    visit(carl, customer=GLOBEX)
    assert times_sent(world, carl, AUDIT_ONLY_RUN) == 1
    assert realizations_of(carl)[AUDIT_ONLY_RUN].left_at is not None


@pytest.mark.parametrize("key", [DEMO, AUDIT_ONLY])
def test_a_call_that_the_lms_carries_out_late_is_waited_for_by_every_customer(
    world, meanwhile, simulator, clock, carl, key
):
    run_key = {DEMO: DEMO_RUN, AUDIT_ONLY: AUDIT_ONLY_RUN}[key]
    at_two_customers(key)
    simulator.faults.add("status", "lms.enroll_learners", times=1, status=504)
    visit(carl)
    assert world.enrollment("carl", run_key) is None
    clock.shift(4 * SECOND)
    visit(carl, customer=GLOBEX)
    assert len(bulk_posts(world)) == 1
    assert attempts_of(carl)[-1] == ("blocked", "outcome_unknown")
    # Now it happens, with the license of the first.
    link = next(link for link in world.links_of("carl") if link.customer_uuid == ACME)
    row = enrolling.enroll_in_best_mode(world, user=world.user("carl"), run=world.run(run_key), is_forced=False)
    enrolling.write_enterprise_enrollment(world, link=link, run_key=run_key)
    for customer in (GLOBEX, ACME, GLOBEX):
        clock.shift(10 * MINUTE)
        visit(carl, customer=customer)
    assert len(bulk_posts(world)) == 1
    assert world.enrollment("carl", run_key) == row
    assert set(DefaultEnterpriseEnrollmentRealization.objects.values_list("intention__customer", flat=True)) == {ACME}


def test_another_customer_goes_on_once_the_call_has_certainly_failed(world, simulator, clock, carl):
    at_two_customers(DEMO)
    simulator.faults.add("status", "lms.enroll_learners", times=1, status=504)
    visit(carl)
    visit(carl, customer=GLOBEX)
    assert len(bulk_posts(world)) == 1
    waits = request_of(carl, customer=GLOBEX).due_at - timezone.now()
    assert timedelta(0) < waits <= timedelta(minutes=2)
    clock.shift(timedelta(seconds=361))
    assert work(customer=GLOBEX).realized == 1


def test_what_another_customer_realized_and_cannot_be_seen_is_not_made_again(world, clock, carl):
    at_two_customers(AUDIT_ONLY)
    visit(carl)
    world.drop("enrollment hidden", world.enrollment("carl", AUDIT_ONLY_RUN))
    visit(carl, customer=GLOBEX)
    assert times_sent(world, carl, AUDIT_ONLY_RUN) == 1


# --- A renamed course, and a run that was moved, keep their past -----------------------------------------------------


def forget_content():
    cache.clear()
    content._cache._kept.clear()


def to_catalog(world, *keys):
    catalog = world.tables.catalogs.get(ACME_OPEN)
    world.change_catalog(catalog_uuid=ACME_OPEN, course_keys=(*catalog.course_keys, *keys))


def open_course(world, key, *, runs=("R1",)):
    world.add_course(key=key)
    for run in runs:
        world.add_run(key=f"course-v1:{key}+{run}", seats=("audit",))
    to_catalog(world, key)


def renamed(world, *, drops_runs):
    world.rename_course(course_key="Old+X1", new_key="New+X1")
    world.add_run(key="course-v1:New+X1+R2", seats=("audit",))
    if drops_runs:
        world.drop("run archived", world.run("course-v1:Old+X1+R1"))


def moved(world, **_):
    open_course(world, "New+X1", runs=("R2",))
    world.change_run(run_key="course-v1:Old+X1+R1", course_key="New+X1")


def moved_and_back(world, **_):
    moved(world)
    forget_content()
    visit(ADA)
    world.change_run(run_key="course-v1:Old+X1+R1", course_key="Old+X1")
    world.add_run(key="course-v1:Old+X1+R3", seats=("audit",))


@pytest.mark.parametrize("leaves", [True, False])
@pytest.mark.parametrize("of_the_run", [True, False], ids=["run intention", "course intention"])
@pytest.mark.parametrize(
    ("change", "new_key", "drops_runs"),
    [
        (renamed, "New+X1", False),
        (renamed, "New+X1", True),
        (renamed, "course-v1:New+X1+R2", False),
        (moved, "New+X1", False),
        (moved_and_back, "Old+X1", False),
    ],
)
def test_a_course_keeps_its_past_whatever_its_key(world, clock, leaves, of_the_run, change, new_key, drops_runs):
    old_run = "course-v1:Old+X1+R1"
    open_course(world, "Old+X1")
    intend(old_run if of_the_run else "Old+X1")
    visit(ADA)
    assert old_run in realizations_of(ADA)
    if leaves:
        world.leave(username="ada", run_key=old_run)
        clock.shift(10 * MINUTE)
        visit(ADA)
    change(world, drops_runs=drops_runs)
    clock.shift(DAY)
    forget_content()
    if new_key not in ("Old+X1",) or of_the_run:
        intend(new_key)
    visit(ADA)
    posts = [item for post in bulk_posts(world) for item in post]
    names_another_run = new_key.startswith("course-v1:") and not leaves
    assert len(posts) == (2 if names_another_run else 1), attempts_of(ADA)


@pytest.mark.parametrize("is_active", [True, False])
def test_enrollments_of_others_in_a_run_that_was_moved_count(world, clock, is_active):
    open_course(world, "Old+X1")
    world.add_run(key="course-v1:Old+X1+R0", seats=("audit", "verified"), advertise=False)
    world.enroll(username="ada", run_key="course-v1:Old+X1+R0", mode="verified")
    if not is_active:
        world.leave(username="ada", run_key="course-v1:Old+X1+R0")
    open_course(world, "New+X1", runs=("R2",))
    world.change_run(run_key="course-v1:Old+X1+R0", course_key="New+X1")
    intend("New+X1")
    visit(ADA)
    assert bulk_posts(world) == []


def test_a_coachs_copy_of_a_run_neither_serves_nor_blocks(world):
    """ADR 0021."""
    intend(DEMO)
    copy = f"ccx-v1:{DEMO_RUN.removeprefix('course-v1:')}+ccx@7"
    for is_active in (True, False):
        enrolling.write_enrollment(world, user_id=ADA, run_key=copy, mode="verified", is_active=is_active)
    visit(ADA)
    assert DEMO_RUN in realizations_of(ADA)


def test_an_override_under_the_new_key_forgets_what_was_left_under_the_old_one(world, clock):
    open_course(world, "Old+X1")
    intend("Old+X1")
    visit(ADA)
    world.leave(username="ada", run_key="course-v1:Old+X1+R1")
    visit(ADA)
    renamed(world, drops_runs=False)
    forget_content()
    clock.shift(DAY)
    (intention,) = intend("New+X1")
    grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    assert work().realized == 1
    assert [row.left_at for row in realizations_of(ADA).values()] == [None, None]


# --- Overrides end ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sees", ["a worker", "an event", "a page"])
def test_who_comes_back_alone_and_leaves_once_more_is_left_alone(world, clock, sees):
    (intention,) = intend(DEMO)
    visit(ADA)
    clock.shift(DAY)
    world.leave(username="ada", run_key=DEMO_RUN)
    world.revoke(license_uuid=next(row for row in world.licenses_of("ada") if row.status == "activated").uuid)
    visit(ADA)
    grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    work()
    clock.shift(DAY)
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    if sees == "an event":
        handle([changed(ADA, DEMO_RUN, mode="verified", at=timezone.now())])
    else:
        visit(ADA)
    assert RealizationOverride.objects.get().state_at(timezone.now()) == "withdrawn"
    clock.shift(DAY)
    world.leave(username="ada", run_key=DEMO_RUN)
    world.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    ask_for(ADA)
    work()
    assert times_sent(world, ADA, DEMO_RUN) == 1
    assert attempts_of(ADA)[-1] == ("blocked", "learner_unenrolled")


@pytest.mark.parametrize(
    ("lms_user_id", "says"),
    [
        (ADA, "enrolled"),
        (HAL, "needs_enrollment"),
        (999_999, "learner_not_linked"),
    ],
)
def test_an_override_is_refused_unless_leaving_is_what_blocks_the_learner(world, lms_user_id, says):
    (intention,) = intend(DEMO)
    visit(ADA)
    with pytest.raises(OverrideNotNeeded, match=says):
        grant_override(intention=intention, lms_user_id=lms_user_id, by="amy", reason="Asked.", now=timezone.now())
    assert not RealizationOverride.objects.exists()


def test_an_override_is_refused_while_the_outcome_of_a_call_is_unknown(world, simulator):
    (intention,) = intend(DEMO)
    simulator.faults.add("drop", "lms.enroll_learners", times=1)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    with pytest.raises(OverrideNotNeeded, match="not known yet"):
        grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())


@pytest.mark.parametrize("has_an_end", [True, False], ids=["with an end", "of an earlier release"])
def test_an_override_expires_and_there_may_be_another(world, simulator, clock, has_an_end):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    given = grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    if not has_an_end:
        RealizationOverride.objects.update(expires_at=None)
    clock.shift(30 * DAY)
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1
    given.refresh_from_db()
    assert given.state_at(timezone.now()) == "expired"
    grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    assert work().realized == 1


def test_an_override_that_is_cancelled_after_the_plan_was_made_lets_nothing_through(world, clock, meanwhile):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    override = grant_override(intention=intention, lms_user_id=ADA, by="amy", reason="Asked.", now=timezone.now())
    meanwhile(
        "/admin-license-view/",
        after=lambda: cancel_override(override=override, by="amy", reason="No.", now=timezone.now()),
    )
    work()
    assert times_sent(world, ADA, DEMO_RUN) == 1


# --- Why an enrollment ended -----------------------------------------------------------------------------------------

NO_AUDIT, NO_AUDIT_RUN = "ImperialX+MATH1", "course-v1:ImperialX+MATH1+2026"


def hear(how, run_key, at):
    if how == "an event":
        handle([unenrolled(ADA, run_key, mode="verified", at=at)])
    elif how == "a page":
        get_learner_status(customer_uuid=ACME, lms_user_id=ADA)


@pytest.mark.parametrize("has_consent", [True, False])
@pytest.mark.parametrize("how", ["an event", "a page", "a worker", "reconciling"])
@pytest.mark.parametrize(
    ("key", "run_key", "what", "reason"),
    [
        (DEMO, DEMO_RUN, "leaves", "learner_unenrolled"),
        (NO_AUDIT, NO_AUDIT_RUN, "leaves", "learner_unenrolled"),
        (NO_AUDIT, NO_AUDIT_RUN, "is revoked", "license_revoked"),
        (NO_AUDIT, NO_AUDIT_RUN, "leaves and is revoked later", "learner_unenrolled"),
        (NO_AUDIT, NO_AUDIT_RUN, "has another address", "enrollment_ended"),
    ],
)
def test_the_reason_does_not_depend_on_how_we_heard_of_it(world, clock, has_consent, how, key, run_key, what, reason):
    world.change_customer(customer="acme", has_data_sharing_consent=has_consent)
    intend(key)
    visit(ADA)
    clock.shift(DAY)
    at = timezone.now()
    active = next(row for row in world.licenses_of("ada") if row.status == "activated")
    if what == "is revoked":
        world.revoke(license_uuid=active.uuid)
    else:
        world.leave(username="ada", run_key=run_key)
    if what == "has another address":
        world.rename_email(username="ada", email="countess@example.com")
    if what == "leaves and is revoked later":
        clock.shift(DAY)
        world.revoke(license_uuid=active.uuid)
    clock.shift(MINUTE)
    hear(how, run_key, at)
    for _ in range(2):
        clock.shift(6 * MINUTE)
        visit(ADA) if how == "a worker" else reconcile(limit=10)
    clock.shift(MINUTE)
    visit(ADA)
    assert realizations_of(ADA)[run_key].left_reason == reason
    assert attempts_of(ADA)[-1] == ("blocked", reason)


@pytest.mark.parametrize("has_consent", [True, False])
def test_who_was_moved_to_audit_by_a_revocation_is_told_so_in_every_configuration(world, clock, has_consent):
    world.change_customer(customer="acme", has_data_sharing_consent=has_consent, has_audit_reporting=False)
    intend(DEMO)
    visit(ADA)
    world.revoke(license_uuid=next(row for row in world.licenses_of("ada") if row.status == "activated").uuid)
    clock.shift(DAY)
    visit(ADA)
    world.add_license(plan_uuid=ACME_ANNUAL, username="ada")
    clock.shift(DAY)
    visit(ADA)
    assert attempts_of(ADA)[-1] == ("realized", "license_revoked")


# --- Facts in bulk, and in scope -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_in_scope", [True, False])
def test_a_slow_lms_and_a_hundred_leavers_do_not_keep_anybody_out(world, clock, meanwhile, is_in_scope):
    ids = add_learners(world, 100, plan_uuid=ACME_ANNUAL)
    run_key = LINUX_RUN if is_in_scope else PROJECT_RUN
    for number in range(100):
        world.enroll(username=f"learner{number:03}", run_key=run_key, mode="verified", customer="acme")
        world.leave(username=f"learner{number:03}", run_key=run_key)
    intend(DEMO, LINUX)
    meanwhile("/enterprise-course-enrollment", after=lambda: clock.shift(timedelta(seconds=1.3)), times=1000)
    ask_for(*ids)
    assert work().realized == (100 if is_in_scope else 200)
    asked_before = asked(world, "lms.enterprise_enrollments")
    assert asked_before == (100 if is_in_scope else 0)
    clock.shift(HOUR)
    visit(*ids)
    assert asked(world, "lms.enterprise_enrollments") == asked_before


@pytest.fixture
def be_slow(clock, meanwhile):
    """Let every call of a path take some seconds, while a second worker takes whatever is free; return what it took."""

    def slow(path, seconds):
        taken = []

        def pass_time():
            clock.shift(timedelta(seconds=seconds))
            taken.extend(leases.take(QUEUE, limit=100).items)

        meanwhile(path, after=pass_time, times=1000)
        return taken

    return slow


@pytest.mark.parametrize("has_pages", [True, False])
def test_a_slow_license_manager_loses_no_lease_to_another_worker(world, simulator, be_slow, has_pages):
    ids = add_learners(world, 100, plan_uuid=ACME_ANNUAL)
    intend(DEMO)
    if not has_pages:
        simulator.faults.add("status", "license_manager.subscriptions", status=500, times=None)
    taken = be_slow("/license-manager/", 1.3)
    ask_for(*ids)
    assert (work().realized, taken) == (100, [])


def test_slow_reads_of_modes_lose_no_lease_to_another_worker(world, be_slow):
    keys = [f"SlowX+C{number:02}" for number in range(20)]
    for key in keys:
        world.add_open_course(key=key)
    world.change_catalog(catalog_uuid=ACME_OPEN, course_keys=keys)
    intend(*keys)
    taken = be_slow("/api/enrollment/v1/course/", 8)
    assert (visit(ADA).realized, taken) == (20, [])


def test_slow_catalogs_lose_no_lease_to_another_worker(world, clock, be_slow, meanwhile, settings):
    """They may take CONTENT_REFRESH_BUDGET_SECONDS, less than a lease; what came before them does not count."""
    settings.ENROLLMENTS_FRESH_SECONDS = 1_000
    intend(DEMO)
    cache.clear()
    RunModes.objects.all().delete()
    be_slow("/api/enrollment/v1/enrollments", 110)
    meanwhile("/catalog/", after=lambda: clock.shift(10 * SECOND), times=1000)
    # The first call after them.
    taken = be_slow("/api/enrollment/v1/course/", 0)
    world.journal.forget()
    assert (visit(ADA).realized, taken) == (1, [])
    calls = [call.endpoint for call in world.journal.calls()]
    assert "platform.course" in calls
    assert len([endpoint for endpoint in calls if endpoint.startswith("catalog.")]) >= 2
