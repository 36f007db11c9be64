"""Which budgets there are."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from attrs import frozen
from django.db import models
from django.db.models import QuerySet

from enterprise_access.apps.subsidy_access_policies.domain.policies import TYPE_RULES
from enterprise_access.apps.subsidy_access_policies.errors import PolicyUnknown
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation, Subsidy, SubsidyAccessPolicy
from enterprise_access.lib.prepared import Prepared, Read, Rows


def get_policy(policy_uuid: UUID, *, customer_uuids: Collection[UUID] | None = None) -> SubsidyAccessPolicy:
    """Return a budget with its account and its groups, of one of these customers unless they are None.

    Raises PolicyUnknown.
    """
    policies = _policies()
    if customer_uuids is not None:
        policies = policies.filter(customer_uuid__in=customer_uuids)
    policy = policies.filter(pk=policy_uuid).first()
    if policy is None:
        raise PolicyUnknown(f"There is no budget {policy_uuid}.")
    return policy


def list_policies(
    *,
    customer_uuid: UUID,
    is_active: bool | None = None,
    is_retired: bool | None = None,
    pays_for_default_enrollments: bool | None = None,
) -> QuerySet[SubsidyAccessPolicy]:
    """Return the budgets of a customer with their accounts and groups, oldest first; None leaves a filter out."""
    wanted = {
        "active": is_active,
        "retired": is_retired,
        "pays_for_default_enrollments": pays_for_default_enrollments,
    }
    filters = {name: value for name, value in wanted.items() if value is not None}
    return _policies().filter(customer_uuid=customer_uuid, **filters)


def list_all_policies(customer_uuid: UUID) -> tuple[SubsidyAccessPolicy, ...]:
    """Return all budgets of a customer as `list_policies` does, in one statement.

    They are not to be changed: as long as the database answers the same, they are the same objects.
    """
    return _as_policies(customer_uuid, _ALL_POLICIES.raw_rows(customer_uuid=customer_uuid))


def list_totals(customer_uuid: UUID) -> list[tuple[SubsidyAccessPolicy, Mapping[str, int | None]]]:
    """Return all budgets of a customer as `list_all_policies` does, each with its running totals, in one snapshot.

    Totals are named as in TOTALS_COLUMNS, in cents; None: nothing was ever promised.
    """
    rows = _ALL_POLICIES.raw_rows(customer_uuid=customer_uuid)
    # The first of the rows of each budget; the order is that of the budgets.
    totals = {row[_UUID_PLACE]: row[_WITHOUT_TOTALS:] for row in rows}
    return [
        (policy, dict(zip(TOTALS_COLUMNS, values, strict=True)))
        for policy, values in zip(_as_policies(customer_uuid, rows), totals.values(), strict=True)
    ]


def read_of_all_policies(customer_uuid: UUID) -> Read:
    """Return the statement of `list_all_policies` and `list_totals`, for `read_together`."""
    return _ALL_POLICIES.read_of(customer_uuid=customer_uuid)


TOTALS_COLUMNS: Final = (
    *(f"totals__{name}" for name in ("held", "allocated", "spent", "redemptions")),
    "subsidy__totals__promised",
)
# Of so many customers a process keeps the budgets.
MOST_KEPT: Final = 256
_POLICY: Final = [field.attname for field in SubsidyAccessPolicy._meta.concrete_fields]
_SUBSIDY: Final = [field.attname for field in Subsidy._meta.concrete_fields]
_UUID_PLACE: Final = _POLICY.index("uuid")
# Of the columns of a budget, its account and one of its groups.
_WITHOUT_TOTALS: Final = len(_POLICY) + len(_SUBSIDY) + 1


def _all_policies(customer_uuid: UUID) -> QuerySet[SubsidyAccessPolicy, Any]:
    rows = SubsidyAccessPolicy.objects.filter(customer_uuid=customer_uuid)
    rows = rows.order_by("created", "uuid", "group_associations__pk")
    subsidy = (f"subsidy__{name}" for name in _SUBSIDY)
    return rows.values_list(*_POLICY, *subsidy, "group_associations__group_uuid", *TOTALS_COLUMNS)


_ALL_POLICIES: Final = Prepared(_all_policies, customer_uuid=models.UUIDField())


@frozen
class _Kept:
    """Budgets as they were last read: `rows`, and the same `read` with totals."""

    read: Rows
    rows: Rows
    policies: tuple[SubsidyAccessPolicy, ...]


# The budgets of a customer as they were last read, with their rows. Older ones are of no use: an account is read again
# each minute, so that several versions of some hundred budgets would soon be most of a process's memory.
_kept: Final[dict[UUID, _Kept]] = {}


def _as_policies(customer_uuid: UUID, read: Rows) -> tuple[SubsidyAccessPolicy, ...]:
    """Return the budgets of what was read: the same objects as before if they are the same but for totals."""
    kept = _kept.get(customer_uuid)
    if kept is not None and kept.read is read:
        return kept.policies
    rows = [row[:_WITHOUT_TOTALS] for row in read]
    policies = kept.policies if kept is not None and kept.rows == rows else _made_of(rows)
    if kept is None and len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[customer_uuid] = _Kept(read, rows, policies)
    return policies


def _made_of(raw_rows: Rows) -> tuple[SubsidyAccessPolicy, ...]:
    """Return the budgets of rows, of which there is one for each group of a budget."""
    policies: dict[UUID, SubsidyAccessPolicy] = {}
    groups: dict[UUID, list[PolicyGroupAssociation]] = defaultdict(list)
    for row in _ALL_POLICIES.converted(raw_rows):
        policy = SubsidyAccessPolicy.from_db("default", _POLICY, row[: len(_POLICY)])
        policy = policies.setdefault(policy.pk, policy)
        policy.subsidy = Subsidy.from_db("default", _SUBSIDY, row[len(_POLICY) : -1])
        if row[-1] is not None:
            groups[policy.pk].append(PolicyGroupAssociation(policy=policy, group_uuid=row[-1]))
    for policy in policies.values():
        # As Django leaves what it has prefetched.
        associations = policy.group_associations.all()
        associations._result_cache = groups[policy.pk]
        associations._prefetch_done = True  # type: ignore[attr-defined]
        policy.__dict__["_prefetched_objects_cache"] = {"group_associations": associations}
    return tuple(policies.values())


def has_request_policy(*, customer_uuid: UUID) -> bool:
    """Say whether learners of a customer may browse and request: whether an active budget takes requests."""
    types = [kind.value for kind, rules in TYPE_RULES.items() if rules.may_browse_and_request]
    rows = SubsidyAccessPolicy.objects.filter(customer_uuid=customer_uuid, active=True, retired=False)
    return rows.filter(policy_type__in=types, learner_credit_request_config__isnull=False).exists()


def list_request_configurations(policy_uuids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """Return, by budget, the uuid under which it takes requests; None: it takes none."""
    rows = SubsidyAccessPolicy.objects.filter(pk__in=policy_uuids).order_by()
    return dict(rows.values_list("pk", "learner_credit_request_config"))


def _policies() -> QuerySet[SubsidyAccessPolicy]:
    return (
        SubsidyAccessPolicy.objects.select_related("subsidy")
        .prefetch_related("group_associations")
        .order_by("created", "uuid")
    )
