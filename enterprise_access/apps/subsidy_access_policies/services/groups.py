"""Restricting budgets to groups, and ending such restrictions."""

from uuid import UUID

from django.utils.translation import gettext as _

from enterprise_access.apps.groups.errors import GroupUnknown
from enterprise_access.apps.groups.services import get_customer_of
from enterprise_access.apps.subsidy_access_policies.errors import CannotBeChecked, PolicyInvalid
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation, SubsidyAccessPolicy
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.transactions import retry_deadlocks


def associate_group(policy: SubsidyAccessPolicy, *, group_uuid: UUID) -> tuple[PolicyGroupAssociation, bool]:
    """Restrict a budget to a group of its customer; say also whether that is new.

    The group takes effect with the next question whether a learner may redeem. Raises PolicyInvalid for a group that is
    not the customer's, and CannotBeChecked when the LMS could not be asked whose it is; nothing is written then.
    """
    known = PolicyGroupAssociation.objects.filter(policy=policy, group_uuid=group_uuid).first()
    if known is not None:
        return known, False
    _check_group(group_uuid, policy.customer_uuid)
    return _associate(policy, group_uuid)


def _check_group(group_uuid: UUID, customer_uuid: UUID) -> None:
    try:
        owner = get_customer_of(group_uuid=group_uuid)
    except GroupUnknown:
        owner = None
    except UpstreamError as error:
        raise CannotBeChecked(
            "The group cannot be checked now, so nothing was changed. Try again in a minute.",
            service=error.service,
            reason=error.reason,
        ) from error
    if owner != customer_uuid:
        raise PolicyInvalid({"group_uuid": _("The customer has no such group.")})


@retry_deadlocks
def _associate(policy: SubsidyAccessPolicy, group_uuid: UUID) -> tuple[PolicyGroupAssociation, bool]:
    return PolicyGroupAssociation.objects.get_or_create(policy=policy, group_uuid=group_uuid)


@retry_deadlocks
def end_association_of(policy: SubsidyAccessPolicy, *, group_uuid: UUID) -> int:
    """End the restriction of one budget to a group; return how many there were."""
    return PolicyGroupAssociation.objects.filter(policy=policy, group_uuid=group_uuid).delete()[0]


@retry_deadlocks
def end_association(*, customer_uuid: UUID, group_uuid: UUID) -> int:
    """End the restriction of this customer's budgets to a group; return how many there were."""
    rows = PolicyGroupAssociation.objects.filter(group_uuid=group_uuid, policy__customer_uuid=customer_uuid)
    return PolicyGroupAssociation.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).delete()[0]
