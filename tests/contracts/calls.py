"""Every method of every client, with a call that means something in the simulator's named world.

What is tested against the simulator takes its calls from here, so that a method that is added is tested at once.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import attrs
import requests

from enterprise_access.lib.http import Limits, Transport, WorkerSession
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.discovery.client import DiscoveryClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.license_manager.creating import LicenseCreator
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.creating import LmsCreator
from enterprise_access.upstream.lms.groups import LmsGroups, MembersQuery
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.subsidy.client import SubsidyClient
from enterprise_access.upstream.subsidy.creating import SubsidyCreator
from simulator.app import Simulator
from simulator.seed import (
    ACME,
    ACME_ANNUAL,
    ACME_CREDIT,
    ACME_NEXT_YEAR,
    ACME_OPEN,
    HOOLI,
    INITECH,
    WORKER_KEY,
    WORKER_SECRET,
)
from simulator.values import PendingAdmin, Renewal

BASE = "https://neighbours.test"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
FREE_RUN = "course-v1:UBCx+HTC1+2026_T1"
LIMITS = Limits(connect_seconds=1, read_seconds=2, total_seconds=4)
ENROLL_READ_SECONDS = 5.0
MAX_BODY_BYTES = 1_000_000

Creator = LmsCreator | LicenseCreator | SubsidyCreator
Client = LmsClient | LmsGroups | CatalogClient | LicenseManagerClient | DiscoveryClient | SubsidyClient | Creator
Arguments = Callable[[Simulator], dict[str, Any]]
PREFIXES = {
    LmsClient: "lms",
    LmsGroups: "lms",
    CatalogClient: "catalog",
    LicenseManagerClient: "license-manager",
    DiscoveryClient: "discovery",
    SubsidyClient: "subsidy",
    LmsCreator: "lms",
    LicenseCreator: "license-manager",
    SubsidyCreator: "subsidy",
}
# What provisioning creates with.
CREATORS = (LmsCreator, LicenseCreator, SubsidyCreator)
_CREATED_AT_LMS = ("create_customer", "make_admin", "add_pending_admin", "create_catalog")
_CREATED_ELSEWHERE = ("create_agreement", "create_plan", "create_renewal", "create_account")
# These wait longer for their answer, for ENROLL_READ_SECONDS; and these answer 201.
PATIENT = {"enroll", "redeem"}
CREATING = {"enroll", "redeem", "deposit", *_CREATED_AT_LMS, *_CREATED_ELSEWHERE}
# These return None when it is done.
WITHOUT_VALUE = {"add_pending_admin", "set_line_item"}
# All others are GETs.
VERBS = {
    "list_type_options": "OPTIONS",
    **dict.fromkeys(["enroll", "redeem", "deposit", "activate", "auto_apply"], "POST"),
    **dict.fromkeys(["assign_licenses"], "POST"),
    **dict.fromkeys(["filter_content_keys", "staff_lookup"], "POST"),
    **dict.fromkeys([*_CREATED_AT_LMS, *_CREATED_ELSEWHERE], "POST"),
    "set_line_item": "PATCH",
}
# Of a client's public methods, these send nothing; or nothing of the answer is read, and the tests of the services that
# link and unlink learners try what may go wrong.
SILENT = {"is_content_key", "create_pending_learners", "unlink_learners"}


@attrs.frozen
class Call:
    """One method, called so that it gets an answer with something in it.

    `endpoint` is the simulator's name of what is asked; `needed` are members of the answer that nothing can be made of
    without; a call `learner` makes goes out with the learner's own token.
    """

    client: type[Client]
    method: str
    endpoint: str
    arguments: Arguments
    needed: tuple[str, ...] = ("results",)
    learner: str | None = None
    is_write: bool = False

    @property
    def name(self) -> str:
        return f"{self.client.__name__}.{self.method}"

    @property
    def sending(self) -> tuple[object, ...]:
        """How it is sent. Before the answer is read, the transport treats all calls alike that are sent alike."""
        verb = VERBS.get(self.method, "GET")
        return verb, self.is_write, self.learner is not None, self.method in PATIENT, self.method in CREATING


def client_of(
    kind: type[Client], session: requests.Session, *, sleep: Callable[[float], None] = lambda _: None
) -> Client:
    transport = Transport(
        service=PREFIXES[kind],
        base_url=f"{BASE}/{PREFIXES[kind]}",
        session=session,
        limits=LIMITS,
        sleep=sleep,
        max_body_bytes=MAX_BODY_BYTES,
    )
    if kind is LmsClient:
        return LmsClient(transport, enroll_read_seconds=ENROLL_READ_SECONDS)
    if kind is SubsidyClient:
        return SubsidyClient(transport, redeem_read_seconds=ENROLL_READ_SECONDS)
    return kind(transport)


def session_over(adapter: requests.adapters.BaseAdapter) -> WorkerSession:
    session = WorkerSession(f"{BASE}/lms", WORKER_KEY, WORKER_SECRET, timeout=(1, 2))
    session.mount("https://", adapter)
    return session


def make(call: Call, client: Client, simulator: Simulator) -> Any:
    """Make the call; what comes a page at a time is read to its end."""
    arguments = call.arguments(simulator)
    if call.learner is not None:
        arguments["learner_token"] = simulator.tokens.token_for(call.learner)
    found = getattr(client, call.method)(**arguments)
    if call.method in WITHOUT_VALUE:
        return "done" if found is None else None
    return tuple(found) if isinstance(found, Iterator) else found


def _are(**arguments: Any) -> Arguments:
    return lambda _: dict(arguments)


def _ecu(username: str) -> Arguments:
    return lambda simulator: {"enterprise_customer_user_id": simulator.world.links_of(username)[0].id}


def _item(simulator: Simulator) -> dict[str, Any]:
    item = EnrollItem(1001, FREE_RUN, license_uuid=simulator.world.licenses_of("ada")[0].uuid)
    return {"customer_uuid": ACME, "items": [item]}


def _activation_key(simulator: Simulator) -> dict[str, Any]:
    return {"activation_key": simulator.world.licenses_of("ben")[0].activation_key}


def _agreement(customer_uuid: UUID) -> Arguments:
    def found(simulator: Simulator) -> dict[str, Any]:
        agreement = simulator.world.tables.agreements.first(customer=customer_uuid)
        assert agreement is not None
        return {"agreement_uuid": agreement.uuid}

    return found


def _lms(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(LmsClient, method, endpoint, arguments, **about)


def _catalog(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(CatalogClient, method, f"catalog.{endpoint}", arguments, **about)


def _licenses(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(LicenseManagerClient, method, f"license_manager.{endpoint}", arguments, **about)


def _discovery(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(DiscoveryClient, method, f"discovery.{endpoint}", arguments, **about)


def _subsidy(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(SubsidyClient, method, f"subsidy.{endpoint}", arguments, **about)


def _groups(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(LmsGroups, method, f"lms.{endpoint}", arguments, **about)


def _lms_creator(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(LmsCreator, method, f"lms.{endpoint}", arguments, **about)


def _license_creator(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(LicenseCreator, method, f"license_manager.{endpoint}", arguments, **about)


def _subsidy_creator(method: str, endpoint: str, arguments: Arguments, **about: Any) -> Call:
    return Call(SubsidyCreator, method, f"subsidy.{endpoint}", arguments, **about)


def _group(**about: Any) -> Arguments:
    def made(simulator: Simulator) -> dict[str, Any]:
        group_uuid = simulator.world.add_group(customer=ACME, name="North").uuid
        simulator.world.set_member(group_uuid=group_uuid, username="ada")
        return {"group_uuid": group_uuid, **about}

    return made


def _pending(simulator: Simulator) -> dict[str, Any]:
    email = "later@example.com"
    simulator.world.put("pending admin added", PendingAdmin(id=1, customer_uuid=ACME, email=email))
    return {"customer_uuid": ACME, "email": email}


def _with_query(simulator: Simulator) -> dict[str, Any]:
    simulator.world.change_catalog(catalog_uuid=ACME_OPEN, query_id=1)
    return {"customer_uuid": ACME, "catalog_query_id": 1}


_YEAR: dict[str, Any] = {
    "starts_at": datetime(2027, 1, 1, tzinfo=UTC),
    "expires_at": datetime(2028, 1, 1, tzinfo=UTC),
}
_RENEWED: dict[str, Any] = {"prior_plan_uuid": ACME_ANNUAL, "renewed_plan_uuid": ACME_NEXT_YEAR}
_RENEWAL: dict[str, Any] = {"licenses": 7, "effective_at": _YEAR["starts_at"], "expires_at": _YEAR["expires_at"]}


def _renewed(simulator: Simulator) -> dict[str, Any]:
    row = Renewal(id=1, line_item=None, created_at=simulator.world.now(), **_RENEWED, **_RENEWAL)
    simulator.world.put("renewal added", row)
    return {"prior_plan_uuid": _RENEWED["prior_plan_uuid"]}


def _new_plan(simulator: Simulator) -> dict[str, Any]:
    about = {"title": "New plan", "line_item": "00kNEW", "licenses": 7, "product_id": 1, "is_internal": True}
    return {**_agreement(ACME)(simulator), "catalog_uuid": ACME_OPEN, **about, **_YEAR}


def _reference(simulator: Simulator) -> dict[str, Any]:
    account = simulator.world.tables.subsidies.get(ACME_CREDIT)
    assert account is not None
    return {"customer_uuid": ACME, "reference_id": account.reference_id}


CALLS = (
    _discovery("list_type_options", "options", _are(course_key="edX+DemoX"), needed=("type_options",)),
    _discovery("list_courses", "courses", _are(course_keys=["edX+DemoX"])),
    _lms("get_customer", "lms.customer", _are(customer_uuid=ACME), needed=("uuid",)),
    _lms("get_portal_customer", "lms.customer", _are(customer_uuid=ACME), needed=("uuid",)),
    _lms("find_customer", "lms.customers", _are(slug="acme")),
    _lms("find_portal_customer", "lms.customers", _are(slug="acme")),
    _lms("list_learner_links", "lms.learners", _are(customer_uuid=ACME, lms_user_ids=[1001, 1002])),
    _lms("iterate_learner_links", "lms.learners", _are(customer_uuid=ACME)),
    _lms("list_portal_links", "lms.learners", _are(lms_user_id=1006)),
    _lms("list_learner_links_page", "lms.learners", _are(customer_uuid=ACME, page=1)),
    _lms("list_default_intentions", "lms.default_intentions", _are(customer_uuid=ACME)),
    _lms("is_learner_visible", "lms.learners", _are(lms_user_id=1001)),
    _lms("enroll", "lms.enroll_learners", _item, needed=("successes",), is_write=True),
    _lms("list_platform_enrollments", "platform.enrollments", _are(usernames=["dave", "erin"])),
    _lms("get_run_modes", "platform.course", _are(course_run_key=DEMO_RUN), needed=("course_modes",)),
    _lms("list_enterprise_enrollments", "lms.enterprise_enrollments", _ecu("erin")),
    _lms(
        "list_enterprise_enrollments_admin",
        "lms.enterprise_enrollments_for_staff",
        _are(customer_uuid=ACME, lms_user_id=1013),
    ),
    _lms(
        "list_portal_enrollments",
        "lms.own_enrollments",
        _are(customer_uuid=ACME),
        needed=("course_run_id",),
        learner="erin",
    ),
    _catalog("list_catalogs", "catalogs", _are(customer_uuid=ACME)),
    _catalog(
        "list_catalog_content", "catalog_content", _are(catalog_uuid=ACME_OPEN, content_keys=["edX+DemoX", DEMO_RUN])
    ),
    _catalog("list_content", "content_list", _are(content_keys=["edX+DemoX", DEMO_RUN])),
    _catalog(
        "get_customer_content",
        "customer_content",
        _are(customer_uuid=ACME, content_key="edX+DemoX"),
        needed=("content_type",),
    ),
    _catalog("get_content", "content", _are(content_key=DEMO_RUN), needed=("key",)),
    _catalog(
        "contains",
        "customer_contains",
        _are(customer_uuid=ACME, content_keys=["edX+DemoX"]),
        needed=("contains_content_items",),
    ),
    _catalog(
        "filter_content_keys",
        "filter_content",
        _are(customer_uuid=ACME, content_keys=["edX+DemoX", "No+SUCH"]),
        needed=("filtered_content_keys",),
    ),
    _catalog("get_search_key", "search_key", _are(customer_uuid=ACME), needed=("algolia",), learner="ada"),
    _licenses("list_licenses_of", "admin_license_view", _are(customer_uuid=ACME, user_email="dee@example.com")),
    _licenses("list_plans", "subscriptions", _are(customer_uuid=ACME)),
    _licenses(
        "assign_licenses",
        "assign",
        _are(plan_uuid=ACME_ANNUAL, user_emails=["nina@example.com"]),
        needed=("num_already_associated", "license_assignments"),
        is_write=True,
    ),
    _licenses("list_plan_licenses", "licenses_of_plan", _are(plan_uuid=ACME_ANNUAL)),
    _licenses("get_agreement", "agreements", _are(customer_uuid=HOOLI)),
    _licenses("staff_lookup", "staff_lookup", _are(user_email="dee@example.com"), needed=("status",)),
    _licenses("list_own_licenses", "learner_licenses", _are(customer_uuid=ACME), learner="dee"),
    _licenses("activate", "license_activation", _activation_key, needed=("uuid",), learner="ben", is_write=True),
    _licenses("auto_apply", "auto_apply", _agreement(HOOLI), needed=("uuid",), learner="nina", is_write=True),
    _subsidy("list_subsidies", "subsidies", _are(customer_uuid=ACME)),
    _subsidy("get_subsidy", "subsidy_detail", _are(subsidy_uuid=ACME_CREDIT), needed=("uuid",)),
    _subsidy("list_transactions", "admin_transactions", _are(subsidy_uuid=ACME_CREDIT)),
    _subsidy("iterate_transactions", "admin_transactions", _are(subsidy_uuid=ACME_CREDIT, states=["committed"])),
    _subsidy(
        "redeem",
        "redeem",
        _are(
            subsidy_uuid=ACME_CREDIT,
            policy_uuid=UUID(int=1),
            lms_user_id=1001,
            content_key=DEMO_RUN,
            idempotency_key="first",
        ),
        needed=("uuid",),
        is_write=True,
    ),
    _subsidy(
        "deposit",
        "deposit",
        _are(
            subsidy_uuid=ACME_CREDIT,
            quantity_cents=5000,
            idempotency_key="deposit",
            sales_contract_reference_id="00kDEPOSIT",
            sales_contract_reference_provider="salesforce_opportunity_line_item",
        ),
        needed=("transaction",),
        is_write=True,
    ),
    _groups("get_group", "group", _group(), needed=("uuid",)),
    _groups("list_members", "group_members", _group(emails=["ada@example.com"], with_removed=True)),
    _groups("get_page", "group_members", _group(query=MembersQuery(), page=1)),
    _groups("iterate", "group_members", _group(query=MembersQuery())),
    _lms_creator("find_customer", "customers", _are(slug="acme")),
    _lms_creator(
        "create_customer",
        "create_customer",
        _are(name="New", slug="brand-new", country="US", site_domain="lms.test"),
        needed=("uuid",),
        is_write=True,
    ),
    _lms_creator("list_admin_addresses", "learners", _are(customer_uuid=ACME)),
    _lms_creator("is_pending_admin", "pending_admins", _pending),
    _lms_creator(
        "make_admin",
        "create_admin_by_email",
        _are(customer_uuid=ACME, email="ada@example.com"),
        needed=("id",),
        is_write=True,
    ),
    _lms_creator(
        "add_pending_admin",
        "add_pending_admin",
        _are(customer_uuid=ACME, email="new@example.com"),
        needed=("user_email",),
        is_write=True,
    ),
    _lms_creator("find_catalog", "catalogs", _with_query),
    _lms_creator(
        "create_catalog",
        "create_catalog",
        _are(customer_uuid=ACME, title="New", catalog_query_id=2),
        needed=("uuid",),
        is_write=True,
    ),
    _license_creator("find_agreement", "agreements", _are(customer_uuid=ACME)),
    _license_creator(
        "create_agreement",
        "create_agreement",
        _are(customer_uuid=INITECH, customer_slug="initech", default_catalog_uuid=None),
        needed=("uuid",),
        is_write=True,
    ),
    _license_creator("list_plans", "subscriptions", _are(customer_uuid=ACME)),
    _license_creator("create_plan", "create_plan", _new_plan, needed=("uuid",), is_write=True),
    _license_creator(
        "set_line_item",
        "change_plan",
        _are(plan_uuid=ACME_ANNUAL, line_item="00kNEW"),
        needed=("uuid",),
        is_write=True,
    ),
    _license_creator("find_renewal", "renewals", _renewed),
    _license_creator(
        "create_renewal",
        "create_renewal",
        _are(line_item=None, **_RENEWED, **_RENEWAL),
        needed=("id",),
        is_write=True,
    ),
    _subsidy_creator("find_account", "subsidies", _reference),
    _subsidy_creator(
        "create_account",
        "create_subsidy",
        _are(
            customer_uuid=ACME,
            title="New",
            reference_id="00kNEW",
            starting_balance_cents=5000,
            revenue_category="bulk-enrollment-prepay",
            is_internal=False,
            **_YEAR,
        ),
        needed=("uuid",),
        is_write=True,
    ),
)
# One call for each way of sending.
SENT = tuple({call.sending: call for call in reversed(CALLS)}.values())
BY_NAME = {call.name: call for call in CALLS}
