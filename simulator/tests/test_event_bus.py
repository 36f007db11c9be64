"""What the LMS tells on the event bus, on a real Redis."""

import os
from uuid import uuid4

import pytest
import redis
from openedx_events.event_bus.avro.deserializer import deserialize_bytes_to_event_data
from openedx_events.tooling import OpenEdxPublicSignal

from simulator import ledger
from simulator.event_bus import TOPICS, EventBus
from simulator.seed import seed
from simulator.world import World

from .recorded_subsidy_cases import MAIN, accounts, redeem, reverse

pytestmark = pytest.mark.services

URL = os.environ.get("EVENT_BUS_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
RUN = "course-v1:edX+DemoX+2026_T1"


@pytest.fixture
def prefix():
    client = redis.Redis.from_url(URL)
    try:
        client.ping()
    except redis.RedisError:
        pytest.skip("No Redis answers at EVENT_BUS_TEST_REDIS_URL (or 127.0.0.1:6379).")
    prefix = f"test-{uuid4().hex}"
    yield prefix
    client.delete(*(f"{prefix}-{topic}" for topic in TOPICS.values()))
    client.close()


@pytest.fixture
def world(prefix):
    world = World(seed=seed)
    EventBus(URL, prefix=prefix).listen_to(world)
    return world


@pytest.fixture
def told(prefix):
    """Return the last words of the types of events that were told, and their data, topic by topic."""

    def read():
        client = redis.Redis.from_url(URL, protocol=2)
        found = []
        for topic in dict.fromkeys(TOPICS.values()):
            for _, fields in client.xrange(f"{prefix}-{topic}"):
                event_type = fields[b"type"].decode()
                assert TOPICS[event_type] == topic
                signal = OpenEdxPublicSignal.get_signal_by_type(event_type)
                (data,) = deserialize_bytes_to_event_data(fields[b"event_data"], signal).values()
                found.append((event_type.removeprefix("org.openedx.learning."), data))
        client.close()
        return found

    return read


def test_the_seed_is_no_news(world, told):
    world.reset()
    assert told() == []


def test_a_registration_is_told(world, told):
    user = world.add_learner(username="new", customer="acme")
    ((kind, data),) = told()
    assert (kind, data.id) == ("student.registration.completed.v1", user.id)


def test_an_enrollment_and_leaving_are_told(world, told):
    world.enroll(username="ada", run_key=RUN, mode="verified")
    world.leave(username="ada", run_key=RUN)
    assert [(kind, data.mode, data.is_active) for kind, data in told()] == [
        ("course.enrollment.changed.v1", "verified", True),
        ("course.enrollment.changed.v1", "verified", False),
        ("course.unenrollment.completed.v1", "verified", False),
    ]


def test_the_life_of_a_ledger_transaction_is_told(world, told):
    accounts(world)
    redeem(world, lms="503")
    redeem(world)
    reverse(world)
    lives = [(kind.removeprefix("org.openedx.enterprise.subsidy_ledger_transaction."), data) for kind, data in told()]
    assert [kind for kind, _ in lives] == ["created.v1", "failed.v1", "created.v1", "committed.v1", "reversed.v1"]
    assert {data.uuid for _, data in lives} == {lives[0][1].uuid}
    assert (lives[-1][1].quantity, lives[-1][1].reversal.quantity) == (-14_900, 14_900)
    assert ledger.balance_of(world, MAIN) == 2_000_000


def test_a_bus_that_is_away_does_not_stop_the_world():
    world = World(seed=seed)
    EventBus("redis://127.0.0.1:1/0").listen_to(world)
    world.enroll(username="ada", run_key=RUN)
    assert world.enrollment("ada", RUN).is_active


def test_signing_in_is_told(prefix, told):
    from simulator.app import create_app, simulator_of

    app = create_app()
    EventBus(URL, prefix=prefix).listen_to(simulator_of(app).world)
    app.test_client().post("/portal/sign-in", json={"username": "ada", "customer": "acme"})
    ((kind, data),) = told()
    assert (kind, data.id) == ("auth.session.login.completed.v1", 1001)
