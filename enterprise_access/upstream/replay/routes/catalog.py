"""The endpoints of enterprise-catalog that we use."""

from collections.abc import Mapping
from typing import Any, Final

from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.replay.recording import Recording
from enterprise_access.upstream.replay.routes.shared import (
    LEARNER_TOKEN,
    Arguments,
    Endpoint,
    as_list,
    as_uuid,
    member,
    pattern,
)


def _catalog(method: str, path: str, call: str, arguments: Any, **stand_ins: Any) -> Endpoint:
    return Endpoint("enterprise-catalog", CatalogClient, method, pattern(path), call, arguments, stand_ins)


def _wants_catalogs(recording: Recording) -> bool:
    """Say whether the list of catalogs was requested; any value that is not empty does that."""
    new, old = "get_catalogs_containing_specified_content_ids", "get_catalog_list"
    return bool(recording.value(new) or recording.value(old))


def _filter(recording: Recording, found: Mapping[str, str]) -> Arguments:
    catalogs = member(recording.body, "catalog_uuids")
    return {
        "customer_uuid": as_uuid(found["customer"]),
        "content_keys": as_list(member(recording.body, "content_keys")),
        "catalog_uuids": None if catalogs is None else [as_uuid(each) for each in as_list(catalogs)],
    }


ROUTES: Final = (
    _catalog(
        "GET",
        "/api/v*/enterprise-catalogs/",
        "list_catalogs",
        lambda recording, _: {"customer_uuid": as_uuid(recording.value("enterprise_customer"))},
    ),
    _catalog(
        "GET",
        "/api/v*/enterprise-catalogs/{catalog}/get_content_metadata/",
        "list_catalog_content",
        lambda recording, found: {
            "catalog_uuid": as_uuid(found["catalog"]),
            "content_keys": recording.values("content_keys"),
        },
    ),
    _catalog(
        "GET",
        "/api/v1/content-metadata/",
        "list_content",
        lambda recording, _: {
            "content_keys": recording.values("content_identifiers"),
            "coerce_to_parent_course": bool(recording.value("coerce_to_parent_course")),
        },
    ),
    _catalog(
        "GET",
        "/api/v*/enterprise-customer/{customer}/content-metadata/{key}/",
        "get_customer_content",
        lambda recording, found: {
            "customer_uuid": as_uuid(found["customer"]),
            "content_key": as_uuid(found["key"]),
            "skip_customer_fetch": bool(recording.value("skip_customer_fetch")),
        },
    ),
    _catalog(
        "GET",
        "/api/v1/content-metadata/{key}/",
        "get_content",
        lambda recording, found: {
            "content_key": as_uuid(found["key"]),
            "coerce_to_parent_course": bool(recording.value("coerce_to_parent_course")),
        },
    ),
    _catalog(
        "GET",
        "/api/v*/enterprise-customer/{customer}/contains_content_items/",
        "contains",
        lambda recording, found: {
            "customer_uuid": as_uuid(found["customer"]),
            "content_keys": recording.values("course_run_ids"),
            "with_catalogs": _wants_catalogs(recording),
        },
        with_catalogs=_wants_catalogs,
    ),
    _catalog("POST", "/api/v*/enterprise-customer/{customer}/filter_content_items/", "filter_content_keys", _filter),
    _catalog(
        "GET",
        "/api/v*/enterprise-customer/{customer}/secured-algolia-api-key/",
        "get_search_key",
        lambda _, found: {"learner_token": LEARNER_TOKEN, "customer_uuid": as_uuid(found["customer"])},
    ),
)
