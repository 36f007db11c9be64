"""The time that a reader waits, over real connections: the whole of it is bounded, whatever hangs, and whenever."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from enterprise_access.apps.content_metadata.selectors.content import UNAVAILABLE
from enterprise_access.apps.content_metadata.tests.neighbourhood import ANYWHERE, CONTENT, DEMO, LIST, fetch, outcome_of
from simulator.app import Simulator, create_app, simulator_of
from simulator.faults import FaultKind
from simulator.seed import WORKER_KEY, WORKER_SECRET

BUDGET_SECONDS = 0.5
# For our own work, on a busy machine.
GRACE_SECONDS = 0.5
ELSEWHERE = "EdinburghX+SUST1"


class Server(ThreadedWSGIServer):
    """Lets those go that still hang when a test is over."""

    daemon_threads = True
    block_on_close = False


class Quiet(WSGIRequestHandler):
    """Says nothing of the calls that it serves."""

    def log(self, *_args: Any) -> None:
        pass


@pytest.fixture
def neighbours(settings: Any) -> Iterator[Simulator]:
    """Run the simulator behind a real server, and let our settings point there."""
    app = create_app()
    server = Server("127.0.0.1", 0, app, handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    settings.CATALOG_BASE_URL, settings.LMS_BASE_URL = f"{url}/catalog", f"{url}/lms"
    settings.OAUTH2_BASE_URL = settings.LMS_BASE_URL
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = WORKER_KEY, WORKER_SECRET
    settings.CONTENT_BUDGET_SECONDS = 10
    # With a token and open connections, what is measured is the fault.
    outcome_of("UQx+THINK101")
    settings.CONTENT_BUDGET_SECONDS = BUDGET_SECONDS
    yield simulator_of(app)
    simulator_of(app).faults.clear()
    server.shutdown()
    thread.join()
    server.server_close()


FAULTS = {
    "hang": {"kind": FaultKind.HANG},
    "slow": {"kind": FaultKind.DELAY_BEFORE, "seconds": 3},
    "drip": {"kind": FaultKind.SLOW_DRIP, "seconds": 0.2},
}


@pytest.mark.parametrize("endpoint", [LIST, CONTENT, ANYWHERE])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_reader_waits_no_longer_than_the_budget(neighbours, fault, endpoint):
    neighbours.faults.add(endpoint=endpoint, times=None, **FAULTS[fault])
    started_at = time.monotonic()
    assert set(fetch(DEMO, ELSEWHERE).values()) == {UNAVAILABLE}
    assert time.monotonic() - started_at < BUDGET_SECONDS + GRACE_SECONDS


def test_the_budget_is_that_of_all_calls_together(neighbours):
    """Each of the three calls in a row is in time by itself."""
    neighbours.faults.add(FaultKind.DELAY_BEFORE, "catalog.*", times=None, seconds=0.8 * BUDGET_SECONDS)
    started_at = time.monotonic()
    assert set(fetch(DEMO, ELSEWHERE).values()) == {UNAVAILABLE}
    assert time.monotonic() - started_at < BUDGET_SECONDS + GRACE_SECONDS
