"""What enterprise-catalog is asked, byte for byte where it matters; and what is never sent."""

from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.catalog.types import SearchKey
from enterprise_access.upstream.tests.neighbours import Neighbour, answer
from enterprise_access.upstream.tests.recorded import recording

ACME = UUID("2f6d5c1a-8a0b-4a4e-9a57-6d1b1c2f7e01")
OPEN = UUID("11a6e2f0-3c58-4d7b-92e1-0f4b8c6d2a11")
EMPTY = answer({"results": [], "next": None})


def recorded(name):
    return recording("enterprise-catalog", name).reply


def ask(neighbour):
    return neighbour.client(CatalogClient)


def test_many_keys_are_one_question_and_in_the_bytes_of_the_recording():
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_catalog_content(
        catalog_uuid=OPEN, content_keys=["edX+DemoX", "course-v1:HarvardX+CS50+2026", "No+SUCH", "EdinburghX+SUST1"]
    )
    url = urlsplit(neighbour.sent[0].url)
    assert url.path == f"/api/v2/enterprise-catalogs/{OPEN}/get_content_metadata/"
    assert url.query == (
        "content_keys=edX%2BDemoX&content_keys=course-v1%3AHarvardX%2BCS50%2B2026&content_keys=No%2BSUCH"
        "&content_keys=EdinburghX%2BSUST1&traverse_pagination=true"
    )


def test_so_many_keys_that_the_address_would_be_cut_off_go_in_pieces():
    keys = [f"course-v1:SomeOrganizationX+Some.Course.{number:03}x+2026_T1" for number in range(150)]
    neighbour = Neighbour(EMPTY)
    ask(neighbour).list_catalog_content(catalog_uuid=OPEN, content_keys=keys)
    assert [key for _, query in neighbour.asked for name, key in query if name == "content_keys"] == keys
    assert all(len(request.path_url) < 3500 for request in neighbour.sent)


def test_one_record_that_answers_in_two_pieces_is_returned_once():
    neighbour = Neighbour(recorded("catalog-content-metadata-bulk-keys-one-page"))
    keys = [f"edX+Demo{number}" for number in range(150)]
    assert [record.key for record in ask(neighbour).list_catalog_content(catalog_uuid=OPEN, content_keys=keys)] == [
        "edX+DemoX",
        "HarvardX+CS50",
    ]
    assert len(neighbour.sent) == 2


def test_pages_are_read_although_there_should_be_one_only():
    neighbour = Neighbour(
        recorded("content-metadata-list-default-page-is-ten"), recorded("content-metadata-list-course-and-run")
    )
    assert len(ask(neighbour).list_content(content_keys=["BulkX+C001"])) == 12


def test_switched_off_means_left_out():
    neighbour = Neighbour(recorded("content-metadata-retrieve-course"))
    client = ask(neighbour)
    client.get_content(content_key="edX+DemoX", coerce_to_parent_course=False)
    client.get_customer_content(customer_uuid=ACME, content_key="edX+DemoX", skip_customer_fetch=False)
    assert [query for _, query in neighbour.asked] == [[], []]
    client.get_content(content_key="edX+DemoX", coerce_to_parent_course=True)
    client.get_customer_content(customer_uuid=ACME, content_key="edX+DemoX")
    assert [query for _, query in neighbour.asked[2:]] == [
        [("coerce_to_parent_course", "true")],
        [("skip_customer_fetch", "true")],
    ]


def test_a_key_in_the_path_is_percent_encoded():
    neighbour = Neighbour(recorded("customer-content-metadata-unknown-key-404"))
    key = "course-v1:edX+DemoX+2026_T1"
    assert ask(neighbour).get_customer_content(customer_uuid=ACME, content_key=key) is None
    assert neighbour.sent[0].url.startswith(
        f"https://neighbour.test/api/v2/enterprise-customer/{ACME}/content-metadata/course-v1%3AedX%2BDemoX%2B2026_T1/?"
    )


def test_a_course_or_program_may_be_asked_for_by_its_uuid():
    neighbour = Neighbour(recorded("customer-content-metadata-program-uuid"))
    uuid = UUID("9b6f1e0c-2d47-4c55-a3d8-41c7e95f0a61")
    found = ask(neighbour).get_customer_content(customer_uuid=ACME, content_key=uuid)
    assert (found.content_type, found.key, found.uuid) == ("program", str(uuid), uuid)


def test_no_such_address_is_not_no_such_content():
    with pytest.raises(UpstreamChanged) as caught:
        ask(Neighbour(recorded("unknown-path-404-html"))).get_content(content_key="edX+DemoX")
    assert caught.value.reason is UpstreamReason.NOT_JSON


def test_membership_is_asked_with_a_post_and_repeated_like_a_read():
    neighbour = Neighbour(answer({}, status=503), recorded("filter-content-items-one-catalog"))
    keys = ["edX+DemoX", "HarvardX+CS50", "GetSmarter+AIB"]
    found = ask(neighbour).filter_content_keys(customer_uuid=ACME, content_keys=keys, catalog_uuids=[OPEN])
    assert found == {"edX+DemoX", "GetSmarter+AIB"}
    assert neighbour.bodies == [{"content_keys": keys, "catalog_uuids": [str(OPEN)]}] * 2


def test_the_search_key_is_asked_for_as_the_learner():
    # Read in the service's source, not recorded.
    body = {
        "algolia": {"secured_api_key": "a-key", "valid_until": "2026-11-22T20:00:00Z"},
        "catalog_uuids_to_catalog_query_uuids": {str(OPEN): str(ACME)},
    }
    neighbour = Neighbour(answer(body))
    key = ask(neighbour).get_search_key(learner_token="own.token", customer_uuid=ACME)
    assert key == SearchKey("a-key", datetime(2026, 11, 22, 20, tzinfo=UTC), {OPEN: ACME})
    assert "a-key" not in repr(key)
    assert neighbour.authorizations == ["JWT own.token"]
    assert neighbour.asked == [(f"/api/v1/enterprise-customer/{ACME}/secured-algolia-api-key/", [])]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.list_catalogs(customer_uuid="acme"),
        lambda client: client.list_catalog_content(catalog_uuid="open", content_keys=["edX+DemoX"]),
        lambda client: client.list_catalog_content(catalog_uuid=OPEN, content_keys=["edX DemoX"]),
        lambda client: client.list_content(content_keys=["12345"]),
        lambda client: client.get_content(content_key="12345"),
        lambda client: client.get_content(content_key="a/b"),
        lambda client: client.get_customer_content(customer_uuid="acme", content_key="edX+DemoX"),
        lambda client: client.get_customer_content(customer_uuid=ACME, content_key="course-v1:edX DemoX 2026"),
        lambda client: client.contains(customer_uuid=ACME, content_keys=[]),
        lambda client: client.contains(customer_uuid=ACME, content_keys=[f"edX+Demo{n}" for n in range(101)]),
        lambda client: client.filter_content_keys(customer_uuid="acme", content_keys=["edX+DemoX"]),
        lambda client: client.filter_content_keys(customer_uuid=ACME, content_keys=["x"]),
        lambda client: client.filter_content_keys(customer_uuid=ACME, content_keys=[], catalog_uuids=["open"]),
        lambda client: client.get_search_key(learner_token="", customer_uuid=ACME),
    ],
)
def test_malformed_input_is_not_sent(call):
    with pytest.raises(UpstreamRefused) as caught:
        call(ask(Neighbour()))
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY
