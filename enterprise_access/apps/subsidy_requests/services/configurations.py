"""How customers take requests: made, changed, and what a change of the type does to open requests."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext

from enterprise_access.apps.subsidy_access_policies.selectors import list_policies
from enterprise_access.apps.subsidy_requests.domain.digests import NotificationCadence
from enterprise_access.apps.subsidy_requests.domain.states import RequestAction, RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.errors import ConfigurationInvalid, ConfigurationUnknown
from enterprise_access.apps.subsidy_requests.models import Configuration, SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.credit import takes_requests
from enterprise_access.apps.subsidy_requests.services.transitions import lock_requests, move
from enterprise_access.lib.transactions import retry_deadlocks

# The sentence that clients know.
TYPE_CHANGED: Final = "Declined because subsidy type on SubsidyRequestCustomerConfiguration has changed."
_UNDECIDED: Final = Q(state__in=[RequestState.REQUESTED.value, RequestState.ERROR.value])
_NOT_SENT: Final = Q(state=RequestState.PENDING.value, sent_at=None)


@retry_deadlocks
def create_configuration(
    *,
    customer_uuid: UUID,
    is_enabled: bool,
    subsidy_type: SubsidyType | None,
    actor_lms_user_id: int | None,
    cadence: NotificationCadence = NotificationCadence.DAILY,
    attempt_auto_enrollment: bool = False,
) -> tuple[Configuration, bool]:
    """Make the configuration of a customer; return it, and whether it is new. One that exists is left as it is.

    Raises ConfigurationInvalid when a budget of the customer takes requests already.
    """
    known = Configuration.objects.filter(pk=customer_uuid).first()
    if known is not None:
        return known, False
    _refuse_two_ways(customer_uuid, is_enabled=is_enabled, subsidy_type=subsidy_type or "")
    row = Configuration(
        customer_uuid=customer_uuid,
        subsidy_requests_enabled=is_enabled,
        subsidy_type=subsidy_type.value if subsidy_type else "",
        notification_cadence=cadence.value,
        attempt_auto_enrollment=attempt_auto_enrollment,
        changed_by_lms_user_id=actor_lms_user_id,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Another caller was quicker.
        return Configuration.objects.get(pk=customer_uuid), False
    return row, True


@retry_deadlocks
def change_configuration(
    *, customer_uuid: UUID, changes: dict[str, Any], actor_lms_user_id: int | None, now: datetime
) -> Configuration:
    """Change a configuration. Another type declines the undecided requests of the old one, in the same transaction.

    Raises ConfigurationUnknown; and ConfigurationInvalid when a type that is in use is to be taken away, or when a
    budget takes requests as well.
    """
    row = Configuration.objects.select_for_update().filter(pk=customer_uuid).first()
    if row is None:
        raise ConfigurationUnknown(f"Customer {customer_uuid} has no configuration of requests.")
    old_type = row.subsidy_type
    for name, value in changes.items():
        setattr(row, name, value)
    if row.subsidy_requests_enabled and old_type and not row.subsidy_type:
        raise ConfigurationInvalid(gettext("Switch requests off before taking their subsidy type away."))
    _refuse_two_ways(customer_uuid, is_enabled=row.subsidy_requests_enabled, subsidy_type=row.subsidy_type)
    row.changed_by_lms_user_id = actor_lms_user_id
    row.save()
    if old_type and row.subsidy_type != old_type:
        _decline_open(customer_uuid, SubsidyType(old_type), actor_lms_user_id, now)
    return row


def _refuse_two_ways(customer_uuid: UUID, *, is_enabled: bool, subsidy_type: str) -> None:
    """Raise ConfigurationInvalid when learners could ask for licenses or codes, and for learner credit as well."""
    if not is_enabled or subsidy_type in ("", SubsidyType.LEARNER_CREDIT):
        return
    if any(map(takes_requests, list_policies(customer_uuid=customer_uuid, is_active=True, is_retired=False))):
        raise ConfigurationInvalid(
            gettext("A budget takes requests already. Switch that off before requests for licenses or codes are on.")
        )


def why_not_take_requests(customer_uuid: UUID) -> str:
    """Return why no budget of this customer may take requests: learners ask for licenses or codes already."""
    other = (SubsidyType.LICENSE.value, SubsidyType.COUPON.value)
    rows = Configuration.objects.filter(pk=customer_uuid, subsidy_requests_enabled=True, subsidy_type__in=other)
    if not rows.exists():
        return ""
    return gettext("Learners ask for licenses or codes already. Switch that off before a budget takes requests.")


def _decline_open(customer_uuid: UUID, subsidy_type: SubsidyType, actor_lms_user_id: int | None, now: datetime) -> None:
    """Decline what is undecided. What was asked for already may have been granted: its worker finishes it."""
    rows = SubsidyRequest.objects.of_kind(subsidy_type).filter(_UNDECIDED | _NOT_SENT, customer_uuid=customer_uuid)
    move(
        lock_requests(rows),
        RequestAction.TYPE_CHANGED,
        now=now,
        actor_lms_user_id=actor_lms_user_id,
        decline_reason=TYPE_CHANGED,
        reviewed_at=now,
        reviewer_lms_user_id=actor_lms_user_id,
        due_at=None,
        assignment_uuid=None,
    )
