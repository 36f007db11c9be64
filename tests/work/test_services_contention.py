"""Asking, working and settling at once on the same rows: no error escapes, and no customer is said to be unknown."""

import threading
import time

import pytest
from django.db import connection, connections
from django.utils import timezone

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import RealizationRequest, Trigger
from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, request_realization
from enterprise_access.lib.work import leases
from enterprise_access.lib.work.leases import Settlement
from simulator.seed import ACME

SECONDS = 8
LEARNERS = list(range(1, 101))

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_asking_and_working_on_the_same_rows_at_once_fails_nobody():
    if connection.vendor == "sqlite":
        pytest.skip("a database for many writers is needed")
    EnterpriseCustomer.objects.create(uuid=ACME, slug="acme", name="Acme", fetched_at=timezone.now())
    problems: list[Exception] = []
    done = {"asked": 0, "settled": 0}
    ends_at = time.monotonic() + SECONDS

    def ask(ids: list[int]) -> None:
        request_realization(customer_uuid=ACME, lms_user_ids=ids, trigger=Trigger.PORTAL, now=timezone.now())
        done["asked"] += 1

    def work() -> None:
        with leases.claim(QUEUE, limit=60, rows=RealizationRequest.objects.filter(customer_id=ACME)) as lease:
            lease.renew()
            leases.settle(lease, [Settlement(item=row) for row in lease.items])
            done["settled"] += len(lease.items)

    def repeat(action, *arguments) -> None:
        try:
            while time.monotonic() < ends_at:
                action(*arguments)
        except Exception as error:  # noqa: BLE001 - whatever escapes is the finding
            problems.append(error)
        finally:
            connections.close_all()

    loops = [(ask, LEARNERS), (ask, LEARNERS[::-1]), (work,), (work,)]
    threads = [threading.Thread(target=repeat, args=loop) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert done["asked"] > 0
    assert done["settled"] > 0
    assert RealizationRequest.objects.count() == len(LEARNERS)
    print(done)  # noqa: T201
