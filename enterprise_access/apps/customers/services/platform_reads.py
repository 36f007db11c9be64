"""Reading platform enrollments together (ADR 0024).

The LMS allows our account 120 of these reads a minute, for all customers and processes, and answers up to 100 learners
in one. So reads keep a shared pace, and every read takes along the learners of any customer who wait for one. Who has
no turn waits a moment, and mostly finds that somebody else's read has brought what was wanted.
"""

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen
from django.conf import settings

from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner, Told
from enterprise_access.apps.customers.models import EnterpriseLearner
from enterprise_access.apps.customers.selectors import (
    as_learner,
    list_enrollments,
    list_read_times,
    reads_of_enrollments,
)
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.apps.customers.services.pace import Pace
from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http.deadline import earliest
from enterprise_access.lib.jobs import enqueue_on_commit
from enterprise_access.lib.prepared import read_together
from enterprise_access.lib.transactions import retry_deadlocks

log = logging.getLogger(__name__)

READ_JOB: Final = "customers.read_wanted_enrollments"
# So many learners fit into one call (upstream.paging.in_pieces).
LEARNERS_PER_READ: Final = 100
# An answer with more rows than this comes in several pages, and each of them counts as a call.
ROWS_PER_PAGE: Final = 100
# How long one message stands for whoever else asks.
GATHER_SECONDS: Final = 1
# A caller without a turn looks so often whether there is one, or whether it is not needed any more.
_PAUSE_SECONDS: Final = 0.1
# The longest wait of background work for its turn; less than a lease.
_PATIENCE_SECONDS: Final = 30.0
# What is kept for those who cannot show anything else.
_RESERVE: Final = 5
# After these, nothing is known about any learner, so it is not the fault of one that was taken along.
_NOBODYS_FAULT: Final = frozenset(
    {UpstreamReason.THROTTLED, UpstreamReason.TIMEOUT, UpstreamReason.CONNECTION, UpstreamReason.CIRCUIT_OPEN}
)


@frozen(kw_only=True)
class PlatformRead:
    """The enrollments of some learners, of which the oldest read began at `read_at`."""

    enrollments: Told[tuple[EnrollmentCopy, ...]]
    read_at: datetime


@frozen(kw_only=True)
class _Age:
    """When a learner's stored enrollments were read, and whether a later read was requested."""

    read_at: datetime | None
    is_wanted: bool


def read_enrollments(
    *,
    learners: Iterable[Learner],
    names_since: datetime | None = None,
    reuse_seconds: float = 0,
    must_read: Collection[int] = frozenset(),
    ends_at: float | None = None,
    is_patient: bool = True,
) -> PlatformRead:
    """Return all platform enrollments of these learners, from a read that begins now or is young enough.

    A stored read is used if it began in the last `reuse_seconds`, no one has asked for a later one since, and the
    learner is not in `must_read`. Names count as in `refresh_enrollments`, and the same learners are absent. `ends_at`
    (time.monotonic()) limits the wait for a turn. `is_patient` False: leave some turns to others, for callers who have
    something older to show.

    Raises UpstreamError; UpstreamUnavailable with `throttled` when there was no turn in time.
    """
    asked = {learner.lms_user_id: learner for learner in learners}
    if not asked:
        return PlatformRead(enrollments=Told({}, ()), read_at=clock.now())
    began_at = clock.now()
    usable_since = began_at - timedelta(seconds=reuse_seconds)
    with read_together(*reads_of_enrollments(asked)):
        ages = _ages(asked)
        missing = [
            learner
            for key, learner in asked.items()
            if reuse_seconds <= 0 or key in must_read or not _is_usable(ages.get(key), usable_since)
        ]
        if not missing:
            return _stored(asked, ages, began_at)
    names_since = names_since or began_at
    absent, unreadable = _wait_and_read(missing, began_at, names_since, ends_at=ends_at, is_patient=is_patient)
    return _stored(asked.keys() - absent - unreadable, _ages(asked), began_at, unreadable=unreadable)


def _stored(
    known: Collection[int], ages: Mapping[int, _Age], began_at: datetime, *, unreadable: Collection[int] = ()
) -> PlatformRead:
    """Return what is stored of the learners who are known, and as of when."""
    read_at = [age.read_at for key, age in ages.items() if age.read_at is not None and key in known]
    enrollments = Told(list_enrollments(lms_user_ids=known), unreadable)
    return PlatformRead(enrollments=enrollments, read_at=min([began_at, *read_at]))


def _is_usable(age: _Age | None, since: datetime) -> bool:
    return age is not None and not age.is_wanted and age.read_at is not None and age.read_at >= since


def _wait_and_read(
    missing: list[Learner], began_at: datetime, names_since: datetime, *, ends_at: float | None, is_patient: bool
) -> tuple[set[int], set[int]]:
    """Read for these learners, up to a hundred a turn, unless another caller's read has begun since `began_at`.

    Returns the learners whose name is not known any more, and those of whom the answer cannot be read.
    """
    absent: set[int] = set()
    unreadable: set[int] = set()
    ends_at = earliest(time.monotonic() + _PATIENCE_SECONDS if ends_at is None else ends_at)
    has_asked, takes_others = False, True
    while missing:
        if _pace().take(leave=0 if is_patient else _RESERVE):
            piece, rest = missing[:LEARNERS_PER_READ], missing[LEARNERS_PER_READ:]
            read = _read_together(piece, names_since, takes_others=takes_others)
            takes_others = read is not None
            if read is not None:
                ids = {learner.lms_user_id for learner in piece}
                unreadable |= ids & read.unknown
                absent |= ids - read.keys() - read.unknown
                missing = rest
            continue
        if not has_asked:
            want_enrollments(lms_user_ids=[learner.lms_user_id for learner in missing])
            has_asked = True
        left = ends_at - time.monotonic()
        if left <= 0:
            raise UpstreamUnavailable(
                "The platform's enrollments were not asked for: the rate of reads is used up.",
                service="lms",
                reason=UpstreamReason.THROTTLED,
                retry_after_seconds=1,
            )
        time.sleep(min(_PAUSE_SECONDS, left))
        ages = _ages([learner.lms_user_id for learner in missing])
        missing = [learner for learner in missing if not _was_read_after(ages.get(learner.lms_user_id), began_at)]
    return absent, unreadable


def _was_read_after(age: _Age | None, instant: datetime) -> bool:
    return age is not None and age.read_at is not None and age.read_at > instant


def _read_together(
    own: list[Learner], names_since: datetime, *, takes_others: bool
) -> Told[tuple[EnrollmentCopy, ...]] | None:
    """Read for these learners and for others who wait, and return what was read.

    None: nothing was read, perhaps because of one of the others.
    """
    others = _waiting(own, room=LEARNERS_PER_READ - len(own)) if takes_others else []
    both = [*own, *others]
    # Before the call: who asks while it is under way has to be read again.
    _take_off_the_list([learner.lms_user_id for learner in both], clock.now())
    try:
        found = refresh_enrollments(learners=both, names_since=names_since)
    except UpstreamError as error:
        if isinstance(error, UpstreamUnavailable) and error.reason is UpstreamReason.THROTTLED:
            _pace().pause(seconds=error.retry_after_seconds or 1)
        if not others or error.reason in _NOBODYS_FAULT:
            raise
        log.warning("A read for several customers failed, and is made again for one. reason=%s", error.reason)
        return None
    _pace().charge(turns=sum(map(len, found.values())) // ROWS_PER_PAGE)
    return found


def read_wanted_enrollments() -> int:
    """Read for whoever waits, as long as there are turns to spare; return for how many learners."""
    count = 0
    while (waiting := _waiting([], room=LEARNERS_PER_READ)) and _pace().take(leave=_RESERVE):
        _read_together(waiting, clock.now(), takes_others=False)
        count += len(waiting)
    return count


def ask_for_enrollments(*, lms_user_ids: Collection[int]) -> None:
    """Have a worker read these learners' enrollments soon; no one waits for it. A lost message costs the refresh."""
    want_enrollments(lms_user_ids=lms_user_ids)
    # One message is enough for all who ask within a moment; without a cache there is one for each.
    if (
        shared_cache.add(shared_cache.address_of(kind="read wanted", version=1), True, seconds=GATHER_SECONDS)
        is not False
    ):
        enqueue_on_commit(READ_JOB)


@retry_deadlocks
def want_enrollments(*, lms_user_ids: Collection[int]) -> None:
    """Let no read count for these learners that began before now, and the next one take them along."""
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=list(lms_user_ids), is_linked=True)
    rows.update(enrollments_wanted_at=clock.now())


@retry_deadlocks
def _take_off_the_list(lms_user_ids: Collection[int], now: datetime) -> None:
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=list(lms_user_ids), enrollments_wanted_at__lte=now)
    rows.update(enrollments_wanted_at=None)


def _waiting(own: list[Learner], *, room: int) -> list[Learner]:
    """Return the learners who have waited longest."""
    rows = (
        EnterpriseLearner.objects.filter(enrollments_wanted_at__isnull=False, is_linked=True)
        .exclude(lms_user_id__in=[learner.lms_user_id for learner in own])
        .order_by("enrollments_wanted_at", "pk")[:room]
    )
    return list({row.lms_user_id: as_learner(row) for row in rows}.values())


def _ages(lms_user_ids: Iterable[int]) -> dict[int, _Age]:
    ages: dict[int, _Age] = {}
    for key, read_at, wanted_at in list_read_times(lms_user_ids):
        # A learner of several customers is read for all of them.
        other = ages.get(key, _Age(read_at=None, is_wanted=False))
        read = max((at for at in (read_at, other.read_at) if at is not None), default=None)
        ages[key] = _Age(read_at=read, is_wanted=other.is_wanted or wanted_at is not None)
    return ages


def _pace() -> Pace:
    return Pace(
        name="platform enrollments",
        per_minute=settings.PLATFORM_READS_PER_MINUTE,
        burst=settings.PLATFORM_READS_AT_ONCE,
    )
