"""Every client method that answers about many, with what it is asked and who of the many is the odd one.

A method joins with one line in `BULK`. `test_bulk.py` makes the row of one key odd, or every question about that key
fail, and looks at the client, and at each service above it that `scenes.py` knows.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.tests.stories import (
    AUDIT_ONLY,
    DEMO,
    DEMO_RUN,
    FRANK,
    LINUX,
    LINUX_RUN,
    PROJECT_RUN,
    add_learners,
)
from enterprise_access.lib.rows import UnreadableRow
from enterprise_access.upstream.lms.groups import MembersQuery
from enterprise_access.upstream.lms.types import EnrollItem
from enterprise_access.upstream.paging import joined
from simulator import ledger
from simulator.app import Simulator
from simulator.seed import ACME, ACME_ANNUAL, ACME_CREDIT, ACME_LEADERS, ACME_OPEN
from simulator.world import World
from tests.contracts.calls import BY_NAME, Call

Arguments = Callable[[Simulator], dict[str, Any]]

LEARNERS: Final = 12
NAMES: Final = tuple(f"learner{number:03}" for number in range(LEARNERS))
# The odd one of them.
NAME: Final = NAMES[4]
EMAIL: Final = f"{NAME}@example.com"
SECOND: Final = "the second"
GROUP: Final = "North"
COURSES: Final = (DEMO, LINUX, AUDIT_ONLY)
# In no catalog of Acme.
ELSEWHERE: Final = ("MicrosoftX+CLOUD1", "UBCx+HTC1", "IBM+DS0101EN")


def _not_by_key(_: World) -> str:
    return ""


@frozen(kw_only=True)
class Bulk:
    """A method that answers about many.

    `told` reads whose a row is. `odd` are a value that only the culprit's row holds, and the member that becomes
    unreadable there. `key` is what an unreadable row is known by; None where nothing follows from whose it is.
    `asked_by` is the word for the culprit in a question; empty where the method does not ask by key, so that a failure
    cannot be the failure of one. `rows` finds the rows in what the method returns.
    """

    call: Call
    arguments: Arguments
    told: Callable[[Any], object]
    odd: tuple[str, str]
    key: Callable[[World], object] = lambda _: None
    asked_by: Callable[[World], str] = _not_by_key
    rows: Callable[[Any], Any] = lambda answer: answer
    scenes: tuple[str, ...] = ()

    @property
    def is_asked_by_key(self) -> bool:
        return self.asked_by is not _not_by_key


def add_crowd(world: World) -> None:
    """Add learners with a license, some of whom have something of everything that is answered about many."""
    add_learners(world, LEARNERS, plan_uuid=ACME_ANNUAL)
    for name in NAMES:
        world.enroll(username=name, run_key=DEMO_RUN)
    for run_key in (DEMO_RUN, LINUX_RUN, PROJECT_RUN):
        license_uuid = world.licenses_of(NAME)[0].uuid
        world.enroll(username=NAME, run_key=run_key, mode="verified", customer=ACME, license_uuid=license_uuid)
    ledger.add_subsidy(world, customer_uuid=ACME, title=SECOND, starting_balance=1_000)
    for name in NAMES:
        world.set_member(group_uuid=world.add_group(customer=ACME, name=GROUP).uuid, username=name)
    account = world.tables.subsidies.get(ACME_CREDIT)
    assert account is not None
    for key in ("deposit 1", SECOND):
        ledger.deposit(world, account, quantity=1_000, idempotency_key=key)


def id_of(world: World) -> int:
    """Return the LMS user id of the odd one."""
    return world.user(NAME).id


def unknown_keys(rows: Iterable[UnreadableRow]) -> set[object]:
    """Return the keys that unreadable rows are known by; the key of a course's record is a set."""
    return {key for row in rows for key in (row.key if isinstance(row.key, frozenset) else [row.key])}


def _are(**about: Any) -> Arguments:
    return lambda _: dict(about)


def _own(username: str, **about: Any) -> Arguments:
    return lambda simulator: {**about, "learner_token": simulator.tokens.token_for(username)}


def _ids(simulator: Simulator) -> dict[str, Any]:
    return {"customer_uuid": ACME, "lms_user_ids": [simulator.world.user(name).id for name in NAMES]}


def _group(**about: Any) -> Arguments:
    return lambda simulator: {"group_uuid": simulator.world.add_group(customer=ACME, name=GROUP).uuid, **about}


def _items(simulator: Simulator) -> dict[str, Any]:
    world = simulator.world
    licenses = {world.user(name).id: world.licenses_of(name)[0].uuid for name in NAMES}
    items = [EnrollItem(lms_user_id, DEMO_RUN, license_uuid=uuid) for lms_user_id, uuid in licenses.items()]
    return {"customer_uuid": ACME, "items": items}


def _bulk(name: str, arguments: Arguments, told: str, odd: tuple[str, str], **about: Any) -> Bulk:
    def read(row: Any) -> object:
        for member in told.split("."):
            row = getattr(row, member)
        return row

    return Bulk(call=BY_NAME[name], arguments=arguments, told=read, odd=odd, **about)


_LEARNERS_LINK: Final[dict[str, Any]] = {"told": "lms_user_id", "odd": (EMAIL, "id"), "key": id_of}

BULK: Final = (
    _bulk(
        "LmsClient.list_learner_links",
        _ids,
        **_LEARNERS_LINK,
        asked_by=lambda world: str(id_of(world)),
        scenes=("realizing", "signing in"),
    ),
    _bulk(
        "LmsClient.iterate_learner_links",
        _are(customer_uuid=ACME),
        **_LEARNERS_LINK,
        rows=tuple,
        scenes=("backfilling",),
    ),
    _bulk(
        "LmsClient.list_learner_links_page",
        _are(customer_uuid=ACME, page=1),
        **_LEARNERS_LINK,
        rows=lambda page: page.rows,
        scenes=("backfilling in the background",),
    ),
    _bulk(
        "LmsClient.list_portal_links",
        _are(lms_user_id=FRANK),
        "customer.uuid",
        odd=(str(ACME), "active"),
        rows=lambda answer: answer.links,
    ),
    _bulk(
        "LmsClient.list_default_intentions",
        _are(customer_uuid=ACME),
        "content_key",
        odd=(AUDIT_ONLY, "created"),
        rows=lambda answer: answer.intentions,
    ),
    _bulk(
        "LmsClient.enroll",
        _items,
        "lms_user_id",
        odd=(EMAIL, "course_run_key"),
        rows=lambda answer: answer.successes,
        asked_by=lambda world: str(id_of(world)),
        scenes=("realizing",),
    ),
    _bulk(
        "LmsClient.list_platform_enrollments",
        _are(usernames=NAMES),
        "username",
        odd=(NAME, "is_active"),
        key=lambda _: NAME,
        asked_by=lambda _: NAME,
        scenes=("realizing", "reconciling"),
    ),
    _bulk(
        "LmsClient.list_enterprise_enrollments_admin",
        lambda simulator: {"customer_uuid": ACME, "lms_user_id": id_of(simulator.world)},
        "course_run_key",
        odd=(LINUX_RUN, "is_revoked"),
    ),
    _bulk(
        "LmsClient.list_portal_enrollments",
        _own(NAME, customer_uuid=ACME),
        "course_run_key",
        odd=(LINUX_RUN, "is_revoked"),
    ),
    _bulk(
        "CatalogClient.list_catalog_content",
        _are(catalog_uuid=ACME_OPEN, content_keys=COURSES),
        "key",
        odd=(DEMO, "content_type"),
        key=lambda _: DEMO,
        asked_by=lambda _: DEMO,
        scenes=("checking courses",),
    ),
    _bulk(
        "CatalogClient.list_content",
        _are(content_keys=ELSEWHERE),
        "key",
        odd=(ELSEWHERE[0], "content_type"),
        key=lambda _: ELSEWHERE[0],
        asked_by=lambda _: ELSEWHERE[0],
        scenes=("checking courses of no catalog",),
    ),
    _bulk(
        "LicenseManagerClient.list_plans",
        _are(customer_uuid=ACME),
        "uuid",
        odd=(str(ACME_LEADERS), "is_current"),
        scenes=("realizing",),
    ),
    _bulk(
        "LicenseManagerClient.list_plan_licenses",
        _are(plan_uuid=ACME_ANNUAL),
        "user_email",
        odd=(EMAIL, "status"),
        key=lambda _: EMAIL,
        scenes=("realizing",),
    ),
    _bulk(
        "DiscoveryClient.list_courses",
        _are(course_keys=COURSES),
        "key",
        odd=(DEMO, "uuid"),
        key=lambda _: DEMO,
        asked_by=lambda _: DEMO,
        scenes=("typing courses",),
    ),
    _bulk(
        "LmsGroups.list_members",
        _group(emails=[f"{name}@example.com" for name in NAMES]),
        "email",
        odd=(EMAIL, "status"),
        key=lambda _: EMAIL,
        asked_by=lambda _: EMAIL,
        scenes=("reading memberships",),
    ),
    _bulk(
        "LmsGroups.get_page",
        _group(query=MembersQuery(), page=1),
        "member_details.user_email",
        odd=(EMAIL, "status"),
        rows=lambda page: page.rows,
    ),
    _bulk(
        "LmsGroups.iterate",
        _group(query=MembersQuery()),
        "member_details.user_email",
        odd=(EMAIL, "status"),
        rows=lambda pages: joined(page.rows for page in pages),
        scenes=("reminding",),
    ),
    _bulk("SubsidyClient.list_subsidies", _are(customer_uuid=ACME), "title", odd=(SECOND, "current_balance")),
    _bulk(
        "SubsidyClient.list_transactions",
        _are(subsidy_uuid=ACME_CREDIT),
        "idempotency_key",
        odd=(SECOND, "quantity"),
        scenes=("reading the ledger by learner",),
    ),
    _bulk(
        "SubsidyClient.iterate_transactions",
        _are(subsidy_uuid=ACME_CREDIT),
        "idempotency_key",
        odd=(SECOND, "quantity"),
        rows=lambda pages: joined(page.rows for page in pages),
        scenes=("reading the ledger",),
    ),
)
