"""What `make bench-api` does inside a process that is set up like the server that it measures.

python -m benchmarks.api_data

Reads orders from stdin, a JSON object a line ({"do": "forget"}), and answers each with a line.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import django
from django.core.management import call_command

from benchmarks.reporting import Row

SERVER = {"SERVER_NAME": "127.0.0.1"}


def set_up() -> None:
    """Make the tables, and customers with intentions, half of which are realized for the learner."""
    from django.conf import settings
    from django.core.cache import cache

    from benchmarks.api_world import SIZES, course_key, slug_of
    from enterprise_access.apps.customers.services import fetch_customer_by_slug

    call_command("migrate", verbosity=0)
    if "cache" in settings.DATABASES:
        call_command("migrate", database="cache", verbosity=0)
        call_command("createcachetable", database="cache")
    cache.clear()
    _write_modes()
    for size in SIZES:
        customer = fetch_customer_by_slug(slug=slug_of(size)).pk
        keys = [course_key(number) for number in range(size)]
        _intend(customer, keys[: size // 2])
        _realize(customer, size)
        _intend(customer, keys[size // 2 :])


def _write_modes() -> None:
    """The LMS would have to be asked for them one by one, within its limit."""
    from django.utils import timezone

    from benchmarks.api_world import SIZES, run_key
    from enterprise_access.apps.content_metadata.models import RunModes

    RunModes.objects.bulk_create(
        RunModes(
            course_run_key=run_key(number),
            modes={"audit": None, "verified": None},
            is_invitation_only=False,
            fetched_at=timezone.now(),
        )
        for number in range(max(SIZES))
    )


def _intend(customer: UUID, keys: list[str]) -> None:
    from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention

    DefaultEnterpriseEnrollmentIntention.objects.bulk_create(
        DefaultEnterpriseEnrollmentIntention(
            customer_id=customer, content_key=key, content_key_folded=key.lower(), content_type="course"
        )
        for key in keys
    )


def _realize(customer: UUID, size: int) -> None:
    from django.utils import timezone

    from benchmarks.api_world import learner_of, seed_api
    from enterprise_access.apps.default_enrollments.models import Trigger
    from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
    from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
    from simulator.world import World

    learner = World(seed=seed_api).user(learner_of(size)).id
    request_realization(
        customer_uuid=customer,
        lms_user_ids=[learner],
        trigger=Trigger.LOGIN,
        now=timezone.now(),
    )
    summary = realize_due(customer_uuid=customer, limit=10, now=timezone.now())
    if summary.realized != size // 2:
        raise RuntimeError(f"{summary.realized} of {size // 2} were realized.")


def forget() -> None:
    """Know nothing but intentions, realizations and modes: not in this process, and not in any other."""
    from django.core.cache import cache

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerEnrollment

    cache.clear()
    EnterpriseLearner.objects.all().delete()
    LearnerEnrollment.objects.all().delete()
    EnterpriseCustomer.objects.update(fetched_at="2020-01-01T00:00:00Z")
    wait_until_nothing_is_trusted()


def wait_until_nothing_is_trusted() -> None:
    """Wait until every process looks again at what it was shown before."""
    from django.conf import settings

    seconds = [float(getattr(settings, name)) for name in dir(settings) if name.endswith("_TRUSTED_SECONDS")]
    time.sleep(max(seconds, default=0.0) * 1.1)


def forget_modes() -> None:
    """Know nothing of the modes of any run either."""
    from enterprise_access.apps.content_metadata.models import RunModes

    RunModes.objects.all().delete()
    forget()


def age() -> None:
    """Make every copy of the LMS's answers older than it should be."""
    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner

    then = timezone.now() - timedelta(hours=2)
    EnterpriseLearner.objects.update(fetched_at=then, enrollments_fetched_at=then)
    EnterpriseCustomer.objects.update(fetched_at=then)


# --- Where the time goes ---------------------------------------------------------------------------------------------


def profile(path: str, floor: str, token: str, repeat: int, unmeasured: int = 3) -> Row:
    """Profile a request and its floor, after some that are not measured."""
    from benchmarks.watching import profile_of

    beside = profile_of(_asking(floor, token), repeat, unmeasured)
    return {
        "floor": {key: beside[key] for key in ("ms", "packages")},
        "candidate": profile_of(_asking(path, token), repeat, unmeasured),
    }


def timeline(path: str, token: str) -> Row:
    """Note the calls of a request for what nobody knows."""
    from benchmarks.watching import timeline_of

    ask = _asking(path, token)
    ask()  # What is cold are the copies, not the process.
    forget()
    return timeline_of(ask)


def _asking(path: str, token: str) -> Callable[[], None]:
    from django.test import Client

    client = Client(headers={"Authorization": f"JWT {token}"})

    def ask() -> None:
        answer = client.get(path, **SERVER)  # type: ignore[arg-type]
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}: {answer.content[:300]!r}")

    return ask


ORDERS: dict[str, Callable[..., Any]] = {
    order.__name__: order
    for order in (set_up, forget, forget_modes, wait_until_nothing_is_trusted, age, profile, timeline)
}


def main() -> None:
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(ORDERS[order.pop("do")](**order)), flush=True)


if __name__ == "__main__":
    main()
