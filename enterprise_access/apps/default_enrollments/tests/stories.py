"""The words that tests of services, pages and endpoints tell their stories with. The neighbours are the simulator."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import add_intention
from enterprise_access.apps.default_enrollments.services.realizing.engine import Summary, realize_due
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from simulator.journal import Call
from simulator.seed import ACME
from simulator.world import World

Intention = DefaultEnterpriseEnrollmentIntention
Realization = DefaultEnterpriseEnrollmentRealization

API = "/api/v1/default-enterprise-enrollment-intentions"

DEMO = "edX+DemoX"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
LINUX = "LinuxFoundationX+LFS101x"
LINUX_RUN = "course-v1:LinuxFoundationX+LFS101x+2026_T1"
PROJECT = "AdelaideX+Project101x"
PROJECT_RUN = "course-v1:AdelaideX+Project101x+2026_T1"
STATS = "KIx+STATS1"
STATS_RUN = "course-v1:KIx+STATS1+2026_T1"
# Audit is all there is.
AUDIT_ONLY = "HarvardX+CS50"
AUDIT_ONLY_RUN = "course-v1:HarvardX+CS50+2026"

# Learners of acme, by what they hold (see `simulator`).
ADA, BEN, HAL, MAX, LEA, CAROL, DAVE, ERIN, GRACE = 1001, 1002, 1008, 1009, 1010, 1011, 1012, 1013, 1014
FRANK = 2003

BULK = "lms.enroll_learners"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# The LMS has certainly given up a silent call.
LONG_ENOUGH = timedelta(seconds=301)


def intend(*content_keys: str, customer: UUID = ACME) -> list[Intention]:
    """Let staff add intentions for a customer that the LMS knows."""
    if get_customer(customer_uuid=customer) is None:
        fetch_customer(customer_uuid=customer)
    added = [add_intention(customer_uuid=customer, content_key=key) for key in content_keys]
    # What the task does that adding leaves behind.
    refresh_modes(course_run_keys=[found.content.run.key for _, found in added if found.content.run])
    return [intention for intention, _ in added]


def ask_for(*lms_user_ids: int, customer: UUID = ACME, trigger: Trigger = Trigger.PORTAL) -> None:
    """Owe these learners a look now."""
    request_realization(customer_uuid=customer, lms_user_ids=lms_user_ids, trigger=trigger, now=timezone.now())


def work(*, customer: UUID = ACME, limit: int = 100) -> Summary:
    """Let a worker do one round."""
    return realize_due(customer_uuid=customer, limit=limit, now=timezone.now())


def visit(*lms_user_ids: int, customer: UUID = ACME) -> Summary:
    """Let the learners sign in, and a worker do one round."""
    ask_for(*lms_user_ids, customer=customer)
    return work(customer=customer)


def request_of(lms_user_id: int, customer: UUID = ACME) -> RealizationRequest:
    return RealizationRequest.objects.get(customer_id=customer, lms_user_id=lms_user_id)


def realizations_of(lms_user_id: int) -> dict[str, Realization]:
    """Return what was realized for the learner, by run key."""
    return {row.course_run_key: row for row in Realization.objects.filter(lms_user_id=lms_user_id)}


def attempts_of(lms_user_id: int) -> list[tuple[str, str]]:
    """Return outcome and reason of every attempt of the learner, oldest first."""
    rows = RealizationAttempt.objects.filter(lms_user_id=lms_user_id).order_by("pk")
    return [(row.outcome, row.reason) for row in rows]


def bulk_posts(world: World) -> list[list[tuple[int, str]]]:
    """Return what the LMS was asked to enroll, (learner, run) by call, as the LMS saw it."""
    return [_items_of(call) for call in world.journal.calls(endpoint=BULK)]


def _items_of(call: Call) -> list[tuple[int, str]]:
    return [(item["user_id"], item["course_run_key"]) for item in call.body["enrollments_info"]]


def sent_items(world: World) -> list[dict[str, Any]]:
    """Return every item that was sent to the LMS, as it was sent."""
    return [item for call in world.journal.calls(endpoint=BULK) for item in call.body["enrollments_info"]]


def times_sent(world: World, lms_user_id: int, run_key: str) -> int:
    """Return how often the LMS was asked to enroll this learner in this run."""
    return sum(items.count((lms_user_id, run_key)) for items in bulk_posts(world))


def asked(world: World, endpoint: str) -> int:
    """Return how many calls of an endpoint a neighbour saw."""
    return len(world.journal.calls(endpoint=endpoint))


def add_learners(world: World, count: int, *, plan_uuid: UUID, customer: UUID = ACME) -> list[int]:
    """Add learners with an activated license of the plan; return their ids."""
    usernames = [f"learner{number:03}" for number in range(count)]
    for username in usernames:
        world.add_learner(username=username, customer=customer)
        world.add_license(plan_uuid=plan_uuid, username=username)
    return [world.user(username).id for username in usernames]


def is_enrolled(world: World, usernames: Iterable[str], run_key: str) -> bool:
    """Say whether the platform shows all of them active in the run."""
    rows = [world.enrollment(username, run_key) for username in usernames]
    return all(row is not None and row.is_active for row in rows)
