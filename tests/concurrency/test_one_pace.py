"""Many processes at once want a turn of one shared rate: no more get one than the rate allows."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from enterprise_access.apps.customers.models import CallPace
from enterprise_access.apps.customers.services.pace import Pace

AT_ONCE, BURST = 8, 5

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("is_new", [True, False])
def test_of_many_at_once_no_more_than_the_burst_get_a_turn(is_new: bool):
    pace, start = Pace(name="reads", per_minute=1, burst=BURST), Barrier(AT_ONCE)
    if not is_new:
        CallPace.objects.create(name="reads", used_until_ms=0)

    def take(_: int) -> int:
        start.wait(timeout=10)
        try:
            return sum(pace.take() for _ in range(3))
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sum(pool.map(take, range(AT_ONCE))) == BURST
