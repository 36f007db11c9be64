"""Requests and tasks are measured, and told apart by customer; never by person."""

from typing import ClassVar
from uuid import uuid4

import pytest
from celery import Celery, signals
from django.http import HttpResponse
from django.test import RequestFactory
from edx_django_utils.monitoring import TelemetryBackend
from edx_django_utils.monitoring.internal.backends import configured_backends

from enterprise_access.lib import monitoring
from enterprise_access.lib.metrics import TASK_SECONDS

CUSTOMER = uuid4()


class Backend(TelemetryBackend):
    """A monitoring backend of an installation, which keeps what it is told."""

    told: ClassVar[dict[str, object]] = {}

    def set_attribute(self, key, value):
        self.told[key] = value

    def create_span(self, name):
        """Nothing of ours makes one."""

    def set_local_root_span_name(self, name, group=None, priority=None):
        """Nothing of ours does."""

    def record_exception(self):
        """Nothing of ours does."""

    def tag_root_span_with_error(self, exception):
        """Nothing of ours does."""


@pytest.fixture
def told(settings):
    settings.OPENEDX_TELEMETRY = [f"{__name__}.Backend"]
    configured_backends.cache_clear()
    yield Backend.told
    Backend.told.clear()
    configured_backends.cache_clear()


def ask(path):
    return monitoring.WatchRequests(lambda _: HttpResponse())(RequestFactory().get(path))


@pytest.mark.parametrize("name", ["enterprise_customer_uuid", "customer_uuid"])
def test_the_customer_of_a_request_is_told(told, name):
    ask(f"/?{name}={CUSTOMER}&user_email=ada@example.com&lms_user_id=1001")
    assert told == {"enterprise_access.enterprise_customer_uuid": str(CUSTOMER)}


def test_what_is_no_uuid_is_not_told(told):
    ask("/?enterprise_customer_uuid=ada@example.com")
    assert told == {}


@pytest.fixture
def app():
    app = Celery("of this test", broker="memory://localhost", set_as_current=False)
    app.conf.task_always_eager = True
    monitoring.watch_tasks()
    return app


def test_a_task_is_measured_and_its_customer_told(app, told):
    @app.task(name="of this test.ends well")
    def end_well(customer_uuid):
        return customer_uuid

    end_well.delay(customer_uuid=str(CUSTOMER))
    assert told["enterprise_access.enterprise_customer_uuid"] == str(CUSTOMER)
    assert TASK_SECONDS.labels("of this test.ends well", "success")._sum.get() > 0


def test_a_task_that_fails_is_measured_as_that(app):
    @app.task(name="of this test.fails")
    def fail():
        raise LookupError

    fail.delay()
    assert TASK_SECONDS.labels("of this test.fails", "failure")._sum.get() > 0


def test_a_worker_without_a_port_tells_nothing(settings):
    settings.METRICS_PORT = 0
    signals.worker_init.send(sender=None)
    monitoring.serve_metrics()
