"""Whether the dashboard says that courses can be requested."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from enterprise_access.apps.redemption.tests.ledgers import make_policy
from simulator.seed import GLOBEX

pytestmark = pytest.mark.django_db


def test_only_an_active_budget_of_the_customer_that_takes_requests_counts(open_page):
    make_policy()
    for change in ({"active": False}, {"retired": True}, {"customer_uuid": GLOBEX}):
        make_policy(learner_credit_request_config=uuid4(), **change)
    assert open_page("ada").body["has_bnr_enabled_policy"] is False
    make_policy(learner_credit_request_config=uuid4())
    opened = open_page("ada")
    assert (opened.body["has_bnr_enabled_policy"], opened.missing) == (True, [])


def test_what_cannot_be_read_is_named_and_the_page_goes_on(open_page):
    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if "learner_credit_request_config" in sql:
            raise OperationalError
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        opened = open_page("ada")
    assert (opened.status, opened.slug, opened.body["has_bnr_enabled_policy"]) == (200, "acme", False)
    assert opened.missing == ["Whether courses can be requested could not be loaded: unexpected error"]
