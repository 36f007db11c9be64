"""What `make bench-api` does to the database of the server that it measures. Run as a program of its own.

python -m benchmarks.api_data set-up | forget | age
"""

import sys
from datetime import timedelta
from uuid import UUID

import django
from django.core.management import call_command


def set_up() -> None:
    """Make the tables, and customers with intentions, half of which are realized for the learner."""
    from django.conf import settings
    from django.core.cache import cache
    from django.utils import timezone

    from benchmarks.api_world import SIZES, course_key, run_key, slug_of
    from enterprise_access.apps.content_metadata.models import RunModes
    from enterprise_access.apps.customers.services import fetch_customer_by_slug

    call_command("migrate", verbosity=0)
    if "cache" in settings.DATABASES:
        call_command("migrate", database="cache", verbosity=0)
        call_command("createcachetable", database="cache")
    cache.clear()
    # The LMS would have to be asked for them one by one, within its limit.
    RunModes.objects.bulk_create(
        RunModes(
            course_run_key=run_key(number),
            modes={"audit": None, "verified": None},
            is_invitation_only=False,
            fetched_at=timezone.now(),
        )
        for number in range(max(SIZES))
    )
    for size in SIZES:
        customer = fetch_customer_by_slug(slug=slug_of(size)).pk
        keys = [course_key(number) for number in range(size)]
        _intend(customer, keys[: size // 2])
        _realize(customer, size)
        _intend(customer, keys[size // 2 :])


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
    from enterprise_access.apps.default_enrollments.services.realizing import realize_due
    from enterprise_access.apps.default_enrollments.services.requests import request_realization
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
    """Know nothing but intentions and realizations."""
    from django.core.cache import cache

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerEnrollment

    cache.clear()
    EnterpriseLearner.objects.all().delete()
    LearnerEnrollment.objects.all().delete()
    EnterpriseCustomer.objects.update(fetched_at="2020-01-01T00:00:00Z")


def age() -> None:
    """Make every copy of the LMS's answers older than it should be."""
    from django.utils import timezone

    from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner

    then = timezone.now() - timedelta(hours=2)
    EnterpriseLearner.objects.update(fetched_at=then, enrollments_fetched_at=then)
    EnterpriseCustomer.objects.update(fetched_at=then)


if __name__ == "__main__":
    django.setup()
    {"set-up": set_up, "forget": forget, "age": age}[sys.argv[1]]()
