"""A cache of answers that are dear to get: served while young, refreshed behind the back when older, never stampeded.

On top of Django's cache, which processes and machines share. An entry has three ages:

* until its *soft* age it is served, and nothing else happens;
* until its *hard* age it is served, and somebody is told to refresh it behind the back;
* after that it is asked for while the caller waits, and is served only if no one answers ("stale", with its age),
  until the cache forgets it.

Entries of a group are requested by one caller at a time, whoever runs where. The others wait for what comes of it,
and share it: the answer, or the failure. A failure is never stored as an answer, and does not outlive its asking: who
comes later asks again.
"""

import time
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar
from uuid import uuid4

from attrs import define, evolve, frozen
from django.utils import timezone

from enterprise_access.lib import metrics
from enterprise_access.lib.cached_entries import Entry, EntryStore, StoredEntries
from enterprise_access.lib.http.deadline import earliest
from enterprise_access.lib.prepared import forget_reads

V = TypeVar("V")

# The pauses between looks for what another caller is asking for: short at first, then kinder to the cache.
FIRST_PAUSE_SECONDS: Final = 0.02
LAST_PAUSE_SECONDS: Final = 0.2
# How much earlier than its soft age a group may be refreshed, so that groups stored together do not age together.
JITTER: Final = 0.2
# How many groups a process keeps.
MOST_KEPT: Final = 1000

# Asks for keys until time.monotonic() is the second argument, and returns what there is to store.
Fetch = Callable[[Collection[str], float], Mapping[str, V]]


@frozen(kw_only=True)
class Ages:
    """How old an entry may become, in seconds. `forget` is the end, whatever happens."""

    soft: float
    hard: float
    forget: float


@define
class _Kept(Generic[V]):
    """What a process was shown while the group had this stamp: all of it young, and none of it due before `until`.

    `looked_at` is when the stamp was last seen to be the same, by time.monotonic().
    """

    stamp: str
    entries: dict[str, Entry[V]]
    since: datetime
    until: datetime
    looked_at: float


class RefreshingCache(Generic[V]):
    """Answers of one kind, each known by a key, in groups that are asked for together (those of a customer, say).

    Each group has a stamp in the shared cache, which whoever stores or drops an entry renews afterwards. As long as it
    is the same, a process need not look again at what it was shown; and for `trusted_seconds` it does not even look
    whether the stamp is the same, unless it has itself renewed it.

    `version` is raised when values change their shape. `ages_of` says how old a value may become. `in_memory` False:
    nothing stays in the process, for answers about one person.
    """

    def __init__(
        self,
        kind: str,
        *,
        version: int,
        ages_of: Callable[[V], Ages],
        trusted_seconds: Callable[[], float] = lambda: 0,
        in_memory: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._kind = kind
        self._ages_of = ages_of
        self._trusted_seconds = trusted_seconds
        self._sleep = sleep
        self.store = EntryStore[V](kind, version=version, in_memory=in_memory)
        self._in_memory = in_memory
        self._kept: dict[tuple[str, frozenset[str]], _Kept[V]] = {}

    def get(
        self,
        group: str,
        keys: Iterable[str],
        *,
        fetch: Fetch[V],
        refresh_later: Callable[[Collection[str]], None],
        may_fail: tuple[type[Exception], ...],
        budget_seconds: float,
        is_in_vain: Callable[[], bool] = lambda: False,
        is_patient: bool = False,
    ) -> dict[str, Entry[V]]:
        """Return what is to be served for every key that there is anything for. A key without an entry is unknown.

        `fetch` asks while we wait; what it raises of `may_fail` means that no one could be asked, and is not raised.
        `is_in_vain`: no one would answer, as is known already, so that nothing need be begun.
        `is_patient`: ask ourselves where somebody else, who may have had less time, has just failed.
        `refresh_later` is told which keys to refresh behind the back. Waiting for another caller and asking take no
        longer than `budget_seconds` together, and end with the deadline that the caller has set for several calls.
        """
        ends_at = earliest(time.monotonic() + budget_seconds)
        wanted = frozenset(keys)
        if not wanted:
            return {}
        now, looked_at = timezone.now(), time.monotonic()
        kept = self._kept.get((group, wanted))
        if kept is not None and not kept.since <= now < kept.until:
            kept = None
        if kept is not None and looked_at < kept.looked_at + self._trusted_seconds():
            return self._served(kept)
        # Before the look: if somebody stores something in between, the stamp will have changed by the next time.
        stamp = self.store.stamp_of(group)
        if kept is not None and kept.stamp == stamp:
            kept.looked_at = looked_at
            return self._served(kept)
        seen = self.store.look(group, wanted)
        young = self._young(seen, now)
        due = {key for key, entry in young.items() if self._is_due(group, entry, now)}
        if self._in_memory and len(young) == len(wanted) and not due:
            self._keep(group, young, stamp, now, looked_at)
        if due and self.store.claim_refresh(group):
            refresh_later(due)
        dear = wanted - young.keys()
        if dear and not is_in_vain():
            young |= self._fetch_or_wait(group, dear, seen, fetch, may_fail, ends_at, is_patient)
        stale = {key: evolve(entry, is_stale=True) for key, entry in seen.entries.items() if key not in young}
        self._count(young=len(wanted) - len(dear), asked=len(dear & young.keys()), stale=len(stale), wanted=len(wanted))
        return {**stale, **young}

    def _served(self, kept: _Kept[V]) -> dict[str, Entry[V]]:
        self._count(young=len(kept.entries), asked=0, stale=0, wanted=len(kept.entries))
        return dict(kept.entries)

    def _keep(self, group: str, young: dict[str, Entry[V]], stamp: str | None, now: datetime, looked_at: float) -> None:
        """Remember what was shown, until the first of it is due; from the next time on if there is no stamp yet."""
        if stamp is None:
            self.store.begin_stamp(group)
            return
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        until = min(self._trusted_until(group, entry) for entry in young.values())
        self._kept[group, frozenset(young)] = _Kept(stamp, dict(young), now, until, looked_at)

    def _count(self, *, young: int, asked: int, stale: int, wanted: int) -> None:
        found = {"young": young, "asked": asked, "stale": stale, "unknown": wanted - young - asked - stale}
        for what, entries in found.items():
            if entries > 0:
                metrics.CACHE_READS.labels(self._kind, what).inc(entries)

    def refresh(self, group: str, keys: Collection[str], *, fetch: Fetch[V], ends_at: float) -> dict[str, Entry[V]]:
        """Fetch and store, whatever is stored already. Raises what `fetch` raises, and stores nothing then."""
        fetched_at = timezone.now()
        entries = {key: Entry(value=value, fetched_at=fetched_at) for key, value in fetch(keys, ends_at).items()}
        # Who asked later and was answered sooner knows better.
        newer = {key for key, entry in self.peek(group, entries).items() if entry.fetched_at > fetched_at}
        self._write(group, {key: entry for key, entry in entries.items() if key not in newer})
        return entries

    def peek(self, group: str, keys: Iterable[str]) -> dict[str, Entry[V]]:
        """Return what is stored, in one round trip, without asking anybody."""
        return self.store.look(group, keys).entries

    def forget(self, group: str, keys: Iterable[str]) -> None:
        """Drop entries, so that the next caller asks."""
        self.store.drop(group, keys)
        self._renew_stamp(group)

    def _write(self, group: str, entries: Mapping[str, Entry[V]]) -> None:
        by_seconds: dict[float, dict[str, Entry[V]]] = {}
        for key, entry in entries.items():
            by_seconds.setdefault(self._ages_of(entry.value).forget, {})[key] = entry
        for seconds, same in by_seconds.items():
            self.store.write(group, same, seconds=seconds)
        self._renew_stamp(group)

    def _renew_stamp(self, group: str) -> None:
        """Make every process look again. Last of all: who sees the stamp has to see what it stands for."""
        self.store.renew_stamp(group)
        for kept in [kept for kept in tuple(self._kept) if kept[0] == group]:
            self._kept.pop(kept, None)

    # --- one at a time -------------------------------------------------------------------------------------------

    def _fetch_or_wait(
        self,
        group: str,
        keys: frozenset[str],
        before: StoredEntries[V],
        fetch: Fetch[V],
        may_fail: tuple[type[Exception], ...],
        ends_at: float,
        is_patient: bool,
    ) -> dict[str, Entry[V]]:
        """Return young entries: asked for by us, or by whoever is asking already. None when that fails."""
        seen, pause = before, FIRST_PAUSE_SECONDS
        while True:
            if not seen.is_asking:
                token = uuid4().hex
                is_ours = self.store.lock(group, token, seconds=ends_at - time.monotonic())
                # None: without a cache no one can be waited for, and everybody asks.
                if is_ours is not False:
                    return self._fetch_missing(group, keys, token, fetch, may_fail, ends_at)
            self._sleep(pause)
            # Others have gone on meanwhile.
            forget_reads()
            pause = min(pause * 1.5, LAST_PAUSE_SECONDS)
            seen = self.store.look(group, keys)
            young = self._young(seen, timezone.now())
            was_in_vain = seen.failure != before.failure and not is_patient
            if len(young) == len(keys) or was_in_vain or time.monotonic() >= ends_at:
                return young

    def _fetch_missing(
        self,
        group: str,
        keys: frozenset[str],
        token: str,
        fetch: Fetch[V],
        may_fail: tuple[type[Exception], ...],
        ends_at: float,
    ) -> dict[str, Entry[V]]:
        """Fetch, holding the lock, what no one has stored since we looked."""
        young: dict[str, Entry[V]] = {}
        try:
            young = self._young(self.store.look(group, keys), timezone.now())
            missing = keys - young.keys()
            return young | self.refresh(group, missing, fetch=fetch, ends_at=ends_at) if missing else young
        except may_fail:
            self.store.note_failure(group, token)
            return young
        finally:
            self.store.unlock(group, token)

    # --- ages ----------------------------------------------------------------------------------------------------

    def _young(self, seen: StoredEntries[V], now: datetime) -> dict[str, Entry[V]]:
        """Return the entries that may be served without asking anybody."""
        return {
            key: entry
            for key, entry in seen.entries.items()
            if not entry.is_older_than(self._ages_of(entry.value).hard, now=now)
        }

    def _is_due(self, group: str, entry: Entry[V], now: datetime) -> bool:
        """Say whether it is time to refresh the entry behind the back: earlier for some groups than for others."""
        return now > self._due_at(group, entry)

    def _trusted_until(self, group: str, entry: Entry[V]) -> datetime:
        """Return how long a process may serve the entry without looking: never beyond its hard age."""
        hard_at = entry.fetched_at + timedelta(seconds=self._ages_of(entry.value).hard)
        return min(self._due_at(group, entry), hard_at)

    def _due_at(self, group: str, entry: Entry[V]) -> datetime:
        spread = zlib.crc32(group.encode()) / 2**32
        return entry.fetched_at + timedelta(seconds=self._ages_of(entry.value).soft * (1 - JITTER * spread))
