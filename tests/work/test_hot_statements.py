"""The statements that run with every message read no table from end to end, however many rows there are."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer, LearnerSighting
from enterprise_access.apps.customers.services import SIGHTINGS
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    Outcome,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.selectors.past import get_past
from enterprise_access.apps.default_enrollments.services.operations.pruning import prune_attempts
from enterprise_access.apps.default_enrollments.services.realizing.announcing import _reasons_before
from enterprise_access.apps.default_enrollments.services.realizing.refusals import list_refusals
from enterprise_access.apps.default_enrollments.services.reconciling import _list_longest_uncompared
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, request_realization
from enterprise_access.lib.work import asking, leases, waking, watching
from enterprise_access.lib.work.leases import Settlement
from enterprise_access.lib.work.queues import UNEXPECTED_ERROR

CUSTOMERS = [UUID(int=number) for number in range(1, 6)]
ROWS = 20_000
DUE = 50

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def seeded() -> None:
    """Fill the tables: nearly everybody is served, and a few are due."""
    if connection.vendor != "postgresql":
        pytest.skip("plans are read from PostgreSQL")
    now = timezone.now()
    for uuid in CUSTOMERS:
        EnterpriseCustomer.objects.create(uuid=uuid, slug=str(uuid)[-1], name="C", fetched_at=now)
    intentions = [
        DefaultEnterpriseEnrollmentIntention.objects.create(customer_id=uuid, content_key="edX+DemoX")
        for uuid in CUSTOMERS
    ]
    RealizationRequest.objects.bulk_create(
        RealizationRequest(
            customer_id=CUSTOMERS[number % len(CUSTOMERS)],
            lms_user_id=number,
            due_at=now if number < DUE else None,
            trigger=Trigger.LOGIN,
        )
        for number in range(ROWS)
    )
    LearnerSighting.objects.bulk_create(
        LearnerSighting(lms_user_id=number, seen_at=now, due_at=now if number < DUE else None) for number in range(ROWS)
    )
    RealizationAttempt.objects.bulk_create(
        RealizationAttempt(
            intention=intentions[number % len(intentions)],
            lms_user_id=number,
            outcome=Outcome.BLOCKED if number < DUE else Outcome.REALIZED,
            reason="refused_by_lms" if number < DUE else "",
            trigger=Trigger.LOGIN,
            is_newest=number >= DUE // 2,
            created_at=now - timedelta(days=100),
            last_seen_at=now - timedelta(days=100),
        )
        for number in range(ROWS)
    )
    DefaultEnterpriseEnrollmentRealization.objects.bulk_create(
        DefaultEnterpriseEnrollmentRealization(
            intention=intentions[number % len(intentions)],
            lms_user_id=number,
            enterprise_customer_user_id=number,
            course_key="edX+DemoX",
            course_run_key="course-v1:edX+DemoX+1",
            predicted_mode="verified",
            realized_at=now,
            compared_at=now - timedelta(seconds=number),
        )
        for number in range(ROWS)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def one_round(queue, narrowed=None) -> None:
    lease = leases.take(queue, limit=10, rows=narrowed)
    assert lease.items
    lease.renew()
    leases.settle(lease, [Settlement(item=row) for row in lease.items[:5]])
    leases.postpone(lease, lease.items[5:7], waiting_for=UNEXPECTED_ERROR, is_blamed=True)
    leases.release(lease)


def intentions_of(customer_uuid: UUID) -> list[UUID]:
    intentions = DefaultEnterpriseEnrollmentIntention.objects.filter(customer_id=customer_uuid)
    return list(intentions.values_list("pk", flat=True))


HOT: dict[str, Callable[[], object]] = {
    "a round of one customer": lambda: one_round(QUEUE, RealizationRequest.objects.filter(customer_id=CUSTOMERS[0])),
    "a round of logins": lambda: one_round(SIGHTINGS),
    "whose turn it is": lambda: waking.next_group(QUEUE),
    "is anything due": lambda: (waking.is_anything_due(QUEUE), waking.is_anything_due(SIGHTINGS)),
    "asking for a learner": lambda: request_realization(
        customer_uuid=CUSTOMERS[0], lms_user_ids=[5, 10], trigger=Trigger.PORTAL, now=timezone.now()
    ),
    "retrying what failed": lambda: asking.retry_failed(QUEUE, waiting_for=UNEXPECTED_ERROR),
    "who is compared next": lambda: _list_longest_uncompared(10),
    "pruning": lambda: prune_attempts(older_than=timezone.now()),
    "the state of the queue": lambda: watching.read_queue(QUEUE),
    "what is stuck": watching.list_stuck,
    "what the LMS refused": lambda: list_refusals(
        customer_uuid=CUSTOMERS[0], lms_user_ids=range(100), intentions=intentions_of(CUSTOMERS[0])
    ),
    "why learners were blocked before": lambda: _reasons_before(
        list(RealizationAttempt.objects.filter(lms_user_id__in=range(20)))
    ),
    "the past of a learner": lambda: get_past(customer_uuid=CUSTOMERS[0], lms_user_id=5),
}
BIG = ("realizationrequest", "learnersighting", "realizationattempt", "enrollmentrealization")


@pytest.mark.usefixtures("seeded")
def test_no_hot_statement_reads_a_big_table_from_end_to_end():
    scanned = [
        f"{name}: {line.strip()} in {sql[:300]}"
        for name, action in HOT.items()
        for sql in statements_of(action)
        for line in plan_of(sql)
        if "Seq Scan on" in line and any(table in line for table in BIG)
    ]
    assert scanned == []


def statements_of(action: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        action()
    return [
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith(("SELECT", "UPDATE", "DELETE")) and any(table in query["sql"] for table in BIG)
    ]


def plan_of(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return [row[0] for row in cursor.fetchall()]
