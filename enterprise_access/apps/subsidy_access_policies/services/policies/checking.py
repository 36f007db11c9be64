"""What a budget must be like, beyond what its own row says: its account, its catalog, and the money that is left."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Sum
from django.utils.translation import gettext as _

from enterprise_access.apps.subsidy_access_policies.domain.policies import (
    MAX_LATE_REDEMPTION,
    TYPE_RULES,
    AccessMethod,
    Limit,
    LimitProblem,
    PolicyType,
    SpendLimitProblem,
    SpendLimits,
    limit_problems,
    spend_limit_problem,
)
from enterprise_access.apps.subsidy_access_policies.errors import AccountUnknown, CannotBeChecked, PolicyInvalid
from enterprise_access.apps.subsidy_access_policies.models import PolicyTotals, Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.accounts import fetch_account
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.upstream import catalog

LIMITS: Final = tuple(limit.value for limit in Limit)


def refuse(problems: Mapping[str, str]) -> None:
    """Raise PolicyInvalid if there is any problem."""
    if problems:
        raise PolicyInvalid(problems)


def type_problems(policy: SubsidyAccessPolicy) -> dict[str, str]:
    """Return what does not fit the type of a budget, by field."""
    policy_type = PolicyType(policy.policy_type)
    problems = limit_problems(policy_type=policy_type, limits={limit: getattr(policy, limit.value) for limit in Limit})
    sentences = {
        LimitProblem.NOT_ALLOWED: _("A budget of this type has no such limit. Leave it out."),
        LimitProblem.REQUIRED: _("A budget of this type needs this limit."),
        LimitProblem.NEGATIVE: _("A limit is not negative."),
    }
    found = {limit.value: sentences[problem] for limit, problem in problems.items()}
    allowed = TYPE_RULES[policy_type].access_methods
    if AccessMethod(policy.access_method) not in allowed:
        names = ", ".join(sorted(allowed))
        found["access_method"] = _("A budget of this type allows: %(names)s.") % {"names": names}
    return found


def late_redemption_problems(until: datetime | None, *, now: datetime) -> dict[str, str]:
    """Return what is wrong with an instant until which late redemption is allowed."""
    if until is None or until <= now + MAX_LATE_REDEMPTION:
        return {}
    text = _("Late redemption can be allowed for at most %(days)d days from now.") % {"days": MAX_LATE_REDEMPTION.days}
    return {"late_redemption_allowed_until": text}


def fetch_account_of(*, subsidy_uuid: UUID, customer_uuid: UUID) -> Subsidy:
    """Return a customer's account, read now. Raises PolicyInvalid or CannotBeChecked."""
    no_account = {"subsidy_uuid": _("The customer has no such account.")}
    try:
        account = fetch_account(subsidy_uuid)
    except AccountUnknown:
        raise PolicyInvalid(no_account) from None
    if account.customer_uuid != customer_uuid:
        raise PolicyInvalid(no_account)
    return account


def check_catalog(*, catalog_uuid: UUID, customer_uuid: UUID) -> None:
    """Raise PolicyInvalid when a catalog is not the customer's, and CannotBeChecked when that could not be asked."""
    try:
        found = catalog.from_settings().list_catalogs(customer_uuid=customer_uuid)
    except UpstreamError as error:
        raise CannotBeChecked(
            "The catalog cannot be checked now, so nothing was changed. Try again in a minute.",
            service=error.service,
            reason=error.reason,
        ) from error
    if catalog_uuid not in {one.uuid for one in found}:
        raise PolicyInvalid({"catalog_uuid": _("The customer has no such catalog.")})


def used_cents(policy: SubsidyAccessPolicy) -> int:
    """Return what a budget has spent, holds and has allocated."""
    totals = PolicyTotals.objects.filter(pk=policy.pk).first()
    return 0 if totals is None else totals.spent + totals.held + totals.allocated


def spend_limit_problems(policy: SubsidyAccessPolicy, account: Subsidy) -> dict[str, str]:
    """Return what is wrong with the spend limit of a budget. The account is locked, and its deposits are known."""
    active = SubsidyAccessPolicy.objects.filter(subsidy=account, active=True).exclude(pk=policy.pk)
    bounds = SpendLimits(
        deposits_cents=account.total_deposits or 0,
        others_cents=active.aggregate(sum=Sum("spend_limit"))["sum"] or 0,
        used_cents=used_cents(policy),
    )
    problem = spend_limit_problem(spend_limit_cents=policy.spend_limit, is_active=policy.active, bounds=bounds)
    if problem is None:
        return {}
    sentences = {
        SpendLimitProblem.BELOW_USED: _(
            "The limit is %(limit)d cents, and %(used)d cents are spent or promised already. Choose a higher limit."
        ),
        SpendLimitProblem.ABOVE_DEPOSITS: _(
            "The limit is %(limit)d cents. Together with the other budgets of the account (%(others)d cents) that is"
            " more than its deposits (%(deposits)d cents). Choose a lower limit, or add a deposit first."
        ),
    }
    numbers = {
        "limit": policy.spend_limit,
        "used": bounds.used_cents,
        "others": bounds.others_cents,
        "deposits": bounds.deposits_cents,
    }
    return {"spend_limit": sentences[problem] % numbers}
