"""A rate that all processes keep together: at most so many uses in any stretch of so many seconds.

Every use takes one of a fixed number of places in the shared cache, which comes free by itself when its time is over.
Taking a place is one atomic `add`, so there is nothing to count and nothing to reset.
"""

from attrs import frozen

from enterprise_access.lib import metrics, shared_cache


@frozen(kw_only=True)
class SharedRate:
    """At most `limit` uses in any `seconds`. `name` is what all processes call it."""

    name: str
    limit: int
    seconds: float = 60

    def take(self, *, leave: int = 0) -> bool:
        """Say whether one more use is allowed, and count it if so. Never waits. `leave`: how many to keep for others.

        Without a cache no one counts; then the upstream service's own throttle has to do.
        """
        places = [shared_cache.address_of(kind="rate", version=1, of=self.name, place=n) for n in range(self.limit)]
        taken = shared_cache.get_many(places)
        free = [place for place in places if place not in taken]
        # Others may be faster at each of them.
        may = len(free) > leave and any(
            shared_cache.add(place, 1, seconds=self.seconds) is not False for place in free[leave:]
        )
        if not may:
            metrics.RATE_USED_UP.labels(self.name).inc()
        return may
