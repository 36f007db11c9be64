"""Keeping what a page of the learner portal has read anyway, so that no one asks the LMS for it a second time."""

from datetime import datetime
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.customers.domain import SeenBy
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.apps.customers.services.signals import learner_seen
from enterprise_access.lib.transactions import retry_deadlocks


@frozen(kw_only=True)
class SeenLink:
    """A learner of a customer, as the LMS told it to somebody who asked at `fetched_at`."""

    customer_uuid: UUID
    slug: str
    name: str
    is_customer_active: bool
    lms_user_id: int
    # As the learner's token has it: to be shown until a worker has read the link. Tokens outlive a rename.
    username: str = field(repr=False)
    enterprise_customer_user_id: int
    is_active_link: bool
    fetched_at: datetime


@retry_deadlocks
def note_link(seen: SeenLink) -> None:
    """Keep copies of the customer and of the link, unless what is stored was read later, and tell the apps above."""
    customer, is_new = EnterpriseCustomer.objects.get_or_create(pk=seen.customer_uuid, defaults=_customer_fields(seen))
    if not is_new and customer.fetched_at < seen.fetched_at:
        older = EnterpriseCustomer.objects.filter(pk=customer.pk, fetched_at__lt=seen.fetched_at)
        older.update(**_customer_fields(seen))
    learner, is_new = EnterpriseLearner.objects.get_or_create(
        customer=customer, lms_user_id=seen.lms_user_id, defaults=_learner_fields(seen)
    )
    if not is_new and learner.fetched_at < seen.fetched_at:
        EnterpriseLearner.objects.filter(pk=learner.pk, fetched_at__lt=seen.fetched_at).update(**_link_fields(seen))
    if seen.is_customer_active:
        learner_seen.send(
            EnterpriseLearner,
            customer_uuid=seen.customer_uuid,
            lms_user_ids=[seen.lms_user_id],
            seen_by=SeenBy.PAGE,
            at=seen.fetched_at,
        )


@retry_deadlocks
def forget_active_link(*, lms_user_id: int) -> None:
    """Let no copy say any more which of a learner's customers is the selected one: the portal is about to change it."""
    EnterpriseLearner.objects.filter(lms_user_id=lms_user_id, is_active_link=True).update(is_active_link=False)


def _customer_fields(seen: SeenLink) -> dict[str, object]:
    return {
        "slug": seen.slug,
        "name": seen.name,
        "is_active": seen.is_customer_active,
        "fetched_at": seen.fetched_at,
    }


def _learner_fields(seen: SeenLink) -> dict[str, object]:
    return {"username": seen.username, **_link_fields(seen)}


def _link_fields(seen: SeenLink) -> dict[str, object]:
    return {
        "enterprise_customer_user_id": seen.enterprise_customer_user_id,
        "is_linked": True,
        "is_active_link": seen.is_active_link,
        "fetched_at": seen.fetched_at,
    }
