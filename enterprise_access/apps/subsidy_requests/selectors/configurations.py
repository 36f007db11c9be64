"""Reads of how customers take requests."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from enterprise_access.apps.subsidy_requests.errors import ConfigurationUnknown
from enterprise_access.apps.subsidy_requests.models import Configuration


def find_configurations(*, customers: Collection[UUID] | None) -> QuerySet[Configuration]:
    """Return the configurations of these customers, or (None) of all, newest first."""
    rows = Configuration.objects.all()
    return rows if customers is None else rows.filter(pk__in=customers)


def get_configuration(*, customer_uuid: UUID, customers: Collection[UUID] | None) -> Configuration:
    """Return the configuration of one customer among `customers`. Raises ConfigurationUnknown."""
    row = find_configurations(customers=customers).filter(pk=customer_uuid).first()
    if row is None:
        raise ConfigurationUnknown(f"Customer {customer_uuid} has no configuration of requests.")
    return row
