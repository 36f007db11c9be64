from typing import Any

from celery.signals import worker_ready
from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "enterprise_access.apps.customers"
    verbose_name = "Customers and their learners"
    admin_order = 10

    def ready(self) -> None:
        """Look, whenever a worker starts, whether our account has the rights that the work needs. (Web: wsgi.py.)

        And say what /metrics and /health/ready/ tell of us.
        """
        worker_ready.connect(_check_neighbours, dispatch_uid="customers.check_neighbours")
        from enterprise_access.apps.customers.services import SIGHTINGS, watching  # needs the models
        from enterprise_access.lib import health, state
        from enterprise_access.lib.work.watching import watch

        watch(SIGHTINGS)
        state.register("sightings", watching.read_sightings)
        state.register("neighbour checks", watching.read_neighbour_checks)
        health.register("rights", watching.look_at_rights)


def _check_neighbours(**_signal: Any) -> None:
    from enterprise_access.apps.customers.services import check_neighbours_at_start  # the models are loaded by now

    check_neighbours_at_start()
