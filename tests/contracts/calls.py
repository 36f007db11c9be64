"""Every method of every client, with a call that means something in the simulator's named world.

What is tested against the simulator takes its calls from here, so that a method that is added is tested at once.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import attrs
import requests

from enterprise_access.lib.http import Limits, Transport, WorkerSession
from enterprise_access.upstream.catalog.client import CatalogClient
from enterprise_access.upstream.discovery.client import DiscoveryClient
from enterprise_access.upstream.license_manager.client import LicenseManagerClient
from enterprise_access.upstream.lms.client import LmsClient
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.subsidy.client import SubsidyClient
from simulator.app import Simulator
from simulator.seed import ACME, ACME_ANNUAL, ACME_CREDIT, ACME_OPEN, HOOLI, WORKER_KEY, WORKER_SECRET

BASE = "https://neighbours.test"
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
FREE_RUN = "course-v1:UBCx+HTC1+2026_T1"
LIMITS = Limits(connect_seconds=1, read_seconds=2, total_seconds=4)
ENROLL_READ_SECONDS = 5.0
MAX_BODY_BYTES = 1_000_000

Client = LmsClient | CatalogClient | LicenseManagerClient | DiscoveryClient | SubsidyClient
Arguments = Callable[[Simulator], dict[str, Any]]
PREFIXES = {
    LmsClient: "lms",
    CatalogClient: "catalog",
    LicenseManagerClient: "license-manager",
    DiscoveryClient: "discovery",
    SubsidyClient: "subsidy",
}
# These wait longer for their answer, for ENROLL_READ_SECONDS; and these answer 201.
PATIENT = {"enroll", "redeem"}
CREATING = {"enroll", "redeem", "deposit"}
# Of a client's public methods, these send nothing.
SILENT = {"within", "is_content_key"}


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
    return kind(transport)  # type: ignore[call-arg]


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
)
BY_NAME = {call.name: call for call in CALLS}
