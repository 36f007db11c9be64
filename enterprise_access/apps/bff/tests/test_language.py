"""Messages to learners are in their language; what is marked for it is translated, and has lost nothing."""

import pytest
from django.urls import reverse
from django.utils import translation
from rest_framework.test import APIClient

from enterprise_access.apps.bff.api.serializers.pages import ProblemSerializer
from enterprise_access.apps.bff.domain import problems as of_pages
from enterprise_access.apps.default_enrollments.domain.answers import say_to_learner
from enterprise_access.apps.default_enrollments.domain.words import WORDS
from enterprise_access.apps.licenses.domain.problems import LicenseProblem, ProblemCode


def in_spanish(text):
    with translation.override("es"):
        return translation.gettext(text)


def test_every_reason_is_told_to_learners_in_spanish_too():
    assert [reason for reason in WORDS if in_spanish(say_to_learner(reason)) == say_to_learner(reason)] == []


def test_every_problem_of_a_page_is_told_in_spanish_too():
    messages = [of_pages.NO_CUSTOMER.user_message, of_pages.portal_is_off("acme").user_message]
    messages += [each.user_message for each in vars(of_pages).values() if isinstance(each, of_pages.Section)]
    messages += [LicenseProblem(code=code).user_message for code in ProblemCode]
    assert [message for message in messages if in_spanish(message) == message] == []


def test_an_answer_has_the_message_in_the_language_of_the_request():
    with translation.override("es"):
        data = ProblemSerializer(of_pages.NO_CUSTOMER).data
    assert data["user_message"] == "No pudimos encontrar tu organización."
    assert data["developer_message"] == of_pages.NO_CUSTOMER.developer_message


@pytest.mark.django_db
def test_the_api_answers_in_the_language_of_the_browser_and_the_admin_in_english():
    client = APIClient(headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.8"})
    assert client.get("/api/v1/course-types/")["Content-Language"] == "es"
    assert APIClient().get("/api/v1/course-types/")["Content-Language"].startswith("en")
    page = client.get(reverse("admin:login"))
    assert "Content-Language" not in page
    assert "Iniciar" not in page.content.decode()
    assert translation.get_language().startswith("en")


@pytest.mark.django_db
def test_the_language_of_an_answer_is_not_that_of_the_next_request():
    before = translation.get_language()
    APIClient(headers={"Accept-Language": "es"}).get("/api/v1/default-enterprise-enrollment-intentions/")
    assert translation.get_language() == before
