"""Keeping the local copies of the LMS's customers, links and enrollments.

Every function here asks the LMS and raises `UpstreamError` when it gives no usable answer; the copies are then left
as they were. No lock and no transaction is held while the LMS is asked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, frozen
from django.conf import settings
from django.db.models import Case, F, Q, Value, When

from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner, Told
from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
    LearnerSighting,
)
from enterprise_access.apps.customers.selectors import as_learner, email_address, get_customer, list_enrollments
from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.errors import Reason, UpstreamChanged, UpstreamRefused
from enterprise_access.lib.keys import fold
from enterprise_access.lib.parallel import start_early
from enterprise_access.lib.structure import Rows
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.lib.work.queues import lock_in_order
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import Customer, LearnerLink, PlatformEnrollment

CANARY_KEY = "customers.canary_seen"
# An address that a call brought anyway may be shown for so long. (The cache adds up to two seconds of its own.)
EMAIL_SECONDS = 10 * 60 - 2


def fetch_customer(*, customer_uuid: UUID) -> EnterpriseCustomer:
    """Ask the LMS for a customer and keep a copy. Raises CustomerUnknown; a copy we had is then marked inactive."""
    started_at = clock.now()
    answer = lms.from_settings().get_customer(customer_uuid=customer_uuid)
    if answer is None:
        # The LMS gives one answer for "unknown", "switched off" and "not for you"; the last is ruled out here.
        check_canary()
        _overwrite_customer(customer_uuid, started_at, is_active=False)
        raise CustomerUnknown(f"The LMS knows no active enterprise customer {customer_uuid}.")
    return _store_customer(answer, started_at)


def refresh_customer(*, customer_uuid: UUID) -> EnterpriseCustomer:
    """Return the customer, after asking the LMS when the copy is too old to tell whether the customer is still active.

    Raises CustomerUnknown for a customer that we never met.
    """
    copy = get_customer(customer_uuid=customer_uuid)
    if copy is not None and copy.fetched_at >= clock.now() - timedelta(seconds=settings.LINKS_FRESH_SECONDS):
        return copy
    try:
        return fetch_customer(customer_uuid=customer_uuid)
    except CustomerUnknown:
        if copy is None:
            raise
        copy.refresh_from_db()
        return copy


def fetch_customer_by_slug(*, slug: str) -> EnterpriseCustomer:
    """Ask the LMS for the customer with this slug and keep a copy. Raises CustomerUnknown."""
    started_at = clock.now()
    answer = lms.from_settings().find_customer(slug=slug)
    if answer is None:
        check_canary()
        raise CustomerUnknown(f"The LMS knows no active enterprise customer with the slug {slug!r}.")
    return _store_customer(answer, started_at)


@retry_deadlocks
def _store_customer(answer: Customer, started_at: datetime) -> EnterpriseCustomer:
    """Keep what was read, except where another read that started later was quicker."""
    read = {
        "slug": answer.slug,
        "name": answer.name,
        "is_active": answer.active,
        "primary_color": answer.primary_color,
        "language": answer.language,
    }
    customer, is_new = EnterpriseCustomer.objects.get_or_create(
        uuid=answer.uuid, defaults={**read, "fetched_at": started_at}
    )
    if not is_new:
        _overwrite_customer(answer.uuid, started_at, **read)
        customer.refresh_from_db()
    return customer


@retry_deadlocks
def _overwrite_customer(customer_uuid: UUID, started_at: datetime, **read: object) -> None:
    """Change the copy of a customer, unless it comes from a read that started later."""
    EnterpriseCustomer.objects.filter(pk=customer_uuid, fetched_at__lte=started_at).update(
        **read, fetched_at=started_at
    )


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
    _need_some(unknown, lms_user_ids)
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


def _need_some(unknown: Collection[int], asked: Collection[int]) -> None:
    """Raise UpstreamChanged if the LMS's answer leaves every learner unknown: then it told nothing."""
    if asked and set(asked) <= set(unknown):
        raise UpstreamChanged(
            "the LMS answered, but what it says of these learners cannot be read",
            service="lms",
            reason=Reason.UNKNOWN_SHAPE,
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


def refresh_enrollments(
    *, learners: Iterable[Learner], names_since: datetime | None = None
) -> Told[tuple[EnrollmentCopy, ...]]:
    """Ask the platform for all enrollments of these learners, keep copies, and return them by learner.

    The platform knows usernames only, and a username can have passed to somebody else since a copy was made: names are
    those that the LMS tells now, or told since `names_since`. A learner whom no customer links any more has no name
    that can be known; they are absent from what is returned, and their copies stay as they were. So are learners of
    whom a link or an enrollment cannot be read, whom `unknown` names.
    """
    asked = list(learners)
    names, unknown = _names_of(asked, names_since)
    if names:
        ids_by_username = {name.lower(): lms_user_id for lms_user_id, name in names.items()}
        started_at = clock.now()
        answer = _folded_keys(lms.from_settings().list_platform_enrollments(usernames=list(names.values())))
        told = {row.username.lower() for row in answer}
        unknown |= {ids_by_username[name] for name in answer.unknown_among(ids_by_username, told=told)}
    _need_some(unknown, [learner.lms_user_id for learner in asked])
    ids = [lms_user_id for lms_user_id in names if lms_user_id not in unknown]
    if not ids:
        return Told({}, unknown)
    fresh = [
        LearnerEnrollment(
            lms_user_id=ids_by_username[row.username.lower()],
            course_run_key=row.course_run_key,
            mode=row.mode,
            is_active=row.is_active,
            fetched_at=started_at,
        )
        for row in answer
        if ids_by_username.get(row.username.lower()) in ids
    ]
    _store_enrollments(ids, fresh, started_at)
    return Told(list_enrollments(lms_user_ids=ids), unknown)


def _folded_keys(answer: Rows[PlatformEnrollment]) -> Rows[PlatformEnrollment]:
    """Return the answer with the usernames of unreadable rows in lower case: the LMS compares them so."""
    rows = (evolve(row, key=row.key.lower()) if isinstance(row.key, str) else row for row in answer.unreadable)
    return Rows(answer, rows)


def _names_of(learners: Collection[Learner], since: datetime | None) -> tuple[dict[int, str], set[int]]:
    """Return the usernames by LMS user id, as the LMS tells them now or has told them since; and who is unknown."""
    names = {
        learner.lms_user_id: learner.username
        for learner in learners
        if since is not None and learner.is_linked and learner.fetched_at >= since
    }
    others = {learner.lms_user_id for learner in learners} - names.keys()
    if not others:
        return names, set()
    links = lms.from_settings().list_learner_links(lms_user_ids=sorted(others))
    names |= {link.lms_user_id: link.username for link in links}
    # One readable link is enough: every link of a learner tells the same name.
    unknown = links.unknown_among(others, told=names) - names.keys()
    if not others - unknown <= names.keys():
        check_canary()
    return names, unknown


@retry_deadlocks
def _store_enrollments(lms_user_ids: list[int], fresh: list[LearnerEnrollment], started_at: datetime) -> None:
    _replace_enrollments(lms_user_ids, fresh, started_at)
    # A read that began before something was changed there does not make young what was forgotten since.
    unchanged = Q(enrollments_changed_at=None) | Q(enrollments_changed_at__lte=started_at)
    EnterpriseLearner.objects.filter(unchanged, lms_user_id__in=lms_user_ids).update(enrollments_fetched_at=started_at)


def _replace_enrollments(lms_user_ids: list[int], fresh: list[LearnerEnrollment], started_at: datetime) -> None:
    """Make the stored enrollments of these learners equal to what was read.

    What an event changed after the read had started is newer than the read, and stays; so does what another read says
    that started later and was quicker.
    """
    stored = {
        (row.lms_user_id, fold(row.course_run_key)): row
        for row in LearnerEnrollment.objects.filter(lms_user_id__in=lms_user_ids)
    }
    newer = {key for key, row in stored.items() if max(row.fetched_at, row.changed_at or row.fetched_at) > started_at}
    read = {(row.lms_user_id, fold(row.course_run_key)): row for row in fresh}
    gone = [row.pk for key, row in stored.items() if key not in read and key not in newer]
    LearnerEnrollment.objects.filter(pk__in=gone).delete()
    LearnerEnrollment.objects.bulk_create(
        [row for key, row in read.items() if key not in stored], ignore_conflicts=True
    )
    changed = [stored[key] for key in read if key in stored and key not in newer]
    for row in changed:
        source = read[row.lms_user_id, fold(row.course_run_key)]
        row.mode, row.is_active, row.fetched_at = source.mode, source.is_active, started_at
    LearnerEnrollment.objects.bulk_update(changed, ["mode", "is_active", "fetched_at"])


@retry_deadlocks
def note_visits(*, customer_uuid: UUID, lms_user_ids: Collection[int], at: datetime) -> None:
    """Write down that these learners were seen, by a login or a page load."""
    EnterpriseLearner.objects.of(customer_uuid=customer_uuid, lms_user_ids=list(lms_user_ids)).update(last_login_at=at)


def get_customer_named(*, slug_or_uuid: str) -> EnterpriseCustomer:
    """Return the customer that people name by uuid (our copy, or else the LMS's answer), or by slug.

    A slug is always looked up in the LMS, which may have given it to another customer since we kept a copy. Raises
    CustomerUnknown, and UpstreamError when the LMS has to be asked and does not answer.
    """
    try:
        known = get_customer(customer_uuid=UUID(slug_or_uuid))
    except ValueError:
        return fetch_customer_by_slug(slug=slug_or_uuid)
    return known or find_customer(slug_or_uuid=slug_or_uuid)


def find_customer(*, slug_or_uuid: str) -> EnterpriseCustomer:
    """Ask the LMS for the customer that people name by slug or by uuid, and keep a copy. Raises CustomerUnknown."""
    try:
        customer_uuid = UUID(slug_or_uuid)
    except ValueError:
        return fetch_customer_by_slug(slug=slug_or_uuid)
    return fetch_customer(customer_uuid=customer_uuid)


@retry_deadlocks
def forget_enrollments(*, lms_user_ids: Collection[int]) -> None:
    """Make the next reader ask the platform about these learners: something was changed there just now.

    The copies only count as too old: should the platform be silent, they are better than nothing.
    """
    now = clock.now()
    too_old = now - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS + 1)
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=lms_user_ids)
    rows.update(
        enrollments_changed_at=now,
        enrollments_fetched_at=Case(
            When(enrollments_fetched_at__gt=too_old, then=Value(too_old)), default=F("enrollments_fetched_at")
        ),
    )


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Delete every copy of what the LMS says of a learner; return how many rows went, by table."""
    return {
        str(model._meta.verbose_name): model._default_manager.filter(lms_user_id=lms_user_id).delete()[0]
        for model in (EnterpriseLearner, LearnerEnrollment, EnterpriseEnrollment, LearnerSighting)
    }


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
        if page == 1 or error.reason is not Reason.NOT_FOUND:
            raise
        return LinkedPage(learners=(), has_more=False)
    unreadable = tuple(row.key for row in found.unreadable if isinstance(row.key, int))
    return LinkedPage(learners=tuple(found.rows), has_more=found.next is not None, unreadable=unreadable)


def check_canary() -> None:
    """Make sure that "not in the list" means "not linked", by one learner of whom we know that the LMS lists them.

    A worker account that is not staff gets short lists instead of refusals. Raises UpstreamRefused then. The finding
    is believed for a while; without LMS_CANARY_USER_ID there is nobody to ask for, and lists are believed as they are.
    """
    canary = settings.LMS_CANARY_USER_ID
    if canary is None or shared_cache.get_many([CANARY_KEY]):
        return
    if not lms.from_settings().is_learner_visible(lms_user_id=canary):
        raise UpstreamRefused(
            "The LMS does not show the learner named by LMS_CANARY_USER_ID: is our worker account staff?",
            service="lms",
            reason=Reason.FORBIDDEN,
        )
    shared_cache.set_many({CANARY_KEY: True}, seconds=settings.CANARY_BELIEVED_SECONDS)
