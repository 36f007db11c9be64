"""GET health/live: the process serves requests; nobody is asked."""

import pytest
from django.test import Client


def test_live_needs_no_login_no_database_and_no_neighbour():
    answer = Client().get("/health/live/")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_the_start_page_leads_to_the_admin():
    assert Client().get("/").headers["Location"] == "/admin/"
