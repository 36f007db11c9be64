"""Every method of every client, and everything that can be wrong with what an answer says: the right failure, always.

The methods come from the table of routes, so one that is added there is tested here. What else can go wrong between a
neighbour and us (time, connections, statuses) is in tests/contracts/test_faults.py.
"""

import copy
import json
from typing import Any

import attrs
import pytest
import requests

from enterprise_access.lib.errors import UpstreamChanged, UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http.scripted import Reply
from enterprise_access.lib.metrics import UNREADABLE_ROWS
from enterprise_access.upstream.replay.recording import read_recording
from enterprise_access.upstream.replay.routes import ROUTES, route_of
from enterprise_access.upstream.tests.neighbours import Neighbour
from enterprise_access.upstream.tests.recorded import RECORDINGS
from tests.tally import Tally

pytestmark = pytest.mark.faults

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<!doctype html><title>Server Error</title>"
WRITES = {"enroll", "activate", "auto_apply", "redeem", "deposit", "assign_licenses"}
# What comes back with the status that each method hopes for, and why it is not understood.
CONTENT_FAULTS = {
    "html": (HTML, PAGE, UpstreamReason.NOT_JSON),
    "no content type": ({}, b"{}", UpstreamReason.NOT_JSON),
    "empty": (None, b"", UpstreamReason.NOT_JSON),
    "truncated": (None, b'{"results": [{"uuid": "7ae1', UpstreamReason.NOT_JSON),
    "malformed": (None, b"{'results': []}", UpstreamReason.NOT_JSON),
    "null": (None, b"null", UpstreamReason.UNKNOWN_SHAPE),
    "number": (None, b"5", UpstreamReason.UNKNOWN_SHAPE),
    "text": (None, b'"ok"', UpstreamReason.UNKNOWN_SHAPE),
    "empty object": (None, b"{}", UpstreamReason.UNKNOWN_SHAPE),
    "results that are null": (None, b'{"results": null, "next": null}', UpstreamReason.UNKNOWN_SHAPE),
}


@pytest.fixture(autouse=True)
def _counted(tally: Tally) -> None:
    tally.of("test-faults").add(answers_that_changed=1)


def call(route, neighbour):
    arguments = {name: value for name, value in route.stand_ins_of(route.call).items() if not callable(value)}
    return getattr(neighbour.client(route.client), route.call)(**arguments)


def failure_of(route, reply):
    with pytest.raises(UpstreamError) as caught:
        call(route, Neighbour(reply))
    return caught.value


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.call)
def test_without_a_connection_nothing_has_happened(route):
    failure = failure_of(route, requests.ConnectTimeout())
    assert (type(failure), failure.reason) == (UpstreamUnavailable, UpstreamReason.TIMEOUT)
    assert failure.may_have_happened is False


@pytest.mark.parametrize("fault", CONTENT_FAULTS)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.call)
def test_a_content_that_we_do_not_know_is_a_change(route, fault):
    headers, body, reason = CONTENT_FAULTS[fault]
    headers = {"Content-Type": "application/json"} if headers is None else headers
    failure = failure_of(route, Reply(201 if route.call == "enroll" else 200, headers, body))
    assert (type(failure), failure.reason) == (UpstreamChanged, reason)
    assert failure.may_have_happened is (route.call in WRITES)


# --- one member at a time ---------------------------------------------------------------------------------------------


def places(value, path=()):
    """Yield the path to every member of every object; of lists, the first item stands for all."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield (*path, key)
            yield from places(member, (*path, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def changed(body, path, change):
    """Return a copy of `body` in which `change` was done to the member at `path`."""
    copied = copy.deepcopy(body)
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    change(parent, path[-1])
    return copied


def with_body(recording, body) -> Any:
    """Return the recorded answer with another body."""
    return attrs.evolve(recording.reply, body=json.dumps(body).encode())


def reason_for(route, reply):
    """Return why the answer is not understood; None when it is."""
    try:
        call(route, Neighbour(reply))
    except UpstreamChanged as error:
        return error.reason
    return None


CHANGES = {
    "missing": lambda parent, key: parent.pop(key),
    "null": lambda parent, key: parent.update({key: None}),
    "text": lambda parent, key: parent.update({key: "something else"}),
    "number": lambda parent, key: parent.update({key: 5}),
    "list": lambda parent, key: parent.update({key: [5]}),
    "object": lambda parent, key: parent.update({key: {"x": {}}}),
}
SAMPLES = [
    "lms/customer-200",
    "lms/learner-200-two-customers",
    "lms/enroll-409-partial",
    "lms/enroll-202-pending-and-success",
    "lms/enroll-409-invalid-user-id-mixed",
    "lms/enrollments-200-one-learner-one-run",
    "lms/enrollments-admin-200",
    "lms/portal-enrollments-200-self",
    "edx-platform/course-200-include-expired",
    "edx-platform/enrollments-200-two-learners",
    "enterprise-catalog/enterprise-catalogs-list-by-customer",
    "enterprise-catalog/customer-content-metadata-restricted-course-v2",
    "enterprise-catalog/customer-content-metadata-program-uuid",
    "enterprise-catalog/content-metadata-retrieve-run-raw-record",
    "enterprise-catalog/catalog-content-metadata-bulk-keys-one-page",
    "enterprise-catalog/customer-contains-course-key-in-two-catalogs",
    "enterprise-catalog/filter-content-items-one-catalog",
    "license-manager/admin-license-view-activated",
    "license-manager/learner-licenses-activated",
    "license-manager/license-activation-ok",
    "license-manager/customer-agreement-list",
    "license-manager/subscriptions-list",
    "license-manager/licenses-list-by-status",
    "license-manager/staff-lookup-licenses",
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_member_that_changed_is_a_change_or_not_ours(sample, change):
    recording = read_recording(RECORDINGS / f"{sample}.json", folder=RECORDINGS)
    route = route_of(recording)
    for path in places(recording.answer_body):
        body = changed(recording.answer_body, path, CHANGES[change])
        if isinstance(body, dict) and isinstance(body.get("next"), str):
            continue
        reason = reason_for(route, with_body(recording, body))
        assert reason in {None, UpstreamReason.UNKNOWN_SHAPE}, path


# Members without which we would decide wrongly: not one of them may be missing, or null, without an alarm.
NEEDED = {
    "lms/customer-200": ["uuid", "slug", "name", "active"],
    "lms/learner-200-two-customers": [
        "next",
        "results",
        "results.0.id",
        "results.0.user_id",
        "results.0.active",
        "results.0.user.username",
        "results.0.user.email",
        "results.0.enterprise_customer.uuid",
    ],
    "lms/enroll-409-partial": [
        "successes",
        "failures",
        "pending",
        "successes.0.user_id",
        "successes.0.course_run_key",
        "failures.0.course_run_key",
    ],
    "lms/enrollments-200-one-learner-one-run": ["results.0.course_id"],
    "lms/enrollments-admin-200": [
        "results.in_progress.0.course_run_id",
        "results.in_progress.0.is_enrollment_active",
        "results.in_progress.0.is_revoked",
    ],
    "edx-platform/enrollments-200-two-learners": [
        "results.0.user",
        "results.0.course_id",
        "results.0.mode",
        "results.0.is_active",
    ],
    "edx-platform/course-200-include-expired": ["course_modes", "course_modes.0.slug", "invite_only"],
    "enterprise-catalog/customer-contains-course-key-in-two-catalogs": ["contains_content_items", "catalog_list"],
    "enterprise-catalog/enterprise-catalogs-list-by-customer": ["results.0.uuid"],
    "enterprise-catalog/customer-content-metadata-course-key": [
        "content_type",
        "key",
        "course_runs.0.key",
        "course_runs.0.seats.0.type",
    ],
    "license-manager/admin-license-view-activated": [
        "results.0.uuid",
        "results.0.status",
        "results.0.subscription_plan.uuid",
        "results.0.subscription_plan.is_current",
        "results.0.subscription_plan.is_active",
        "results.0.subscription_plan.expiration_date",
    ],
}


@pytest.mark.parametrize(
    ("sample", "place", "change"),
    [
        (sample, place, change)
        for sample, needed in NEEDED.items()
        for place in needed
        for change in ("missing", "null")
        # Null is what the last page has there.
        if (place, change) != ("next", "null")
    ],
)
def test_a_member_that_decisions_rest_on_is_never_made_up(sample, place, change):
    recording = read_recording(RECORDINGS / f"{sample}.json", folder=RECORDINGS)
    path = tuple(int(step) if step.isdigit() else step for step in place.split("."))
    body = changed(recording.answer_body, path, CHANGES[change])
    before = metrics_of_unreadable_rows()
    reason = reason_for(route_of(recording), with_body(recording, body))
    if reason is None:
        # One row of many, which counts as unknown.
        assert metrics_of_unreadable_rows() > before
    else:
        assert reason is UpstreamReason.UNKNOWN_SHAPE


def metrics_of_unreadable_rows():
    samples = (sample for family in UNREADABLE_ROWS.collect() for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))
