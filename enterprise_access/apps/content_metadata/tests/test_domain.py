"""From a content key to a run, or to the reason why there is none."""

from uuid import UUID

import pytest
from attrs import evolve

from enterprise_access.apps.content_metadata.domain import (
    NOT_YET_KNOWN,
    ContentType,
    Course,
    CourseRun,
    NormalizedMetadata,
    Resolved,
    Unresolved,
    UnresolvedReason,
    content_type_of,
    course_key_of_run,
    resolve,
)
from enterprise_access.apps.content_metadata.errors import MalformedContentKey

SPRING = CourseRun(
    key="course-v1:edX+DemoX+2026_T1", uuid=UUID("6ecd0ece-6300-4934-a50b-df6cc6b9f430"), status="published"
)
AUTUMN = CourseRun(
    key="course-v1:edX+DemoX+2026_T3", uuid=UUID("f0f90460-e5fa-4e34-bcd2-a98004cc92fa"), status="published"
)
COURSE = Course(key="edX+DemoX", course_type="verified-audit", advertised_run=AUTUMN.uuid, runs=(SPRING, AUTUMN))
SOME_UUID = UUID("00000000-0000-4000-8000-000000000001")


@pytest.mark.parametrize(
    "key",
    [
        "course-v1:edX+DemoX+2026_T1",
        "COURSE-V1:EDX+DEMOX+2026_T1",
        "  course-v1:MITx+6.00.1x+3T2026 \n",
        "course-v1:Org~x+a-b.c+r_1",
        "course-v1:Universität+Mathe+2026",
    ],
)
def test_a_run_key_names_a_run(key):
    assert content_type_of(key) is ContentType.COURSE_RUN


@pytest.mark.parametrize("key", ["edX+DemoX", " edx+demox ", "MITx+6.00.1x", "Universität+Mathe", "a+b"])
def test_a_course_key_names_a_course(key):
    assert content_type_of(key) is ContentType.COURSE


@pytest.mark.parametrize(
    "key",
    [
        "",
        "   ",
        "edX",
        "edX+",
        "+DemoX",
        "edX+DemoX+2026_T1",
        "edX DemoX",
        "edX+Demo X",
        "edX/DemoX/2026_T1",
        "course-v1:edX+DemoX",
        "course-v1:edX+DemoX+",
        "course-v1:edX+DemoX+2026+T1",
        "course-v1:edX+DemoX+2026 T1",
        "course-v1:edX+DemoX+2026_T1+branch@draft",
        "course-v1:edX+DemoX+2026_T1+version@519665f6223ebd6980884f2b",
        "course-v1:edX+DemoX+2026/T1",
        "course-v1:",
        "library-v1:edX+DemoX",
        "block-v1:edX+DemoX+2026_T1+type@course+block@course",
        "edX+DemoX\nMITx+6.00.1x",
        "6ecd0ece-6300-4934-a50b-df6cc6b9f430",
        "x" * 120 + "+" + "y" * 140,
    ],
)
def test_anything_else_is_malformed(key):
    with pytest.raises(MalformedContentKey) as caught:
        content_type_of(key)
    assert caught.value.code == "malformed_content_key"


def test_a_key_of_255_characters_is_the_longest():
    longest = "x+" + "y" * 253
    assert content_type_of(longest) is ContentType.COURSE
    with pytest.raises(MalformedContentKey, match="255"):
        content_type_of(longest + "y")


def test_a_malformed_key_is_told_what_keys_look_like():
    with pytest.raises(MalformedContentKey, match=r"edX\+DemoX"):
        content_type_of("CS50")


@pytest.mark.parametrize(
    ("run_key", "course_key"),
    [
        ("course-v1:edX+DemoX+2026_T1", "edx+demox"),
        ("COURSE-V1:EDX+DEMOX+2026_T1", "edx+demox"),
        ("edX/DemoX/2014", "edx+demox"),
        ("edX+DemoX", None),
        ("library-v1:edX+DemoX", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_a_run_key_spells_out_its_course(run_key, course_key):
    assert course_key_of_run(run_key) == course_key


def test_a_course_key_stands_for_the_advertised_run():
    assert resolve("edX+DemoX", COURSE) == Resolved(course=COURSE, run=AUTUMN)


def test_keys_compare_ignoring_case_and_keep_the_catalogs_spelling():
    resolution = resolve(" EDX+demox ", COURSE)
    assert isinstance(resolution, Resolved)
    assert resolution.course.key == "edX+DemoX"


def test_a_run_key_stands_for_that_run_whatever_is_advertised():
    assert resolve("course-v1:edX+DemoX+2026_T1", COURSE) == Resolved(course=COURSE, run=SPRING)


def test_a_run_key_in_another_case_stands_for_the_run_too():
    assert resolve("COURSE-V1:EDX+DEMOX+2026_t1", COURSE) == Resolved(course=COURSE, run=SPRING)


@pytest.mark.parametrize("advertised", [None, NOT_YET_KNOWN])
def test_a_run_key_does_not_care_whether_anything_is_advertised(advertised):
    course = evolve(COURSE, advertised_run=advertised)
    assert resolve(SPRING.key, course) == Resolved(course=course, run=SPRING)


def test_no_advertised_run_is_no_run():
    course = evolve(COURSE, advertised_run=None)
    assert resolve("edX+DemoX", course) == Unresolved(reason=UnresolvedReason.NO_ADVERTISED_RUN, course=course)


def test_no_advertised_run_is_not_taken_for_a_run_without_uuid():
    course = evolve(COURSE, advertised_run=None, runs=(evolve(SPRING, uuid=None), AUTUMN))
    assert resolve("edX+DemoX", course) == Unresolved(reason=UnresolvedReason.NO_ADVERTISED_RUN, course=course)


def test_an_advertised_run_that_is_not_nested_is_no_run_and_no_other_is_guessed():
    course = evolve(COURSE, advertised_run=SOME_UUID)
    assert resolve("edX+DemoX", course) == Unresolved(reason=UnresolvedReason.NO_ADVERTISED_RUN, course=course)


def test_not_yet_known_what_is_advertised_is_not_ready():
    course = evolve(COURSE, advertised_run=NOT_YET_KNOWN)
    assert resolve("edX+DemoX", course) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY, course=course)


def test_what_a_record_advertises_is_not_known_unless_it_says():
    assert Course(key="edX+DemoX").advertised_run is NOT_YET_KNOWN


def test_a_run_that_is_not_among_the_courses_runs_is_not_found():
    resolution = resolve("course-v1:edX+DemoX+1999", COURSE)
    assert resolution == Unresolved(reason=UnresolvedReason.RUN_NOT_FOUND, course=COURSE)


@pytest.mark.parametrize("key", ["edX+DemoX", SPRING.key])
def test_no_record_is_not_found(key):
    assert resolve(key, None) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND)


@pytest.mark.parametrize("key", ["edX+DemoX", SPRING.key])
def test_a_bare_run_record_does_not_say_enough(key):
    assert resolve(key, SPRING) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY)


def test_a_record_of_another_course_is_no_record():
    assert resolve("MITx+6.00.1x", COURSE) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_FOUND)


@pytest.mark.parametrize("key", ["edX+DemoX", AUTUMN.key])
def test_a_run_whose_status_is_unknown_is_not_ready(key):
    course = evolve(COURSE, runs=(SPRING, evolve(AUTUMN, status=None)))
    assert resolve(key, course) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY, course=course)


def test_a_course_whose_type_is_unknown_is_not_ready():
    course = evolve(COURSE, course_type=None)
    assert resolve("edX+DemoX", course) == Unresolved(reason=UnresolvedReason.CONTENT_NOT_READY, course=course)


def test_resolving_a_malformed_key_is_an_error_and_not_an_answer():
    with pytest.raises(MalformedContentKey):
        resolve("nonsense", None)


def test_runs_are_found_by_key_in_any_case():
    assert COURSE.run_with_key("COURSE-V1:EDX+DEMOX+2026_T3") == AUTUMN
    assert COURSE.run_with_key("course-v1:edX+DemoX+1999") is None


def test_a_run_without_uuid_is_not_mistaken_for_the_advertised_one():
    assert evolve(COURSE, runs=(evolve(SPRING, uuid=None),)).run_with_uuid(SOME_UUID) is None


def test_only_a_published_run_is_published():
    assert SPRING.is_published
    assert not evolve(SPRING, status="reviewed").is_published
    assert not evolve(SPRING, status=None).is_published


def test_modes_from_seats_are_those_that_have_a_seat():
    assert evolve(SPRING, upgrade_deadlines={"audit": None, "verified": None}).modes_from_seats == {"audit", "verified"}


def test_executive_education_is_told_by_the_course_type():
    assert evolve(COURSE, course_type="executive-education-2u").is_executive_education
    assert not COURSE.is_executive_education


def test_metadata_of_a_run_is_found_by_key_in_any_case():
    metadata = NormalizedMetadata(content_price=149.0)
    course = evolve(COURSE, normalized_metadata_by_run={SPRING.key: metadata})
    assert course.metadata_of("COURSE-V1:EDX+DEMOX+2026_T1") == metadata
    assert course.metadata_of(AUTUMN.key) is None


def test_run_keys_are_those_of_the_nested_runs():
    assert COURSE.run_keys == {SPRING.key, AUTUMN.key}


NEITHER = "is neither a course key (edX+DemoX) nor a run key (course-v1:edX+DemoX+2026_T1)."


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (" edXDemoX ", f"“edXDemoX” {NEITHER}"),
        ("edX DemoX", f"“edX DemoX” {NEITHER} Write a plus sign as %2B in an address."),
    ],
)
def test_a_space_in_a_key_may_have_been_a_plus_sign(key, said):
    with pytest.raises(MalformedContentKey) as refused:
        content_type_of(key)
    assert str(refused.value) == said
