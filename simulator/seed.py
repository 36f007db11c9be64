"""The named world: customers, catalogs, plans, and one learner for every state (listed in `simulator`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from . import ledger
from .seed_content import OPEN_COURSES, PROGRAM, add_content
from .values import LicenseStatus
from .world import World

ACME = UUID("acae0000-0000-4000-8000-000000000001")
GLOBEX = UUID("910be000-0000-4000-8000-000000000002")
INITECH = UUID("1217ec00-0000-4000-8000-000000000003")
DORMANT = UUID("d0a00000-0000-4000-8000-000000000004")
HOOLI = UUID("b0011000-0000-4000-8000-000000000005")

ACME_OPEN = UUID("ca7a0000-0000-4000-8000-0000000000a1")
ACME_LEADERSHIP = UUID("ca7a0000-0000-4000-8000-0000000000a2")
ACME_MIXED = UUID("ca7a0000-0000-4000-8000-0000000000a3")
ACME_CUSTOM = UUID("ca7a0000-0000-4000-8000-0000000000a4")
GLOBEX_ENGINEERING = UUID("ca7a0000-0000-4000-8000-0000000000b1")
GLOBEX_RUNS = UUID("ca7a0000-0000-4000-8000-0000000000b2")
GLOBEX_EMPTY = UUID("ca7a0000-0000-4000-8000-0000000000b3")
HOOLI_EVERYTHING = UUID("ca7a0000-0000-4000-8000-0000000000d1")
DORMANT_CATALOG = UUID("ca7a0000-0000-4000-8000-0000000000e1")

ACME_ANNUAL = UUID("91a00000-0000-4000-8000-0000000000a1")
ACME_LEADERS = UUID("91a00000-0000-4000-8000-0000000000a2")
ACME_LAST_YEAR = UUID("91a00000-0000-4000-8000-0000000000a3")
ACME_NEXT_YEAR = UUID("91a00000-0000-4000-8000-0000000000a4")
ACME_SWITCHED_OFF = UUID("91a00000-0000-4000-8000-0000000000a5")
GLOBEX_PLAN = UUID("91a00000-0000-4000-8000-0000000000b1")
HOOLI_AUTO_APPLY = UUID("91a00000-0000-4000-8000-0000000000d1")
DORMANT_PLAN = UUID("91a00000-0000-4000-8000-0000000000e1")

ACME_CREDIT = UUID("5b51d000-0000-4000-8000-0000000000a1")

WORKER_KEY, WORKER_SECRET = "enterprise-access-key", "enterprise-access-secret"
NO_STAFF_KEY, NO_STAFF_SECRET = "no-staff-key", "no-staff-secret"
OPERATOR = "enterprise_openedx_operator:*"
PROVISIONER = "enterprise_provisioning_admin:*"

# In the catalog "Open Courses" of Acme beside the ordinary ones: a course for every state a decision depends on.
ACME_STATES = (
    "edX+DemoX",
    "EPFLx+Scala",
    "MITx+6.00.1x",
    "edX+OLD101",
    "BerkeleyX+CS188.1x",
    "DelftX+WATER1",
    "RiceX+ELEC301",
    "KyotoX+CHEM1",
    "ANUx+ASTRO1",
    "UTAustinX+FULL1",
    "SorbonneX+SNAP1",
    "HarvardX+CS50",
    "MichiganX+PY101",
    "ColumbiaX+BUS5",
    "WhartonX+FIN1",
    "GTx+CSE6040",
    "TsinghuaX+ENG1",
    "ImperialX+MATH1",
    "PurdueX+MIX1",
    "CaltechX+NOMODE",
    "NewX+FRESH1",
    "edX+NORUNS",
    "UQx+THINK101",
    "OxfordX+GHOST1",
    "WasedaX+JPN1",
)


def seed(world: World) -> None:
    """Fill an empty world with the named one."""
    add_content(world)
    _add_customers(world)
    _add_catalogs(world)
    _add_plans(world)
    _add_staff(world)
    _add_credit(world)
    _add_default_intentions(world)
    _add_learners_of_acme(world)
    _add_learners_with_a_past(world)
    _add_other_learners(world)


def _add_customers(world: World) -> None:
    world.add_customer(uuid=ACME, slug="acme", name="Acme Learning")
    world.add_customer(uuid=GLOBEX, slug="globex", name="Globex Corporation", has_data_sharing_consent=False)
    world.add_customer(uuid=INITECH, slug="initech", name="Initech")
    world.add_customer(uuid=DORMANT, slug="dormant", name="Dormant Dynamics", is_active=False)
    world.add_customer(uuid=HOOLI, slug="hooli", name="Hooli", identity_provider="saml-hooli")
    world.change_customer(customer="globex", has_learner_portal=False, has_audit_reporting=False)


def _add_catalogs(world: World) -> None:
    ordinary = [key for key, _, _ in OPEN_COURSES]
    world.add_catalog(
        customer="acme", uuid=ACME_OPEN, title="Open Courses", courses=[*ordinary[:7], *ACME_STATES], programs=[PROGRAM]
    )
    leadership = ["AdelaideX+Project101x", "BUx+SUPPLY1", "CornellX+HOSP1", "edX+DemoX", "WhartonX+FIN1"]
    world.add_catalog(customer="acme", uuid=ACME_LEADERSHIP, title="Leadership", courses=leadership)
    runs = [run.key for run in world.runs_of("edX+DemoX")]
    mixed = ["edX+DemoX", "GetSmarter+AIB"]
    world.add_catalog(customer="acme", uuid=ACME_MIXED, title="A La Carte", courses=mixed, runs=runs)
    custom = [f"course-v1:edX+{name}+B2B_2026" for name in ("RestrictX", "RestrictOnly")]
    restricted = ["edX+RestrictX", "edX+RestrictOnly"]
    world.add_catalog(
        customer="acme", uuid=ACME_CUSTOM, title="Custom Runs", courses=restricted, restricted_runs=custom
    )
    engineering = ["TUMx+AUTO1", "MicrosoftX+CLOUD1", "UBCx+HTC1", "IBM+DS0101EN", "edX+DemoX", "HarvardX+CS50"]
    world.add_catalog(customer="globex", uuid=GLOBEX_ENGINEERING, title="Engineering", courses=engineering)
    world.add_catalog(
        customer="globex",
        uuid=GLOBEX_RUNS,
        title="Single Runs",
        courses=["edX+RestrictX"],
        runs=["course-v1:StanfordX+ML+2026_T3"],
    )
    world.add_catalog(customer="globex", uuid=GLOBEX_EMPTY, title="Without a Query", has_query=False)
    world.add_catalog(customer="hooli", uuid=HOOLI_EVERYTHING, title="Everything", courses=[*ordinary, *ACME_STATES])
    world.add_catalog(customer="dormant", uuid=DORMANT_CATALOG, title="Old Courses", courses=ordinary[:3])


def _add_plans(world: World) -> None:
    at = world.seeded_at
    year = timedelta(days=365)
    world.add_agreement(customer="acme", default_catalog_uuid=ACME_OPEN)
    world.add_agreement(customer="globex", default_catalog_uuid=GLOBEX_ENGINEERING)
    world.add_agreement(customer="hooli", default_catalog_uuid=HOOLI_EVERYTHING, has_universal_link=True)
    world.add_plan(customer="acme", uuid=ACME_ANNUAL, catalog_uuid=ACME_OPEN, title="Acme annual plan", licenses=20)
    world.add_plan(
        customer="acme",
        uuid=ACME_LEADERS,
        catalog_uuid=ACME_LEADERSHIP,
        title="Acme leadership plan",
        expires_at=at + year * 2,
        licenses=5,
    )
    last_year: dict[str, Any] = {"starts_at": at - year - timedelta(days=10), "expires_at": at - timedelta(days=10)}
    world.add_plan(
        customer="acme", uuid=ACME_LAST_YEAR, catalog_uuid=ACME_OPEN, title="Acme last year (expired)", **last_year
    )
    next_year: dict[str, Any] = {"starts_at": at + timedelta(days=20), "expires_at": at + year}
    world.add_plan(
        customer="acme", uuid=ACME_NEXT_YEAR, catalog_uuid=ACME_OPEN, title="Acme next plan (not started)", **next_year
    )
    world.add_plan(
        customer="acme",
        uuid=ACME_SWITCHED_OFF,
        catalog_uuid=ACME_LEADERSHIP,
        title="Acme switched-off plan",
        is_active=False,
    )
    world.add_plan(
        customer="globex",
        uuid=GLOBEX_PLAN,
        catalog_uuid=GLOBEX_ENGINEERING,
        title="Globex engineering plan",
        licenses=3,
    )
    world.add_plan(
        customer="hooli",
        uuid=HOOLI_AUTO_APPLY,
        catalog_uuid=HOOLI_EVERYTHING,
        title="Hooli auto-apply plan",
        auto_applies=True,
        licenses=10,
    )
    world.add_plan(
        customer="dormant", uuid=DORMANT_PLAN, catalog_uuid=DORMANT_CATALOG, title="Dormant plan", licenses=2
    )


def _add_credit(world: World) -> None:
    """An account of learner credit that no one has spent from."""
    ledger.add_subsidy(
        world, customer_uuid=ACME, uuid=ACME_CREDIT, title="Acme learner credit", starting_balance=500_000
    )


def _add_default_intentions(world: World) -> None:
    """What the LMS was told before there was anybody else to tell."""
    for content_key in ("edX+DemoX", "course-v1:KIx+STATS1+2026_T1", "HarvardX+CS50", "MITx+6.00.1x"):
        world.add_default_intention(customer="acme", content_key=content_key)
    world.add_default_intention(customer="globex", content_key="edX+DemoX")


def _add_staff(world: World) -> None:
    world.add_user(id=2, username="enterprise_access_worker", is_staff=True, extra_roles=[OPERATOR, PROVISIONER])
    world.add_user(id=3, username="worker_without_staff", extra_roles=[OPERATOR])
    world.add_user(id=4, username="staff_without_role", is_staff=True)
    world.add_user(id=5, username="amy_admin", first_name="Amy", extra_roles=[f"enterprise_admin:{ACME}"])
    world.link(username="amy_admin", customer="acme")
    world.add_user(id=6, username="outsider")
    world.add_client(client_id=WORKER_KEY, client_secret=WORKER_SECRET, username="enterprise_access_worker")
    world.add_client(client_id=NO_STAFF_KEY, client_secret=NO_STAFF_SECRET, username="worker_without_staff")


def _add_learners_of_acme(world: World) -> None:
    """Learners that differ in their licenses only."""
    activated, assigned, revoked = LicenseStatus.ACTIVATED, LicenseStatus.ASSIGNED, LicenseStatus.REVOKED
    rows = (
        (1001, "ada", "Ada", "Lovelace", "activated license, nothing enrolled yet", ((ACME_ANNUAL, activated),)),
        (1002, "ben", "Ben", "Okafor", "license assigned, not yet activated", ((ACME_ANNUAL, assigned),)),
        (1003, "cyd", "Cyd", "Marsh", "license revoked", ((ACME_ANNUAL, revoked),)),
        (
            1004,
            "dee",
            "Dee",
            "Novak",
            "license revoked, another one activated since",
            ((ACME_ANNUAL, revoked), (ACME_ANNUAL, activated)),
        ),
        (1005, "eli", "Eli", "Stone", "license of a plan that has expired", ((ACME_LAST_YEAR, activated),)),
        (1006, "fay", "Fay", "Ito", "license of a plan that has not started", ((ACME_NEXT_YEAR, activated),)),
        (1007, "gus", "Gus", "Berg", "license of a plan that is switched off", ((ACME_SWITCHED_OFF, activated),)),
        (1008, "hal", "Hal", "Quist", "no license", ()),
        (
            1009,
            "max",
            "Max",
            "Adeyemi",
            "licenses of two current plans",
            ((ACME_ANNUAL, activated), (ACME_LEADERS, activated)),
        ),
        (1010, "lea", "Lea", "Fontaine", "license of the leadership plan only", ((ACME_LEADERS, activated),)),
    )
    for user_id, username, first_name, last_name, note, licenses in rows:
        about: dict[str, Any] = {"first_name": first_name, "last_name": last_name, "note": note}
        world.add_learner(id=user_id, username=username, customer="acme", **about)
        for plan_uuid, status in licenses:
            world.add_license(plan_uuid=plan_uuid, username=username, status=status)


def _add_learners_with_a_past(world: World) -> None:
    """Learners of Acme that have enrollments, or a link or address that changed."""
    rows = (
        (1011, "carol", "Carol", "Dahl", "enrolled in a run that is no longer the advertised one"),
        (1012, "dave", "Dave", "Moreau", "left the course that everyone starts with"),
        (1013, "erin", "Erin", "Walsh", "enrolled already: paid here, audit there"),
        (1014, "grace", "Grace", "Hopper", "was linked once, is not any more"),
        (1015, "judy", "Judy", "Kim", "address changed: the license still has the old one"),
        (1016, "kim", "Kim", "Larsen", "license revoked while enrolled: moved to audit"),
    )
    for user_id, username, first_name, last_name, note in rows:
        about: dict[str, Any] = {"first_name": first_name, "last_name": last_name, "note": note}
        world.add_learner(id=user_id, username=username, customer="acme", **about)
        row = world.add_license(plan_uuid=ACME_ANNUAL, username=username)
        paid: dict[str, Any] = {"customer": "acme", "license_uuid": row.uuid, "mode": "verified"}
        if username == "carol":
            world.enroll(username=username, run_key="course-v1:EPFLx+Scala+2026_A", **paid)
        if username == "dave":
            world.enroll(username=username, run_key="course-v1:edX+DemoX+2026_T1", **paid)
            world.leave(username=username, run_key="course-v1:edX+DemoX+2026_T1")
        if username == "erin":
            world.enroll(username=username, run_key="course-v1:edX+DemoX+2026_T1", **paid)
            world.enroll(username=username, run_key="course-v1:KIx+STATS1+2026_T1", mode="audit")
        if username == "kim":
            world.enroll(username=username, run_key="course-v1:edX+DemoX+2026_T1", **paid)
            world.revoke(license_uuid=row.uuid)
    world.unlink(username="grace", customer="acme")
    world.rename_email(username="judy", email="judy.kim@example.com")


def _add_other_learners(world: World) -> None:
    world.add_learner(id=2001, username="heidi", first_name="Heidi", last_name="Brandt", customer="globex")
    world.add_license(plan_uuid=GLOBEX_PLAN, username="heidi")
    world.add_learner(id=2002, username="ivan", first_name="Ivan", last_name="Petrov", customer="globex")
    about: dict[str, Any] = {"first_name": "Frank", "last_name": "Osei", "note": "in two customers, Globex selected"}
    world.add_learner(id=2003, username="frank", customer="acme", **about)
    world.link(username="frank", customer="globex")
    world.add_license(plan_uuid=GLOBEX_PLAN, username="frank")
    world.add_license(plan_uuid=ACME_ANNUAL, username="frank")
    world.add_learner(id=3001, username="peter", last_name="Gibbons", customer="initech", note="no catalogs at all")
    world.add_learner(id=4001, username="dora", last_name="Mant", customer="dormant", note="customer switched off")
    world.add_license(plan_uuid=DORMANT_PLAN, username="dora")
    for user_id, username in ((5001, "nina"), (5002, "omar")):
        world.add_learner(id=user_id, username=username, customer="hooli", note="no license: auto-apply waits")
