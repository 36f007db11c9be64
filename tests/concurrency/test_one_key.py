"""Eight operators at once add the same key: one intention, one 201, and seven who are told whose it is.

Every request has a thread and a connection of its own, so it needs a database that connections can share
(`make test-concurrency` runs it on a file, PostgreSQL and MariaDB).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions.describing import check_key
from simulator.app import Simulator
from simulator.seed import ACME
from tests.concurrency.test_one_learner import count
from tests.tally import Tally

AT_ONCE = 8
KEY = "edX+DemoX"
INTENTIONS = "/api/v1/default-enterprise-enrollment-intentions/"

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def test_of_many_who_add_one_key_at_once_one_succeeds(
    simulator: Simulator, api_as: Callable[[str], APIClient], tally: Tally
):
    fetch_customer(customer_uuid=ACME)
    check_key(customer_uuid=ACME, content_key=KEY)  # warm, so that all come to the database together
    client = api_as("enterprise_access_worker")
    client.get(INTENTIONS, {"enterprise_customer_uuid": str(ACME)})  # lets the account be known
    start = Barrier(AT_ONCE)

    def add(_: int) -> Any:
        own = api_as("enterprise_access_worker")
        start.wait(timeout=10)
        try:
            return own.post(INTENTIONS, {"enterprise_customer_uuid": str(ACME), "content_key": KEY}, format="json")
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(add, range(AT_ONCE)))

    made = DefaultEnterpriseEnrollmentIntention.objects.count()
    count(tally, expected=1, made=made, **{f"races_of_{AT_ONCE}_staff_for_one_key": 1})
    kept = DefaultEnterpriseEnrollmentIntention.objects.get()
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (AT_ONCE - 1)
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {(body["code"], body["extra"]["uuid"]) for body in refused} == {("intention_exists", str(kept.pk))}
