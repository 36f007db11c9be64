"""The words that tests of requests tell their stories with. The upstream services are the simulator."""

from typing import Any
from uuid import UUID, uuid4

from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.services.allocations import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.apps.subsidy_requests.domain.granting import coupon_group, license_group
from enterprise_access.apps.subsidy_requests.domain.requests import ActionType
from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest, SubsidyRequestCustomerConfiguration
from enterprise_access.apps.subsidy_requests.services.granting import grant_due
from enterprise_access.apps.subsidy_requests.services.reviewing import Review, approve_licenses
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_ANNUAL

AMY, ADA, BEN, HAL, IVAN = 5, 1001, 1002, 1008, 2002
DEMO = "edX+DemoX"
LINUX = "LinuxFoundationX+LFS101x"
LICENSE, COUPON, CREDIT = SubsidyType.LICENSE, SubsidyType.COUPON, SubsidyType.LEARNER_CREDIT


def takes(subsidy_type: SubsidyType | None = LICENSE, *, customer: UUID = ACME, **about: Any) -> None:
    """Let a customer take requests of this type."""
    values = {"subsidy_requests_enabled": True, "subsidy_type": subsidy_type.value if subsidy_type else "", **about}
    SubsidyRequestCustomerConfiguration.objects.update_or_create(customer_uuid=customer, defaults=values)


def made(
    lms_user_id: int = HAL,
    *,
    kind: SubsidyType = LICENSE,
    state: RequestState = RequestState.REQUESTED,
    customer: UUID = ACME,
    **about: Any,
) -> SubsidyRequest:
    """Make a request as if it had come to this state."""
    now = clock.now()
    values: dict[str, Any] = {"email": f"learner-{lms_user_id}@example.com", "course_id": DEMO, "reviewed_at": now}
    if state is RequestState.PENDING:
        group = license_group(ACME_ANNUAL) if kind is LICENSE else coupon_group(1)
        values |= {"due_at": now, "work_group": group, "plan_uuid": ACME_ANNUAL if kind is LICENSE else None}
    if kind is CREDIT:
        values |= {"policy_uuid": uuid4()}
    values |= {"latest_action_type": ActionType(state.value).value, "latest_action_at": now, **about}
    return SubsidyRequest.objects.create(
        subsidy_type=kind.value, lms_user_id=lms_user_id, customer_uuid=customer, state=state.value, **values
    )


def make_asked_budget(**about: Any) -> SubsidyAccessPolicy:
    """Return a budget of Acme that takes requests; its account has 500,000 cents."""
    defaults = {
        "policy_type": PolicyType.PER_LEARNER_SPEND.value,
        "access_method": AccessMethod.REQUEST.value,
        "learner_credit_request_config": uuid4(),
        "display_name": str(uuid4()),
    }
    return make_budget(**{**defaults, **about})


def review(*rows: SubsidyRequest, customer: UUID = ACME, **about: Any) -> Review:
    """Let Amy decide on these requests."""
    return Review(
        customer_uuid=customer,
        request_uuids=[row.pk for row in rows],
        **{"reviewer_lms_user_id": AMY, "now": clock.now(), **about},
    )


def approve(*rows: SubsidyRequest, plan_uuid: UUID = ACME_ANNUAL, **about: Any) -> list[SubsidyRequest]:
    """Let Amy approve requests for licenses."""
    return approve_licenses(review(*rows, **about), plan_uuid=plan_uuid)


def grant() -> int:
    """Let a worker grant what is due."""
    return grant_due()


def states(*rows: SubsidyRequest) -> list[str]:
    """Return the states that the database has."""
    found = dict(SubsidyRequest.objects.values_list("pk", "state"))
    return [found[row.pk] for row in rows]


def story(row: SubsidyRequest) -> list[tuple[str, str]]:
    """Return what happened to a request, with the reasons of errors."""
    return list(row.actions.order_by("created").values_list("type", "error_reason"))
