"""A process that reads through the cache with others: `python -m enterprise_access.lib.tests.caller DIRECTORY`.

Starts when DIRECTORY/go exists. Every asking of the neighbour is one line of DIRECTORY/asked.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
from attrs import frozen

READERS = 8
SECONDS_TO_ANSWER = 0.3


@frozen
class Answers:
    """The neighbour, as slow as neighbours are."""

    directory: Path

    def fetch(self, keys, _ends_at):
        with (self.directory / "asked").open("a") as file:
            file.write(",".join(sorted(keys)) + "\n")
        time.sleep(SECONDS_TO_ANSWER)
        return {key: f"answer to {key}" for key in keys}


def read(directory: Path) -> bool:
    from enterprise_access.lib.caching import Ages, RefreshingCache

    cache: RefreshingCache[str] = RefreshingCache(
        "calls", version=1, ages_of=lambda _: Ages(soft=10, hard=20, forget=30)
    )
    entries = cache.get(
        "group",
        ["a", "b"],
        fetch=Answers(directory).fetch,
        refresh_later=print,
        may_fail=(OSError,),
        budget_seconds=20,
    )
    return {key: entry.value for key, entry in entries.items()} == {"a": "answer to a", "b": "answer to b"}


def main() -> None:
    django.setup()
    directory = Path(sys.argv[1])
    print("ready", flush=True)  # noqa: T201
    while not (directory / "go").exists():
        time.sleep(0.01)
    with ThreadPoolExecutor(READERS) as pool:
        print(sum(pool.map(read, [directory] * READERS)))  # noqa: T201


if __name__ == "__main__":
    main()
