"""The recorded states of enterprise-subsidy, as `recorded_cases`: a request for each, and what must be so before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator import ledger
from simulator.ledger_rows import Subsidy
from simulator.seed import ACME, GLOBEX
from simulator.values import uuid_for
from simulator.world import World

from .recorded_cases import GARBAGE, Case

API = "/subsidy/api"
RUN = "course-v1:edX+DemoX+2026_T1"
POLICY, OTHER_POLICY = uuid_for("policy", "first"), uuid_for("policy", "second")
MAIN, SMALL, EXPIRED, FUTURE, DELETED, EMPTY = (
    uuid_for("account", name) for name in ["main", "small", "old", "new", "gone", "empty"]
)
NOBODY = uuid_for("account", "nobody")
ADA, BEN = 1001, 1002
AMY = "amy_admin"


def accounts(world: World) -> None:
    """Add the accounts of the recordings, with one transaction in each state that a list shows."""
    now = world.now()
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=MAIN, title="Acme learner credit", starting_balance=2_000_000)
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=SMALL, title="Acme small budget", starting_balance=5_000)
    old: dict[str, Any] = {"expires_at": now - timedelta(days=3)}
    new: dict[str, Any] = {"starts_at": now + timedelta(days=20)}
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=EXPIRED, title="Acme expired budget", **old)
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=FUTURE, title="Acme future budget", **new)
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=DELETED, title="Acme deleted budget", is_deleted=True)
    ledger.add_subsidy(world, customer_uuid=ACME, uuid=EMPTY, title="Acme empty budget", starting_balance=0)


def many_accounts(world: World) -> None:
    for number in range(12):
        ledger.add_subsidy(world, customer_uuid=GLOBEX, title=f"Zeta budget {number:02}")


def redeem(
    world: World, *, learner: int = ADA, key: str = "seed", run: str = RUN, policy: Any = POLICY, lms: str = "ok"
) -> None:
    """Let a learner redeem beforehand; `lms` says how the LMS answers."""
    row = world.tables.subsidies.get(MAIN)
    assert isinstance(row, Subsidy)
    world.quirks.ledger_lms_answers.append(lms)
    asked = ledger.Request(lms_user_id=learner, content_key=run, policy_uuid=policy, metadata={}, idempotency_key=key)
    content = ledger.Content(course=world.course(world.run(run).course_key), run=world.run(run), price=14900)
    try:
        ledger.redeem(
            world,
            row,
            request=asked,
            content=content,
            enroll=lambda uuid: ledger.Enrolled(status=201, fulfillment=str(uuid_for("fulfillment", uuid))),
        )
    except (ledger.Refused, ledger.WorkerDied):
        world.ledger_locks.release(MAIN)


def after(**about: Any) -> Callable[[World], None]:
    """Return what prepares the accounts and one redemption."""

    def prepare(world: World) -> None:
        accounts(world)
        redeem(world, **about)

    return prepare


def reversed_after(world: World) -> None:
    after()(world)
    reverse(world)


def failed_then_committed(world: World) -> None:
    after(key="first", lms="503")(world)
    redeem(world, key="second")


def thirteen(world: World) -> None:
    """A deposit and twelve redemptions, of twelve learners."""
    accounts(world)
    for number in range(12):
        learner = world.add_learner(username=f"beta{number}", customer="acme")
        redeem(world, learner=learner.id, key=f"seed-beta-{number}")


def reverse(world: World) -> None:
    [row] = [row for row in ledger.transactions_of(world, MAIN) if row.lms_user_id == ADA]
    ledger.reverse(world, row)


def last_cents(world: World) -> None:
    """Leave just the price of one run in the small account."""
    accounts(world)
    row = world.tables.subsidies.get(SMALL)
    assert isinstance(row, Subsidy)
    ledger.deposit(world, row, quantity=9_900, idempotency_key="rest")


def locked(world: World) -> None:
    accounts(world)
    world.quirks.ledger_locks = 1


def lms_answers(how: str) -> Callable[[World], None]:
    def prepare(world: World) -> None:
        accounts(world)
        world.quirks.ledger_lms_answers.append(how)

    return prepare


def case(recording: str, method: str, path: str, query: Any = None, **about: Any) -> Case:
    prepare = about.pop("prepare", accounts)
    return Case(f"enterprise-subsidy/{recording}", method, f"{API}{path}", query or {}, prepare=prepare, **about)


def redemption(recording: str, *, subsidy: Any = MAIN, **about: Any) -> Case:
    body = {
        "lms_user_id": about.pop("learner", ADA),
        "content_key": about.pop("run", RUN),
        "subsidy_access_policy_uuid": str(POLICY),
        "metadata": None,
        "idempotency_key": about.pop("key", "key-1"),
    }
    body |= about.pop("more", {})
    path = f"/v2/subsidies/{subsidy}/admin/transactions/"
    return case(recording, "POST", path, body=about.pop("body", body), **about)


def listing(recording: str, query: Any = None, *, subsidy: Any = MAIN, **about: Any) -> Case:
    return case(recording, "GET", f"/v2/subsidies/{subsidy}/admin/transactions/", query, **about)


def deposit(recording: str, prepare: Callable[[World], None]) -> Case:
    body = {
        "desired_deposit_quantity": 5000,
        "sales_contract_reference_id": "00kDEPOSIT00000001",
        "sales_contract_reference_provider": "salesforce_opportunity_line_item",
        "idempotency_key": "deposit-1",
    }
    return case(recording, "POST", f"/v2/subsidies/{SMALL}/admin/deposits/", body=body, prepare=prepare)


def deposited(world: World) -> None:
    accounts(world)
    row = world.tables.subsidies.get(SMALL)
    assert isinstance(row, Subsidy)
    ledger.deposit(world, row, quantity=5000, idempotency_key="deposit-1")


OF_ADA = {"lms_user_id": ADA, "content_key": RUN}
SUBSIDIES, OF_MAIN = "/v1/subsidies/", f"/v1/subsidies/{MAIN}"
OF_ACME = {"enterprise_customer_uuid": ACME}

SUBSIDY_CASES = [
    case("subsidies-list", "GET", SUBSIDIES, OF_ACME),
    case(
        "subsidies-list-first-page",
        "GET",
        SUBSIDIES,
        {"enterprise_customer_uuid": GLOBEX, "page_size": 5},
        prepare=many_accounts,
    ),
    case(
        "subsidies-list-last-page",
        "GET",
        SUBSIDIES,
        {"enterprise_customer_uuid": GLOBEX, "page_size": 5, "page": 3},
        prepare=many_accounts,
    ),
    case("subsidies-list-customer-admin", "GET", SUBSIDIES, OF_ACME, caller=AMY),
    case("subsidies-list-learner", "GET", SUBSIDIES, OF_ACME, caller="ada"),
    case("subsidies-list-malformed-customer-uuid", "GET", SUBSIDIES, {"enterprise_customer_uuid": "nope"}),
    case("subsidies-list-no-token", "GET", SUBSIDIES, OF_ACME, caller=None),
    case("subsidies-list-bad-token", "GET", SUBSIDIES, OF_ACME, caller=None, headers=GARBAGE),
    case("subsidies-retrieve", "GET", f"{OF_MAIN}/"),
    case("subsidies-retrieve-empty", "GET", f"{SUBSIDIES}{EMPTY}/"),
    case("subsidies-retrieve-expired", "GET", f"{SUBSIDIES}{EXPIRED}/"),
    case("subsidies-retrieve-not-started", "GET", f"{SUBSIDIES}{FUTURE}/"),
    case("subsidies-retrieve-deleted", "GET", f"{SUBSIDIES}{DELETED}/"),
    case("subsidies-retrieve-unknown", "GET", f"{SUBSIDIES}{NOBODY}/"),
    case("subsidies-retrieve-learner", "GET", f"{OF_MAIN}/", caller="ada"),
    case("can-redeem-yes", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA),
    case("can-redeem-already-redeemed", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA, prepare=after()),
    case("can-redeem-after-failure", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA, prepare=after(lms="500")),
    case("can-redeem-after-reversal", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA, prepare=reversed_after),
    case("reversal-3-can-redeem", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA, prepare=reversed_after),
    case("can-redeem-not-enough-value", "GET", f"{SUBSIDIES}{SMALL}/can_redeem/", OF_ADA),
    case("can-redeem-missing-parameter", "GET", f"{OF_MAIN}/can_redeem/", {"lms_user_id": ADA}),
    case("can-redeem-unknown-subsidy", "GET", f"{SUBSIDIES}{NOBODY}/can_redeem/", OF_ADA),
    case("can-redeem-learner", "GET", f"{OF_MAIN}/can_redeem/", OF_ADA, caller="ada"),
    case("aggregates-by-learner", "GET", f"{OF_MAIN}/aggregates-by-learner", prepare=thirteen),
    case(
        "aggregates-by-learner-policy",
        "GET",
        f"{OF_MAIN}/aggregates-by-learner",
        {"subsidy_access_policy_uuid": POLICY},
        prepare=after(),
    ),
    case("content-metadata", "GET", f"/v1/content-metadata/{RUN}/", OF_ACME),
    case("content-metadata-learner", "GET", f"/v1/content-metadata/{RUN}/", OF_ACME, caller="ada"),
    case("content-metadata-missing-customer", "GET", f"/v1/content-metadata/{RUN}/"),
    case("content-metadata-not-in-catalog", "GET", "/v1/content-metadata/course-v1:NopeX+NOPE+2026/", OF_ACME),
    deposit("deposit-created", accounts),
    deposit("deposit-repeat-same-key", deposited),
    redemption("redeem-created"),
    redemption("redeem-repeat-same-key", prepare=after(key="key-1")),
    redemption("redeem-repeat-other-key", prepare=after(key="key-0")),
    redemption("redeem-without-key", key=None),
    redemption("redeem-requested-price", more={"requested_price_cents": 14000}),
    redemption("redeem-requested-price-negative", more={"requested_price_cents": -5}),
    redemption("redeem-requested-price-out-of-bounds", more={"requested_price_cents": 1000}),
    redemption("redeem-last-cents", subsidy=SMALL, prepare=last_cents),
    redemption("redeem-nothing-left", subsidy=EMPTY),
    redemption("redeem-not-enough-value", subsidy=SMALL),
    redemption("redeem-expired-subsidy", subsidy=EXPIRED),
    redemption("redeem-not-started-subsidy", subsidy=FUTURE),
    redemption("redeem-deleted-subsidy", subsidy=DELETED),
    redemption("redeem-unknown-subsidy", subsidy=NOBODY),
    redemption("redeem-customer-admin", caller=AMY),
    redemption("redeem-learner", caller="ada"),
    redemption("redeem-no-token", caller=None),
    redemption("redeem-content-not-in-catalog", run="course-v1:NopeX+NOPE+2026"),
    redemption("redeem-missing-fields", body={}),
    redemption("redeem-non-numeric-learner", learner="abc"),
    redemption("redeem-malformed-policy-uuid", more={"subsidy_access_policy_uuid": "zz"}),
    redemption("redeem-ledger-locked", prepare=locked),
    redemption("redeem-after-lock-released"),
    redemption("redeem-lms-400", prepare=lms_answers("400")),
    redemption("redeem-lms-409", learner=99_999),
    redemption("redeem-lms-500", prepare=lms_answers("500")),
    redemption("redeem-lms-503-first-attempt", prepare=lms_answers("503")),
    redemption("redeem-retry-same-key-after-failure", prepare=after(key="key-1", lms="503")),
    redemption("stuck-created-same-key", prepare=after(key="key-1", lms="stuck_created")),
    redemption("reversal-1-redeemed"),
    redemption("reversal-4-redeem-with-new-key", prepare=reversed_after),
    redemption("timeout-4-retry-same-key", prepare=after(key="key-1")),
    listing("transactions-admin-list", OF_ADA, prepare=after()),
    listing("transactions-admin-list-none", OF_ADA),
    listing(
        "transactions-admin-list-aggregates",
        {"include_aggregates": "true", "page_size": 3, "state": "committed"},
        prepare=thirteen,
    ),
    listing(
        "transactions-admin-list-last-page", {"page_size": 5, "page": 3, "ordering": "-quantity"}, prepare=thirteen
    ),
    listing(
        "transactions-admin-list-by-policy",
        {"subsidy_access_policy_uuid": OTHER_POLICY},
        prepare=after(policy=OTHER_POLICY),
    ),
    listing(
        "transactions-admin-list-by-state",
        "state=committed&state=pending&state=created&lms_user_id=1001",
        prepare=failed_then_committed,
    ),
    listing("transactions-admin-list-failed-and-committed", OF_ADA, prepare=failed_then_committed),
    listing("transactions-admin-list-reversed", {"lms_user_id": ADA}, prepare=reversed_after),
    listing("transactions-admin-list-search", {"search": "ada@example.com"}, prepare=after()),
    listing("transactions-admin-list-customer-admin", {"lms_user_id": ADA}, caller=AMY, prepare=after()),
    listing("transactions-admin-list-learner", caller="ada"),
    listing("transactions-admin-list-unknown-state", {"state": "bogus"}),
    listing("transactions-admin-list-unknown-subsidy", subsidy=NOBODY),
    listing("redeem-after-failure-list", OF_ADA, prepare=after(lms="503")),
    listing("timeout-2-list-while-running", OF_ADA, prepare=after(lms="stuck")),
    listing("timeout-3-list-later", OF_ADA, prepare=after()),
    case("transactions-own-list", "GET", f"/v2/subsidies/{MAIN}/transactions/", caller="ada", prepare=after()),
    case(
        "transactions-v1-list",
        "GET",
        "/v1/transactions/",
        {"subsidy_uuid": MAIN, "lms_user_id": ADA},
        prepare=after(lms="500"),
    ),
    case(
        "transactions-v1-list-learner",
        "GET",
        "/v1/transactions/",
        {"subsidy_uuid": MAIN},
        caller="ada",
        prepare=after(),
    ),
    case("transactions-v1-list-without-subsidy", "GET", "/v1/transactions/"),
    case("transactions-v1-retrieve", "GET", "/v1/transactions/<of-ada>/", prepare=after()),
    case("transactions-v1-retrieve-other-learner", "GET", "/v1/transactions/<of-ada>/", caller="ben", prepare=after()),
    case("reversal-2-transaction-after", "GET", "/v1/transactions/<of-ada>/", prepare=reversed_after),
    case("transactions-v1-retrieve-malformed", "GET", "/v1/transactions/abc/"),
    case("transactions-v1-retrieve-unknown", "GET", f"/v1/transactions/{NOBODY}/"),
]

V1_REDEMPTION = "the first redemption call is not spoken: it drops the key, and must not be used"
SUBSIDY_ELSEWHERE = {
    "enterprise-subsidy/redeem-ledger-locked-already-redeemed": "test_subsidy",
    "enterprise-subsidy/timeout-1-client-gives-up": "test_subsidy",
    "enterprise-subsidy/redeem-executive-education": "test_subsidy",
    "enterprise-subsidy/redeem-catalog-down": "the simulated ledger reads the catalog without a call that could fail",
    "enterprise-subsidy/transactions-reverse-not-available": "no route: the page of any unknown address",
    "enterprise-subsidy/transactions-v1-create": V1_REDEMPTION,
    "enterprise-subsidy/transactions-v1-create-ledger-locked": V1_REDEMPTION,
    "enterprise-subsidy/transactions-v1-create-missing-fields": V1_REDEMPTION,
    "enterprise-subsidy/transactions-v1-create-not-enough-value": V1_REDEMPTION,
}
