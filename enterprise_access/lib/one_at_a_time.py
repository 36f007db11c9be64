"""One asker at a time, whoever runs where: the others wait for the first, and mostly find what it has brought."""

import contextlib
import time
from collections.abc import Iterator
from typing import Final
from uuid import uuid4

from enterprise_access.lib import shared_cache
from enterprise_access.lib.prepared import forget_reads

# The pauses between tries: short at first, then kinder to the cache.
FIRST_PAUSE_SECONDS: Final = 0.02
LAST_PAUSE_SECONDS: Final = 0.2


@contextlib.contextmanager
def one_at_a_time(*, ends_at: float, **name: object) -> Iterator[bool]:
    """Do what is inside while no one else does what has the same `name`; says whether somebody else was waited for.

    Who waited looks first whether the other has brought what is wanted. It is a courtesy and no lock to rely upon: when
    time.monotonic() is `ends_at` the waiting ends, and without a cache there is none.
    """
    address = shared_cache.address_of(kind="one at a time", version=1, **name)
    token, pause, has_waited = uuid4().hex, FIRST_PAUSE_SECONDS, False
    while shared_cache.add(address, token, seconds=max(0.0, ends_at - time.monotonic())) is False:
        if time.monotonic() >= ends_at:
            break
        has_waited = True
        time.sleep(pause)
        pause = min(pause * 1.5, LAST_PAUSE_SECONDS)
    if has_waited:
        forget_reads()
    try:
        yield has_waited
    finally:
        # Not ours any more when we took longer than was thought.
        if shared_cache.get_many([address]).get(address) == token:
            shared_cache.delete_many([address])
