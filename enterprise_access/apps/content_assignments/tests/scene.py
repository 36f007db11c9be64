"""The words of the tests of assignments. The services around are the simulator, behind the real clients."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.content_assignments.services.allocating import Allocated, allocate_to_people
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Reservation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_access_policies.services import LedgerNews, reserve
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock

DEMO = "edX+DemoX"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
PRICE = 14_900
ADA, BEN = 1001, 1002
Assignment = LearnerContentAssignment


def make_assigned_budget(**about: Any) -> SubsidyAccessPolicy:
    """Return a budget of Acme that is spent by assigning; its account has 500,000 cents."""
    defaults = {
        "policy_type": PolicyType.ASSIGNED.value,
        "access_method": AccessMethod.ASSIGNED.value,
        "spend_limit": 400_000,
        "assignment_configuration": uuid4(),
        "display_name": str(uuid4()),
    }
    return make_budget(**{**defaults, **about})


def allocate(
    policy: SubsidyAccessPolicy,
    emails: Iterable[str],
    *,
    key: str = DEMO,
    price: object = PRICE,
    now: datetime | None = None,
) -> Allocated:
    """Let an admin allocate a course."""
    return allocate_to_people(
        policy,
        learner_emails=list(emails),
        content_key=key,
        content_price_cents=price,
        admin_lms_user_id=9,
        now=now or clock.now(),
    )


def allocated(policy: SubsidyAccessPolicy, email: str = "ada@example.com", **about: Any) -> Assignment:
    """Return an assignment that was just allocated."""
    done = allocate(policy, [email], **about)
    return Assignment.objects.get(pk=[*done.created, *done.updated][0].pk)


def held_cents(policy: SubsidyAccessPolicy) -> int:
    """Return what the budget's assignments hold by its totals."""
    totals = PolicyTotals.objects.filter(pk=policy.pk).first()
    return totals.allocated if totals else 0


def allocated_cents(policy: SubsidyAccessPolicy) -> int:
    """Return what the allocated rows come to."""
    rows = Assignment.objects.filter(policy_uuid=policy.pk, state="allocated")
    return sum(row.price_cents for row in rows)


def check_money(policy: SubsidyAccessPolicy) -> None:
    """Check that the money held is that of the allocated rows, and that all totals are what the rows come to."""
    policy.refresh_from_db()
    assert held_cents(policy) == allocated_cents(policy)
    assert list_differences(policy.subsidy) == []


def actions_of(uuid: UUID) -> list[tuple[str, str]]:
    """Return what happened to an assignment, with the errors."""
    row = Assignment.objects.get(pk=uuid)
    return [(action.action_type, action.error_reason) for action in row.actions.all()]


def begin_redeeming(row: Assignment, *, learner: int = ADA) -> Reservation:
    """Let the redemption of an assignment have begun, and return its promise."""
    return reserve(
        policy_uuid=row.policy_uuid,
        lms_user_id=learner,
        content_key=DEMO_RUN,
        amount_cents=row.price_cents,
        kind=ReservationKind.REDEMPTION,
        assignment_uuid=row.pk,
        attempt_uuid=uuid4(),
        now=clock.now(),
    )


def news_of(row: Assignment, **about: Any) -> LedgerNews:
    """Return what the ledger says of the redemption of an assignment."""
    known = {
        "uuid": uuid4(),
        "subsidy_uuid": SubsidyAccessPolicy.objects.get(pk=row.policy_uuid).subsidy_id,
        "policy_uuid": row.policy_uuid,
        "lms_user_id": ADA,
        "content_key": DEMO_RUN,
        "quantity_cents": -row.price_cents,
        "state": TransactionState.COMMITTED,
        "is_reversed": False,
        "created": clock.now(),
        "modified": clock.now(),
        "source": "answer",
    }
    return LedgerNews(**{**known, **about})
