"""From content keys to runs: out of a shared cache, which asks the catalog service for what it does not have."""

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.domain import (
    CourseRun,
    Partner,
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
)
from enterprise_access.apps.content_metadata.selectors.attribution import (
    Attributed,
    attribute,
    keys_without_course,
    runs_without_record,
    unknown_keys,
)
from enterprise_access.lib import shared_cache
from enterprise_access.lib.cached_entries import Entry
from enterprise_access.lib.caching import Ages, RefreshingCache
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http import deadline
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.keys import fold
from enterprise_access.lib.parallel import run_parallel
from enterprise_access.lib.rows import Rows, UnreadableRow
from enterprise_access.upstream import catalog
from enterprise_access.upstream.catalog import CatalogClient, ContentRecord
from enterprise_access.upstream.paging import joined

log = logging.getLogger(__name__)

REFRESH_JOB: Final = "content_metadata.refresh"

# One call to the catalog service asks for at most so many keys: several smaller calls at once are faster than one.
KEYS_PER_CALL: Final = 40
CALLS_AT_ONCE: Final = 8
# How long the answers of some catalogs are kept when there was no time for all.
KEPT_ANSWER_SECONDS: Final = 600


@frozen(kw_only=True)
class Content:
    """What a content key stands for, for one customer.

    `catalogs` are the customer's catalogs that contain it; None: they could not be asked. `fetched_at` None: the
    catalog service gave no answer, and there was none to fall back upon. `is_stale`: older than it should be, because
    the catalog service cannot be asked.
    """

    resolution: Resolution
    catalogs: tuple[UUID, ...] | None
    fetched_at: datetime | None = None
    is_stale: bool = False

    @property
    def run(self) -> CourseRun | None:
        """The run, if it is known and there is one."""
        return self.resolution.run if isinstance(self.resolution, Resolved) else None

    @property
    def title(self) -> str:
        """The course's title; empty when nothing is known of it."""
        return self.resolution.course.title if self.resolution.course else ""

    @property
    def partners(self) -> tuple[Partner, ...] | None:
        """Who offers the course; None when that is not known."""
        return self.resolution.course.partners if self.resolution.course else None


UNAVAILABLE: Final = Content(resolution=Unresolved(reason=UnresolvedReason.CATALOG_UNAVAILABLE), catalogs=None)
IMPOSSIBLE: Final = Content(resolution=Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND), catalogs=())


def _ages_of(found: Attributed) -> Ages:
    """What does not exist may be there in a minute, and is never served once that is over."""
    if isinstance(found.resolution, Unresolved):
        brief = settings.CONTENT_ABSENT_SECONDS
        return Ages(soft=brief, hard=brief, forget=brief)
    return Ages(
        soft=settings.CONTENT_FRESH_SECONDS,
        hard=settings.CONTENT_HARD_SECONDS,
        forget=settings.STALE_LIMIT_SECONDS,
    )


_cache: Final[RefreshingCache[Attributed]] = RefreshingCache(
    "content", version=6, ages_of=_ages_of, trusted_seconds=lambda: settings.CONTENT_TRUSTED_SECONDS
)


def fetch_content(
    *, customer_uuid: UUID, content_keys: Iterable[str], in_background: bool = False
) -> dict[str, Content]:
    """Return, by folded key, what every key stands for.

    `in_background`: no one waits for the answer, which may take CONTENT_REFRESH_BUDGET_SECONDS then.

    Never raises when the catalog service cannot be asked: a key of which nothing is known is `catalog_unavailable`.
    A key that no content can have is not asked for, and not found.
    """
    keys = {fold(key) for key in content_keys}
    entries = _cache.get(
        str(customer_uuid),
        filter(catalog.is_content_key, keys),
        fetch=lambda missing, ends_at: _fetch(customer_uuid, _readable(customer_uuid, missing), ends_at),
        refresh_later=lambda due: enqueue_on_commit(REFRESH_JOB, customer_uuid=str(customer_uuid), keys=sorted(due)),
        may_fail=(UpstreamError,),
        budget_seconds=settings.CONTENT_REFRESH_BUDGET_SECONDS if in_background else settings.CONTENT_BUDGET_SECONDS,
        is_in_vain=catalog.is_known_to_be_away,
        is_patient=in_background,
    )
    return {key: _content_of(key, entries) for key in keys}


def peek_content(*, customer_uuid: UUID, content_keys: Iterable[str]) -> dict[str, Content]:
    """Return what the cache has, by folded key, and ask no one. A key that it does not have is absent."""
    entries = _cache.peek(str(customer_uuid), filter(catalog.is_content_key, {fold(key) for key in content_keys}))
    return {key: _content_of(key, entries) for key in entries}


def _content_of(key: str, entries: Mapping[str, Entry[Attributed]]) -> Content:
    if key in entries:
        return _as_content(entries[key])
    return UNAVAILABLE if catalog.is_content_key(key) else IMPOSSIBLE


# An entry that is read again is the same object, and so is what becomes of it.
@lru_cache(maxsize=8192)
def _as_content(entry: Entry[Attributed]) -> Content:
    return Content(
        resolution=entry.value.resolution,
        catalogs=entry.value.catalogs,
        fetched_at=entry.fetched_at,
        is_stale=entry.is_stale,
    )


def refresh_content(*, customer_uuid: UUID, content_keys: Iterable[str]) -> dict[str, Content]:
    """Ask the catalog service, whatever the cache has. Raises UpstreamError, and leaves the cache as it was then.

    For background work: takes up to CONTENT_REFRESH_BUDGET_SECONDS.
    """
    keys = {fold(key) for key in content_keys}
    entries = _cache.refresh(
        str(customer_uuid),
        set(filter(catalog.is_content_key, keys)),
        fetch=lambda keys, ends_at: _fetch(customer_uuid, keys, ends_at),
        ends_at=time.monotonic() + settings.CONTENT_REFRESH_BUDGET_SECONDS,
    )
    return {key: _content_of(key, entries) for key in keys}


def _fetch(customer_uuid: UUID, keys: Collection[str], ends_at: float) -> dict[str, Attributed]:
    """Ask for all keys at once. Logs what goes wrong, and raises it."""
    try:
        with deadline(ends_at):
            return _ask(catalog.from_settings(), customer_uuid, sorted(keys), ends_at)
    except UpstreamError as error:
        log.warning("Content could not be read. service=%s reason=%s", error.service, error.reason)
        raise


def _ask(client: CatalogClient, customer_uuid: UUID, keys: Sequence[str], ends_at: float) -> dict[str, Attributed]:
    """Ask every catalog of the customer, and then, regardless of catalogs, for the courses that are still missing.

    Those are what staff configure before it is in a catalog, and the courses of runs that a catalog holds alone. Last,
    a run that its course does not show (a restricted one) is asked for itself: that it is somewhere makes it
    `run_not_found` and not `content_not_found`.
    """
    if not keys:
        return {}
    by_catalog = _ask_catalogs(client, customer_uuid, keys, ends_at)
    in_catalogs = joined(by_catalog.values())
    without_course = keys_without_course(keys, in_catalogs)
    courses = _anywhere(client, without_course, coerce_to_parent_course=True)
    hidden = runs_without_record(without_course, [*in_catalogs, *courses])
    runs = _anywhere(client, hidden)
    found = attribute(keys, by_catalog=by_catalog, anywhere=[*courses, *runs])
    unknown = unknown_keys(found, [*in_catalogs.unreadable, *courses.unreadable, *runs.unreadable])
    _note_unreadable(customer_uuid, unknown)
    return {key: attributed for key, attributed in found.items() if key not in unknown}


def _anywhere(client: CatalogClient, keys: Sequence[str], **how: bool) -> Rows[ContentRecord]:
    try:
        return client.list_content(content_keys=keys, **how) if keys else Rows()
    except UpstreamError as error:
        if not error.may_be_one_row:
            raise
        # The few keys that are left make the service fail. What is known of the others stands.
        return Rows((), [UnreadableRow(problem=error.reason.value, key=frozenset({key})) for key in keys])


def _readable(customer_uuid: UUID, keys: Collection[str]) -> list[str]:
    """Return the keys whose records were not found unreadable a moment ago: those are not asked for by every page."""
    addresses = {_unreadable(customer_uuid, key): key for key in keys}
    noted = shared_cache.get_many(addresses)
    return [key for address, key in addresses.items() if address not in noted]


def _note_unreadable(customer_uuid: UUID, keys: Iterable[str]) -> None:
    notes = {_unreadable(customer_uuid, key): 1 for key in keys}
    if notes:
        shared_cache.set_many(notes, seconds=settings.CONTENT_ABSENT_SECONDS)


def _unreadable(customer_uuid: UUID, key: str) -> str:
    return shared_cache.address_of(kind="unreadable content", version=1, customer=str(customer_uuid), key=key)


def _ask_catalogs(
    client: CatalogClient, customer_uuid: UUID, keys: Sequence[str], ends_at: float
) -> dict[UUID, Rows[ContentRecord]]:
    """Ask every catalog. What was answered before time was up is kept for the next try, which goes on from there."""
    catalogs = [entry.uuid for entry in client.list_catalogs(customer_uuid=customer_uuid)]
    pieces = [tuple(keys[start : start + KEYS_PER_CALL]) for start in range(0, len(keys), KEYS_PER_CALL)]
    asked = [_Asked(uuid, piece) for uuid in catalogs for piece in pieces]
    answers: dict[_Asked, Rows[ContentRecord]] = _kept_answers(asked)
    calls = [_asking(client, each, answers) for each in asked if each not in answers]
    before = set(answers)
    try:
        run_parallel(calls, limit=CALLS_AT_ONCE, ends_at=ends_at)
    except TimeoutError:
        _keep_answers({each: answers[each] for each in asked if each in answers and each not in before})
        service = client.transport.service
        raise UpstreamUnavailable(f"{service} took too long", service=service, reason=UpstreamReason.TIMEOUT) from None
    except UpstreamUnavailable:
        _keep_answers({each: answers[each] for each in asked if each in answers and each not in before})
        raise
    return {uuid: joined(answers[each] for each in asked if each.catalog_uuid == uuid) for uuid in catalogs}


@frozen
class _Asked:
    """One call: which catalog is asked for which keys."""

    catalog_uuid: UUID
    keys: tuple[str, ...]

    @property
    def address(self) -> str:
        return shared_cache.address_of(
            kind="catalog answers", version=3, catalog=str(self.catalog_uuid), keys=" ".join(self.keys)
        )


def _asking(client: CatalogClient, asked: _Asked, answers: dict[_Asked, Rows[ContentRecord]]) -> Callable[[], None]:
    def ask() -> None:
        answers[asked] = client.list_catalog_content(catalog_uuid=asked.catalog_uuid, content_keys=asked.keys)

    return ask


def _kept_answers(asked: Sequence[_Asked]) -> dict[_Asked, Rows[ContentRecord]]:
    by_address = {each.address: each for each in asked}
    return {by_address[address]: rows for address, rows in shared_cache.get_many(by_address).items()}


def _keep_answers(answers: Mapping[_Asked, Rows[ContentRecord]]) -> None:
    if answers:
        kept = {asked.address: rows for asked, rows in answers.items()}
        shared_cache.set_many(kept, seconds=KEPT_ANSWER_SECONDS)
