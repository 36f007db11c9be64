"""The upstream services of a storm of redemptions: one customer, with learners and an account of money.

A program for a server: `gunicorn benchmarks.redeeming_neighbours:app`. REDEEMING_LEARNERS and REDEEMING_PAID say how
many learners there are, and for how many there is money. GET /ledger-times returns when each redemption came in and was
answered, by the clock of the ledger.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from simulator import ledger
from simulator.app import create_app
from simulator.seed import seed
from simulator.world import World

SLUG, COURSE, RUN = "spenders", "SpendX+C1", "course-v1:SpendX+C1+2026_T1"
PRICE = 14_900
FIRST_LEARNER = 300_001


def seed_redeeming(world: World) -> None:
    """Fill the world with the named one (for its worker account) and the customer."""
    seed(world)
    customer = world.add_customer(slug=SLUG, name=SLUG)
    world.add_open_course(key=COURSE, run="2026_T1")
    world.add_catalog(customer=SLUG, title=SLUG, courses=[COURSE])
    paid = int(os.environ.get("REDEEMING_PAID", "150"))
    ledger.add_subsidy(world, customer_uuid=customer.uuid, starting_balance=paid * PRICE)
    for number in range(int(os.environ.get("REDEEMING_LEARNERS", "200"))):
        world.add_learner(id=FIRST_LEARNER + number, username=f"spender{number}", customer=SLUG)


class Clocked:
    """Notes when each redemption came in and was answered."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._times: list[tuple[float, float]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request, as a WSGI program does."""
        path = environ["PATH_INFO"]
        if path == "/ledger-times":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(sorted(self._times)).encode()]
        is_redemption = environ["REQUEST_METHOD"] == "POST" and path.endswith("/admin/transactions/")
        began = time.monotonic()
        answered = self._inner(environ, start_response)
        if is_redemption:
            self._times.append((began, time.monotonic()))
        return answered


app = create_app(World(seed=seed_redeeming))
app.wsgi_app = Clocked(app.wsgi_app)  # type: ignore[method-assign]
