"""The page that says which neighbours are left alone."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.neighbour_checks import NeighbourCheck, remember_checks

pytestmark = pytest.mark.django_db

PAGE = "/admin/neighbours/"


def page_for(client, **about):
    client.force_login(somebody(**about))
    return client.get(PAGE)


def somebody(**about):
    """Return somebody who may see the overview."""
    user = get_user_model().objects.create_user(username="somebody", **about)
    user.user_permissions.add(Permission.objects.get(codename="view_defaultenterpriseenrollmentintention"))
    return user


def fail():
    raise UpstreamUnavailable("away", service="lms", reason=UpstreamReason.TIMEOUT)


def test_staff_see_who_is_left_alone_since_when_and_why(client, settings):
    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            breaker_of("lms").call(fail)
    text = page_for(client, is_staff=True).content.decode()
    for cell in ("lms", "open", "timeout", breaker_of("lms").state.process):
        assert f"<td>{cell}</td>" in text


def test_nothing_to_tell_is_said(client):
    assert b"No process has reported a failing service" in page_for(client, is_staff=True).content


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_others_are_sent_to_the_login(client, is_signed_in):
    answer = page_for(client) if is_signed_in else client.get(PAGE)
    assert (answer.status_code, answer.url) == (302, f"/admin/login/?next={PAGE}")


def test_the_start_page_leads_here(client):
    client.force_login(somebody(is_staff=True))
    assert f'<a href="{PAGE}">'.encode() in client.get("/admin/").content


def test_every_service_has_a_card_and_who_is_left_alone_comes_first(client, settings):
    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            breaker_of("lms").call(fail)
    first, *others = page_for(client, is_staff=True).context["services"]
    assert (first["name"], first["state"]) == ("lms", "open")
    assert {"enterprise-catalog", "license-manager"} <= {service["name"] for service in others}
    assert {service["state"] for service in others} == {"closed"}


def test_the_number_of_calls_says_whose_they_are(client):
    for service in page_for(client, is_staff=True).context["services"]:
        assert service["counted_by"] == "this web process"
    assert "by this web process" in client.get(PAGE).content.decode()


def test_what_our_account_may_do_is_told_with_what_went_wrong(client):
    now = timezone.now()
    remember_checks(
        [
            NeighbourCheck(name="LMS", at=now, took_seconds=0.0421),
            NeighbourCheck(name="catalog", at=now, problem="connection: it broke", is_unavailable=True),
            NeighbourCheck(name="licenses", at=now, problem="forbidden: HTTP 403"),
        ]
    )
    text = page_for(client, is_staff=True).content.decode()
    assert "Has access" in text
    assert "42 ms" in text
    assert "No answer</span>: connection: it broke" in text
    assert "Refused</span>: forbidden: HTTP 403" in text


def test_that_nobody_has_looked_and_that_there_is_no_canary_is_said(client, settings):
    settings.LMS_CANARY_USER_ID = None
    text = page_for(client, is_staff=True).content.decode()
    assert "No check within a day" in text
    assert "There is no canary" in text


def test_the_page_reads_nothing_but_who_is_looking(client, django_assert_num_queries):
    client.force_login(somebody(is_staff=True))
    client.get(PAGE)
    with django_assert_num_queries(6):
        client.get(PAGE)
