"""The neighbours of `make bench-api`: for every size a customer with so many courses, and one learner with a license.

A program for a server: `gunicorn benchmarks.api_world:app`.
"""

import os

from simulator.app import create_app
from simulator.seed import seed
from simulator.world import World

# Whoever sends this header is told how many statements the request took, those of the cache's own database apart.
COUNT = "X-Count-Statements"

SIZES = (1, 10, 50, 100)
# Whom nobody has asked about before the measurement begins.
NEWCOMER = "newcomer"


def slug_of(size: int) -> str:
    return f"api-{size}"


def learner_of(size: int) -> str:
    return f"apilearner{size}"


def course_key(number: int) -> str:
    return f"ApiX+C{number:03}"


def run_key(number: int) -> str:
    return f"course-v1:{course_key(number)}+2026_T1"


def seed_api(world: World) -> None:
    """Fill the world with the named one (for its worker account) and the customers that are measured."""
    seed(world)
    for number in range(max(SIZES)):
        world.add_open_course(key=course_key(number))
    for size in SIZES:
        slug = slug_of(size)
        world.add_customer(slug=slug, name=slug)
        world.add_agreement(customer=slug)
        catalog = world.add_catalog(customer=slug, title=slug, courses=[course_key(number) for number in range(size)])
        plan = world.add_plan(customer=slug, catalog_uuid=catalog.uuid, title=slug)
        world.add_learner(username=learner_of(size), customer=slug)
        world.add_license(plan_uuid=plan.uuid, username=learner_of(size))
    world.add_learner(username=NEWCOMER, customer=slug_of(max(SIZES)))


if "SIMULATOR_SIGNING_JWK" in os.environ:
    app = create_app(
        World(seed=seed_api),
        signing_key=os.environ["SIMULATOR_SIGNING_JWK"],
        issuer=os.environ["JWT_ISSUER"],
        audience=os.environ["JWT_AUDIENCE"],
    )
