"""The neighbours of a measurement: the simulator, with a world of one size, that answers from memory what it answered
before, so that what is measured is our side and the wire, and not how fast a simulator puts records together.

A program for a server: `gunicorn benchmarks.neighbours:app`.
"""

from collections.abc import Hashable

from flask import Response, request

from simulator.app import create_app
from simulator.seed import seed
from simulator.world import World

COURSES = 100
RUNS_OF_A_COURSE = 3
CATALOGS = (1, 4)


def course_key(number: int) -> str:
    return f"BenchX+C{number:03}"


def slug_of(catalogs: int) -> str:
    """Return the slug of the customer that has so many catalogs, each with all the courses."""
    return f"bench-{catalogs}"


def seed_bench(world: World) -> None:
    """Fill the world with the named one (for its worker account) and the customers that are measured."""
    seed(world)
    keys = [course_key(number) for number in range(COURSES)]
    for key in keys:
        world.add_course(key=key, title=f"All About {key}", has_reviews=True)
        for run in range(RUNS_OF_A_COURSE):
            world.add_run(key=f"course-v1:{key}+{2026 + run}_T1")
    for catalogs in CATALOGS:
        world.add_customer(slug=slug_of(catalogs))
        for number in range(catalogs):
            world.add_catalog(customer=slug_of(catalogs), title=f"Catalog {number}", courses=keys)


app = create_app(World(seed=seed_bench))
_answers: dict[Hashable, bytes] = {}


def _is_content() -> bool:
    return request.method == "GET" and request.endpoint in {"catalog.catalog_content", "catalog.catalogs"}


@app.before_request
def answer_again() -> Response | None:
    body = _answers.get(request.full_path) if _is_content() else None
    return None if body is None else Response(body, content_type="application/json")


@app.after_request
def remember(response: Response) -> Response:
    if _is_content() and response.status_code == 200:
        _answers[request.full_path] = response.get_data()
    return response
