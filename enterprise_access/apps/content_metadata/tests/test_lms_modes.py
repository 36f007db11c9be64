"""What the LMS is known to have reaches the app of course types, which is below."""

import pytest

from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.course_types.services.assigning import assign_course_type, assign_run_type
from enterprise_access.apps.course_types.services.evidence import list_lms_modes
from enterprise_access.apps.course_types.services.products import get_products

pytestmark = pytest.mark.django_db

DEMO, RUN = "edX+DemoX", "course-v1:edX+DemoX+2026_T1"
NO_MODE = "course-v1:CaltechX+NOMODE+2026"


def test_modes_that_were_read_are_told_by_folded_key_and_none_at_all_counts_as_audit(world):
    refresh_modes(course_run_keys=[RUN, NO_MODE])
    assert list_lms_modes([RUN, NO_MODE, "course-v1:edX+DemoX+2036_T1"]) == {
        RUN.lower(): {"audit", "verified"},
        NO_MODE.lower(): {"audit"},
    }


def test_a_mode_that_the_lms_lacks_is_a_difference_of_products(world):
    assign_course_type(course_key=DEMO, course_type="masters-verified-audit")
    assign_run_type(course_key=DEMO, run_key=RUN, run_type="masters-verified-audit")
    refresh_modes(course_run_keys=[RUN])
    products = get_products(course_key=DEMO)
    assert [(finding.slug, finding.kind) for finding in products.findings] == [("masters", "missing")]
