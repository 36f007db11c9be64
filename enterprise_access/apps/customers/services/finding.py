"""Finding a learner by what support knows: an LMS user id, a username, or an email address."""

from typing import Final
from uuid import UUID

from attrs import field, frozen

from enterprise_access.apps.customers.errors import NotALearner
from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamRefused
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import LearnerLink as LinkedLearner

ENTER: Final = "Enter an LMS user id, a username or an email address."
# One more would be a list of customers, not of a person's links.
MAX_FOUND: Final = 100
MAX_LENGTH: Final = 254
_MAX_ID: Final = 2**63 - 1


@frozen(kw_only=True)
class FoundLearner:
    """A learner of one customer. `customer_name` is empty where the customer is not known here."""

    lms_user_id: int
    username: str = field(repr=False)
    customer_uuid: UUID
    customer_name: str


@frozen(kw_only=True)
class FoundLearners:
    """Who was found.

    `is_from_copies`: the LMS did not answer, and others may be linked. `is_incomplete`: a row of its answer could not
    be read, so that who is missing is unknown.
    """

    learners: tuple[FoundLearner, ...]
    is_from_copies: bool = False
    is_incomplete: bool = False


def find_learners(*, text: str, customer_uuid: UUID | None = None) -> FoundLearners:
    """Return the learners whose LMS user id, username or email address this is: one for each customer they belong to.

    The LMS is asked, and lists only who is linked to a customer. Where it does not answer, our copies answer for ids;
    for a username or an address the error is raised. The text is neither stored nor logged. Raises NotALearner and
    UpstreamError.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > MAX_LENGTH:
        raise NotALearner(ENTER)
    try:
        links = _in_lms(wanted, customer_uuid)
    except UpstreamRefused as error:
        if error.reason is UpstreamReason.REFUSED_LOCALLY:
            raise NotALearner(ENTER) from None
        if error.reason is UpstreamReason.BAD_REQUEST and customer_uuid is not None:
            # The LMS does not know the customer.
            return FoundLearners(learners=())
        raise
    except UpstreamError:
        lms_user_id = _as_id(wanted)
        if lms_user_id is None:
            raise
        return FoundLearners(learners=_named(_in_copies(lms_user_id, customer_uuid)), is_from_copies=True)
    found = [(link.lms_user_id, link.username, link.customer.uuid) for link in links[:MAX_FOUND]]
    return FoundLearners(learners=_named(found), is_incomplete=bool(links.unreadable))


def _in_lms(wanted: str, customer_uuid: UUID | None) -> Rows[LinkedLearner]:
    client, lms_user_id = lms.from_settings(), _as_id(wanted)
    if "@" in wanted:
        return client.list_learner_links(email=wanted, customer_uuid=customer_uuid)
    if lms_user_id is not None:
        found = client.list_learner_links(lms_user_ids=[lms_user_id], customer_uuid=customer_uuid)
        if found or found.unreadable:
            return found
    # There are usernames of digits only.
    return client.list_learner_links(username=wanted, customer_uuid=customer_uuid)


def _in_copies(lms_user_id: int, customer_uuid: UUID | None) -> list[tuple[int, str, UUID]]:
    rows = EnterpriseLearner.objects.filter(is_linked=True, lms_user_id=lms_user_id)
    if customer_uuid is not None:
        rows = rows.filter(customer_id=customer_uuid)
    return list(rows.order_by("pk").values_list("lms_user_id", "username", "customer_id")[:MAX_FOUND])


def _as_id(wanted: str) -> int | None:
    number = int(wanted) if wanted.isascii() and wanted.isdigit() else 0
    return number if 0 < number <= _MAX_ID else None


def _named(found: list[tuple[int, str, UUID]]) -> tuple[FoundLearner, ...]:
    customers = {uuid for _, _, uuid in found}
    names = dict(EnterpriseCustomer.objects.filter(pk__in=customers).values_list("pk", "name"))
    rows = [
        FoundLearner(lms_user_id=lms_user_id, username=username, customer_uuid=uuid, customer_name=names.get(uuid, ""))
        for lms_user_id, username, uuid in found
    ]
    return tuple(sorted(rows, key=lambda row: (row.lms_user_id, row.customer_name.casefold(), row.customer_uuid)))
