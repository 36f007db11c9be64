"""What is requested when a customer is provisioned."""

import re
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

# A Salesforce id of an opportunity line item: 15 characters, or 18 with its checksum.
LINE_ITEM: Final = re.compile(r"00k[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
# The LMS has room for so many characters in the name of a customer, and in the title of a catalog.
MAX_NAME: Final = 255
_CATALOG: Final = "Subscription Catalog"


@frozen(kw_only=True)
class AskedCustomer:
    """The customer. `country` is an ISO 3166-1 alpha-2 code."""

    name: str
    slug: str
    country: str


@frozen(kw_only=True)
class AskedCatalog:
    """The catalog that the plans are for."""

    title: str
    catalog_query_id: int


@frozen(kw_only=True)
class AskedPlan:
    """A subscription plan. `catalog_uuid` None: the customer's new catalog."""

    title: str
    line_item: str | None
    starts_at: datetime
    expires_at: datetime
    licenses: int
    product_id: int
    catalog_uuid: UUID | None = None


@frozen(kw_only=True)
class AskedProvisioning:
    """Everything that is requested, without the addresses of the admins: `admins` says how many there are."""

    customer: AskedCustomer
    admins: int
    catalog: AskedCatalog
    default_catalog_uuid: UUID | None
    trial_plan: AskedPlan
    first_paid_plan: AskedPlan


def is_line_item(value: str) -> bool:
    """Say whether this can be the id of a Salesforce opportunity line item."""
    return LINE_ITEM.fullmatch(value) is not None


def one_year_after(instant: datetime) -> datetime:
    """Return the same day and time a year later; the 28th after a February 29th."""
    try:
        return instant.replace(year=instant.year + 1)
    except ValueError:
        return instant.replace(year=instant.year + 1, day=28)


def default_catalog_title(customer_name: str) -> str:
    """Return the title of a catalog that is asked for without one, as the earlier service named it.

    A long name is cut to what fits into a title.
    """
    return f"{customer_name[: MAX_NAME - len(_CATALOG) - 1].rstrip()} {_CATALOG}"
