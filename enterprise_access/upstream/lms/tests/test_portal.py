"""The customers that the learner portal shows: every recorded one, member by member, and what a change of one costs."""

from uuid import UUID

import attrs
import pytest

from enterprise_access.lib.errors import UpstreamChanged, UpstreamReason, UpstreamRefused
from enterprise_access.lib.http.scripted import Reply
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.portal_types import (
    AdminUser,
    Banner,
    Branding,
    IdentityProvider,
    Integration,
    PortalCustomer,
    Site,
)
from enterprise_access.upstream.replay.result import Value
from enterprise_access.upstream.tests.neighbours import Neighbour, answer
from enterprise_access.upstream.tests.recorded import names_in_use, recording, replayed

ACME = UUID("7ae10000-0000-4000-8000-000000000001")
# The one name that is not a Python name.
WIRE_NAMES = {"enable_executive_education_2u_fulfillment": "enable_executive_education_2U_fulfillment"}
# Whoever may see what, and whether at all, is decided by these: they are never made up.
DECISIVE = {
    "uuid",
    "slug",
    "name",
    "active",
    "enable_learner_portal",
    "enable_data_sharing_consent",
    "enforce_data_sharing_consent",
    "enable_integrated_customer_learner_portal_search",
    "active_integrations",
    "enterprise_customer_catalogs",
    "modified",
}
SWITCHES = {name for name, field in attrs.fields_dict(PortalCustomer).items() if field.type is bool} - DECISIVE
# Recordings with a customer in them: how many, and whose.
CUSTOMERS = {
    "customer-200": ["acme"],
    "customer-200-linked-learner": ["acme"],
    "customer-list-200": ["acme"],
    "learner-200-backfill-ordered": ["acme"] * 3,
    "learner-200-backfill-page-1": ["acme"] * 12,
    "learner-200-backfill-page-3": ["acme"] * 6,
    "learner-200-empty-unknown": [],
    "learner-200-empty-unlinked": [],
    "learner-200-two-customers": ["globex", "acme"],
    "learner-200-unknown-customer-uuid-param": [],
    "learner-200-user-ids": ["acme"] * 2,
    "learner-200-username-customer": ["acme"],
    "learner-backfill-drift-1-page-1": ["acme"] * 10,
    "learner-backfill-drift-3-page-2": ["acme"] * 10,
}


def customers_of(value):
    if isinstance(value, PortalCustomer):
        return [value]
    return [link.customer for link in value.links]


def raw_customers(body):
    rows = body.get("results", [body])
    return [row.get("enterprise_customer", row) for row in rows]


def portal_value(name):
    (found,) = replayed("lms", name).also.values()
    assert isinstance(found, Value)
    return found.value


def plain(value):
    """Return a value as the LMS would write it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if attrs.has(type(value)):
        return {name: plain(getattr(value, name)) for name in attrs.fields_dict(type(value))}
    return str(value) if isinstance(value, UUID) else value


@pytest.mark.parametrize("name", CUSTOMERS)
def test_every_member_is_what_the_lms_said(name):
    customers = customers_of(portal_value(name))
    assert [customer.slug for customer in customers] == CUSTOMERS[name]
    for customer, raw in zip(customers, raw_customers(recording("lms", name).answer_body), strict=True):
        for member, value in plain(customer).items():
            said = raw[WIRE_NAMES.get(member, member)]
            if member == "modified":
                assert value.isoformat().replace("+00:00", "Z") == said
            elif member == "branding_configuration":
                assert value.items() <= said.items()
            else:
                assert value == said, member


def test_the_table_has_every_recording_with_a_customer():
    found = {name for name in names_in_use("lms") if replayed("lms", name).also.values()}
    with_customers = {name for name in found if not name.startswith("customer-404")}
    assert with_customers == set(CUSTOMERS)
    assert {portal_value(name) for name in found - with_customers} == {None}


def test_nothing_that_the_portal_is_promised_is_left_out():
    recorded = set(recording("lms", "customer-200").answer_body)
    ours = {WIRE_NAMES.get(name, name) for name in attrs.fields_dict(PortalCustomer)}
    # Shown to the customer's administrators only, in no page of the learner portal.
    assert recorded - ours == {"enable_people_management", "enable_credit_and_industry_pathways"}
    assert ours <= recorded


def test_features_and_customers_of_all_pages():
    first, last = (recording("lms", f"learner-200-backfill-page-{page}").reply for page in (1, 3))
    neighbour = Neighbour(first, last)
    found = neighbour.client(LmsClient).list_portal_links(lms_user_id=21)
    assert len(found.links) == 18
    assert found.links[0].enterprise_customer_user_id == 31
    assert found.links[0].is_active_link
    assert found.features["enterprise_learner_bff_enabled"] is False
    assert dict(neighbour.asked[0][1]) == {"page_size": "100", "ordering": "user_id", "user_ids": "21"}


def customer_with(**changes):
    body = {**recording("lms", "customer-200").answer_body, **changes}
    return {name: value for name, value in body.items() if value is not ...}


def read_both(body):
    """Return what the lean and the portal reader make of a customer; a failure as its reason."""
    found = []
    for method in ("get_customer", "get_portal_customer"):
        try:
            found.append(getattr(Neighbour(answer(body)).client(LmsClient), method)(customer_uuid=ACME))
        except UpstreamChanged as error:
            found.append(error.reason)
    return found


@pytest.mark.parametrize("branding", [None, ..., [], "blue", {}, {"primary_color": 7}, {"primary_color": "red; x: y"}])
def test_how_mails_look_stops_no_enrollment(branding):
    lean, _portal = read_both(customer_with(branding_configuration=branding, default_language=7))
    assert (lean.slug, lean.primary_color, lean.language) == ("acme", "", "")


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_a_switch_that_is_not_there_is_off_and_one_that_changed_stops_no_enrollment(name):
    wire_name = WIRE_NAMES.get(name, name)
    for nothing in (None, ...):
        lean, portal = read_both(customer_with(**{wire_name: nothing}))
        assert lean.slug == "acme"
        assert getattr(portal, name) is False
    lean, portal = read_both(customer_with(**{wire_name: "yes"}))
    assert (lean.slug, portal) == ("acme", UpstreamReason.UNKNOWN_SHAPE)


@pytest.mark.parametrize("name", sorted(DECISIVE))
@pytest.mark.parametrize("value", [None, ..., 5])
def test_what_decides_who_sees_what_is_never_made_up(name, value):
    assert read_both(customer_with(**{name: value}))[1] is UpstreamReason.UNKNOWN_SHAPE


def test_identity_provider_may_be_null_but_not_missing():
    assert read_both(customer_with(identity_provider=...))[1] is UpstreamReason.UNKNOWN_SHAPE
    assert read_both(customer_with(identity_provider="saml-acme"))[1].identity_provider == "saml-acme"


def test_what_no_recording_has():
    _, customer = read_both(
        customer_with(
            identity_providers=[{"provider_id": "saml-acme", "default_provider": None}],
            active_integrations=[{"channel_code": "SAP", "active": True, "created": "2026-01-01"}],
            site=None,
            branding_configuration=None,
            enterprise_notification_banner=None,
            admin_users=None,
        )
    )
    assert customer.identity_providers == (IdentityProvider("saml-acme", False),)
    assert customer.active_integrations == (Integration("SAP", None, True, "2026-01-01", None),)
    assert (customer.site, customer.branding_configuration, customer.enterprise_notification_banner) == (None,) * 3
    assert customer.admin_users == ()


def test_parts_of_a_customer():
    customer = portal_value("customer-200")
    assert customer.site == Site("lms.example.com", "lms.example.com")
    assert customer.branding_configuration == Branding(None, "#2D494E", "#F2F0EF", "#D23228")
    assert customer.enterprise_notification_banner == Banner("", "")
    assert customer.admin_users == (AdminUser("amy_admin@example.com", 5),)
    assert "amy_admin" not in repr(customer)


def test_a_customer_is_found_by_its_slug():
    neighbour = Neighbour(recording("lms", "customer-list-200").reply, answer({"results": [], "next": None}))
    client = neighbour.client(LmsClient)
    assert client.find_portal_customer(slug="acme").uuid == ACME
    assert client.find_portal_customer(slug="acm") is None


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.list_portal_links(lms_user_id=-1),
        lambda client: client.get_portal_customer(customer_uuid="acme"),
        lambda client: client.find_portal_customer(slug="a/b"),
    ],
)
def test_malformed_input_is_not_sent(call):
    with pytest.raises(UpstreamRefused) as caught:
        call(Neighbour().client(LmsClient))
    assert caught.value.reason is UpstreamReason.REFUSED_LOCALLY


def test_an_lms_without_feature_switches_has_none_on():
    reply = Reply(body=b'{"results": [], "next": null}')
    assert Neighbour(reply).client(LmsClient).list_portal_links(lms_user_id=21).features == {}
