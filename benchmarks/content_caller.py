"""One of several processes that ask for the same content at the same moment: CUSTOMER KEYS THREADS.

Says "ready", waits for a line, asks in all threads at once, and prints the seconds that each waited as a JSON list.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import django


def main(customer: UUID, number_of_keys: int, threads: int) -> None:
    django.setup()
    from benchmarks.neighbours import course_key
    from enterprise_access.apps.content_metadata.domain import Resolved
    from enterprise_access.apps.content_metadata.selectors import fetch_content

    keys = [course_key(number) for number in range(number_of_keys)]
    # What is cold is the cache, not the process: it has a token and open connections.
    fetch_content(customer_uuid=uuid4(), content_keys=["EdinburghX+SUST1"])
    barrier = threading.Barrier(threads)

    def ask(_: int) -> float:
        barrier.wait()
        started_at = time.perf_counter()
        contents = fetch_content(customer_uuid=customer, content_keys=keys)
        seconds = time.perf_counter() - started_at
        if not all(isinstance(content.resolution, Resolved) for content in contents.values()):
            raise SystemExit("Some keys were not resolved.")
        return seconds

    with ThreadPoolExecutor(threads) as pool:
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(list(pool.map(ask, range(threads)))), flush=True)


if __name__ == "__main__":
    main(UUID(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
