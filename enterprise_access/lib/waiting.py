"""Places for callers who wait: a bounded number in each process, and one for each learner.

A request that waits for background work holds a thread of the web process. Without a bound, some dozens of waiting
learners would leave no thread for anybody else, the health checks included.
"""

import contextlib
import threading
from collections.abc import Hashable, Iterator


class WaitingPlaces:
    """Who is waiting in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: set[Hashable] = set()

    @contextlib.contextmanager
    def place(self, *, of: Hashable, limit: int) -> Iterator[bool]:
        """Hold a place for `of` while inside; False: there is none, since all are taken or `of` has one already."""
        with self._lock:
            has_place = len(self._taken) < limit and of not in self._taken
            if has_place:
                self._taken.add(of)
        try:
            yield has_place
        finally:
            if has_place:
                with self._lock:
                    self._taken.discard(of)
