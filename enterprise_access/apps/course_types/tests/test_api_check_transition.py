"""POST course-types/check-transition/."""

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.course_types.models import CourseType, TypedCourse

pytestmark = pytest.mark.django_db

CHECK = "/api/v1/course-types/check-transition/"


def ask(client, **question):
    return client.post(CHECK, question, format="json")


def verdict(client, **question):
    answer = ask(client, **question)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.fixture
def ada(api_as):
    return api_as("ada")


def test_without_a_token_nothing_is_told():
    assert ask(APIClient(), level="course", new="audit").status_code == 401


def test_masters_may_become_masters_verified_and_audit(ada):
    body = verdict(ada, level="run", old="masters", new="masters-verified-audit", is_published=True)
    assert body == {
        "is_allowed": True,
        "reasons": [],
        "effects": {
            "modes_added": ["audit", "verified"],
            "modes_vanishing": [],
            "products_added": ["audit", "verified"],
            "products_vanishing": [],
        },
    }


def test_the_reverse_is_refused_with_what_would_vanish(ada):
    body = verdict(ada, level="run", old="masters-verified-audit", new="masters", is_published=True)
    assert body["is_allowed"] is False
    assert [(reason["code"], reason["slugs"]) for reason in body["reasons"]] == [
        ("modes_would_vanish", ["audit", "verified"]),
        ("seats_would_vanish", ["audit", "verified"]),
    ]
    assert body["effects"]["modes_vanishing"] == ["audit", "verified"]


def test_before_publication_everything_goes_that_the_course_type_allows(ada):
    assert verdict(ada, level="run", old="masters", new="audit")["is_allowed"]
    body = verdict(ada, level="run", old="masters", new="audit", course_type="professional")
    assert [reason["code"] for reason in body["reasons"]] == ["not_of_course_type"]


def test_of_a_course_the_old_type_tells_its_entitlement_unless_it_is_named(ada):
    question = {"level": "course", "old": "verified-audit", "new": "audit", "is_published": True}
    assert [reason["code"] for reason in verdict(ada, **question)["reasons"]] == ["entitlement_would_change"]
    assert verdict(ada, **question, entitlements=[])["is_allowed"]


def test_a_course_keeps_what_its_runs_have(ada):
    question = {"level": "course", "old": "audit", "new": "verified", "is_published": True}
    body = verdict(ada, **question, course_run_types=["audit", "empty"])
    assert [(reason["code"], reason["slugs"]) for reason in body["reasons"]] == [("runs_not_allowed", ["audit"])]


def test_a_type_that_is_for_some_organizations_only_is_refused_to_others(ada):
    CourseType.objects.filter(slug="masters").update(org_allow_list=["GTx"])
    body = verdict(ada, level="course", new="masters", org="edX")
    assert [reason["code"] for reason in body["reasons"]] == ["org_not_allowed"]
    assert verdict(ada, level="course", new="masters", org="gtx")["is_allowed"]


@pytest.mark.parametrize(
    "question",
    [
        {"level": "course", "new": "spoc"},
        {"level": "run", "old": "spoc", "new": "audit"},
        {"level": "run", "new": "audit", "course_type": "spoc"},
        {"level": "course", "new": "audit", "course_run_types": ["spoc"]},
    ],
)
def test_types_that_nobody_knows_are_clearly_not_found(ada, question):
    answer = ask(ada, **question)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_type")
    assert answer.json()["extra"]["slug"] == "spoc"


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"level": "seat", "new": "audit"}, "level"),
        ({"level": "course"}, "new"),
        ({"level": "course", "new": "not a slug"}, "new"),
        ({"level": "course", "new": "audit", "published": True}, "published"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(ada, question, field):
    answer = ask(ada, **question)
    assert (answer.status_code, list(answer.json()["extra"]["fields"])) == (400, [field])


def test_nothing_is_saved(ada):
    verdict(ada, level="course", new="masters")
    assert not TypedCourse.objects.exists()
