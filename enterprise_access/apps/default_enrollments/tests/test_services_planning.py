"""What is sent, paid by which license, and what is only written down: a round with the real licenses of the world."""

from datetime import timedelta
from uuid import UUID

import pytest

from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    AUDIT_ONLY_RUN,
    BEN,
    CAROL,
    DAVE,
    DAY,
    DEMO,
    DEMO_RUN,
    ERIN,
    FRANK,
    HAL,
    LEA,
    LINUX,
    LINUX_RUN,
    MAX,
    PROJECT,
    PROJECT_RUN,
    STATS,
    STATS_RUN,
    attempts_of,
    bulk_posts,
    intend,
    realizations_of,
    request_of,
    sent_items,
    visit,
)
from simulator.seed import ACME, ACME_ANNUAL, ACME_LEADERS, ACME_OPEN, GLOBEX
from simulator.values import LicenseStatus

CYD, DEE, ELI, FAY, GUS, JUDY, KIM = 1003, 1004, 1005, 1006, 1007, 1015, 1016
OLDER_DEMO_RUN = "course-v1:edX+DemoX+2024_T1"

pytestmark = pytest.mark.django_db


def license_in(world, username: str, plan_uuid: UUID, status=LicenseStatus.ACTIVATED) -> str:
    (found,) = [row for row in world.licenses_of(username) if row.plan_uuid == plan_uuid and row.status == status]
    return str(found.uuid)


# --- What pays -----------------------------------------------------------------------------------------------------


def test_what_is_sent_names_learner_run_and_license_and_marks_it_as_a_default_enrollment(world):
    intend(DEMO)
    visit(ADA)
    assert sent_items(world) == [
        {
            "user_id": ADA,
            "course_run_key": DEMO_RUN,
            "license_uuid": license_in(world, "ada", ACME_ANNUAL),
            "is_default_auto_enrollment": True,
        }
    ]
    (call,) = world.journal.calls(endpoint="lms.enroll_learners")
    assert call.body["notify"] is False


@pytest.mark.parametrize(
    ("learner", "reason"),
    [
        (HAL, "no_license"),
        (BEN, "license_not_activated"),
        (CYD, "no_license"),
        (ELI, "license_plan_not_current"),
        (FAY, "license_plan_not_current"),
        (GUS, "license_plan_not_current"),
        (JUDY, "no_license"),
    ],
)
def test_who_has_no_usable_license_is_not_enrolled_and_the_attempt_says_why(world, learner, reason):
    intend(DEMO)
    visit(learner)
    assert bulk_posts(world) == []
    assert attempts_of(learner) == [("blocked", reason)]
    assert request_of(learner).waiting_for == reason


def test_a_license_for_other_catalogs_does_not_pay(world):
    intend(LINUX)
    visit(LEA)
    assert attempts_of(LEA) == [("blocked", "license_not_in_catalog")]


def test_a_revoked_license_does_not_hide_a_new_one(world):
    intend(DEMO)
    visit(DEE)
    assert sent_items(world)[0]["license_uuid"] == license_in(world, "dee", ACME_ANNUAL)


def test_of_two_licenses_the_one_that_lasts_longest_pays_and_every_intention_chooses_for_itself(world):
    intend(DEMO, LINUX, PROJECT)
    visit(MAX)
    paid = {item["course_run_key"]: item["license_uuid"] for item in sent_items(world)}
    leaders, annual = license_in(world, "max", ACME_LEADERS), license_in(world, "max", ACME_ANNUAL)
    assert paid == {DEMO_RUN: leaders, PROJECT_RUN: leaders, LINUX_RUN: annual}


def test_of_two_licenses_that_end_together_the_smallest_uuid_pays(world):
    uuids = [UUID(int=2), UUID(int=1)]
    for uuid in uuids:
        world.add_license(plan_uuid=ACME_ANNUAL, username="hal", uuid=uuid)
    intend(DEMO)
    visit(HAL)
    assert sent_items(world)[0]["license_uuid"] == str(min(uuids))


def test_an_address_that_changed_makes_the_license_invisible_until_the_learner_reads_it(world):
    intend(DEMO)
    visit(JUDY)
    assert attempts_of(JUDY) == [("blocked", "no_license")]
    world.rename_email(username="judy", email="judy@example.com")
    assert visit(JUDY).realized == 1


def test_a_license_that_arrives_pays_at_the_next_visit(world):
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    assert visit(HAL).realized == 1
    assert attempts_of(HAL) == [("blocked", "no_license"), ("realized", "needs_enrollment")]


def test_a_license_of_another_customer_does_not_pay(world):
    world.link(username="heidi", customer="acme")
    intend(DEMO)
    visit(2001)
    assert attempts_of(2001) == [("blocked", "no_license")]


# --- What is not sent ----------------------------------------------------------------------------------------------


def test_who_has_the_course_in_another_run_is_left_alone(world):
    intend("EPFLx+Scala")
    visit(CAROL)
    assert bulk_posts(world) == []
    assert attempts_of(CAROL) == [("not_needed", "enrolled")]


def test_who_left_a_paid_enrollment_that_somebody_else_made_is_left_alone(world):
    intend(DEMO)
    visit(DAVE)
    assert bulk_posts(world) == []
    assert attempts_of(DAVE) == [("blocked", "learner_unenrolled")]


def test_who_left_an_audit_enrollment_that_we_never_made_is_enrolled(world):
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    world.leave(username="ada", run_key=DEMO_RUN)
    intend(DEMO)
    assert visit(ADA).realized == 1


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("MITx+6.00.1x", "no_advertised_run"),
        ("WasedaX+JPN1", "no_advertised_run"),
        ("NewX+FRESH1", "content_not_ready"),
        ("EdinburghX+SUST1", "not_in_customer_catalogs"),
        ("GetSmarter+AIB", "needs_learner_input"),
        ("KyotoX+CHEM1", "run_not_published"),
        ("DelftX+WATER1", "enrollment_not_open"),
        ("BerkeleyX+CS188.1x", "enrollment_closed"),
        ("RiceX+ELEC301", "run_ended"),
        ("ANUx+ASTRO1", "invitation_only"),
        ("ColumbiaX+BUS5", "mode_expired"),
        ("PurdueX+MIX1", "mode_mismatch"),
        ("MichiganX+PY101", "upgrade_deadline_passed"),
        ("OxfordX+GHOST1", "run_unknown_to_lms"),
    ],
)
def test_what_the_rules_do_not_allow_is_not_sent_and_the_attempt_says_why(world, key, reason):
    intend(key)
    visit(ADA)
    assert bulk_posts(world) == []
    assert attempts_of(ADA) == [("blocked", reason)]


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("WhartonX+FIN1", "professional"),
        ("GTx+CSE6040", "no-id-professional"),
        ("HarvardX+CS50", "audit"),
        ("TsinghuaX+ENG1", "honor"),
        ("ImperialX+MATH1", "verified"),
        ("SorbonneX+SNAP1", "verified"),
        ("UQx+THINK101", "verified"),
    ],
)
def test_what_the_rules_allow_is_sent_and_the_mode_was_predicted(world, key, mode):
    intend(key)
    assert visit(ADA).realized == 1
    ((run_key, realization),) = realizations_of(ADA).items()
    assert realization.predicted_mode == mode == world.enrollment("ada", run_key).mode


# --- Upgrades ------------------------------------------------------------------------------------------------------


def test_who_is_in_audit_is_upgraded(world):
    intend(STATS)
    assert visit(ERIN).realized == 1
    assert world.enrollment("erin", STATS_RUN).mode == "verified"
    assert attempts_of(ERIN) == [("realized", "needs_upgrade")]
    assert RealizationAttempt.objects.get().is_upgrade


def test_who_was_moved_to_audit_by_a_revocation_is_upgraded_with_a_new_license(world, clock):
    intend(DEMO)
    visit(KIM)
    assert attempts_of(KIM) == [("blocked", "no_license")]
    row = world.enterprise_enrollment("kim", "acme", DEMO_RUN)
    assert row.license_uuid is not None
    world.add_license(plan_uuid=ACME_ANNUAL, username="kim")
    clock.shift(DAY)
    visit(KIM)
    assert world.enrollment("kim", DEMO_RUN).mode == "verified"
    assert set(realizations_of(KIM)) == {DEMO_RUN}


def test_who_is_in_an_audit_only_run_has_it_already(world):
    world.enroll(username="ada", run_key=AUDIT_ONLY_RUN)
    intend(AUDIT_ONLY)
    visit(ADA)
    assert attempts_of(ADA) == [("not_needed", "enrolled_in_audit_only_run")]


def test_who_is_in_audit_in_another_run_that_nobody_realized_is_enrolled_in_the_advertised_one(world):
    world.enroll(username="ada", run_key=OLDER_DEMO_RUN)
    intend(DEMO)
    assert visit(ADA).realized == 1
    assert set(realizations_of(ADA)) == {DEMO_RUN}


def test_a_realized_audit_enrollment_stays_when_another_run_is_advertised(world, clock):
    intend(AUDIT_ONLY)
    visit(ADA)
    world.add_run(key="course-v1:HarvardX+CS50+2027", seats=("audit",))
    clock.shift(DAY)
    visit(ADA)
    assert len(bulk_posts(world)) == 1
    assert set(realizations_of(ADA)) == {AUDIT_ONLY_RUN}


# --- Several intentions of one course ------------------------------------------------------------------------------


def test_a_course_intention_is_covered_by_a_run_intention_of_the_same_course(world):
    intend(DEMO, DEMO_RUN)
    assert visit(ADA).realized == 1
    assert bulk_posts(world) == [[(ADA, DEMO_RUN)]]
    reasons = dict(RealizationAttempt.objects.values_list("intention__content_key", "reason"))
    assert reasons == {DEMO: "covered_by_other_intention", DEMO_RUN: "needs_enrollment"}


def test_a_course_intention_is_covered_by_an_intention_for_another_run_too(world):
    intend("EPFLx+Scala", "course-v1:EPFLx+Scala+2026_A")
    visit(ADA)
    assert [item["course_run_key"] for item in sent_items(world)] == ["course-v1:EPFLx+Scala+2026_A"]


def test_a_run_intention_that_nobody_pays_for_covers_all_the_same(world):
    intend(DEMO, DEMO_RUN)
    visit(HAL)
    assert sorted(attempts_of(HAL)) == [("blocked", "covered_by_other_intention"), ("blocked", "no_license")]


def test_without_the_run_intention_the_course_intention_is_served(world, clock):
    course, run = intend(DEMO, DEMO_RUN)
    visit(HAL)
    delete_intention(run)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal")
    assert visit(HAL).realized == 1
    assert realizations_of(HAL)[DEMO_RUN].intention == course


def test_two_run_intentions_of_one_course_are_both_served(world):
    intend("course-v1:EPFLx+Scala+2026_A", "course-v1:EPFLx+Scala+2026_B")
    assert visit(ADA).realized == 2


# --- Several customers ---------------------------------------------------------------------------------------------


def test_every_customer_decides_from_the_same_platform_enrollments(world):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    assert visit(FRANK).realized == 1
    assert visit(FRANK, customer=GLOBEX).realized == 0
    assert world.enrollment("frank", DEMO_RUN).mode == "verified"
    assert len(bulk_posts(world)) == 1


def test_who_left_what_another_customer_realized_is_not_enrolled_in_it_by_this_one(world):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    visit(FRANK)
    world.leave(username="frank", run_key=DEMO_RUN)
    assert visit(FRANK, customer=GLOBEX).realized == 0
    assert not world.enrollment("frank", DEMO_RUN).is_active


# --- What is written down ------------------------------------------------------------------------------------------


def test_the_same_finding_again_only_moves_its_time_and_count(world, clock):
    intend(DEMO)
    visit(HAL)
    first = RealizationAttempt.objects.get()
    clock.shift(timedelta(hours=5))
    visit(HAL)
    visit(HAL)
    again = RealizationAttempt.objects.get()
    assert (again.pk, again.times, again.created_at) == (first.pk, 3, first.created_at)
    assert again.last_seen_at - first.last_seen_at == timedelta(hours=5)


def test_another_finding_is_another_attempt(world):
    intend(DEMO)
    visit(HAL)
    world.add_license(plan_uuid=ACME_ANNUAL, username="hal", status=LicenseStatus.ASSIGNED)
    visit(HAL)
    assert attempts_of(HAL) == [("blocked", "no_license"), ("blocked", "license_not_activated")]


def test_after_a_realization_looking_again_is_not_worth_a_row(world):
    intend(DEMO)
    for _ in range(3):
        visit(ADA)
    assert attempts_of(ADA) == [("realized", "needs_enrollment")]


def test_a_catalog_that_lost_the_course_stops_what_was_not_done_yet(world, clock):
    intend(DEMO)
    world.change_catalog(catalog_uuid=ACME_OPEN, course_keys=(LINUX,))
    for catalog in world.tables.catalogs.where(customer=ACME):
        if catalog.uuid != ACME_OPEN:
            world.change_catalog(catalog_uuid=catalog.uuid, course_keys=(), run_keys=())
    clock.shift(DAY)
    visit(ADA)
    assert attempts_of(ADA) == [("blocked", "not_in_customer_catalogs")]


def test_who_left_a_course_of_one_customer_is_not_enrolled_in_it_by_another(world):
    intend(AUDIT_ONLY, customer=ACME)
    intend(AUDIT_ONLY, customer=GLOBEX)
    visit(FRANK, customer=ACME)
    assert [item["course_run_key"] for item in sent_items(world)] == [AUDIT_ONLY_RUN]
    world.leave(username="frank", run_key=AUDIT_ONLY_RUN)

    visit(FRANK, customer=GLOBEX)
    visit(FRANK, customer=ACME)

    assert len(sent_items(world)) == 1
    enrollment = world.enrollment("frank", AUDIT_ONLY_RUN)
    assert enrollment is not None
    assert not enrollment.is_active


def test_what_another_customer_realized_and_stands_is_not_taken_for_this_ones(world):
    intend(DEMO, customer=ACME)
    visit(FRANK, customer=ACME)
    intend(STATS, customer=ACME)
    intend(AUDIT_ONLY, customer=GLOBEX)
    visit(FRANK, customer=GLOBEX)
    assert {item["course_run_key"] for item in sent_items(world)} == {DEMO_RUN, AUDIT_ONLY_RUN}
