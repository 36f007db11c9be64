"""The producer on a real Redis: what it sends can be read, and what it cannot send it says."""

import pytest
import redis
from django.utils import timezone

from enterprise_access.events import wire
from enterprise_access.events.producer import create_producer
from enterprise_access.events.services import _producer as the_producer
from enterprise_access.events.services import publish, relay
from enterprise_access.events.tests.test_outbox import blocked

pytestmark = [pytest.mark.services, pytest.mark.django_db]

OWN_TOPIC = "enterprise-default-enrollments"


@pytest.fixture
def _real_producer(settings):
    settings.EVENT_BUS_PRODUCER = "enterprise_access.events.producer.create_producer"
    the_producer.cache_clear()
    yield
    the_producer.cache_clear()


@pytest.mark.usefixtures("_real_producer")
def test_our_events_travel_from_the_outbox_over_redis(redis_bus):
    announcement = blocked(1, "no_license")
    publish(announcement)
    assert relay(now=timezone.now()) == 1
    ((_, fields),) = redis_bus.all(OWN_TOPIC)
    event = wire.read_event(fields)
    assert event.data == {"default_enrollment": announcement.data}
    assert (event.type, event.at) == (announcement.signal.event_type, announcement.occurred_at)
    assert fields[b"source"] == b"openedx/enterprise-access/web"


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://nobody:wrong@127.0.0.1:6379/0"])
def test_a_bus_that_cannot_be_reached_is_an_error(settings, url):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = url
    with pytest.raises(redis.RedisError):
        create_producer().client.ping()


@pytest.mark.usefixtures("_real_producer")
def test_events_wait_for_a_bus_that_cannot_be_reached(settings):
    settings.EVENT_BUS_REDIS_CONNECTION_URL = "redis://127.0.0.1:1/0"
    publish(blocked(1))
    assert relay(now=timezone.now()) == 0
