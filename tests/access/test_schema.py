"""The API document is made once, not for each call."""

import time

import pytest
import yaml
from rest_framework.test import APIClient

from enterprise_access.apps.core.api.document import _rendered

pytestmark = pytest.mark.django_db

PAGE = "/api/schema/"
JSON = "application/vnd.oai.openapi+json"
FORMS = [JSON, "application/json", "application/vnd.oai.openapi", "application/yaml"]


@pytest.mark.parametrize("accept", FORMS)
def test_every_form_says_the_same_and_is_made_once(accept):
    _rendered.cache_clear()
    first = APIClient().get(PAGE, headers={"accept": accept})
    assert first.headers["Content-Type"] == accept
    assert yaml.safe_load(first.content)["info"]["title"] == "enterprise-access"
    for more in ("", "?lang=de", "?version=7", "?nonsense=1"):
        assert APIClient().get(PAGE + more, headers={"accept": accept}).content == first.content
    assert _rendered.cache_info().misses == 1


def test_a_call_takes_no_time_worth_speaking_of():
    APIClient().get(PAGE)
    started_at = time.process_time()
    for _ in range(10):
        APIClient().get(PAGE)
    assert time.process_time() - started_at < 0.5


def test_everybody_gets_the_same(simulator, api_as):
    assert api_as("ada").get(PAGE).content == APIClient().get(PAGE).content
