"""The page that says which neighbours are left alone."""

import pytest
from django.contrib.auth import get_user_model

from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.errors import Reason, UpstreamUnavailable

pytestmark = pytest.mark.django_db

PAGE = "/admin/neighbours/"


def page_for(client, **about):
    client.force_login(get_user_model().objects.create_user(username="somebody", **about))
    return client.get(PAGE)


def fail():
    raise UpstreamUnavailable("away", service="lms", reason=Reason.TIMEOUT)


def test_staff_see_who_is_left_alone_since_when_and_why(client, settings):
    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            breaker_of("lms").call(fail)
    text = page_for(client, is_staff=True).content.decode()
    for cell in ("lms", "open", "timeout", breaker_of("lms").state.process):
        assert f"<td>{cell}</td>" in text


def test_nothing_to_tell_is_said(client):
    assert b"Every neighbour answers" in page_for(client, is_staff=True).content


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_others_are_sent_to_the_login(client, is_signed_in):
    answer = page_for(client) if is_signed_in else client.get(PAGE)
    assert (answer.status_code, answer.url) == (302, f"/admin/login/?next={PAGE}")
