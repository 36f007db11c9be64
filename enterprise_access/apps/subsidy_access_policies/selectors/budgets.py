"""Budgets with all that answers show of them: in one statement, however many there are, and thus one snapshot."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors.usage import (
    USE_COLUMNS,
    PolicyUse,
    limits_by_account,
    limits_of_account,
    use_of,
)
from enterprise_access.lib.prepared import Prepared

_GROUP: Final = "group_associations__group_uuid"
_COLUMNS: Final = (
    *USE_COLUMNS,
    _GROUP,
    "uuid",
    "policy_type",
    "display_name",
    "description",
    "active",
    "retired",
    "retired_at",
    "customer_uuid",
    "catalog_uuid",
    "subsidy_id",
    "access_method",
    "per_learner_enrollment_limit",
    "per_learner_spend_limit",
    "assignment_configuration",
    "learner_credit_request_config",
    "late_redemption_allowed_until",
    "created",
)


@frozen(kw_only=True)
class Budget:
    """A budget, what it uses, and the groups that it is restricted to. `row`: its columns, by name."""

    row: Mapping[str, Any]
    use: PolicyUse
    groups: tuple[UUID, ...]


def read_budget(policy_uuid: UUID) -> Budget:
    """Return a budget that exists."""
    rows = [dict(zip(_WITH_LIMITS, values, strict=True)) for values in _OF_POLICY.rows(policy_uuid=policy_uuid)]
    return _budget_of(rows, limits_cents=rows[0]["limits"] or 0)


def list_budgets(*, customer_uuid: UUID) -> list[Budget]:
    """Return all budgets of a customer, oldest first."""
    rows = (dict(zip(_COLUMNS, values, strict=True)) for values in _OF_CUSTOMER.rows(customer_uuid=customer_uuid))
    budgets = [list(joined) for _, joined in groupby(rows, key=itemgetter("uuid"))]
    limits = limits_by_account(itemgetter("subsidy_id", "active", "spend_limit")(joined[0]) for joined in budgets)
    return [_budget_of(joined, limits_cents=limits[joined[0]["subsidy_id"]]) for joined in budgets]


def _rows(policies: QuerySet[SubsidyAccessPolicy], columns: Sequence[str]) -> QuerySet[SubsidyAccessPolicy, Any]:
    """Return a row for each group of a budget, and one for a budget without groups."""
    return policies.order_by("created", "uuid", "group_associations__pk").values_list(*columns)


_WITH_LIMITS: Final = (*_COLUMNS, "limits")


def _of_policy(policy_uuid: UUID) -> QuerySet[SubsidyAccessPolicy, Any]:
    policies = SubsidyAccessPolicy.objects.filter(pk=policy_uuid)
    return _rows(policies.annotate(limits=limits_of_account()), _WITH_LIMITS)


def _of_customer(customer_uuid: UUID) -> QuerySet[SubsidyAccessPolicy, Any]:
    return _rows(SubsidyAccessPolicy.objects.filter(customer_uuid=customer_uuid), _COLUMNS)


# Some forty columns of five tables: Django takes longer to write the statement than the database to answer it.
_OF_POLICY: Final = Prepared(_of_policy, policy_uuid=models.UUIDField())
_OF_CUSTOMER: Final = Prepared(_of_customer, customer_uuid=models.UUIDField())


def _budget_of(joined: list[dict[str, Any]], *, limits_cents: int) -> Budget:
    groups = tuple(row[_GROUP] for row in joined if row[_GROUP] is not None)
    return Budget(row=joined[0], use=use_of(joined[0], limits_cents=limits_cents), groups=groups)
