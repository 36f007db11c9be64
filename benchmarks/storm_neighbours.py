"""The neighbours of a login storm: one customer with many learners and a license for each, and a quiet one beside it.

A program for a server: `gunicorn benchmarks.storm_neighbours:app`. STORM_LEARNERS and QUIET_LEARNERS say how many.
"""

import os

from simulator.app import create_app
from simulator.seed import seed
from simulator.world import World

STORM, QUIET = "storm", "quiet"
FIRST_LEARNER = 100_001
QUIET_LEARNER = 99_001
COURSES = [f"StormX+C{number}" for number in range(5)]


def seed_storm(world: World) -> None:
    """Fill the world with the named one (for its worker account) and the two customers."""
    seed(world)
    for key in COURSES:
        world.add_course(key=key, title=key)
        world.add_run(key=f"course-v1:{key}+1")
    learners = {STORM: int(os.environ.get("STORM_LEARNERS", "1000")), QUIET: int(os.environ.get("QUIET_LEARNERS", "1"))}
    for slug, first in ((STORM, FIRST_LEARNER), (QUIET, QUIET_LEARNER)):
        world.add_customer(slug=slug, name=slug)
        world.add_agreement(customer=slug)
        catalog = world.add_catalog(customer=slug, title=slug, courses=COURSES)
        plan = world.add_plan(customer=slug, catalog_uuid=catalog.uuid, title=slug)
        for number in range(first, first + learners[slug]):
            world.add_learner(id=number, username=f"learner{number}", customer=slug)
            world.add_license(plan_uuid=plan.uuid, username=f"learner{number}")


app = create_app(World(seed=seed_storm))
