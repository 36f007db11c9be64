"""Clients, simulator and recordings say the same: none of the three can drift away from the others in silence.

Every client method is called against the simulator, and what comes back must be of the types that the recorded answers
become. And every recorded state that the simulator reproduces is read by the client twice, as recorded and as the
simulator answers it: the same kind of value, or the same failure for the same reason.
"""

import functools
import importlib
import inspect
import json
import pkgutil
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import pytest
import requests
from flask import Flask

from enterprise_access import upstream
from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.http import Transport
from enterprise_access.lib.http.scripted import Reply
from enterprise_access.upstream.lms.groups import LmsGroups
from enterprise_access.upstream.replay import Recording, find_recordings, read_recording, replay
from enterprise_access.upstream.replay.result import Failure, Result, Value
from enterprise_access.upstream.replay.routes import ROUTES, route_of
from simulator.app import Simulator
from simulator.in_process import SimulatorAdapter
from simulator.seed import ACME, NO_STAFF_KEY, NO_STAFF_SECRET
from simulator.tests.recorded_cases import CASES, RECORDINGS, Case
from simulator.tests.recorded_subsidy_cases import SUBSIDY_CASES
from simulator.tests.test_recordings import send
from tests.contracts.calls import (
    BY_NAME,
    CALLS,
    CREATING,
    CREATORS,
    PREFIXES,
    SILENT,
    Call,
    client_of,
    make,
    session_over,
)
from tests.contracts.shapes import Shape, classes_of, shape_of, shape_of_all

# Types that the simulator has and no recording shows, and where that is known from.
UNRECORDED = {
    "Customer.identity_provider": {"str"},  # text in the source; the recorded customers have none
    "PortalCustomer.identity_provider": {"str"},
    "PortalCustomer.identity_providers[]": {"IdentityProvider"},
    "IdentityProvider.provider_id": {"str"},
    "IdentityProvider.default_provider": {"bool"},
    # A page of rows is what these methods return, and no other method is seen to return one.
    "Page.rows": {"Rows"},
    "Page.rows[]": {"LearnerLink", "LedgerTransaction"},
    "Page.next": {"NoneType", "str"},
    "Page.count": {"int"},
    "StaffLicense.revoked_at": {"datetime"},  # the recorded learner has no revoked license
}
# Never recorded: the shape is read in the source of the service.
WITHOUT_RECORDING = {
    "CatalogClient.get_search_key",
    "DiscoveryClient.list_type_options",
    "DiscoveryClient.list_courses",
    # The recorded LMS is a stand-in, for another client of it.
    *(call.name for call in CALLS if call.client is LmsGroups),
    # Only what is sent was recorded; the tests of provisioning compare it.
    *(call.name for call in CALLS if call.client in CREATORS),
}
# No recording of their own: another method asks the same and understands it in the same way.
SAME_AS = {
    "LmsClient.iterate_learner_links": "LmsClient.list_learner_links",
    "LmsClient.list_learner_links_page": "LmsClient.list_learner_links",
    "LmsClient.is_learner_visible": "LmsClient.list_learner_links",
    "SubsidyClient.iterate_transactions": "SubsidyClient.list_transactions",
}
# Names in queries that no recording has: filters that are read in the source of the LMS. (That every list of several
# pages takes a page_size is in the READMEs of the recordings.)
UNRECORDED_NAMES = {
    "LmsClient.find_customer": {"slug"},
    "LmsClient.find_portal_customer": {"slug"},
    "DiscoveryClient.list_courses": {"keys", "editable"},
    "LmsGroups.list_members": {"learners", "show_removed"},
    "LmsGroups.get_page": {"page"},
    # In the recordings of provisioning, or read in the source of the service.
    "LmsCreator.find_customer": {"slug"},
    "LmsCreator.list_admin_addresses": {"enterprise_customer_uuid", "role"},
    "LmsCreator.is_pending_admin": {"enterprise_customer", "user_email"},
    "LmsCreator.find_catalog": {"enterprise_customer", "enterprise_catalog_query"},
    "LicenseCreator.find_agreement": {"enterprise_customer_uuid"},
    "LicenseCreator.list_plans": {"enterprise_customer_uuid"},
    "LicenseCreator.find_renewal": {"prior_subscription_plan"},
    "SubsidyCreator.find_account": {"enterprise_customer_uuid"},
}
SERVICES = ("lms", "edx-platform", "enterprise-catalog", "license-manager", "enterprise-subsidy")


@functools.cache
def recorded_values() -> dict[str, list[Any]]:
    """Return the values that the recordings become, by method."""
    found = defaultdict(list)
    for service in SERVICES:
        for path in find_recordings(RECORDINGS / service):
            result = replay(read_recording(path, folder=RECORDINGS))
            for method, outcome in {str(result.method): result.answer or result.outcome, **result.also}.items():
                if isinstance(outcome, Value):
                    found[method].append(outcome.value)
    return found


@functools.cache
def vocabulary() -> Shape:
    """Return the types that recorded values ever have, by class and member."""
    return shape_of_all(value for values in recorded_values().values() for value in values)


def new_types(shape: Shape) -> dict[str, set[str]]:
    """Return what no recording shows."""
    known = vocabulary()
    new = {place: types - known.get(place, set()) - UNRECORDED.get(place, set()) for place, types in shape.items()}
    return {place: types for place, types in new.items() if types and "." in place}


# --- every method -----------------------------------------------------------------------------------------------------


def test_every_method_of_every_client_is_called():
    public = {
        f"{kind.__name__}.{name}"
        for kind in PREFIXES
        for name, _ in inspect.getmembers(kind, callable)
        if not name.startswith("_") and name not in SILENT
    }
    assert set(BY_NAME) == public
    assert len(BY_NAME) == len(CALLS)


def test_every_client_is_called():
    asked = {
        f"{module.__name__}:{name}"
        for found in pkgutil.walk_packages(upstream.__path__, f"{upstream.__name__}.")
        if ".tests" not in found.name and ".replay" not in found.name
        for module in [importlib.import_module(found.name)]
        for name, member in vars(module).items()
        if isinstance(member, type) and member.__module__ == module.__name__ and takes_a_transport(member)
    }
    # Some are made of others, which are called through them.
    assert asked == {
        f"{each.__module__}:{each.__name__}"
        for kind in PREFIXES
        for each in kind.__mro__
        if each.__module__.startswith(upstream.__name__)
    }


def takes_a_transport(kind: type) -> bool:
    return any(parameter.annotation is Transport for parameter in inspect.signature(kind).parameters.values())


def test_every_route_of_a_replay_is_called():
    assert {route.name_of(call) for route in ROUTES for call in (route.call, *route.also)} <= set(BY_NAME)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_the_simulator_understands_the_request_and_answers_as_recorded(
    call: Call, neighbours: Simulator, adapter: SimulatorAdapter
) -> None:
    since = neighbours.world.journal.next_number()
    value = make(call, client_of(call.client, session_over(adapter)), neighbours)
    (seen,) = (it for it in neighbours.world.journal.calls(since=since) if it.endpoint != "lms.access_token")
    assert (seen.endpoint, seen.status) == (call.endpoint, 201 if call.method in CREATING else 200)
    assert seen.caller == (None if call.endpoint == "platform.course" else call.learner or "enterprise_access_worker")
    assert value not in (None, (), frozenset(), False)
    if call.name in WITHOUT_RECORDING:
        assert not recorded_values()[call.name]
        return
    shape = shape_of(value)
    assert new_types(shape) == {}
    recorded = recorded_values()[SAME_AS.get(call.name, call.name)]
    assert classes_of(shape) - {"IdentityProvider", "Page"} <= classes_of(shape_of_all(recorded))


def test_nothing_is_asked_for_by_a_name_that_no_recording_has(neighbours: Simulator, adapter: SimulatorAdapter) -> None:
    names: dict[str, set[str]] = defaultdict(set, UNRECORDED_NAMES)
    for service in SERVICES:
        for path in find_recordings(RECORDINGS / service):
            recording = read_recording(path, folder=RECORDINGS)
            route = route_of(recording)
            if route is None:
                continue
            for method in (route.call, *route.also):
                names[route.name_of(method)] |= {name for name, _ in recording.query}
    for call in CALLS:
        since = neighbours.world.journal.next_number()
        make(call, client_of(call.client, session_over(adapter)), neighbours)
        (seen,) = (it for it in neighbours.world.journal.calls(since=since) if it.endpoint == call.endpoint)
        assert set(seen.query) - {"page_size"} <= names[SAME_AS.get(call.name, call.name)], call.name


# --- every recorded state that the simulator reproduces --------------------------------------------------------------


def recorded(case: Case) -> Recording:
    return read_recording(RECORDINGS / f"{case.recording}.json", folder=RECORDINGS)


def as_answered(recording: Recording, response: requests.Response) -> Recording:
    """Return the recording with the question that the simulator was asked, and its answer, in the place of the real."""
    url = urlsplit(response.request.url or "")
    sent, path = response.request.body, "/" + url.path.lstrip("/").partition("/")[2]
    kept = {name: value for name, value in response.headers.items() if name.lower() != "content-length"}
    body = json.loads(response.content) if "json" in response.headers.get("Content-Type", "") else response.text
    reply = Reply(status=response.status_code, headers=kept, body=response.content)
    return attrs.evolve(
        recording,
        path=unquote(path),
        query=tuple(parse_qsl(url.query, keep_blank_values=True)),
        body=json.loads(sent) if sent else None,
        status=response.status_code,
        reply=reply,
        answer_body=body,
    )


def outcome_of(result: Result) -> tuple[object, ...]:
    """Return what two answers to the same question have in common: the failure, or whether there is a value."""
    found = result.answer or result.outcome
    if isinstance(found, Failure):
        return type(found.error), found.error.reason, found.error.status, result.is_typed
    assert isinstance(found, Value)
    return type(found.value), result.is_typed, frozenset(result.also)


def ask_over(adapter: SimulatorAdapter, tokens: Any) -> Any:
    session = requests.Session()
    session.mount("http://simulator.test", adapter)

    def ask(method: str, path: str, *, caller: str | None = "enterprise_access_worker", **about: Any) -> Any:
        headers = about.pop("headers", {})
        if caller is not None:
            headers = {"Authorization": f"JWT {tokens.token_for(caller)}"} | headers
        about = {"timeout": 5, "allow_redirects": False} | about
        return session.request(method, f"http://simulator.test{path}", headers=headers, **about)

    return ask


IN_USE = [case for case in [*CASES, *SUBSIDY_CASES] if route_of(recorded(case)) is not None]


@pytest.mark.parametrize("case", IN_USE, ids=lambda case: case.recording)
def test_the_simulators_answer_means_to_us_what_the_recorded_one_means(
    case: Case, app: Flask, neighbours: Simulator, adapter: SimulatorAdapter
) -> None:
    if case.prepare:
        case.prepare(neighbours.world)
    response = send(case, neighbours.world, app, ask_over(adapter, neighbours.tokens))
    recording = recorded(case)
    ours, theirs = replay(as_answered(recording, response)), replay(recording)
    assert outcome_of(ours) == outcome_of(theirs)
    for found in (ours.answer or ours.outcome, *ours.also.values()):
        if isinstance(found, Value):
            assert new_types(shape_of(found.value)) == {}


# --- an account without rights ----------------------------------------------------------------------------------------

# What the LMS answers to our account when it is not staff: nothing, a part, or a refusal.
OF_STAFF_ONLY = [
    call
    for call in CALLS
    if call.learner is None
    and call.endpoint.startswith(("lms.", "platform.enrollments", "license_manager.admin", "license_manager.staff"))
    and call.method not in {"get_customer", "get_portal_customer", "enroll"}
]


@pytest.mark.parametrize("call", OF_STAFF_ONLY, ids=lambda call: call.name)
def test_without_staff_rights_nothing_is_read_as_nothing(
    call: Call, neighbours: Simulator, adapter: SimulatorAdapter
) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        make(call, client_of(call.client, session_without_staff(adapter)), neighbours)
    assert caught.value.reason is UpstreamReason.FORBIDDEN


@pytest.mark.parametrize("method", ["get_customer", "get_portal_customer"])
def test_without_staff_rights_no_customer_is_unknown(
    method: str, neighbours: Simulator, adapter: SimulatorAdapter
) -> None:
    client = client_of(BY_NAME[f"LmsClient.{method}"].client, session_without_staff(adapter))
    with pytest.raises(UpstreamRefused) as caught:
        getattr(client, method)(customer_uuid=ACME)
    assert caught.value.reason is UpstreamReason.FORBIDDEN


def session_without_staff(adapter: SimulatorAdapter) -> Any:
    session = session_over(adapter)
    session._client_id, session._client_secret = NO_STAFF_KEY, NO_STAFF_SECRET
    return session
