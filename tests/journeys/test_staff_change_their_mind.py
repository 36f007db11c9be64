"""Staff add, delete and restore what a customer intends; the catalog advertises another run; nobody gets it twice."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from simulator.seed import ACME

DAY = timedelta(days=1)
LINUX = "LinuxFoundationX+LFS101x"
LINUX_RUN = "course-v1:LinuxFoundationX+LFS101x+2026_T1"

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(staff) -> Client:
    """Return somebody who may do everything, and has added the customer."""
    staff.post(reverse("admin:customers_enterprisecustomer_add"), {"name_or_uuid": "acme"})
    return staff


def url(page: str) -> str:
    return reverse(f"admin:default_enrollments_defaultenterpriseenrollmentintention_{page}")


def add(client: Client, content_key: str) -> None:
    """Look up what the key stands for, and save what was shown."""
    form = {"customer": str(ACME), "content_key": content_key}
    shown = client.post(url("add"), form).context["form"].address
    client.post(url("add"), form | {"shown": shown})


def act(client: Client, action: str, **more: str) -> None:
    everything = list(DefaultEnterpriseEnrollmentIntention.objects.values_list("pk", flat=True))
    chosen = {"action": action, "_selected_action": [str(pk) for pk in everything], **more}
    client.post(f"{url('changelist')}?state=all", chosen)


def test_what_staff_add_in_the_admin_is_what_the_next_learner_gets(world, staff, clock, sign_in, work_off, status_of):
    add(staff, LINUX.lower())
    sign_in("ada")
    work_off()
    assert world.enrollment("ada", LINUX_RUN).is_active

    act(staff, "delete_selected", post="yes")
    sign_in("max")
    work_off()
    assert world.enrollments_of("max") == []
    assert status_of("max") == {}

    act(staff, "restore")
    sign_in("max")
    sign_in("ada")
    work_off()
    assert world.enrollment("max", LINUX_RUN).is_active
    assert len(world.enrollments_of("ada")) == 1


def test_another_advertised_run_is_for_newcomers_only(world, staff, clock, sign_in, work_off, status_of):
    add(staff, LINUX)
    sign_in("ada")
    work_off()

    newer = "course-v1:LinuxFoundationX+LFS101x+2027_T1"
    world.add_run(key=newer)
    clock.shift(DAY)
    for username in ("ada", "max"):
        sign_in(username)
    work_off()

    assert [row.run_key for row in world.enrollments_of("ada")] == [LINUX_RUN]
    assert [row.run_key for row in world.enrollments_of("max")] == [newer]
    clock.shift(timedelta(minutes=2))
    told = status_of("ada")[LINUX]
    assert (told["bucket"], told["course_run_key"], told["has_existing_enrollment"]) == (
        "already_enrolled",
        newer,
        False,
    )
    assert told["realization"]["course_run_key"] == LINUX_RUN


def test_who_left_the_old_run_is_not_enrolled_in_the_new_one(world, staff, clock, sign_in, work_off, status_of):
    add(staff, LINUX)
    sign_in("ada")
    work_off()
    world.leave(username="ada", run_key=LINUX_RUN)
    world.add_run(key="course-v1:LinuxFoundationX+LFS101x+2027_T1")
    for _ in range(3):
        clock.shift(DAY)
        sign_in("ada")
        work_off()
    assert [(row.run_key, row.is_active) for row in world.enrollments_of("ada")] == [(LINUX_RUN, False)]
    told = status_of("ada")[LINUX]
    assert (told["bucket"], told["rule"]) == ("not_enrollable", "D2")
