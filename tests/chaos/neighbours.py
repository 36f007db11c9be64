"""The neighbours of a storm, with an event bus: `gunicorn tests.chaos.neighbours:app`.

SIMULATOR_EVENT_BUS_URL names the bus, STORM_LEARNERS the number of learners.
"""

import os

from benchmarks.storm_neighbours import app
from simulator.app import simulator_of
from simulator.event_bus import EventBus

__all__ = ["app"]

EventBus(os.environ["SIMULATOR_EVENT_BUS_URL"]).listen_to(simulator_of(app).world)
