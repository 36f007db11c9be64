"""What course-discovery is asked, and what its answers are read as. (Never recorded: its source tells the shapes.)"""

from urllib.parse import urlsplit
from uuid import UUID

import pytest

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused
from enterprise_access.upstream.discovery.client import DiscoveryClient
from enterprise_access.upstream.tests.neighbours import Neighbour, answer

TYPE = UUID("11a6e2f0-3c58-4d7b-92e1-0f4b8c6d2a11")
RUN_TYPE = UUID("11a6e2f0-3c58-4d7b-92e1-0f4b8c6d2a12")
MODE = {
    "name": "Masters",
    "slug": "masters",
    "is_id_verified": False,
    "is_credit_eligible": False,
    "certificate_type": "",
    "payee": "organization",
}
OPTION = {
    "uuid": str(TYPE),
    "name": "Masters only",
    "entitlement_types": [],
    "course_run_types": [
        {"uuid": str(RUN_TYPE), "name": "Masters only", "is_marketable": True, "modes": ["masters"]},
    ],
    "tracks": [{"seat_type": None, "mode": MODE}],
}
COURSE = {
    "key": "edX+DemoX",
    "uuid": str(TYPE),
    "type": str(TYPE),
    "course_type": "verified-audit",
    "entitlements": [{"mode": "verified", "price": "149.00"}],
    "course_runs": [
        {
            "key": "course-v1:edX+DemoX+1",
            "run_type": None,
            "status": "published",
            "end": "2030-01-01T00:00:00Z",
            "seats": [{"type": "verified", "upgrade_deadline": None}],
        }
    ],
}


def page(*rows, more=None):
    return answer({"count": len(rows), "next": more, "previous": None, "results": list(rows)})


def options(*rows):
    return answer({"name": "Course Instance", "actions": {"PUT": {"type": {"type_options": list(rows)}}}})


def ask(neighbour):
    return neighbour.client(DiscoveryClient)


def test_the_types_come_with_the_description_of_a_course():
    neighbour = Neighbour(options(OPTION))
    (option,) = ask(neighbour).list_type_options(course_key="edX+DemoX")
    (sent,) = neighbour.sent
    assert (sent.method, urlsplit(sent.url).path) == ("OPTIONS", "/api/v1/courses/edX%2BDemoX/")
    assert (option.uuid, option.entitlement_types) == (TYPE, ())
    assert [(run_type.uuid, run_type.modes) for run_type in option.run_types] == [(RUN_TYPE, ("masters",))]
    assert [(track.mode.slug, track.mode.payee, track.seat_type) for track in option.tracks] == [
        ("masters", "organization", None)
    ]


@pytest.mark.parametrize("actions", [{}, {"POST": {}}, None])
def test_who_may_not_change_the_course_is_told_no_types_which_does_not_mean_that_there_are_none(actions):
    body = {"name": "Course Instance"} if actions is None else {"name": "Course Instance", "actions": actions}
    with pytest.raises(UpstreamRefused, match="may not change the course") as refused:
        ask(Neighbour(answer(body))).list_type_options(course_key="edX+DemoX")
    assert refused.value.reason is UpstreamReason.FORBIDDEN


@pytest.mark.parametrize("member", list(OPTION))
def test_an_option_that_lacks_a_member_is_an_unknown_shape(member):
    lacking = {name: value for name, value in OPTION.items() if name != member}
    with pytest.raises(UpstreamChanged):
        ask(Neighbour(options(lacking))).list_type_options(course_key="edX+DemoX")


def test_courses_come_with_drafts_in_pages():
    other = {**COURSE, "key": "edX+Other"}
    neighbour = Neighbour(page(COURSE, more="https://elsewhere.test/?page=2"), page(other))
    courses = ask(neighbour).list_courses()
    assert [course.key for course in courses] == ["edX+DemoX", "edX+Other"]
    assert neighbour.asked == [
        ("/api/v1/courses/", [("editable", "1"), ("page_size", "100")]),
        ("/api/v1/courses/", [("editable", "1"), ("page_size", "100"), ("page", "2")]),
    ]


def test_a_course_is_read_with_what_is_sold_of_it():
    (course,) = ask(Neighbour(page(COURSE))).list_courses(course_keys=["edX+DemoX"])
    assert (course.type, course.course_type, course.entitlements) == (TYPE, "verified-audit", ("verified",))
    (run,) = course.runs
    assert (run.run_type, run.status, [seat.type for seat in run.seats]) == (None, "published", ["verified"])


def test_keys_are_one_value_and_so_many_that_they_do_not_fit_go_in_pieces():
    neighbour = Neighbour(page())
    keys = [f"edX+Demo{number}" for number in range(150)]
    assert ask(neighbour).list_courses(course_keys=keys) == ()
    told = [dict(query)["keys"].split(",") for _, query in neighbour.asked]
    assert [key for piece in told for key in piece] == keys
    assert len(told) > 1


def test_what_is_no_key_is_not_sent():
    neighbour = Neighbour(None)
    with pytest.raises(UpstreamRefused) as refused:
        ask(neighbour).list_courses(course_keys=["edX+DemoX,other"])
    assert refused.value.reason is UpstreamReason.REFUSED_LOCALLY
    with pytest.raises(UpstreamRefused):
        ask(neighbour).list_type_options(course_key="../secrets")
