"""Changing, deactivating and retiring budgets."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES, PolicyType
from enterprise_access.apps.subsidy_access_policies.errors import PolicyExists, PolicyInUse, PolicyUnknown
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import count_allocated
from enterprise_access.apps.subsidy_access_policies.services.accounts import fetch_account
from enterprise_access.apps.subsidy_access_policies.services.announcing import Change
from enterprise_access.apps.subsidy_access_policies.services.budget.totals import lock_account
from enterprise_access.apps.subsidy_access_policies.services.policies.checking import (
    check_catalog,
    late_redemption_problems,
    refuse,
    spend_limit_problems,
    type_problems,
    used_cents,
)
from enterprise_access.apps.subsidy_access_policies.services.policies.saving import By, save_policy
from enterprise_access.apps.subsidy_access_policies.services.policies.taking_requests import why_not_take_requests
from enterprise_access.lib.transactions import retry_deadlocks

CHANGEABLE: Final = frozenset(
    {
        "display_name",
        "description",
        "active",
        "retired",
        "catalog_uuid",
        "access_method",
        "spend_limit",
        "per_learner_spend_limit",
        "per_learner_enrollment_limit",
        "late_redemption_allowed_until",
        "bnr_enabled",
        "pays_for_default_enrollments",
    }
)


def change_policy(
    policy_uuid: UUID, *, changes: Mapping[str, Any], by: By, now: datetime, is_forced: bool = False
) -> SubsidyAccessPolicy:
    """Change members of a budget (`CHANGEABLE`).

    `is_forced`: deactivate it although money is spent or promised, or switch requests off although approved ones are
    waiting to be redeemed.

    Raises PolicyUnknown, PolicyInvalid, PolicyInUse, PolicyExists, and CannotBeChecked when account or catalog have to
    be asked and could not be.
    """
    policy = SubsidyAccessPolicy.objects.select_related("subsidy").filter(pk=policy_uuid).first()
    if policy is None:
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    if "catalog_uuid" in changes and changes["catalog_uuid"] != policy.catalog_uuid:
        check_catalog(catalog_uuid=changes["catalog_uuid"], customer_uuid=policy.customer_uuid)
    if _promises_more(policy, changes):
        # The deposits that the limit is compared with are those of this moment.
        fetch_account(policy.subsidy_id)
    return _change(policy, changes, by=by, now=now, is_forced=is_forced)


def _promises_more(policy: SubsidyAccessPolicy, changes: Mapping[str, Any]) -> bool:
    """Say whether the budgets of the account may promise more after the change than before."""
    is_active, limit = changes.get("active", policy.active), changes.get("spend_limit", policy.spend_limit)
    if not is_active or limit is None:
        return False
    return not policy.active or policy.spend_limit is None or limit > policy.spend_limit


@retry_deadlocks
def _change(
    known: SubsidyAccessPolicy, changes: Mapping[str, Any], *, by: By, now: datetime, is_forced: bool
) -> SubsidyAccessPolicy:
    lock_account(known.subsidy_id)
    policy = SubsidyAccessPolicy.objects.select_related("subsidy").get(pk=known.pk)
    was_active, was_retired, took_requests = policy.active, policy.retired, policy.bnr_enabled
    was_asked = _is_asked(policy)
    before = {name: getattr(policy, name) for name in CHANGEABLE}
    for name in CHANGEABLE & changes.keys():
        if getattr(policy, name) != changes[name]:
            setattr(policy, name, changes[name])
    if {name: getattr(policy, name) for name in CHANGEABLE} == before:
        return policy
    if policy.active and not was_active and policy.retired:
        refuse({"active": _("A retired budget cannot be activated again.")})
    problems = type_problems(policy)
    if "late_redemption_allowed_until" in changes:
        problems |= late_redemption_problems(policy.late_redemption_allowed_until, now=now)
    if policy.pays_for_default_enrollments and policy.access_method != "direct":
        problems["pays_for_default_enrollments"] = _("Only a budget with direct access pays for default enrollments.")
    if policy.bnr_enabled and not TYPE_RULES[PolicyType(policy.policy_type)].may_browse_and_request:
        problems["bnr_enabled"] = _("Only a budget with a spend limit per learner can take requests.")
    if _is_asked(policy) and not was_asked and (why_not := why_not_take_requests(policy.customer_uuid)):
        problems["bnr_enabled"] = why_not
    if not problems and (policy.spend_limit, policy.active) != (before["spend_limit"], was_active):
        problems |= spend_limit_problems(policy, Subsidy.objects.get(pk=policy.subsidy_id))
    if took_requests and not policy.bnr_enabled and not is_forced:
        problems |= _allocated_problems(policy)
    refuse(problems)
    if was_active and not policy.active:
        _refuse_money_in_use(policy, is_forced=is_forced)
    if policy.retired != was_retired:
        policy.retired_at = now if policy.retired else None
    _refuse_twin(policy)
    has_ended = was_active and not policy.active
    save_policy(policy, change=Change.DEACTIVATED if has_ended else Change.UPDATED, by=by, now=now)
    return policy


def _is_asked(policy: SubsidyAccessPolicy) -> bool:
    """Say whether learners can ask for the budget's money."""
    return policy.bnr_enabled and policy.active and not policy.retired


def _allocated_problems(policy: SubsidyAccessPolicy) -> dict[str, str]:
    """Return the warning that nothing will pay for assignments that are allocated, with their number."""
    count = count_allocated(policy.pk)
    if not count:
        return {}
    text = ngettext(
        "%(count)d assignment of this budget is allocated. Nothing pays for it while requests are switched off."
        " Cancel it first, or confirm the change below.",
        "%(count)d assignments of this budget are allocated. Nothing pays for them while requests are switched off."
        " Cancel them first, or confirm the change below.",
        count,
    )
    return {"bnr_enabled": text % {"count": count}}


def _refuse_money_in_use(policy: SubsidyAccessPolicy, *, is_forced: bool) -> None:
    used = used_cents(policy)
    if used and not is_forced:
        raise PolicyInUse(
            f"{used} cents of this budget are spent or promised. Retire it instead, or deactivate it with force.",
            extra={"used_cents": used},
        )


def _refuse_twin(policy: SubsidyAccessPolicy) -> None:
    if not policy.active:
        return
    twin = SubsidyAccessPolicy.objects.filter(active_key=policy.key_when_active).exclude(pk=policy.pk).first()
    if twin is not None:
        raise PolicyExists(policy_uuid=twin.pk, limits=["display_name"])
