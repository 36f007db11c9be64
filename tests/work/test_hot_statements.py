"""The statements that run with every message read no table from end to end, however many rows there are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment, LinkRequest
from enterprise_access.apps.content_assignments.services import linking
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
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.notifications.services import queue as mail_queue
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.selectors import find_redemption
from enterprise_access.apps.redemption.services import queue as redemption_queue
from enterprise_access.apps.redemption.services.facts import reads_of_facts
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import (
    LearnerTotals,
    Reservation,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.services.budget import LedgerNews, record_all_news
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, UnlinkRequest
from enterprise_access.apps.subsidy_requests.services import granting, unlinking
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
    assert scanned_by(HOT, BIG) == []


def scanned_by(hot: Mapping[str, Callable[[], object]], big: Sequence[str]) -> list[str]:
    return [
        f"{name}: {line.strip()} in {sql[:300]}"
        for name, action in hot.items()
        for sql in statements_of(action, big)
        for line in plan_of(sql)
        if "Seq Scan on" in line and any(table in line for table in big)
    ]


def statements_of(action: Callable[[], object], big: Sequence[str]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        action()
    return [
        query["sql"]
        for query in captured.captured_queries
        if query["sql"].startswith(("SELECT", "UPDATE", "DELETE")) and any(table in query["sql"] for table in big)
    ]


def plan_of(sql: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return [row[0] for row in cursor.fetchall()]


# --- learner credit, requests and mails -------------------------------------------------------------------------------

CREDIT_QUEUES = {
    "redemptions": redemption_queue.QUEUE,
    "mails": mail_queue.QUEUE,
    "links": linking.QUEUE,
    "requests": granting.QUEUE,
    "unlinking": unlinking.QUEUE,
}
BIG_OF_CREDIT = (
    "redemptionattempt",
    "subsidy_access_policies_reservation",
    "subsidytransaction",
    "learnertotals",
    "notifications_notification",
    "learnercontentassignment",
    "linkrequest",
    "subsidy_requests_subsidyrequest",
    "unlinkrequest",
)
# Uuids of transactions, and of the attempts behind them.
SOME = [UUID(int=number) for number in range(1_000, 1_010)]


@pytest.fixture
def seeded_credit(seeded: None) -> None:
    now, customer = timezone.now(), CUSTOMERS[0]
    account = Subsidy.objects.create(uuid=UUID(int=1), customer_uuid=customer)
    budget = SubsidyAccessPolicy.objects.create(
        customer_uuid=customer,
        subsidy=account,
        catalog_uuid=UUID(int=2),
        policy_type=PolicyType.PER_LEARNER_SPEND.value,
        access_method=AccessMethod.DIRECT.value,
    )

    def rows() -> Iterator[tuple[int, UUID, dict[str, object]]]:
        """Yield the numbers, keys, and columns of work, of rows of which a few are due."""
        for number in range(1, ROWS):
            yield number, UUID(int=number), {"due_at": now if number < DUE else None}

    RedemptionAttempt.objects.bulk_create(
        RedemptionAttempt(
            uuid=uuid,
            policy=budget,
            subsidy_uuid=account.uuid if number < DUE else UUID(int=number),
            customer_uuid=customer,
            lms_user_id=number,
            content_key=f"course-v1:edX+DemoX+{number}",
            content_key_folded=f"course-v1:edx+demox+{number}",
            trigger="portal",
            state="committed",
            transaction_uuid=uuid,
            **work,
        )
        for number, uuid, work in rows()
    )
    Reservation.objects.bulk_create(
        Reservation(
            uuid=uuid,
            policy=budget,
            lms_user_id=number,
            content_key="course-v1:edX+DemoX+1",
            amount=1,
            kind="redemption",
            state="held" if number < DUE else "spent",
            attempt_uuid=uuid,
            transaction_uuid=None if number < DUE else uuid,
        )
        for number, uuid, _ in rows()
    )
    SubsidyTransaction.objects.bulk_create(
        SubsidyTransaction(
            uuid=uuid,
            subsidy=account,
            policy_uuid=budget.pk,
            lms_user_id=number,
            content_key="course-v1:edX+DemoX+1",
            content_key_folded="course-v1:edx+demox+1",
            quantity=-1,
            state="committed",
            created=now,
            modified=now,
            seen_at=now,
            source="answer",
        )
        for number, uuid, _ in rows()
    )
    LearnerTotals.objects.bulk_create(
        LearnerTotals(policy=budget, lms_user_id=number, spent=1, redemptions=1) for number, _, _ in rows()
    )
    Notification.objects.bulk_create(
        Notification(
            uuid=uuid,
            kind="x",
            subject=uuid,
            occurrence="1",
            customer_uuid=customer,
            lms_user_id=number,
            created=now,
            outcome="" if number < DUE else "sent",
            settled_at=None if number < DUE else now,
            **work,
        )
        for number, uuid, work in rows()
    )
    LearnerContentAssignment.objects.bulk_create(
        LearnerContentAssignment(
            uuid=uuid,
            policy_uuid=budget.pk,
            customer_uuid=customer,
            learner_email=f"{number}@example.com",
            learner_email_folded=f"{number}@example.com",
            lms_user_id=number,
            content_key="edX+DemoX",
            content_key_folded="edx+demox",
            content_quantity=-1,
            state="accepted",
            allocated_at=now,
            accepted_at=now,
            expires_at=now,
            expires_because="90_days",
            recent_action_at=now,
            transaction_uuid=uuid,
            identity=str(number),
        )
        for number, uuid, _ in rows()
    )
    LinkRequest.objects.bulk_create(
        LinkRequest(assignment_id=uuid, customer_uuid=customer, created=now, **work) for _, uuid, work in rows()
    )
    SubsidyRequest.objects.bulk_create(
        SubsidyRequest(
            uuid=uuid,
            customer_uuid=customer,
            subsidy_type="license",
            lms_user_id=number,
            state="approved",
            work_group="plan",
            latest_action_type="requested",
            latest_action_at=now,
            learner_request_state="requested",
            **work,
        )
        for number, uuid, work in rows()
    )
    UnlinkRequest.objects.bulk_create(
        UnlinkRequest(request_id=uuid, customer_uuid=customer, created=now, **work) for _, uuid, work in rows()
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def everything_about(queue) -> Callable[[], object]:
    def ask() -> None:
        waking.is_anything_due(queue)
        waking.next_group(queue)
        watching.read_queue(queue)
        asking.retry_failed(queue, waiting_for=UNEXPECTED_ERROR)
        one_round(queue)

    return ask


def news_of_transactions() -> None:
    now = timezone.now()
    news = [
        LedgerNews(
            uuid=UUID(int=uuid.int + ROWS),
            subsidy_uuid=UUID(int=1),
            policy_uuid=None,
            lms_user_id=5,
            content_key="course-v1:edX+DemoX+1",
            quantity_cents=-1,
            state=TransactionState.PENDING,
            is_reversed=False,
            created=now,
            modified=now,
            source="answer",
            attempt_uuid=uuid,
        )
        for uuid in SOME
    ]
    record_all_news(subsidy_uuid=UUID(int=1), news=news, now=now)


HOT_OF_CREDIT: dict[str, Callable[[], object]] = {
    **{name: everything_about(queue) for name, queue in CREDIT_QUEUES.items()},
    "what is known of a learner": lambda: [read.rows() for read in reads_of_facts(CUSTOMERS[0], [5])],
    "news of transactions": news_of_transactions,
    "attempts behind transactions": lambda: list(RedemptionAttempt.objects.filter(transaction_uuid__in=SOME)),
    "an attempt by its transaction": lambda: find_redemption(SOME[0]),
    "assignments behind transactions": lambda: list(
        LearnerContentAssignment.objects.filter(transaction_uuid=SOME[0], state="accepted")
    ),
}


@pytest.mark.usefixtures("seeded_credit")
def test_no_hot_statement_of_learner_credit_requests_and_mails_does_either():
    assert scanned_by(HOT_OF_CREDIT, BIG_OF_CREDIT) == []
