"""What default enrollments tell of a learner's past."""

import pytest
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.default_enrollments.models import RealizationOverride
from enterprise_access.apps.default_enrollments.selectors.timeline import list_past_events
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, DEMO_RUN, HAL, intend, visit
from simulator.seed import ACME, GLOBEX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


def kinds(lms_user_id, customer=ACME):
    return [(event.kind, event.reason) for event in list_past_events(customer, lms_user_id, 10)]


def test_an_enrollment_is_told_and_not_to_another_customer():
    intend(DEMO)
    visit(ADA)
    assert kinds(ADA) == [("realized", "")]
    assert kinds(ADA, GLOBEX) == []


def test_what_kept_a_learner_out_is_told_with_its_reason():
    intend(DEMO)
    visit(HAL)
    [event] = list_past_events(ACME, HAL, 10)
    assert (event.kind, event.reason) == ("not_enrolled", "no_license")
    assert DEMO in event.text or DEMO_RUN in event.text


def test_leaving_and_the_permission_to_come_back_are_told():
    [intention] = intend(DEMO)
    visit(ADA)
    realization = intention.realizations.get()
    realization.left_at, realization.left_reason = timezone.now(), "learner_left"
    realization.save()
    RealizationOverride.objects.create(
        intention=intention, lms_user_id=ADA, by="root", reason="A mistake.", used_at=timezone.now()
    )
    told = {kind for kind, _ in kinds(ADA)}
    assert told == {"realized", "left", "override_granted", "override_used"}
    assert "root" not in "".join(event.text for event in list_past_events(ACME, ADA, 10))


def test_three_statements_however_long_the_past_is(django_assert_num_queries):
    intend(DEMO)
    visit(ADA)
    with django_assert_num_queries(3):
        list_past_events(ACME, ADA, 10)


def test_the_page_why_shows_it(client, django_user_model):
    intend(DEMO)
    visit(ADA)
    client.force_login(django_user_model.objects.create_superuser("root"))
    page = client.get(reverse("why"), {"customer": str(ACME), "lms_user_id": ADA}).content.decode()
    assert f"Enrolled in {DEMO_RUN}." in page
