"""Adding, deleting and restoring intentions: which keys are taken, how they are spelled, and what staff are told."""

from uuid import UUID

import pytest
from django.core.cache import cache

from enterprise_access.apps.content_metadata.domain import Resolved, Unresolved
from enterprise_access.apps.content_metadata.errors import MalformedContentKey
from enterprise_access.apps.content_metadata.models import RunModes
from enterprise_access.apps.content_metadata.tasks import refresh_modes
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.errors import ContentUnknown, IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.apps.default_enrollments.services.intentions.describing import check_key, preview_key
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    add_intention,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    AUDIT_ONLY,
    DEMO,
    DEMO_RUN,
    LINUX,
    PROJECT,
    asked,
    attempts_of,
    bulk_posts,
    intend,
    realizations_of,
    visit,
)
from simulator.seed import ACME, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(world) -> UUID:
    """Let the customer be one that we know."""
    return fetch_customer(customer_uuid=ACME).pk


def warnings_of(key: str) -> tuple[Reason, ...]:
    return preview_key(customer_uuid=ACME, content_key=key, ask_for_modes=False).description.warnings


# --- Which keys are taken, and how they are spelled ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (DEMO, DEMO),
        ("EDX+demox", DEMO),
        (f"  {DEMO}\t", DEMO),
        (DEMO_RUN, DEMO_RUN),
        (DEMO_RUN.upper().replace("COURSE-V1", "course-v1"), DEMO_RUN),
        (f"\n {DEMO_RUN.lower()} ", DEMO_RUN),
        ("Course-V1:edX+DemoX+2026_T1", DEMO_RUN),
    ],
)
def test_a_key_is_stored_as_the_catalog_spells_it(acme, typed, stored):
    intention, description = add_intention(customer_uuid=acme, content_key=typed)
    assert intention.content_key == stored
    assert description.warnings == ()


def test_a_course_key_stands_for_the_advertised_run(acme):
    intention, description = add_intention(customer_uuid=acme, content_key=DEMO)
    assert intention.content_type == "course"
    assert description.content.run is not None
    assert description.content.run.key == DEMO_RUN


def test_a_run_key_stands_for_that_run_whatever_is_advertised(acme):
    older = "course-v1:EPFLx+Scala+2026_A"
    intention, description = add_intention(customer_uuid=acme, content_key=older)
    assert intention.content_type == "course_run"
    assert description.content.run is not None
    assert description.content.run.key == older


@pytest.mark.parametrize("key", ["NobodyX+NOTHING1", "course-v1:NobodyX+NOTHING1+2026", "edX+Demo²", "éd+x"])
def test_a_key_that_no_catalog_knows_is_an_error_and_nothing_is_saved(acme, key):
    with pytest.raises(ContentUnknown) as refusal:
        add_intention(customer_uuid=acme, content_key=key)
    assert refusal.value.code == "content_not_found"
    assert not Intention.objects.exists()


def test_a_known_run_without_a_record_of_its_own_is_refused_without_talk_of_spelling(acme, world):
    world.change_run(run_key=DEMO_RUN, has_record=False)
    with pytest.raises(ContentUnknown) as refusal:
        add_intention(customer_uuid=acme, content_key=DEMO_RUN)
    assert "Check the spelling" not in refusal.value.detail
    assert refusal.value.extra == {"course_key": "edX+DemoX"}
    assert not Intention.objects.exists()


def test_a_run_that_its_course_does_not_have_is_a_warning_or_an_error_but_never_guessed(acme):
    with pytest.raises(ContentUnknown):
        add_intention(customer_uuid=acme, content_key="course-v1:edX+DemoX+1999")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "   ",
        "DemoX",
        "edX",
        "+",
        "edX+",
        "+DemoX",
        "edX+DemoX+2026_T1",
        "edX/DemoX/2026_T1",
        "course-v1:",
        "course-v1:edX+DemoX",
        "course-v1:edX/DemoX/2026_T1",
        "course-v2:edX+DemoX+2026_T1",
        "library-v1:edX+lib",
        "edX+Demo X",
        "edX+DemoX?x=1",
        "edX+DemoX&y",
        "edX+Demo%2BX",
        "edX+DemoX\x00",
        "edX+De\x00moX",
        "edX+De\nmoX",
        "course-v1:edX+DemoX+2026\x00T1",
        "course-v1:edX+DemoX+2026\u200bT1",
        "edX+Demo\ud83d\ude00X".encode("utf-16", "surrogatepass").decode("utf-16"),
        "edX+\u202eDemoX",
        "<script>+x",
        "course-v1:edX+DemoX+2026_T1+branch@draft-branch",
        "course-v1:edX+DemoX+2026_T1+version@519665f6223ebd6980884f2b",
        "course-v1:edX+DemoX+2026_T1+branch@draft-branch+version@519665f6223ebd6980884f2b",
        "course-v1:edX+DemoX+2026_T1+type@problem+block@p1",
        "e\u0130+x",
    ],
)
def test_what_is_no_key_is_refused_without_asking_anybody(acme, world, key):
    world.journal.forget()
    with pytest.raises(MalformedContentKey) as refusal:
        add_intention(customer_uuid=acme, content_key=key)
    assert refusal.value.code == "malformed_content_key"
    assert world.journal.calls() == []
    assert not Intention.objects.exists()


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_key_of_255_characters_is_asked_for_and_one_of_256_is_refused(acme, letter):
    with pytest.raises(ContentUnknown):
        add_intention(customer_uuid=acme, content_key=f"edX+{letter * 251}")
    with pytest.raises(MalformedContentKey, match="255"):
        add_intention(customer_uuid=acme, content_key=f"edX+{letter * 252}")


def test_a_run_key_of_255_characters_can_be_stored(acme, world):
    course = f"edX+{'x' * 232}"
    run = f"course-v1:{course}+2026_T1"
    assert len(run) == 254
    world.add_open_course(key=course, run="2026_T12")
    intention, description = add_intention(customer_uuid=acme, content_key=f"{run}2")
    assert len(intention.content_key) == 255
    assert description.content.run is not None


def test_a_key_that_cannot_be_asked_for_does_not_silence_the_others(acme, world):
    add_intention(customer_uuid=acme, content_key=DEMO)
    with pytest.raises(MalformedContentKey):
        add_intention(customer_uuid=acme, content_key="course-v1:edX+DemoX+2026_T1+branch@draft")
    assert visit(ADA).realized == 1


# --- Twins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("again", [DEMO, DEMO.upper(), f" {DEMO.lower()} "])
def test_the_same_key_again_is_refused_and_the_twin_is_named(acme, again):
    first, _ = add_intention(customer_uuid=acme, content_key=DEMO)
    with pytest.raises(IntentionExists) as refusal:
        add_intention(customer_uuid=acme, content_key=again)
    assert refusal.value.extra == {"uuid": str(first.pk)}
    assert Intention.objects.count() == 1


def test_a_deleted_twin_is_restored_and_not_made_again(acme):
    first, _ = add_intention(customer_uuid=acme, content_key=DEMO)
    delete_intention(first)
    with pytest.raises(IntentionDeleted, match="restore") as refusal:
        add_intention(customer_uuid=acme, content_key=DEMO.lower())
    assert refusal.value.extra == {"uuid": str(first.pk)}
    restore_intention(first)
    first.refresh_from_db()
    assert not first.is_deleted


def test_a_course_and_its_run_are_no_twins(acme):
    assert len(intend(DEMO, DEMO_RUN)) == 2


def test_another_customer_may_intend_the_same(acme):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    assert Intention.objects.count() == 2


# --- What staff are told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("EdinburghX+SUST1", Reason.NOT_IN_CUSTOMER_CATALOGS),
        ("UBCx+HTC1", Reason.NOT_IN_CUSTOMER_CATALOGS),
        ("MITx+6.00.1x", Reason.NO_ADVERTISED_RUN),
        ("edX+NORUNS", Reason.NO_ADVERTISED_RUN),
        ("WasedaX+JPN1", Reason.NO_ADVERTISED_RUN),
        ("NewX+FRESH1", Reason.CONTENT_NOT_READY),
    ],
)
def test_what_may_be_right_tomorrow_is_saved_with_a_warning(acme, key, reason):
    intention, description = add_intention(customer_uuid=acme, content_key=key)
    assert description.warnings == (reason,)
    assert Intention.objects.get() == intention


def test_a_restricted_run_may_be_intended_where_a_catalog_allows_it(acme):
    assert warnings_of("course-v1:edX+RestrictX+B2B_2026") == ()


def test_checking_saves_nothing(acme):
    assert isinstance(check_key(customer_uuid=acme, content_key=DEMO).resolution, Resolved)
    assert warnings_of(DEMO) == ()
    assert not Intention.objects.exists()
    assert not RunModes.objects.exists()


@pytest.mark.parametrize("fault", ["hang", "unreachable", "malformed_json"])
def test_while_the_catalog_is_silent_a_key_is_saved_unchecked_with_a_warning(acme, simulator, fault):
    simulator.faults.add(fault, "catalog.*", times=None)
    intention, description = add_intention(customer_uuid=acme, content_key=" EDX+demox ")
    assert intention.content_key == "EDX+demox"
    assert isinstance(description.content.resolution, Unresolved)
    assert description.warnings == (Reason.CATALOG_UNAVAILABLE,)


def test_what_was_saved_unchecked_is_settled_by_the_next_look(acme, simulator, world):
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    add_intention(customer_uuid=acme, content_key="edx+DEMOX")
    simulator.faults.clear()
    assert visit(ADA).realized == 1
    assert set(realizations_of(ADA)) == {DEMO_RUN}


def test_a_twin_saved_unchecked_is_found_whatever_its_spelling(acme, simulator):
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    add_intention(customer_uuid=acme, content_key="edx+demox")
    simulator.faults.clear()
    cache.clear()
    with pytest.raises(IntentionExists):
        add_intention(customer_uuid=acme, content_key=DEMO)


def test_adding_waits_for_no_modes_and_leaves_them_to_a_task(acme, world, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        add_intention(customer_uuid=acme, content_key=DEMO)
    assert (asked(world, "platform.course"), len(callbacks)) == (0, 1)
    refresh_modes(course_run_keys=[DEMO_RUN], sent_by_newer_code=True)
    assert RunModes.objects.get().course_run_key == DEMO_RUN


def test_an_lms_that_cannot_tell_the_modes_does_not_matter_for_adding(acme, simulator):
    simulator.faults.add("hang", "platform.course", times=None)
    assert add_intention(customer_uuid=acme, content_key=DEMO)[1].warnings == ()


def test_the_history_tells_when_an_intention_was_deleted_and_restored(acme):
    intention, _ = add_intention(customer_uuid=acme, content_key=DEMO)
    delete_intention(intention)
    restore_intention(intention)
    assert [row.deleted_at is not None for row in intention.history.order_by("history_id")] == [False, True, False]


# --- What deleting means -------------------------------------------------------------------------------------------


def test_nobody_is_enrolled_for_a_deleted_intention_and_what_was_realized_stays(acme, world):
    first, second = intend(DEMO, LINUX)
    delete_intention(first)
    visit(ADA)
    assert set(realizations_of(ADA)) == {"course-v1:LinuxFoundationX+LFS101x+2026_T1"}
    delete_intention(second)
    visit(ADA)
    assert len(realizations_of(ADA)) == 1
    assert len(bulk_posts(world)) == 1


def test_after_restoring_everybody_who_comes_is_enrolled_again(acme):
    (intention,) = intend(PROJECT)
    delete_intention(intention)
    visit(ADA)
    assert attempts_of(ADA) == []
    restore_intention(intention)
    assert visit(ADA).realized == 1


def test_who_left_while_the_intention_was_deleted_is_not_enrolled_after_restoring(acme, world):
    (intention,) = intend(AUDIT_ONLY)
    visit(ADA)
    delete_intention(intention)
    world.leave(username="ada", run_key=f"course-v1:{AUDIT_ONLY}+2026")
    restore_intention(intention)
    visit(ADA)
    assert attempts_of(ADA)[-1] in {("blocked", "learner_unenrolled"), ("blocked", "license_revoked")}
    assert len(bulk_posts(world)) == 1
