"""The local copies of the LMS: asked for in bulk, kept with their age, never worse than what was known before."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import requests
import time_machine
from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.customers.errors import CustomerUnknown
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
)
from enterprise_access.apps.customers.selectors import get_customer, list_enrollments, list_learners
from enterprise_access.apps.customers.services import (
    fetch_customer,
    fetch_customer_by_slug,
    find_customer,
    forget_enrollments,
    note_visits,
    refresh_customer,
    refresh_enterprise_enrollments,
    refresh_learners,
)
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.lib.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable
from simulator.seed import ACME, GLOBEX

ADA, BEN, DAVE, GRACE, HEIDI, FRANK = 1001, 1002, 1012, 1014, 2001, 2003
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
LINUX_RUN = "course-v1:LinuxFoundationX+LFS101x+2026_T1"
ONE_SECOND = timedelta(seconds=1)

FAULTS = [
    ("hang", {}),
    ("unreachable", {}),
    ("status", {"status": 500}),
    ("status", {"status": 403}),
    ("html", {}),
    ("malformed_json", {}),
    ("missing_keys", {"keys": ["results", "uuid"]}),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock():
    """Stop the clock; `clock.shift(...)` moves it on."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def acme(world) -> UUID:
    """Let the customer be known."""
    return fetch_customer(customer_uuid=ACME).pk


def learners_of(*ids, customer=ACME):
    return refresh_learners(customer_uuid=customer, lms_user_ids=ids)


def calls(world, endpoint):
    return world.journal.calls(endpoint=endpoint)


# --- Customers -----------------------------------------------------------------------------------------------------


def test_a_customer_is_kept_with_the_time_of_asking(world, clock):
    customer = fetch_customer(customer_uuid=ACME)
    assert (customer.name, customer.slug, customer.is_active) == ("Acme Learning", "acme", True)
    assert (customer.primary_color, customer.language) == ("#2D494E", "")
    assert customer.fetched_at == timezone.now()
    assert get_customer(customer_uuid=ACME) == customer


def test_asking_again_takes_over_what_changed_and_keeps_what_is_ours(acme, world):
    EnterpriseCustomer.objects.update(realization_paused=True)
    world.change_customer(customer="acme", name="Acme Renamed")
    customer = fetch_customer(customer_uuid=ACME)
    assert (customer.name, customer.realization_paused) == ("Acme Renamed", True)


@pytest.mark.parametrize("customer", [uuid4(), UUID("d0a00000-0000-4000-8000-000000000004")])
def test_a_customer_that_is_unknown_or_switched_off_is_unknown_and_not_kept(world, customer):
    with pytest.raises(CustomerUnknown) as refusal:
        fetch_customer(customer_uuid=customer)
    assert refusal.value.code == "customer_unknown"
    assert not EnterpriseCustomer.objects.exists()


def test_a_known_customer_that_the_lms_does_not_show_any_more_is_marked_inactive(acme, world):
    world.change_customer(customer="acme", is_active=False)
    with pytest.raises(CustomerUnknown):
        fetch_customer(customer_uuid=ACME)
    assert EnterpriseCustomer.objects.get().is_active is False


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_a_customer_that_cannot_be_asked_for_stays_as_it_was(acme, simulator, kind, about):
    simulator.faults.add(kind, "lms.customer", times=None, **about)
    with pytest.raises(UpstreamError):
        fetch_customer(customer_uuid=ACME)
    assert EnterpriseCustomer.objects.get().is_active is True


def test_people_name_a_customer_by_slug_or_by_uuid(world):
    assert find_customer(slug_or_uuid="acme") == find_customer(slug_or_uuid=str(ACME).upper())


@pytest.mark.parametrize("slug", ["nobody", "dormant", "acm", "acmee", "ACME"])
def test_a_slug_that_nobody_has_is_unknown(world, slug):
    with pytest.raises(CustomerUnknown, match=slug):
        fetch_customer_by_slug(slug=slug)


@pytest.mark.parametrize("slug", ["", "a b", "acme/", "é/", "acme&x=1"])
def test_what_cannot_be_a_slug_is_not_asked_for(world, slug):
    with pytest.raises(UpstreamRefused):
        find_customer(slug_or_uuid=slug)
    assert calls(world, "lms.customers") == []


def test_a_young_copy_of_a_customer_is_believed_and_an_older_one_is_not(acme, world, clock):
    world.change_customer(customer="acme", name="Acme Renamed")
    clock.shift(timedelta(minutes=4))
    assert refresh_customer(customer_uuid=ACME).name == "Acme Learning"
    clock.shift(timedelta(minutes=2))
    assert refresh_customer(customer_uuid=ACME).name == "Acme Renamed"


def test_a_customer_that_was_switched_off_is_inactive_and_no_error(acme, world, clock):
    world.change_customer(customer="acme", is_active=False)
    clock.shift(timedelta(minutes=6))
    assert refresh_customer(customer_uuid=ACME).is_active is False
    world.change_customer(customer="acme", is_active=True)
    clock.shift(timedelta(minutes=6))
    assert refresh_customer(customer_uuid=ACME).is_active is True


def test_a_customer_that_we_never_met_is_unknown_when_the_lms_says_so(world):
    with pytest.raises(CustomerUnknown):
        refresh_customer(customer_uuid=uuid4())


# --- Who is linked -------------------------------------------------------------------------------------------------


def test_a_linked_learner_is_known_with_name_and_link_and_the_address_for_this_call_only(acme, world):
    ada = learners_of(ADA)[ADA]
    assert (ada.username, ada.is_linked, ada.email) == ("ada", True, "ada@example.com")
    assert ada.enterprise_customer_user_id == world.links_of("ada")[0].id
    assert list_learners(customer_uuid=ACME, lms_user_ids=[ADA])[ADA].email is None
    assert "ada@example.com" not in repr(ada)
    assert "'ada'" not in repr(ada)


@pytest.mark.parametrize("lms_user_id", [GRACE, HEIDI, 999_999])
def test_a_learner_who_was_never_seen_linked_is_absent(acme, lms_user_id):
    assert learners_of(lms_user_id) == {}
    assert not EnterpriseLearner.objects.exists()


def test_a_learner_who_was_unlinked_is_known_as_not_linked(acme, world):
    learners_of(ADA, BEN)
    world.unlink(username="ada", customer="acme")
    found = learners_of(ADA, BEN)
    assert (found[ADA].is_linked, found[ADA].is_active_link, found[BEN].is_linked) == (False, False, True)
    world.link(username="ada", customer="acme")
    assert learners_of(ADA)[ADA].is_linked


def test_which_customer_a_learner_has_selected_is_known(acme, world):
    assert learners_of(FRANK)[FRANK].is_active_link is False
    world.link(username="frank", customer="acme")
    assert learners_of(FRANK)[FRANK].is_active_link is True


def test_a_hundred_learners_are_one_call_and_the_order_does_not_drift(acme, world):
    for number in range(150):
        world.add_learner(username=f"learner{number:03}", customer="acme")
    ids = [world.user(f"learner{number:03}").id for number in range(150)]
    assert len(learners_of(*ids)) == 150
    asked = calls(world, "lms.learners")
    assert len(asked) == 2
    assert {call.query["ordering"][0] for call in asked} == {"user_id"}


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_links_that_cannot_be_asked_for_stay_as_they_were(acme, simulator, kind, about):
    learners_of(ADA)
    before = EnterpriseLearner.objects.values().get()
    simulator.faults.add(kind, "lms.learners", times=None, **about)
    with pytest.raises(UpstreamError):
        learners_of(ADA, BEN)
    assert EnterpriseLearner.objects.values().get() == before


def test_when_a_learner_was_seen_is_kept(acme, clock):
    learners_of(ADA, BEN)
    note_visits(customer_uuid=ACME, lms_user_ids=[ADA], at=timezone.now())
    seen = dict(EnterpriseLearner.objects.values_list("lms_user_id", "last_login_at"))
    assert seen == {ADA: timezone.now(), BEN: None}
    learners_of(ADA)
    assert EnterpriseLearner.objects.get(lms_user_id=ADA).last_login_at == timezone.now()


# --- What they are enrolled in -------------------------------------------------------------------------------------


def enrollments_of(lms_user_id):
    return {row.course_run_key: row for row in list_enrollments(lms_user_ids=[lms_user_id])[lms_user_id]}


def test_every_enrollment_is_kept_whoever_made_it_active_or_not(acme, world):
    world.enroll(username="dave", run_key=LINUX_RUN, mode="audit")
    found = refresh_enrollments(learners=learners_of(DAVE).values())
    states = {row.course_run_key: (row.mode, row.is_active) for row in found[DAVE]}
    assert states == {DEMO_RUN: ("verified", False), LINUX_RUN: ("audit", True)}
    assert found[DAVE] == list_enrollments(lms_user_ids=[DAVE])[DAVE]


def test_a_learner_without_enrollments_has_an_empty_tuple(acme):
    assert refresh_enrollments(learners=learners_of(ADA).values()) == {ADA: ()}


def test_for_nobody_nobody_is_asked(world):
    assert refresh_enrollments(learners=[]) == {}
    assert world.journal.calls() == []


def test_what_changed_is_taken_over_and_what_is_gone_is_dropped(acme, world, clock):
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    row = world.enroll(username="ada", run_key=LINUX_RUN, mode="audit")
    learners = learners_of(ADA).values()
    refresh_enrollments(learners=learners)
    world.leave(username="ada", run_key=DEMO_RUN)
    world.drop("enrollment deleted", row)
    clock.shift(ONE_SECOND)
    refresh_enrollments(learners=learners)
    assert set(enrollments_of(ADA)) == {DEMO_RUN}
    assert enrollments_of(ADA)[DEMO_RUN].is_active is False
    assert enrollments_of(ADA)[DEMO_RUN].fetched_at == timezone.now()


def test_names_are_compared_ignoring_case_and_sent_as_the_lms_spells_them(acme, world):
    world.add_learner(username="McKenzie", customer="acme")
    world.enroll(username="mckenzie", run_key=DEMO_RUN, mode="audit")
    lms_user_id = world.user("McKenzie").id
    found = refresh_enrollments(learners=learners_of(lms_user_id).values())
    assert [row.course_run_key for row in found[lms_user_id]] == [DEMO_RUN]
    assert calls(world, "platform.enrollments")[0].query["username"] == ["McKenzie"]


def test_many_rows_are_read_page_by_page(acme, world):
    for number in range(120):
        world.add_open_course(key=f"ManyX+C{number}")
        world.enroll(username="ada", run_key=f"course-v1:ManyX+C{number}+2026_T1")
    found = refresh_enrollments(learners=learners_of(ADA).values())
    assert len(found[ADA]) == 120
    assert len(calls(world, "platform.enrollments")) == 2


@pytest.mark.parametrize(("kind", "about"), FAULTS)
def test_enrollments_that_cannot_be_asked_for_stay_as_they_were(acme, world, simulator, kind, about):
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    learners = learners_of(ADA).values()
    refresh_enrollments(learners=learners)
    simulator.faults.add(kind, "platform.enrollments", times=None, **about)
    with pytest.raises(UpstreamError):
        refresh_enrollments(learners=learners)
    assert set(enrollments_of(ADA)) == {DEMO_RUN}


def test_a_page_that_breaks_in_the_middle_changes_nothing(acme, world, simulator):
    for number in range(120):
        world.add_open_course(key=f"ManyX+C{number}")
        world.enroll(username="ada", run_key=f"course-v1:ManyX+C{number}+2026_T1")
    learners = learners_of(ADA).values()
    simulator.faults.add("delay_before", "platform.enrollments", times=1, seconds=0)
    simulator.faults.add("hang", "platform.enrollments", times=1)
    with pytest.raises(UpstreamUnavailable):
        refresh_enrollments(learners=learners)
    assert not LearnerEnrollment.objects.exists()
    assert EnterpriseLearner.objects.get().enrollments_fetched_at is None


def test_what_an_event_changed_after_the_read_had_started_is_newer(acme, world, clock):
    world.enroll(username="ada", run_key=DEMO_RUN, mode="verified")
    learners = learners_of(ADA).values()
    refresh_enrollments(learners=learners)
    later = timezone.now() + ONE_SECOND
    LearnerEnrollment.objects.update(is_active=False, changed_at=later)
    refresh_enrollments(learners=learners)
    assert enrollments_of(ADA)[DEMO_RUN].is_active is False
    clock.shift(2 * ONE_SECOND)
    refresh_enrollments(learners=learners)
    assert enrollments_of(ADA)[DEMO_RUN].is_active is True


def test_a_slow_read_does_not_undo_a_quicker_one_that_started_later(acme, world, clock, monkeypatch):
    world.enroll(username="ada", run_key=DEMO_RUN, mode="audit")
    learners = learners_of(ADA).values()
    refresh_enrollments(learners=learners)
    inner, is_slow = requests.adapters.HTTPAdapter.send, [True]

    def send(self, request, *args, **kwargs):
        answer = inner(self, request, *args, **kwargs)
        if "/enrollments" in request.url and is_slow.pop():
            is_slow.append(False)
            world.leave(username="ada", run_key=DEMO_RUN)
            clock.shift(ONE_SECOND)
            refresh_enrollments(learners=learners)
            clock.shift(ONE_SECOND)
        return answer

    clock.shift(ONE_SECOND)
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    refresh_enrollments(learners=learners)
    assert enrollments_of(ADA)[DEMO_RUN].is_active is False


@pytest.mark.parametrize(
    "read",
    [
        lambda: fetch_customer(customer_uuid=ACME),
        lambda: fetch_customer_by_slug(slug="acme"),
        lambda: find_customer(slug_or_uuid=str(ACME)),
    ],
)
def test_an_older_read_of_a_customer_never_overwrites_a_newer_one(acme, read):
    EnterpriseCustomer.objects.update(fetched_at=timezone.now() + ONE_SECOND, name="New name", is_active=False)
    assert read().name == "New name"
    assert get_customer(customer_uuid=ACME).is_active is False


def test_that_a_customer_is_gone_is_not_believed_of_an_older_read(acme, world):
    EnterpriseCustomer.objects.update(fetched_at=timezone.now() + ONE_SECOND)
    world.change_customer(customer=ACME, is_active=False)
    with pytest.raises(CustomerUnknown):
        fetch_customer(customer_uuid=ACME)
    assert get_customer(customer_uuid=ACME).is_active is True


def test_an_older_read_of_a_link_never_overwrites_a_newer_one(acme):
    learners_of(ADA)
    EnterpriseLearner.objects.update(fetched_at=timezone.now() + ONE_SECOND, is_linked=False, is_active_link=False)
    assert learners_of(ADA)[ADA].is_linked is False


def test_forgetting_makes_the_next_reader_ask(acme):
    refresh_enrollments(learners=learners_of(ADA).values())
    forget_enrollments(lms_user_ids=[ADA])
    read_at = list_learners(customer_uuid=ACME, lms_user_ids=[ADA])[ADA].enrollments_fetched_at
    assert read_at < timezone.now() - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS)


def test_a_read_that_was_under_way_does_not_undo_the_forgetting(acme, clock, monkeypatch):
    learners = learners_of(ADA).values()
    inner = requests.adapters.HTTPAdapter.send

    def send(self, request, *args, **kwargs):
        answer = inner(self, request, *args, **kwargs)
        if "/enrollments" in request.url:
            clock.shift(ONE_SECOND)
            forget_enrollments(lms_user_ids=[ADA])
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", send)
        refresh_enrollments(learners=learners)
    assert list_learners(customer_uuid=ACME, lms_user_ids=[ADA])[ADA].enrollments_fetched_at is None
    clock.shift(ONE_SECOND)
    refresh_enrollments(learners=learners)
    assert list_learners(customer_uuid=ACME, lms_user_ids=[ADA])[ADA].enrollments_fetched_at == timezone.now()


def test_forgetting_does_not_make_a_learner_of_whom_nothing_was_read_look_read(acme):
    learners_of(ADA)
    forget_enrollments(lms_user_ids=[ADA])
    assert list_learners(customer_uuid=ACME, lms_user_ids=[ADA])[ADA].enrollments_fetched_at is None


def test_the_platform_enrollments_of_a_learner_are_the_same_for_every_customer(acme, world):
    fetch_customer(customer_uuid=GLOBEX)
    world.enroll(username="frank", run_key=DEMO_RUN, mode="verified")
    learners_of(FRANK, customer=GLOBEX)
    refresh_enrollments(learners=learners_of(FRANK).values())
    ages = EnterpriseLearner.objects.filter(lms_user_id=FRANK).values_list("enrollments_fetched_at", flat=True)
    assert len(set(ages)) == 1
    assert None not in ages


# --- What edx-enterprise adds --------------------------------------------------------------------------------------


def ask_edx_enterprise(lms_user_id, *, customer=ACME, runs=()):
    learners = learners_of(lms_user_id, customer=customer)
    refresh_enterprise_enrollments(customer_uuid=customer, learners=learners.values(), runs={lms_user_id: runs})


def test_that_there_is_no_row_is_kept_too(acme):
    ask_edx_enterprise(ADA, runs=[DEMO_RUN])
    row = EnterpriseEnrollment.objects.get()
    assert (row.course_run_key, row.is_revoked, row.unenrolled_at) == (DEMO_RUN, False, None)


def test_an_older_read_never_overwrites_a_newer_one(acme):
    ask_edx_enterprise(DAVE)
    EnterpriseEnrollment.objects.update(
        fetched_at=timezone.now() + ONE_SECOND, unenrolled_at=None, ended_because="learner_unenrolled"
    )
    ask_edx_enterprise(DAVE)
    row = EnterpriseEnrollment.objects.get()
    assert (row.unenrolled_at, row.ended_because) == (None, "learner_unenrolled")


def test_what_was_found_out_about_an_ending_is_not_believed_of_the_next_one(acme, world, clock):
    ask_edx_enterprise(DAVE)
    EnterpriseEnrollment.objects.update(ended_because="license_revoked")
    clock.shift(timedelta(hours=1))
    ask_edx_enterprise(DAVE)
    assert EnterpriseEnrollment.objects.get().ended_because == "license_revoked"
    world.enroll(username="dave", run_key=DEMO_RUN, mode="verified", customer="acme")
    world.leave(username="dave", run_key=DEMO_RUN)
    ask_edx_enterprise(DAVE)
    assert EnterpriseEnrollment.objects.get().ended_because == ""


def test_revocations_are_kept_by_customer_learner_and_run(acme):
    ask_edx_enterprise(DAVE)
    row = EnterpriseEnrollment.objects.get()
    assert (row.course_run_key, row.is_revoked, row.unenrolled_at is not None) == (DEMO_RUN, True, True)


def test_a_customer_without_consent_shows_nothing_and_nothing_is_forgotten(world):
    customer = fetch_customer(customer_uuid=GLOBEX)
    EnterpriseEnrollment.objects.create(
        customer=customer, lms_user_id=FRANK, course_run_key=DEMO_RUN, is_revoked=True, fetched_at=timezone.now()
    )
    world.enroll(username="frank", run_key=DEMO_RUN, mode="verified", customer="globex")
    ask_edx_enterprise(FRANK, customer=GLOBEX)
    assert EnterpriseEnrollment.objects.get().is_revoked is True


def test_asking_for_revocations_twice_is_one_row(acme):
    for _ in range(2):
        ask_edx_enterprise(DAVE)
    assert EnterpriseEnrollment.objects.count() == 1
