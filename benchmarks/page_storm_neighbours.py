"""The upstream services of a storm of portal pages: customers whose learners have a license and two default courses.

A program for a server: `gunicorn benchmarks.page_storm_neighbours:app`. PAGE_STORM_LEARNERS says how many learners.
"""

import os

from simulator.app import create_app
from simulator.seed import seed
from simulator.world import World

CUSTOMERS = 20
FIRST_LEARNER = 200_001
COURSES = ["PageX+C0", "PageX+C1"]


def slug_of(number: int) -> str:
    """Return the customer of the learner with this number."""
    return f"page{number % CUSTOMERS}"


def username_of(number: int) -> str:
    return f"pager{number}"


def seed_page_storm(world: World) -> None:
    """Fill the world with the named one (for its worker account) and the customers."""
    seed(world)
    for key in COURSES:
        world.add_course(key=key, title=key)
        world.add_run(key=f"course-v1:{key}+1")
    plans = {}
    for number in range(CUSTOMERS):
        slug = slug_of(number)
        world.add_customer(slug=slug, name=slug)
        world.add_agreement(customer=slug)
        catalog = world.add_catalog(customer=slug, title=slug, courses=COURSES)
        plans[slug] = world.add_plan(customer=slug, catalog_uuid=catalog.uuid, title=slug)
    for number in range(int(os.environ.get("PAGE_STORM_LEARNERS", "1200"))):
        slug = slug_of(number)
        world.add_learner(id=FIRST_LEARNER + number, username=username_of(number), customer=slug)
        world.add_license(plan_uuid=plans[slug].uuid, username=username_of(number))


app = create_app(World(seed=seed_page_storm))
