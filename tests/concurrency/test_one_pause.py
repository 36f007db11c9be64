"""Ten presses of one button at once, by two operators: the button does what it says, once.

Every press has a thread and a connection of its own, so it needs a database that connections can share.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.selectors.pauses import get_pause
from simulator.seed import ACME

PRESSES = 10

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scope", [None, ACME], ids=["everything", "one customer"])
@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_presses_at_once_do_what_the_button_says_once(world, django_user_model: type[Any], scope, verb):
    fetch_customer(customer_uuid=ACME)
    operators = [django_user_model.objects.create_superuser(name) for name in ("ann", "bob")]
    urls = {
        name: reverse(f"admin:{name}_everything") if scope is None else reverse(f"admin:{name}_customer", args=[scope])
        for name in ("pause", "resume")
    }
    sent = {"reason": "incident"}
    if verb == "resume":
        first = _client_of(operators[0])
        first.post(urls["pause"], sent)
        sent = {"shown": first.get(urls["resume"]).context["shown"]}
    before = LogEntry.objects.count()
    clients = [_client_of(operators[number % 2]) for number in range(PRESSES)]
    start = Barrier(PRESSES)

    def press(client: Client) -> int:
        start.wait(timeout=10)
        try:
            return client.post(urls[verb], sent).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(PRESSES) as pool:
        assert set(pool.map(press, clients)) == {302}
    assert (get_pause(customer_uuid=scope) is not None) is (verb == "pause")
    assert LogEntry.objects.count() == before + 1


def _client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client
