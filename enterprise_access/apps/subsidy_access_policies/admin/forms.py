"""The forms of budgets and deposits. Saving is part of checking: a rule that is broken is an error at its field."""

from collections.abc import Callable
from typing import Any

from django import forms

from enterprise_access.apps.subsidy_access_policies.admin.dollars import DollarField
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.errors import PolicyInvalid
from enterprise_access.apps.subsidy_access_policies.models import Deposit, PolicyGroupAssociation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services import (
    By,
    NewPolicy,
    add_deposit,
    add_policy,
    change_policy,
)
from enterprise_access.apps.subsidy_access_policies.services.groups import associate_group
from enterprise_access.lib import clock
from enterprise_access.lib.errors import ServiceError

_CHANGED = (
    "display_name",
    "description",
    "spend_limit",
    "per_learner_spend_limit",
    "per_learner_enrollment_limit",
    "late_redemption_allowed_until",
    "pays_for_default_enrollments",
    "bnr_enabled",
    "active",
    "retired",
)


class _SavingForm(forms.ModelForm):
    """A form whose rows are written by a service."""

    # Set by the page.
    user: Any = None

    def _save_by(self, write: Callable[[], Any]) -> None:
        """Write unless something is wrong already, and show what the service refuses."""
        if self.errors:
            return
        try:
            self.instance = write()
        except PolicyInvalid as error:
            for name, sentence in error.problems.items():
                self.add_error(name if name in self.fields else None, sentence)
        except ServiceError as error:
            self.add_error(None, error.detail)

    def save(self, commit: bool = True) -> Any:
        """Return the row, which is written already."""
        return self.instance

    def save_m2m(self) -> None:
        """Do nothing: there are no lists of other rows."""

    def _post_clean(self) -> None:
        """Leave the row to the service."""


class _PolicyForm(_SavingForm):
    """What adding and changing have in common: amounts are in dollars."""

    spend_limit = DollarField(required=False, label="Spend limit ($)", help_text="Empty: no limit.")
    per_learner_spend_limit = DollarField(required=False, label="Spend limit per learner ($)")
    per_learner_enrollment_limit = forms.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, label="Enrollments per learner"
    )


class AddPolicyForm(_PolicyForm):
    """A new budget."""

    customer_uuid = forms.UUIDField(label="Customer")
    subsidy_uuid = forms.UUIDField(label="Account", help_text="Its UUID in enterprise-subsidy.")
    catalog_uuid = forms.UUIDField(label="Catalog")

    class Meta:
        model = SubsidyAccessPolicy
        fields = ["policy_type", "access_method", "display_name", "description"]

    def clean(self) -> dict[str, Any]:
        """Add the budget."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._save_by(lambda: add_policy(_new(cleaned), by=By(user=self.user), now=clock.now())[0])
        return cleaned


def _new(cleaned: dict[str, Any]) -> NewPolicy:
    return NewPolicy(
        customer_uuid=cleaned["customer_uuid"],
        subsidy_uuid=cleaned["subsidy_uuid"],
        catalog_uuid=cleaned["catalog_uuid"],
        policy_type=PolicyType(cleaned["policy_type"]),
        access_method=AccessMethod(cleaned["access_method"]),
        display_name=cleaned["display_name"],
        description=cleaned["description"],
        spend_limit=cleaned["spend_limit"],
        per_learner_spend_limit=cleaned["per_learner_spend_limit"],
        per_learner_enrollment_limit=cleaned["per_learner_enrollment_limit"],
    )


class ChangePolicyForm(_PolicyForm):
    """A budget that is there."""

    bnr_enabled = forms.BooleanField(
        required=False,
        label="Learners may browse and request",
        help_text="While it is off, nothing pays for what was approved and not redeemed.",
    )
    reason = forms.CharField(max_length=100, required=False, help_text="Kept in the history.")
    force = forms.BooleanField(
        required=False,
        label="Confirm",
        help_text="Deactivate the budget although money is spent or promised (retiring is the better way), or switch"
        " requests off although assignments are allocated.",
    )

    class Meta:
        model = SubsidyAccessPolicy
        fields = [name for name in _CHANGED if name != "bnr_enabled"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["bnr_enabled"] = self.instance.bnr_enabled

    def clean(self) -> dict[str, Any]:
        """Change the budget."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        uuid = self.instance.pk

        def write() -> SubsidyAccessPolicy:
            changes = {name: cleaned[name] for name in _CHANGED if name in self.fields}
            by = By(user=self.user, reason=cleaned["reason"])
            return change_policy(uuid, changes=changes, by=by, now=clock.now(), is_forced=cleaned["force"])

        self._save_by(write)
        return cleaned


class DepositForm(_SavingForm):
    """Money to be added."""

    amount = DollarField(label="Amount ($)")

    class Meta:
        model = Deposit
        fields = ["policy", "amount", "sales_contract_reference_id", "sales_contract_reference_provider"]

    def clean(self) -> dict[str, Any]:
        """Note the deposit; a worker makes it."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data

        def write() -> Deposit:
            return add_deposit(
                policy=cleaned["policy"],
                amount_cents=cleaned["amount"],
                sales_contract_reference_id=cleaned["sales_contract_reference_id"],
                sales_contract_reference_provider=cleaned["sales_contract_reference_provider"],
                by=By(user=self.user),
            )

        self._save_by(write)
        return cleaned


class GroupForm(_SavingForm):
    """A group that a budget is restricted to."""

    group_uuid = forms.UUIDField(
        label="Group",
        help_text="Its UUID in the LMS. It has to be a group of the customer.",
        widget=forms.TextInput(attrs={"size": 36}),
    )

    class Meta:
        model = PolicyGroupAssociation
        fields = ["policy", "group_uuid"]

    def clean(self) -> dict[str, Any]:
        """Restrict the budget to the group."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._save_by(lambda: associate_group(cleaned["policy"], group_uuid=cleaned["group_uuid"])[0])
        return cleaned
