"""The services above the bulk methods, each at work for many. A scene returns what it came to, for each of the many.

A scene gets everything ready, lets `arm` put something wrong with one of them, and lets the service work.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from attrs import evolve
from django.contrib.auth import get_user_model
from django.utils import timezone

from enterprise_access.apps.course_types.services.courses import fetch_courses, import_courses
from enterprise_access.apps.course_types.services.importing import fetch_told, import_types
from enterprise_access.apps.customers.models import LearnerSighting
from enterprise_access.apps.customers.services import resolve_logins
from enterprise_access.apps.default_enrollments.models import IntentionHealth, RealizationRequest
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import Scope, request_all
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.services.requests import sweeping
from enterprise_access.apps.default_enrollments.tests.stories import (
    DEMO,
    DEMO_RUN,
    LINUX_RUN,
    add_learners,
    attempts_of,
    intend,
    realizations_of,
    request_of,
    visit,
)
from enterprise_access.apps.groups.domain import Membership
from enterprise_access.apps.groups.services import memberships_of
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.models import SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_new
from enterprise_access.apps.subsidy_access_policies.services.reminders import list_groups, remind_group
from enterprise_access.apps.subsidy_access_policies.services.transactions import begin_to_refresh_transactions
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget, redeemed
from enterprise_access.events.handling import handle
from enterprise_access.events.tests.made import login
from enterprise_access.jobs.services import run_jobs, start_job
from enterprise_access.lib import unreadable
from simulator.seed import ACME, ACME_ANNUAL, ACME_CREDIT
from simulator.world import World
from tests.faults.bulk import COURSES, ELSEWHERE, LEARNERS, NAME, NAMES, SECOND

Said = dict[str, str]
Scene = Callable[[World, Callable[[], None]], Said]

DONE: Final = "done"
# What may be said of one of whom nothing can be known now. Anything else would be a "no".
UNKNOWN: Final = frozenset(
    {
        "unknown",
        "lms_unavailable",
        "catalog_unavailable",
        "license_manager_unavailable",
        "outcome_unknown",
        # The LMS failed on this item alone.
        "refused_by_lms",
    }
)


def realize(world: World, arm: Callable[[], None]) -> Said:
    """Many learners want the same course at once."""
    ids = _many(world)
    # A row of the platform, for one to be odd.
    world.enroll(username=NAME, run_key=LINUX_RUN)
    intend(DEMO)
    arm()
    visit(*ids)
    return {name: _realized(lms_user_id) for name, lms_user_id in zip(NAMES, ids, strict=True)}


def _many(world: World) -> list[int]:
    return add_learners(world, LEARNERS, plan_uuid=ACME_ANNUAL)


def _realized(lms_user_id: int) -> str:
    if DEMO_RUN in realizations_of(lms_user_id):
        return DONE
    attempts = attempts_of(lms_user_id)
    return attempts[-1][1] if attempts else request_of(lms_user_id).waiting_for


def reconcile_all(world: World, arm: Callable[[], None]) -> Said:
    """All of them left, and no event told of it."""
    ids = _many(world)
    intend(DEMO)
    visit(*ids)
    for name in NAMES:
        world.leave(username=name, run_key=DEMO_RUN)
    arm()
    reconcile(limit=100)
    left = [realizations_of(lms_user_id)[DEMO_RUN].left_at for lms_user_id in ids]
    return {name: "unknown" if at is None else DONE for name, at in zip(NAMES, left, strict=True)}


def sign_in(world: World, arm: Callable[[], None]) -> Said:
    """Many sign in at once."""
    ids = _many(world)
    intend(DEMO)
    handle([login(lms_user_id) for lms_user_id in ids])
    arm()
    resolve_logins(limit=100, now=timezone.now())
    waiting = set(LearnerSighting.objects.exclude(due_at=None).values_list("pk", flat=True))
    said = ["unknown" if lms_user_id in waiting else _requested(lms_user_id) for lms_user_id in ids]
    return dict(zip(NAMES, said, strict=True))


def _requested(lms_user_id: int, *, otherwise: str = "left out") -> str:
    is_requested = RealizationRequest.objects.filter(lms_user_id=lms_user_id).exclude(due_at=None).exists()
    return DONE if is_requested else otherwise


def backfill(world: World, arm: Callable[[], None]) -> Said:
    ids = _many(world)
    intend(DEMO)
    arm()
    list(request_all(Scope(customer_uuid=ACME), learners_per_minute=None))
    # The command has no list of its own: the page of unreadable rows tells of who was left out.
    odd = "unknown" if unreadable.list_unreadable_rows() else "left out"
    return {name: _requested(lms_user_id, otherwise=odd) for name, lms_user_id in zip(NAMES, ids, strict=True)}


def backfill_in_the_background(world: World, arm: Callable[[], None]) -> Said:
    ids = _many(world)
    intend(DEMO)
    arm()
    by = get_user_model().objects.create(username="the one who started it")
    parameters = sweeping.parameters_of_backfill(customer_uuid=ACME, learners_per_minute=None)
    job = start_job(kind=sweeping.BACKFILL_JOB, title="x", parameters=parameters, by=by)
    run_jobs()
    named = " ".join(cell for row in job.results.filter(outcome="unreadable") for cell in row.cells)
    odd = {lms_user_id: "unknown" if str(lms_user_id) in named else "left out" for lms_user_id in ids}
    return {
        name: _requested(lms_user_id, otherwise=odd[lms_user_id]) for name, lms_user_id in zip(NAMES, ids, strict=True)
    }


def check_courses(world: World, arm: Callable[[], None]) -> Said:
    return _checked(COURSES, arm)


def check_courses_of_no_catalog(world: World, arm: Callable[[], None]) -> Said:
    return _checked(ELSEWHERE, arm)


def _checked(keys: tuple[str, ...], arm: Callable[[], None]) -> Said:
    intend(*keys)
    arm()
    check_intentions(customer_uuid=ACME)
    found = IntentionHealth.objects.values_list("intention__content_key", "reason")
    return dict.fromkeys(keys, "unknown") | dict(found)


def type_courses(world: World, arm: Callable[[], None]) -> Said:
    import_types(fetch_told(), commit=True)
    arm()
    told = {row.course_key: row.fate.value for row in import_courses(fetch_courses(course_keys=COURSES), commit=True)}
    return dict.fromkeys(COURSES, "unknown") | told


def read_memberships(world: World, arm: Callable[[], None]) -> Said:
    """Many learners want what is paid by a budget that is restricted to a group."""
    ids, group = _many(world), world.add_group(customer="acme", name="North").uuid
    for name in NAMES:
        world.set_member(group_uuid=group, username=name)
    arm()
    found = memberships_of(ids, groups=[group])
    words = {Membership.ACCEPTED: DONE}
    said = [words.get(found[lms_user_id][group], found[lms_user_id][group].value) for lms_user_id in ids]
    return dict(zip(NAMES, said, strict=True))


def remind_invited(world: World, arm: Callable[[], None]) -> Said:
    ids, group = _many(world), world.add_group(customer="acme", name="North").uuid
    make_budget().group_associations.create(group_uuid=group)
    now = timezone.now()
    for name in NAMES:
        world.set_member(group_uuid=group, username=name, status="pending")
    for row in world.tables.group_members.where(group=group):
        world.put("member changed", evolve(row, changed_at=now - timedelta(days=5)))
    arm()
    reminded = [remind_group(each, now=now) for each in list_groups()]
    asked = set(Notification.objects.values_list("lms_user_id", flat=True))
    odd = "left out" if all(each.is_known for each in reminded) else "unknown"
    said = [DONE if lms_user_id in asked else odd for lms_user_id in ids]
    return dict(zip(NAMES, said, strict=True))


def read_the_ledger(world: World, arm: Callable[[], None]) -> Said:
    """Other tools redeemed for many, and no event told of it."""
    ids = _redeemed_for_many(world)
    arm()
    reconcile_new()
    return _copied(ids)


def read_the_ledger_by_learner(world: World, arm: Callable[[], None]) -> Said:
    ids = _redeemed_for_many(world)
    arm()
    known = begin_to_refresh_transactions(ids, subsidy_uuids=[ACME_CREDIT], since=timezone.now())()
    copied = _copied(ids)
    # What is not known is not taken for "nothing was spent".
    assert all(known[lms_user_id] or copied[name] == "unknown" for lms_user_id, name in zip(ids, NAMES, strict=True))
    return copied


def _redeemed_for_many(world: World) -> list[int]:
    ids, budget = _many(world), make_budget()
    for name, lms_user_id in zip(NAMES, ids, strict=True):
        redeemed(world, budget.pk, key=SECOND if name == NAME else name, learner=lms_user_id)
    return ids


def _copied(ids: list[int]) -> Said:
    copied = set(SubsidyTransaction.objects.values_list("lms_user_id", flat=True))
    return {name: DONE if lms_user_id in copied else "unknown" for name, lms_user_id in zip(NAMES, ids, strict=True)}


SCENES: Final[Mapping[str, Scene]] = {
    "realizing": realize,
    "reconciling": reconcile_all,
    "signing in": sign_in,
    "backfilling": backfill,
    "backfilling in the background": backfill_in_the_background,
    "checking courses": check_courses,
    "checking courses of no catalog": check_courses_of_no_catalog,
    "typing courses": type_courses,
    "reading memberships": read_memberships,
    "reminding": remind_invited,
    "reading the ledger": read_the_ledger,
    "reading the ledger by learner": read_the_ledger_by_learner,
}
