"""An account without rights is told from "there is none" by its own token, wherever a neighbour does not refuse."""

import base64
import json
from uuid import UUID

import pytest
from django.core.cache import cache

from enterprise_access.lib.errors import UpstreamReason, UpstreamRefused
from enterprise_access.lib.http.scripted import Reply
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.tests.neighbours import Neighbour, answer

CUSTOMER = UUID("7ae10000-0000-4000-8000-000000000001")
NOT_ENOUGH: list[list[object]] = [[], ["enterprise_learner:*"], [f"enterprise_admin:{CUSTOMER}"], [None, {}]]
NOBODY = answer({"results": [], "next": None})
UNKNOWN = answer({"detail": "No EnterpriseCustomer matches the given query."}, status=404)
OPERATOR = ["enterprise_openedx_operator:*"]
NEEDS_STAFF = {
    "get_customer": (UNKNOWN, {"customer_uuid": CUSTOMER}, None),
    "get_portal_customer": (UNKNOWN, {"customer_uuid": CUSTOMER}, None),
    "find_customer": (NOBODY, {"slug": "acme"}, None),
    "find_portal_customer": (NOBODY, {"slug": "acme"}, None),
    "list_learner_links": (NOBODY, {"lms_user_ids": [1]}, ()),
    "is_learner_visible": (NOBODY, {"lms_user_id": 1}, False),
    "list_enterprise_enrollments": (NOBODY, {"enterprise_customer_user_id": 1}, ()),
}
NEEDS_ROLE = {
    "list_plans": (LicenseManagerClient, {"customer_uuid": CUSTOMER}, ()),
    "list_plan_licenses": (LicenseManagerClient, {"plan_uuid": CUSTOMER}, ()),
    "get_agreement": (LicenseManagerClient, {"customer_uuid": CUSTOMER}, None),
    "list_catalogs": (CatalogClient, {"customer_uuid": CUSTOMER}, ()),
}


def token(**claims):
    """Return the answer of the token endpoint with a JWT that says this of our account."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS512", "typ": "JWT"}, claims)]
    text = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, b"signature"))
    return Reply(body=json.dumps({"access_token": text, "expires_in": 3600}).encode())


def call(kind, method, arguments, reply, token_reply):
    cache.clear()
    neighbour = Neighbour(reply)
    neighbour._adapter._token = lambda _: token_reply
    return getattr(neighbour.client(kind), method)(**arguments)


@pytest.mark.parametrize("method", NEEDS_STAFF)
def test_what_the_lms_does_not_show_to_others_than_staff(method):
    reply, arguments, nothing = NEEDS_STAFF[method]
    for claims in ({"administrator": True}, {}):
        assert call(LmsClient, method, arguments, reply, token(**claims)) == nothing
    with pytest.raises(UpstreamRefused, match="is not staff") as caught:
        call(LmsClient, method, arguments, reply, token(administrator=False))
    assert caught.value.reason is UpstreamReason.FORBIDDEN


@pytest.mark.parametrize("method", NEEDS_ROLE)
def test_what_others_than_operators_do_not_see(method):
    kind, arguments, nothing = NEEDS_ROLE[method]
    for claims in ({"roles": OPERATOR}, {"roles": ["x:*", *OPERATOR]}, {"roles": "unreadable"}):
        assert call(kind, method, arguments, NOBODY, token(**claims)) == nothing
    # The platform leaves the claim out of the token of an account without any role.
    for claims in ({"preferred_username": "worker"}, {"roles": None}, *({"roles": roles} for roles in NOT_ENOUGH)):
        with pytest.raises(UpstreamRefused, match="lacks the role") as caught:
            call(kind, method, arguments, NOBODY, token(**claims))
        assert caught.value.reason is UpstreamReason.FORBIDDEN


def test_an_account_without_the_role_is_not_told_that_the_lms_intends_nothing():
    nothing = answer({"results": [], "next": None, "count": 0})
    arguments = {"customer_uuid": CUSTOMER}
    found = call(LmsClient, "list_default_intentions", arguments, nothing, token(administrator=True, roles=OPERATOR))
    assert (found.intentions, found.is_whole) == ((), True)
    with pytest.raises(UpstreamRefused, match="lacks the role"):
        call(LmsClient, "list_default_intentions", arguments, nothing, token(administrator=True))


def test_a_catalog_admin_sees_catalogs():
    kind, arguments, nothing = NEEDS_ROLE["list_catalogs"]
    assert call(kind, "list_catalogs", arguments, NOBODY, token(roles=["enterprise_catalog_admin:*"])) == nothing


def test_iterating_learners_needs_staff_too():
    links = call(LmsClient, "iterate_learner_links", {"customer_uuid": CUSTOMER}, NOBODY, token(administrator=False))
    with pytest.raises(UpstreamRefused, match="is not staff"):
        list(links)


def test_rights_that_are_granted_meanwhile_count_at_once():
    tokens = iter([token(administrator=False), token(administrator=True)])
    neighbour = Neighbour(NOBODY)
    neighbour._adapter._token = lambda _: next(tokens)
    client = neighbour.client(LmsClient)
    with pytest.raises(UpstreamRefused):
        client.list_learner_links(username="alice")
    assert client.list_learner_links(username="alice") == ()
