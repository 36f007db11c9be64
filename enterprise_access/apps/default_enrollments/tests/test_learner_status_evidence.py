"""learner-status while the LMS's modes are not known: what the run is for tells, for one statement more."""

import pytest
from django.db import connection

from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.default_enrollments.tests.stories import DEMO, DEMO_RUN, LINUX, intend
from simulator.seed import ACME

pytestmark = pytest.mark.django_db

STATUS = "/api/v1/default-enterprise-enrollment-intentions/learner-status/"
# Those of a status whose modes are known, and what the runs are for.
STATEMENTS = 4 if connection.vendor == "postgresql" else 7


def best_modes(body):
    """Return the best mode of every run that is told, wherever it stands in the answer."""
    if isinstance(body, dict):
        own = {body["course_run_key"]: body["best_mode_for_course_run"]} if "best_mode_for_course_run" in body else {}
        return own | {key: mode for inner in body.values() for key, mode in best_modes(inner).items()}
    if isinstance(body, list):
        return {key: mode for inner in body for key, mode in best_modes(inner).items()}
    return {}


def test_what_was_said_of_a_run_tells_its_best_mode_and_costs_one_statement(world, api_as, django_assert_num_queries):
    intend(DEMO, LINUX)
    assign_course_type(course_key=DEMO, course_type="professional")
    assign_run_type(course_key=DEMO, run_key=DEMO_RUN, run_type="professional")
    client = api_as("ada")
    client.get(STATUS, {"enterprise_customer_uuid": str(ACME)})
    RunModes.objects.all().delete()
    with django_assert_num_queries(STATEMENTS):
        answer = client.get(STATUS, {"enterprise_customer_uuid": str(ACME)})
    told = best_modes(answer.json())
    assert told[DEMO_RUN] == "professional"
    assert set(told.values()) == {"professional", "verified"}
