"""The traps of enterprise-catalog."""

from __future__ import annotations

import pytest

from simulator.seed import ACME, ACME_MIXED, ACME_OPEN, GLOBEX
from simulator.world import World

from .conftest import Ask, Clock

API = "/catalog/api/v1"
CONTAINS = f"{API}/enterprise-customer/{ACME}/contains_content_items/"
LOOKUP = f"{API}/enterprise-customer/{ACME}/content-metadata"
DEMO = "course-v1:edX+DemoX+2026_T1"


@pytest.mark.parametrize("text", ["false", "False", "0", "no"])
def test_any_text_switches_a_boolean_on(ask: Ask, text: str) -> None:
    query = {"course_run_ids": "edX+DemoX", "get_catalogs_containing_specified_content_ids": text}
    assert "catalog_list" in ask("GET", CONTAINS, params=query).json()
    coerced = ask("GET", f"{API}/content-metadata/{DEMO}/", params={"coerce_to_parent_course": text}).json()
    assert coerced["content_type"] == "course"


def test_raw_plus_signs_are_repaired_by_contains_and_lost_by_the_bulk_reads(ask: Ask) -> None:
    assert ask("GET", f"{CONTAINS}?course_run_ids=edX+DemoX").json()["contains_content_items"] is True
    one = f"{API}/enterprise-catalogs/{ACME_OPEN}"
    assert (
        ask("GET", f"{one}/contains_content_items/?course_run_ids=edX+DemoX").json()["contains_content_items"] is True
    )
    assert ask("GET", f"{one}/get_content_metadata/?content_keys=edX+DemoX").json()["count"] == 0
    assert ask("GET", f"{API}/content-metadata/?content_identifiers=edX+DemoX").json()["count"] == 0


def test_keys_match_whatever_their_case_and_come_back_as_stored(ask: Ask) -> None:
    assert ask("GET", f"{LOOKUP}/EDX+demox/").json()["key"] == "edX+DemoX"
    body = {"content_keys": ["EDX+demox", "edX+DemoX"]}
    path = f"{API}/enterprise-customer/{ACME}/filter_content_items/"
    assert ask("POST", path, json=body).json() == {"filtered_content_keys": ["edX+DemoX"]}


def test_comma_separated_keys_match_nothing(ask: Ask) -> None:
    query = {"content_identifiers": "edX+DemoX,HarvardX+CS50"}
    assert ask("GET", f"{API}/content-metadata/", params=query).json()["count"] == 0


def test_the_answer_about_a_catalog_is_kept_for_half_an_hour(world: World, ask: Ask, clock: Clock) -> None:
    path = f"{API}/enterprise-catalogs/{ACME_MIXED}/contains_content_items/"
    query = {"course_run_ids": "edX+DemoX"}
    assert ask("GET", path, params=query).json()["contains_content_items"] is True
    world.change_catalog(catalog_uuid=ACME_MIXED, course_keys=(), run_keys=())
    assert ask("GET", path, params=query).json()["contains_content_items"] is True
    clock.move(minutes=31)
    assert ask("GET", path, params=query).json()["contains_content_items"] is False


def test_a_request_line_that_is_too_long_is_refused_with_html(ask: Ask) -> None:
    keys = [("content_identifiers", f"course-v1:BulkX+C{number:03d}+2026_T1") for number in range(100)]
    response = ask("GET", f"{API}/content-metadata/", params=keys)
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/html")
    assert ask("GET", f"{API}/content-metadata/", params=keys[:50]).status_code == 200


def test_a_sibling_of_a_held_run_is_not_contained_and_neither_is_a_run_without_a_record(world: World, ask: Ask) -> None:
    def is_contained(key: str, customer: object) -> bool:
        path = f"{API}/enterprise-customer/{customer}/contains_content_items/"
        return bool(ask("GET", path, params={"course_run_ids": key}).json()["contains_content_items"])

    world.add_run(key="course-v1:StanfordX+ML+2027_T1", advertise=False)
    assert is_contained("course-v1:StanfordX+ML+2026_T3", GLOBEX)
    assert not is_contained("course-v1:StanfordX+ML+2027_T1", GLOBEX)
    assert is_contained("UQx+THINK101", ACME)
    assert not is_contained("course-v1:UQx+THINK101+2026_T1", ACME)


def test_unfiltered_listings_leave_out_inactive_courses_that_their_key_finds(ask: Ask) -> None:
    path = f"{API}/enterprise-catalogs/{ACME_OPEN}/get_content_metadata/"
    listed = {row.get("key") for row in ask("GET", path, params={"traverse_pagination": "1"}).json()["results"]}
    assert "edX+DemoX" in listed
    assert not listed & {"BerkeleyX+CS188.1x", "NewX+FRESH1", "MITx+6.00.1x", "edX+NORUNS"}
    assert ask("GET", path, params={"content_keys": "NewX+FRESH1"}).json()["count"] == 1


def test_a_fresh_course_lacks_the_keys_instead_of_having_null(ask: Ask) -> None:
    body = ask("GET", f"{LOOKUP}/NewX+FRESH1/").json()
    assert "advertised_course_run_uuid" not in body
    assert "uuid" not in body["course_runs"][0]
    dangling = ask("GET", f"{LOOKUP}/WasedaX+JPN1/").json()
    assert dangling["advertised_course_run_uuid"] not in {run["uuid"] for run in dangling["course_runs"]}
    assert dangling["normalized_metadata"]["start_date"] is None


def test_the_snapshot_of_enrollability_ignores_the_end(ask: Ask) -> None:
    run = ask("GET", f"{LOOKUP}/RiceX+ELEC301/").json()["course_runs"][0]
    assert (run["is_enrollable"], run["availability"]) == (True, "Archived")
    stale = ask("GET", f"{LOOKUP}/SorbonneX+SNAP1/").json()["course_runs"][0]
    assert stale["is_enrollable"] is False


def test_enroll_by_is_the_earlier_of_window_and_upgrade_deadline(world: World, ask: Ask) -> None:
    world.change_run(run_key=DEMO, enrollment_end=world.run(DEMO).seats[1].upgrade_deadline)
    before = ask("GET", f"{LOOKUP}/edX+DemoX/").json()["normalized_metadata"]["enroll_by_date"]
    world.close_run(run_key=DEMO)
    after = ask("GET", f"{LOOKUP}/edX+DemoX/").json()["normalized_metadata"]["enroll_by_date"]
    assert before > after


def test_advertising_another_run_shows_at_once(world: World, ask: Ask) -> None:
    world.advertise(course_key="EPFLx+Scala", run_key="course-v1:EPFLx+Scala+2026_A")
    body = ask("GET", f"{LOOKUP}/EPFLx+Scala/").json()
    run = next(run for run in body["course_runs"] if run["uuid"] == body["advertised_course_run_uuid"])
    assert run["key"] == "course-v1:EPFLx+Scala+2026_A"


def test_a_role_counts_only_in_the_spelling_of_its_context(ask: Ask) -> None:
    path = f"{API}/enterprise-customer/{str(ACME).upper()}/contains_content_items/"
    query = {"course_run_ids": "edX+DemoX"}
    assert ask("GET", path, params=query, caller="ada").status_code == 403
    assert ask("GET", path, params=query).status_code == 200


def test_the_request_id_is_echoed(ask: Ask) -> None:
    query = {"course_run_ids": "edX+DemoX"}
    assert ask("GET", CONTAINS, params=query).headers["X-Request-ID"] == "None"
    echoed = ask("GET", CONTAINS, params=query, headers={"X-Request-ID": "abc"})
    assert echoed.headers["X-Request-ID"] == "abc"


def test_the_search_key_names_the_catalogs_of_the_learners_customer(ask: Ask) -> None:
    path = f"{API}/enterprise-customer/{ACME}/secured-algolia-api-key/"
    body = ask("GET", path, caller="ada").json()
    assert set(body["algolia"]) == {"secured_api_key", "valid_until"}
    assert str(ACME_OPEN) in body["catalog_uuids_to_catalog_query_uuids"]
    assert ask("GET", path, caller="heidi").status_code == 403


def test_listing_a_customers_catalogs_needs_its_admin(ask: Ask) -> None:
    query = {"enterprise_customer": str(ACME)}
    assert ask("GET", f"{API}/enterprise-catalogs/", params=query, caller="amy_admin").json()["count"] == 4
    assert ask("GET", f"{API}/enterprise-catalogs/", params=query, caller="ada").status_code == 403
