"""Deciding on requests in the admin: what is about to be decided is shown first, with the plan or coupon to choose."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from attrs import define
from django import forms

from enterprise_access.apps.subsidy_requests.domain.states import SubsidyType
from enterprise_access.apps.subsidy_requests.errors import NoPlanChosen
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.credit_reviewing import approve_credit
from enterprise_access.apps.subsidy_requests.services.reviewing import (
    Review,
    approve_coupon_codes,
    approve_licenses,
    decline,
    list_usable_plans,
)

_NAMES: Final = {
    SubsidyType.LICENSE: "license",
    SubsidyType.COUPON: "coupon code",
    SubsidyType.LEARNER_CREDIT: "learner credit",
}


@define(kw_only=True)
class Together:
    """Requests that one call decides on: of a customer and a kind, for credit of a budget. All of them, or none."""

    rows: list[SubsidyRequest]

    @property
    def first(self) -> SubsidyRequest:
        return self.rows[0]

    @property
    def name(self) -> str:
        """What the requests are for, in a few words."""
        source = f" from budget {self.first.policy_uuid}" if self.first.policy_uuid else ""
        number = f"{len(self.rows)} {'request' if len(self.rows) == 1 else 'requests'}"
        return f"{number} for {_NAMES[self.first.kind]} of customer {self.first.customer_uuid}{source}"


def group(rows: Iterable[SubsidyRequest]) -> list[Together]:
    """Return what is decided together."""
    groups: dict[tuple[UUID, str, UUID | None], list[SubsidyRequest]] = defaultdict(list)
    for row in rows:
        groups[row.customer_uuid, row.subsidy_type, row.policy_uuid].append(row)
    return [Together(rows=found) for found in groups.values()]


class DeclineForm(forms.Form):
    """What the learners are told."""

    reason = forms.CharField(required=False, max_length=250, help_text="The learners read it in the mail.")
    tell = forms.BooleanField(required=False, initial=True, label="Mail the learners")

    def decide(self, review: Review, together: Together) -> list[SubsidyRequest]:
        """Decline. Raises what the service raises."""
        return decline(review, subsidy_type=together.first.kind, reason=self.cleaned_data["reason"])


class ApproveForm(forms.Form):
    """What pays for each group: the plan or coupon is chosen, the budget is the one that was requested."""

    tell = forms.BooleanField(
        required=False,
        initial=True,
        label="Mail the learners",
        help_text="When the license or code is granted. Of learner credit, the mail about the assignment tells.",
    )

    def __init__(self, *args: Any, groups: list[Together], **about: Any) -> None:
        super().__init__(*args, **about)
        self._names: dict[int, str] = {}
        for number, together in enumerate(groups):
            field = _source_field(together)
            if field is not None:
                self._names[id(together)] = name = f"source_{number}"
                self.fields[name] = field

    def decide(self, review: Review, together: Together) -> list[SubsidyRequest]:
        """Approve. Raises what the services raise, and NoPlanChosen for credit without a budget."""
        source = self.cleaned_data.get(self._names.get(id(together), ""))
        if together.first.kind is SubsidyType.LICENSE:
            return approve_licenses(review, plan_uuid=UUID(str(source)))
        if together.first.kind is SubsidyType.COUPON:
            return approve_coupon_codes(review, coupon_id=int(source or 0))
        if together.first.policy_uuid is None:
            raise NoPlanChosen("These requests name no budget. Decline them; the learners can ask again.")
        return approve_credit(review, policy_uuid=together.first.policy_uuid)


def _source_field(together: Together) -> forms.Field | None:
    """Return what is to be chosen. Raises UpstreamError when license-manager cannot be asked for plans."""
    before = [row for row in together.rows if row.plan_uuid or row.coupon_id]
    if together.first.kind is SubsidyType.COUPON:
        return forms.IntegerField(
            label=f"Coupon of {together.name}",
            min_value=1,
            max_value=2**63 - 1,
            initial=before[0].coupon_id if before else None,
        )
    if together.first.kind is not SubsidyType.LICENSE:
        return None
    plans = list_usable_plans(customer_uuid=together.first.customer_uuid)
    return forms.ChoiceField(
        label=f"Plan of {together.name}",
        choices=[(str(plan.uuid), f"{plan.title} ({_left(plan.unassigned)})") for plan in plans],
        initial=str(before[0].plan_uuid) if before else None,
        help_text="" if plans else "The customer has no current plan.",
    )


def _left(unassigned: int | None) -> str:
    return "licenses left: not known" if unassigned is None else f"{unassigned} licenses left"
