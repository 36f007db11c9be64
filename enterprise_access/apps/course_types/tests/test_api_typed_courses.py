"""GET and PUT typed-courses/{key}/, and PUT of its runs."""

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.course_types.models import CourseType, TypedCourse, TypedCourseRun

pytestmark = pytest.mark.django_db

DEMO = "/api/v1/typed-courses/edX+DemoX/"
RUN = DEMO + "runs/course-v1:edX+DemoX+2026_T1/"


@pytest.fixture
def operator(api_as):
    return api_as("enterprise_access_worker")


def put(client, path, **body):
    return client.put(path, body, format="json")


def put_well(client, path, **body):
    answer = put(client, path, **body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def refusal_of(answer):
    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "transition_refused"), body
    return body["extra"]


class TestReading:
    """GET."""

    def test_without_a_token_nothing_is_told(self):
        assert APIClient().get(DEMO).status_code == 401

    def test_of_a_course_that_nobody_has_typed_it_is_said_so(self, api_as):
        answer = api_as("ada").get(DEMO)
        assert (answer.status_code, answer.json()["code"]) == (404, "untyped_content")

    @pytest.mark.parametrize("key", ["nonsense", "course-v1:edX+DemoX+2026_T1", "edX+Demo X"])
    def test_what_is_no_key_of_a_course_is_refused(self, api_as, key):
        answer = api_as("ada").get(f"/api/v1/typed-courses/{key}/")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_content_key")

    def test_a_course_comes_with_its_runs_in_whatever_spelling(self, api_as, operator):
        put_well(operator, DEMO, course_type="verified-audit")
        put_well(operator, RUN, course_run_type="audit")
        body = api_as("ada").get("/api/v1/typed-courses/EDX+demox/").json()
        assert (body["course_key"], body["course_type"], body["source"]) == ("edX+DemoX", "verified-audit", "assigned")
        assert [(run["run_key"], run["course_run_type"]) for run in body["runs"]] == [
            ("course-v1:edX+DemoX+2026_T1", "audit")
        ]

    def test_it_costs_the_same_statements_however_many_runs_there_are(self, operator, django_assert_num_queries):
        put_well(operator, DEMO, course_type="verified-audit")
        for number in range(10):
            put_well(operator, f"{DEMO}runs/course-v1:edX+DemoX+{number}/", course_run_type="audit")
        # The user of the token; the course, its runs, their types.
        with django_assert_num_queries(4):
            assert len(operator.get(DEMO).json()["runs"]) == 10


class TestSayingWhatACourseIsFor:
    """PUT of a course."""

    @pytest.mark.parametrize("who", ["ada", "amy_admin"])
    def test_learners_and_admins_may_not(self, api_as, who):
        answer = put(api_as(who), DEMO, course_type="audit")
        assert (answer.status_code, answer.json()["code"]) == (403, "may_not_write")
        assert not TypedCourse.objects.exists()

    def test_a_new_course_gets_any_type(self, operator):
        body = put_well(operator, DEMO, course_type="masters")
        assert (body["course_type"], body["published_at"], body["runs"]) == ("masters", None, [])
        (change,) = TypedCourse.history.all()
        assert change.history_user.username == "enterprise_access_worker"

    def test_the_same_again_changes_nothing(self, operator):
        put_well(operator, DEMO, course_type="masters")
        put_well(operator, DEMO, course_type="masters")
        assert TypedCourse.history.count() == 1

    def test_the_example_of_the_field_masters_gets_a_run_of_all_three(self, operator):
        put_well(operator, DEMO, course_type="masters", is_published=True)
        put_well(operator, RUN, course_run_type="masters", is_published=True)
        put_well(operator, DEMO, course_type="masters-verified-audit")
        other = DEMO + "runs/course-v1:edX+DemoX+2027/"
        assert put_well(operator, other, course_run_type="masters-verified-audit")["source"] == "assigned"
        put_well(operator, RUN, course_run_type="masters-verified-audit")

    def test_a_published_course_keeps_its_entitlement(self, operator):
        put_well(operator, DEMO, course_type="verified-audit", is_published=True)
        extra = refusal_of(put(operator, DEMO, course_type="professional"))
        assert [reason["code"] for reason in extra["reasons"]] == ["entitlement_would_change"]
        assert (extra["from"], extra["to"]) == ("verified-audit", "professional")
        assert TypedCourse.objects.get().course_type.slug == "verified-audit"

    def test_what_was_published_stays_so(self, operator):
        put_well(operator, DEMO, course_type="audit", is_published=True)
        answer = put(operator, DEMO, course_type="audit", is_published=False)
        assert (answer.status_code, answer.json()["code"]) == (409, "already_published")

    def test_a_retired_type_is_given_to_nothing_new_and_kept_by_what_has_it(self, operator):
        put_well(operator, DEMO, course_type="honor")
        CourseType.objects.filter(slug="honor").update(is_retired=True)
        put_well(operator, DEMO, course_type="honor")
        extra = refusal_of(put(operator, "/api/v1/typed-courses/edX+Other/", course_type="honor"))
        assert [reason["code"] for reason in extra["reasons"]] == ["type_retired"]

    def test_the_organization_of_the_key_has_to_be_on_the_list(self, operator):
        CourseType.objects.filter(slug="masters").update(org_allow_list=["GTx"])
        assert refusal_of(put(operator, DEMO, course_type="masters"))["reasons"][0]["code"] == "org_not_allowed"
        put_well(operator, "/api/v1/typed-courses/gtx+CSE1/", course_type="masters")

    def test_a_type_that_nobody_knows_is_clearly_not_found(self, operator):
        answer = put(operator, DEMO, course_type="spoc")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_type")

    @pytest.mark.parametrize("body", [{}, {"course_type": None}, {"course_type": "audit", "type": "audit"}, []])
    def test_what_makes_no_sense_is_refused(self, operator, body):
        assert operator.put(DEMO, body, format="json").status_code == 400


class TestSayingWhatARunIsFor:
    """PUT of a run."""

    def test_the_course_comes_first(self, operator):
        answer = put(operator, RUN, course_run_type="audit")
        assert (answer.status_code, answer.json()["code"]) == (404, "untyped_content")

    def test_a_run_may_only_be_what_its_course_allows(self, operator):
        put_well(operator, DEMO, course_type="professional")
        extra = refusal_of(put(operator, RUN, course_run_type="audit"))
        assert [reason["code"] for reason in extra["reasons"]] == ["not_of_course_type"]
        assert not TypedCourseRun.objects.exists()

    def test_a_published_run_loses_no_mode_and_the_refusal_names_them(self, operator):
        put_well(operator, DEMO, course_type="masters-verified-audit")
        put_well(operator, RUN, course_run_type="masters-verified-audit", is_published=True)
        extra = refusal_of(put(operator, RUN, course_run_type="masters"))
        assert extra["effects"]["modes_vanishing"] == ["audit", "verified"]
        assert extra["reasons"][0] == {
            "code": "modes_would_vanish",
            "text": "Learners may be enrolled in modes that would vanish: audit, verified.",
            "slugs": ["audit", "verified"],
        }
        assert TypedCourseRun.objects.get().run_type.slug == "masters-verified-audit"

    def test_to_publish_a_run_is_to_publish_its_course(self, operator):
        put_well(operator, DEMO, course_type="verified-audit")
        put_well(operator, RUN, course_run_type="audit", is_published=True)
        assert operator.get(DEMO).json()["published_at"] is not None

    def test_a_run_belongs_to_one_course(self, operator):
        put_well(operator, DEMO, course_type="verified-audit")
        put_well(operator, RUN, course_run_type="audit")
        put_well(operator, "/api/v1/typed-courses/edX+Other/", course_type="verified-audit")
        answer = put(
            operator, "/api/v1/typed-courses/edX+Other/runs/course-v1:edX+DEMOX+2026_T1/", course_run_type="audit"
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "run_of_another_course")

    @pytest.mark.parametrize("key", ["edX+DemoX", "course-v1:edX+DemoX", "course-v1:edX+DemoX+1+branch@draft"])
    def test_what_is_no_key_of_a_run_is_refused(self, operator, key):
        put_well(operator, DEMO, course_type="verified-audit")
        answer = put(operator, f"{DEMO}runs/{key}/", course_run_type="audit")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_content_key")
