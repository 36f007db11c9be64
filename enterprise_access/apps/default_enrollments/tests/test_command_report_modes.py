"""`manage.py report_modes`, the drift of modes, and the filter in the admin that shows it."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.urls import reverse

from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.course_types.models import CourseRunType
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.apps.default_enrollments.selectors.drift import list_mode_drift
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, DEMO_RUN, LINUX, intend, visit
from simulator.values import mode

pytestmark = pytest.mark.django_db

Realization = DefaultEnterpriseEnrollmentRealization


def report():
    out = StringIO()
    try:
        call_command("report_modes", stdout=out)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    return 0, out.getvalue()


def test_where_everything_is_as_expected_there_is_nothing_to_tell(world):
    intend(DEMO)
    visit(ADA)
    assert report() == (0, "Unknown: 0. Learners in another mode than expected: 0.\n")


def test_types_that_nobody_knows_are_listed_with_what_is_gone_by_instead(world):
    CourseRunType.objects.filter(slug="audit").update(discovery_uuid=uuid4())
    world.change_course(course_key=DEMO, course_type="spoc-verified-audit")
    world.change_run(run_key=DEMO_RUN, modes=(mode("audit"), mode("verified"), mode("bootcamp")))
    intend(DEMO)
    refresh_modes(course_run_keys=[DEMO_RUN])
    visit(ADA)
    code, told = report()
    assert code == 1
    assert "unknown course type spoc-verified-audit: edX+DemoX. The modes are those of the LMS" in told
    assert f": {DEMO_RUN}. Until the LMS has answered, the modes follow from the seats." in told
    assert f"unknown mode bootcamp: {DEMO_RUN}. Nobody is enrolled in it automatically." in told
    assert Realization.objects.get().seen_mode in ("", "verified")


class TestDrift:
    """A learner is not in the mode that we expected."""

    @pytest.fixture(autouse=True)
    def _drifted(self, world):
        intend(DEMO, LINUX)
        visit(ADA)
        Realization.objects.filter(course_run_key=DEMO_RUN).update(predicted_mode="verified", seen_mode="honor")

    def test_it_is_counted_by_customer_and_modes_in_one_statement(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            (row,) = list_mode_drift()
        assert (row.customer_slug, row.predicted_mode, row.seen_mode, row.learners) == ("acme", "verified", "honor", 1)

    def test_what_was_not_seen_yet_or_was_left_is_no_drift(self):
        Realization.objects.filter(course_run_key=DEMO_RUN).update(seen_mode="")
        assert list_mode_drift() == []

    def test_it_is_reported(self):
        assert report() == (
            1,
            "acme: 1 learners expected in verified, seen in honor\n"
            "Unknown: 0. Learners in another mode than expected: 1.\n",
        )

    def test_the_list_in_the_admin_can_show_it_alone(self, client, django_user_model):
        client.force_login(django_user_model.objects.create_superuser("root"))
        path = reverse("admin:default_enrollments_defaultenterpriseenrollmentrealization_changelist")
        rows = client.get(path, {"state": "another_mode"}).context["cl"].queryset
        assert [row.course_run_key for row in rows] == [DEMO_RUN]
