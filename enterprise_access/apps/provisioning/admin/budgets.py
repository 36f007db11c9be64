"""The form that creates a learner-credit budget: an account with its first deposit, and the policy that spends it."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib.admin import widgets
from django.http import HttpRequest

from enterprise_access.apps.provisioning.domain.budgets import AskedBudget, RevenueCategory
from enterprise_access.apps.provisioning.domain.customers import is_line_item
from enterprise_access.apps.provisioning.models import Workflow
from enterprise_access.apps.provisioning.services.budgets import start_budget
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType

MAX_DOLLARS: Final = Decimal(1_000_000_000)
# The types that staff create budgets of, each with the way in which learners get at the money.
TYPES: Final = {
    PolicyType.PER_LEARNER_SPEND: ("Learners browse and enroll themselves", AccessMethod.DIRECT),
    PolicyType.ASSIGNED: ("Admins assign courses", AccessMethod.ASSIGNED),
}


class DollarsField(forms.DecimalField):
    """An amount in US dollars, at least a cent."""

    def __init__(self, **about: Any) -> None:
        super().__init__(min_value=Decimal("0.01"), max_value=MAX_DOLLARS, decimal_places=2, **about)


class UuidField(forms.UUIDField):
    """A UUID, in a box that shows all of it."""

    def __init__(self, **about: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"size": 36}), **about)


class InstantField(forms.SplitDateTimeField):
    """A date and a time in UTC. Each of the two boxes is named, for people who hear the page."""

    def __init__(self, *, label: str) -> None:
        super().__init__(label=f"{label} (UTC)", widget=widgets.AdminSplitDateTime)
        for box, name in zip(self.widget.widgets, ("date", "time"), strict=True):
            box.attrs["aria-label"] = f"{label}: {name} (UTC)"


class BudgetForm(forms.Form):
    """A new budget. Submitting it twice creates it once."""

    customer_uuid = UuidField(label="Customer UUID")
    title = forms.CharField(max_length=100, label="Title of the account")
    reference_id = forms.CharField(
        max_length=18, label="Salesforce line item", help_text="00k and 12 or 15 more letters or digits."
    )
    starts_at = InstantField(label="Active from")
    expires_at = InstantField(label="Expires at")
    starting_balance = DollarsField(label="First deposit (USD)")
    revenue_category = forms.ChoiceField(choices=[(each.value, each.value) for each in RevenueCategory])
    is_internal = forms.BooleanField(required=False, label="Internal only", help_text="For tests and demonstrations.")
    catalog_uuid = UuidField(label="Catalog UUID", help_text="A catalog of the customer.")
    policy_type = forms.ChoiceField(choices=[(kind.value, text) for kind, (text, _) in TYPES.items()], label="Type")
    display_name = forms.CharField(max_length=255, label="Name of the budget")
    description = forms.CharField(max_length=512, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    spend_limit = DollarsField(label="Spend limit (USD)", help_text="At most the first deposit.")
    learner_spend_limit = DollarsField(
        required=False,
        label="Spend limit for each learner (USD)",
        help_text="Empty: no limit. Not for assigned courses.",
    )

    def clean_reference_id(self) -> str:
        reference: str = self.cleaned_data["reference_id"]
        if not is_line_item(reference):
            raise forms.ValidationError("This is not a line item: 00k and 12 or 15 more letters or digits.")
        return reference

    def clean(self) -> dict[str, Any]:
        """Refuse what no budget can be."""
        given = super().clean() or {}
        if {"starts_at", "expires_at"} <= given.keys() and given["expires_at"] <= given["starts_at"]:
            self.add_error("expires_at", "The account expires before it is active.")
        if {"starting_balance", "spend_limit"} <= given.keys() and given["spend_limit"] > given["starting_balance"]:
            self.add_error("spend_limit", "The limit is above the first deposit. Choose a lower one.")
        if given.get("learner_spend_limit") and given.get("policy_type") == PolicyType.ASSIGNED.value:
            self.add_error("learner_spend_limit", "A budget of assigned courses has no limit for each learner.")
        return given

    def asked(self) -> AskedBudget:
        """Return what a valid form asks for."""
        given = self.cleaned_data
        _, method = TYPES[PolicyType(given["policy_type"])]
        same = ("customer_uuid", "title", "reference_id", "starts_at", "expires_at", "revenue_category", "is_internal")
        return AskedBudget(
            **{name: given[name] for name in same},
            starting_balance_cents=_cents(given["starting_balance"]),
            catalog_uuid=given["catalog_uuid"],
            policy_type=given["policy_type"],
            access_method=method.value,
            display_name=given["display_name"],
            description=given["description"],
            spend_limit_cents=_cents(given["spend_limit"]),
            learner_spend_limit_cents=(
                None if given["learner_spend_limit"] is None else _cents(given["learner_spend_limit"])
            ),
        )


def _cents(dollars: Decimal) -> int:
    return int(dollars * 100)


def start(request: HttpRequest, form: BudgetForm) -> Workflow:
    """Start the workflow of a valid form; workers run it."""
    return start_budget(asked=form.asked(), requested_by=request.user)
