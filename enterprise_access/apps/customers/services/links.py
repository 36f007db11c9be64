"""Keeping copies of the links between learners and customers, as the LMS has them.

What asks the LMS raises `UpstreamError` when it gives no usable answer; the copies are then left as they were. No lock
and no transaction is held while the LMS is asked.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.customers.domain import Learner, Told
from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.customers.selectors import as_learner, email_address
from enterprise_access.apps.customers.services.canary import check_canary
from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused
from enterprise_access.lib.parallel import start_early
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import LearnerLink

# An address that a call brought anyway may be shown for so long. (The cache adds up to two seconds of its own.)
EMAIL_SECONDS = 10 * 60 - 2


@frozen
class LinksAskedFor:
    """Links that the LMS was asked for at `started_at`; `answer` waits for them."""

    started_at: datetime
    answer: Callable[[], Rows[LearnerLink]]


def ask_for_links_ahead(*, customer_uuid: UUID, lms_user_ids: Collection[int]) -> LinksAskedFor:
    """Begin to ask for what `refresh_learners` needs, while somebody else is asked for something else."""
    started_at, client = clock.now(), lms.from_settings()
    ids = tuple(lms_user_ids)
    return LinksAskedFor(
        started_at, start_early(lambda: client.list_learner_links(customer_uuid=customer_uuid, lms_user_ids=ids))
    )


def refresh_learners(
    *, customer_uuid: UUID, lms_user_ids: Collection[int], asked: LinksAskedFor | None = None
) -> Told[Learner]:
    """Ask the LMS which of these learners are linked, keep copies, and return the learners that are known.

    The values carry e-mail addresses, for this call's use only. A learner who is missing from the LMS's answer is
    not linked (any more); one who was never linked is absent from what is returned. Learners whose link cannot be read
    are absent as well, named by `unknown`, and their copies stay as they were. `asked`: the very same was asked
    for already.
    """
    started_at = asked.started_at if asked else clock.now()
    links: Rows[LearnerLink] = (
        asked.answer()
        if asked
        else lms.from_settings().list_learner_links(customer_uuid=customer_uuid, lms_user_ids=tuple(lms_user_ids))
    )
    by_id = {link.lms_user_id: link for link in links}
    unknown = links.unknown_among(lms_user_ids, told=by_id)
    need_some(unknown, lms_user_ids)
    told = [lms_user_id for lms_user_id in lms_user_ids if lms_user_id not in unknown]
    if len(by_id) < len(set(told)):
        check_canary()
    _store_links(customer_uuid, told, {key: link for key, link in by_id.items() if key not in unknown}, started_at)
    stored = EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=told)
    emails = {key: link.email for key, link in by_id.items()}
    return Told({row.lms_user_id: as_learner(row, email=emails.get(row.lms_user_id)) for row in stored}, unknown)


@retry_deadlocks
def _store_links(
    customer_uuid: UUID, lms_user_ids: list[int], links: Mapping[int, LearnerLink], started_at: datetime
) -> None:
    """Keep what was read, except where another read that started later was quicker."""
    known = lock_in_order(EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=lms_user_ids))
    missing = links.keys() - {row.lms_user_id for row in known}
    EnterpriseLearner.objects.bulk_create(
        [_learner_row(customer_uuid, links[key], started_at) for key in sorted(missing)], ignore_conflicts=True
    )
    older = [row for row in known if row.fetched_at <= started_at]
    for row in older:
        update_learner_row(row, links.get(row.lms_user_id), started_at)
    EnterpriseLearner.objects.bulk_update(
        older, ["enterprise_customer_user_id", "username", "is_linked", "is_active_link", "fetched_at"]
    )


def need_some(unknown: Collection[int], asked: Collection[int]) -> None:
    """Raise UpstreamChanged if the LMS's answer leaves every learner unknown: then it told nothing."""
    if asked and set(asked) <= set(unknown):
        raise UpstreamChanged(
            "the LMS answered, but what it says of these learners cannot be read",
            service="lms",
            reason=UpstreamReason.UNKNOWN_SHAPE,
        )


def remember_email(*, learner: Learner) -> None:
    """Keep the e-mail address that a read of the LMS brought: for some minutes, and only in the cache."""
    if learner.email:
        shared_cache.set_many({email_address(lms_user_id=learner.lms_user_id): learner.email}, seconds=EMAIL_SECONDS)


def _learner_row(customer_uuid: UUID, link: LearnerLink, fetched_at: datetime) -> EnterpriseLearner:
    row = EnterpriseLearner(customer_id=customer_uuid, lms_user_id=link.lms_user_id)
    update_learner_row(row, link, fetched_at)
    return row


def update_learner_row(row: EnterpriseLearner, link: LearnerLink | None, fetched_at: datetime) -> None:
    """Take over what the LMS says of a link (None: it does not list it) into a row, which is not saved."""
    row.is_linked = link is not None
    row.is_active_link = link is not None and link.is_active_link
    row.fetched_at = fetched_at
    if link is not None:
        row.enterprise_customer_user_id = link.enterprise_customer_user_id
        row.username = link.username


@retry_deadlocks
def note_visits(*, customer_uuid: UUID, lms_user_ids: Collection[int], at: datetime) -> None:
    """Write down that these learners were seen, by a login or a page load."""
    EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=list(lms_user_ids)).update(last_login_at=at)


def iterate_linked_learners(*, customer_uuid: UUID) -> Iterator[LearnerLink]:
    """Yield the learners who are linked to a customer now, by rising LMS user id, read a page at a time."""
    check_canary()
    return lms.from_settings().iterate_learner_links(customer_uuid=customer_uuid)


@frozen(kw_only=True)
class LinkedPage:
    """A page of the learners who are linked to a customer. `unreadable` are LMS user ids of links that are odd."""

    learners: tuple[LearnerLink, ...]
    has_more: bool
    unreadable: tuple[int, ...] = ()


def read_linked_learners(*, customer_uuid: UUID, page: int) -> LinkedPage:
    """Return one page of the learners who are linked to a customer now, by rising LMS user id; the first page is 1.

    A page beyond the last one is empty: the list became shorter since it was begun.
    """
    check_canary()
    try:
        found = lms.from_settings().list_learner_links_page(customer_uuid=customer_uuid, page=page)
    except UpstreamRefused as error:
        if page == 1 or error.reason is not UpstreamReason.NOT_FOUND:
            raise
        return LinkedPage(learners=(), has_more=False)
    unreadable = tuple(row.key for row in found.unreadable if isinstance(row.key, int))
    return LinkedPage(learners=tuple(found.rows), has_more=found.next is not None, unreadable=unreadable)
