"""What the shared cache holds of answers of one kind: entries by group and key, and for each group who is asking."""

import logging
import pickle
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from uuid import uuid4

from attrs import frozen
from django.conf import settings

from enterprise_access.lib import shared_cache

log = logging.getLogger(__name__)

V = TypeVar("V")

# Longer than anybody waits for an answer; after that, no one needs to be told that there was none.
FAILURE_SECONDS: Final = 60

_LOCK: Final = "lock"
_REFRESHING: Final = "refreshing"
_FAILURE: Final = "failure"
_STAMP: Final = "stamp"

# How long a stamp lasts; a new one costs every process one look.
STAMP_SECONDS: Final = 24 * 60 * 60
# How many decoded entries a process keeps, of about 8 KiB each.
MOST_DECODED: Final = 2048


@frozen(kw_only=True, eq=False)
class Entry(Generic[V]):
    """A stored answer. `is_stale`: older than its hard age, and served because no one could be asked.

    As long as what is stored does not change, a process reads it as the same object.
    """

    value: V
    fetched_at: datetime
    is_stale: bool = False

    def is_older_than(self, seconds: float, *, now: datetime) -> bool:
        return now - self.fetched_at > timedelta(seconds=seconds)


@frozen
class StoredEntries(Generic[V]):
    """What one look at the cache showed: entries, whether somebody is asking, and the last failure's mark."""

    entries: dict[str, Entry[V]]
    is_asking: bool
    failure: str | None


class EntryStore(Generic[V]):
    """Reads and writes the entries of one kind. A cache that cannot be reached is an empty one.

    `version` is raised when values change their shape. `in_memory` False: nothing stays in the process.
    """

    def __init__(self, kind: str, *, version: int, in_memory: bool) -> None:
        self._kind = kind
        self._version = version
        self._decode = _decoded_bytes if in_memory else _decoded_bytes.__wrapped__

    def look(self, group: str, keys: Iterable[str]) -> StoredEntries[V]:
        """Return what there is of these keys, in one round trip."""
        addresses = {self.address(group, f"of:{key}"): key for key in keys}
        lock, failure = self.address(group, _LOCK), self.address(group, _FAILURE)
        stored = shared_cache.get_many([*addresses, lock, failure])
        entries = {
            key: self._decode(found)
            for address, key in addresses.items()
            # What other code wrote in another form cannot be read.
            if isinstance(found := stored.get(address), bytes)
        }
        return StoredEntries(
            entries={key: entry for key, entry in entries.items() if entry is not None},
            is_asking=lock in stored,
            failure=stored.get(failure),
        )

    def write(self, group: str, entries: Mapping[str, Entry[V]], *, seconds: float) -> None:
        """Store entries for so long. The group's stamp is to be renewed afterwards."""
        stored = {self.address(group, f"of:{key}"): encoded(entry) for key, entry in entries.items()}
        shared_cache.set_many(stored, seconds=seconds)

    def drop(self, group: str, keys: Iterable[str]) -> None:
        """Drop entries. The group's stamp is to be renewed afterwards."""
        shared_cache.delete_many([self.address(group, f"of:{key}") for key in keys])

    def stamp_of(self, group: str) -> str | None:
        """Return the stamp, which is another one as soon as something of the group was stored or dropped."""
        address = self.address(group, _STAMP)
        return shared_cache.get_many([address]).get(address)

    def begin_stamp(self, group: str) -> None:
        """Give the group a stamp unless it has one."""
        shared_cache.add(self.address(group, _STAMP), uuid4().hex, seconds=STAMP_SECONDS)

    def renew_stamp(self, group: str) -> None:
        """Give the group another stamp."""
        shared_cache.set_many({self.address(group, _STAMP): uuid4().hex}, seconds=STAMP_SECONDS)

    def claim_refresh(self, group: str) -> bool | None:
        """Say whether it is for us to have the group refreshed in the background."""
        return shared_cache.add(self.address(group, _REFRESHING), 1, seconds=settings.CACHE_REFRESH_LATER_SECONDS)

    def lock(self, group: str, token: str, *, seconds: float) -> bool | None:
        """Say whether it is for us to ask. None: the cache cannot be reached, so no one knows."""
        return shared_cache.add(self.address(group, _LOCK), token, seconds=seconds)

    def unlock(self, group: str, token: str) -> None:
        """End our asking, unless it took longer than the lock lasts and is another's by now."""
        address = self.address(group, _LOCK)
        if shared_cache.get_many([address]).get(address) == token:
            shared_cache.delete_many([address])

    def note_failure(self, group: str, token: str) -> None:
        """Tell those who wait that there is no answer."""
        shared_cache.set_many({self.address(group, _FAILURE): token}, seconds=FAILURE_SECONDS)

    def address(self, group: str, name: str) -> str:
        """Return where something of a group is stored."""
        return shared_cache.address_of(kind=self._kind, version=self._version, group=group, name=name)


def encoded(entry: Entry[Any]) -> bytes:
    """Return an entry as it is stored: small, because there are many."""
    return zlib.compress(pickle.dumps((entry.fetched_at, entry.value), protocol=5), level=6)


# What is stored unchanged need not be decoded again; entries are never changed in place.
@lru_cache(maxsize=MOST_DECODED)
def _decoded_bytes(stored: bytes) -> Entry[Any] | None:
    try:
        fetched_at, value = pickle.loads(zlib.decompress(stored))  # noqa: S301 (Django's cache is trusted with pickles)
    except Exception as error:  # noqa: BLE001 (a pickle may raise anything)
        log.warning("A stored answer cannot be read. error=%s", type(error).__name__)
        return None
    return Entry(value=value, fetched_at=fetched_at)
