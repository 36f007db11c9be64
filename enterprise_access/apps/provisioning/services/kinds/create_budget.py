"""The workflow that creates a learner-credit budget: an account at enterprise-subsidy, and a policy that spends it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from attrs import asdict, frozen

from enterprise_access.apps.provisioning.domain.budgets import AskedBudget
from enterprise_access.apps.provisioning.errors import StepRefused
from enterprise_access.apps.provisioning.services.workflows.steps import (
    RunningStep,
    SoFar,
    Step,
    WorkflowKind,
    register,
)
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.errors import PolicyExists, PolicyInvalid
from enterprise_access.apps.subsidy_access_policies.services.policies import By, NewPolicy, add_policy
from enterprise_access.lib import clock
from enterprise_access.upstream.subsidy import creating


@frozen(kw_only=True)
class AccountInput:
    """The account to be created."""

    customer_uuid: UUID
    title: str
    reference_id: str
    starts_at: datetime
    expires_at: datetime
    starting_balance_cents: int
    revenue_category: str
    is_internal: bool


@frozen(kw_only=True)
class AccountOutput:
    """The account."""

    uuid: UUID
    title: str
    reference_id: str
    starting_balance_cents: int


class AccountStep(Step[AccountInput, AccountOutput]):
    """Find the account by its reference, or create it with its first deposit."""

    name = "subsidy"
    title = "Account with its first deposit"
    input_class = AccountInput
    output_class = AccountOutput
    correctable: ClassVar = frozenset({"title", "starts_at", "expires_at", "revenue_category"})

    def make_input(self, so_far: SoFar) -> AccountInput:
        asked: AskedBudget = so_far.asked
        return AccountInput(
            customer_uuid=asked.customer_uuid,
            title=asked.title,
            reference_id=asked.reference_id,
            starts_at=asked.starts_at,
            expires_at=asked.expires_at,
            starting_balance_cents=asked.starting_balance_cents,
            revenue_category=asked.revenue_category,
            is_internal=asked.is_internal,
        )

    def find(self, given: AccountInput, running: RunningStep) -> AccountOutput | None:
        found = creating.from_settings().find_account(
            customer_uuid=given.customer_uuid, reference_id=given.reference_id
        )
        return None if found is None else _account(found, given)

    def create(self, given: AccountInput, running: RunningStep) -> AccountOutput:
        running.about_to_write("")
        made = creating.from_settings().create_account(**asdict(given))
        return _account(made, given)


def _account(found: creating.NewAccount, given: AccountInput) -> AccountOutput:
    """Return the account. Raises StepRefused where the reference belongs to something else."""
    if found.customer_uuid != given.customer_uuid:
        raise StepRefused(
            f"The reference {given.reference_id} belongs to an account of another customer. Check the line item.",
            reason="reference_of_other_customer",
        )
    if found.starting_balance_cents != given.starting_balance_cents:
        raise StepRefused(
            f"There is an account with the reference {given.reference_id}, and it began with "
            f"{found.starting_balance_cents / 100:.2f} USD. Use its balance, or deposit the rest afterwards.",
            reason="balance_differs",
        )
    return AccountOutput(
        uuid=found.uuid,
        title=found.title,
        reference_id=found.reference_id,
        starting_balance_cents=found.starting_balance_cents,
    )


@frozen(kw_only=True)
class PolicyInput:
    """The policy to be created."""

    customer_uuid: UUID
    subsidy_uuid: UUID
    catalog_uuid: UUID
    policy_type: str
    access_method: str
    display_name: str
    description: str
    spend_limit_cents: int | None
    learner_spend_limit_cents: int | None


@frozen(kw_only=True)
class PolicyOutput:
    """The policy, and whether it is new."""

    uuid: UUID
    is_new: bool


class PolicyStep(Step[PolicyInput, PolicyOutput]):
    """Add the policy. Adding the same one twice is adding it once, so there is nothing to look for first."""

    name = "policy"
    title = "Budget"
    input_class = PolicyInput
    output_class = PolicyOutput
    correctable: ClassVar = frozenset({"catalog_uuid", "display_name", "description", "spend_limit_cents"})

    def make_input(self, so_far: SoFar) -> PolicyInput:
        asked: AskedBudget = so_far.asked
        return PolicyInput(
            customer_uuid=asked.customer_uuid,
            subsidy_uuid=so_far.output(AccountStep).uuid,
            catalog_uuid=asked.catalog_uuid,
            policy_type=asked.policy_type,
            access_method=asked.access_method,
            display_name=asked.display_name,
            description=asked.description,
            spend_limit_cents=asked.spend_limit_cents,
            learner_spend_limit_cents=asked.learner_spend_limit_cents,
        )

    def create(self, given: PolicyInput, running: RunningStep) -> PolicyOutput:
        try:
            policy, is_new = add_policy(_policy(given), by=By(reason="Created by a workflow"), now=clock.now())
        except (PolicyInvalid, PolicyExists) as error:
            raise StepRefused(error.detail, reason=f"policy_{error.code.removeprefix('policy_')}") from None
        return PolicyOutput(uuid=policy.pk, is_new=is_new)

    def has_created(self, output: PolicyOutput, running: RunningStep) -> bool:
        return output.is_new


def _policy(given: PolicyInput) -> NewPolicy:
    return NewPolicy(
        customer_uuid=given.customer_uuid,
        subsidy_uuid=given.subsidy_uuid,
        catalog_uuid=given.catalog_uuid,
        policy_type=PolicyType(given.policy_type),
        access_method=AccessMethod(given.access_method),
        display_name=given.display_name,
        description=given.description,
        spend_limit=given.spend_limit_cents,
        per_learner_spend_limit=given.learner_spend_limit_cents,
    )


CREATE_BUDGET = register(
    WorkflowKind(
        name="create_budget",
        title="Create a learner-credit budget",
        input_class=AskedBudget,
        steps=(AccountStep(), PolicyStep()),
    )
)
