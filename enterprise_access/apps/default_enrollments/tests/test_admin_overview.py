"""The overview: how it goes, what stands in the way, and what needs somebody. For all customers, and for one."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.customers.services import iterate_linked_learners
from enterprise_access.apps.default_enrollments.admin.overview import bars
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentRealization
from enterprise_access.apps.default_enrollments.selectors.overview import (
    DAYS,
    Day,
    DecisionCounts,
    LearnerCounts,
    OwedCounts,
    get_overview,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.services.requests.work_items import give_up
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DAVE,
    DEMO,
    HAL,
    LINUX,
    PROJECT,
    STATS,
    add_learners,
    ask_for,
    intend,
    visit,
)
from enterprise_access.events.models import Outbox
from enterprise_access.lib.breaker import breaker_of
from enterprise_access.lib.errors import UpstreamReason, UpstreamUnavailable
from simulator.seed import ACME, ACME_ANNUAL, GLOBEX

PAGE = reverse("overview")
NO_RUN = "MITx+6.00.1x"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _counted_anew(settings):
    """Count for everybody who looks, however slow this machine is."""
    settings.OVERVIEW_SLOW_SECONDS = 3600


@pytest.fixture
def staff(world, django_user_model) -> Client:
    """Return somebody who may do everything."""
    client = Client()
    client.force_login(django_user_model.objects.create_superuser("root"))
    return client


def page_of(customer=None):
    return reverse("customer_overview", args=[customer]) if customer else PAGE


def text_of(client, customer=None):
    """Return what a reader sees, without tags and line breaks."""
    page = re.sub(r"(?s)<style>.*?</style>", "", client.get(page_of(customer)).content.decode())
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


# --- Who may -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer", [None, ACME])
def test_who_is_no_staff_is_sent_to_the_login(world, client, customer):
    assert client.get(page_of(customer)).status_code == 302


def test_staff_who_may_not_see_intentions_are_refused(world, client, django_user_model):
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get(reverse("admin:index")).content.decode()


def test_who_may_see_them_is_led_here_from_the_start_page(world, client, django_user_model):
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_defaultenterpriseenrollmentintention"))
    client.force_login(user)
    assert f'<a href="{PAGE}">' in client.get(reverse("admin:index")).content.decode()
    assert client.get(PAGE).status_code == 200


def test_a_customer_that_nobody_knows_has_no_page(staff):
    assert staff.get(page_of(ACME)).status_code == 404


def test_a_customer_can_be_chosen_by_name(staff):
    intend(DEMO)
    answer = staff.get(PAGE, {"customer": "Acme Learning"})
    assert (answer.status_code, answer.url) == (302, page_of(ACME))


def test_one_that_is_not_known_is_said_to_be(staff):
    answer = staff.get(PAGE, {"customer": "nobody-inc"})
    assert answer.status_code == 200
    assert "No customer with that in its name" in answer.content.decode()


# --- What is counted -----------------------------------------------------------------------------------------------


def test_an_empty_system_says_so(staff):
    page = text_of(staff)
    for shown in (
        "No customer has a default enrollment yet.",
        "None were made in the last 30 days.",
        "None were checked yet.",
        "No evaluated learner is blocked.",
        "No learner has failed",
        "No learner waits for a worker",
    ):
        assert shown in page


def test_learners_are_counted_once_however_much_they_got(world):
    intend(DEMO, LINUX)
    visit(ADA, HAL, *add_learners(world, 1, plan_uuid=ACME_ANNUAL))
    learners = get_overview().learners
    assert learners == LearnerCounts(linked=3, asked_for=3, served=2)


def test_decisions_are_counted_by_how_they_stand_now(world):
    intend(DEMO, NO_RUN)
    visit(ADA, HAL)
    visit(ADA, HAL)
    assert get_overview().decisions == DecisionCounts(realized=1, not_needed=0, blocked=3, waiting=0)


def test_what_waits_for_a_silent_neighbour_is_not_called_blocked(world, simulator):
    intend(DEMO)
    simulator.faults.add("status", "license_manager.*", times=None, status=500)
    visit(ADA)
    overview = get_overview()
    assert overview.decisions == DecisionCounts(realized=0, not_needed=0, blocked=0, waiting=1)
    assert [(each.reason, each.is_waiting) for each in overview.obstacles] == [("license_manager_unavailable", True)]


def test_obstacles_come_by_reason_the_most_frequent_first(world):
    intend(DEMO, NO_RUN)
    visit(ADA, HAL)
    obstacles = [(each.reason, each.count) for each in get_overview().obstacles]
    assert obstacles == [("no_advertised_run", 2), ("no_license", 1)]


def test_what_was_deleted_stands_in_nobodys_way(world):
    intend(DEMO)
    (without_run,) = intend(NO_RUN)
    visit(ADA)
    delete_intention(intention=without_run)
    assert get_overview().obstacles == ()


def test_what_is_owed_is_counted_by_how_it_stands(world, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO)
    visit(HAL)
    ask_for(ADA)
    asked_at = timezone.now()
    time_machine.shift(60)
    ask_for(BEN, DAVE)
    give_up(customer_uuid=ACME, lms_user_id=DAVE, because="unexpected_error")
    assert get_overview().owed == OwedCounts(due=2, oldest_due_at=asked_at, later=1, busy=0, dead=1)


def test_enrollments_are_counted_by_day_and_those_before_are_left_out(world, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    intend(DEMO, LINUX, PROJECT)
    visit(ADA)
    now = timezone.now()
    first, second, _ = DefaultEnterpriseEnrollmentRealization.objects.all()
    realizations = DefaultEnterpriseEnrollmentRealization.objects
    realizations.filter(pk=first.pk).update(realized_at=now - timedelta(days=3))
    realizations.filter(pk=second.pk).update(realized_at=now - timedelta(days=DAYS))
    days = get_overview().days
    assert len(days) == DAYS
    assert [(now.date() - day.date).days for day in days if day.realized] == [3, 0]


def test_those_who_left_and_who_went_back_to_audit_are_told_apart(world):
    intend(DEMO)
    learner, *_ = add_learners(world, 1, plan_uuid=ACME_ANNUAL)
    visit(ADA, learner)
    rows = DefaultEnterpriseEnrollmentRealization.objects
    rows.filter(lms_user_id=ADA).update(left_at=timezone.now(), left_reason="learner_unenrolled")
    rows.filter(lms_user_id=learner).update(downgraded_at=timezone.now())
    counted = get_overview().realizations
    assert (counted.rows, counted.left, counted.downgraded) == (2, 1, 1)


def test_one_customers_page_counts_that_customer_alone(world):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    visit(ADA, HAL)
    ours, theirs = get_overview(customer_uuid=ACME), get_overview(customer_uuid=GLOBEX)
    assert (ours.learners.asked_for, ours.decisions.decided, ours.owed.later) == (2, 2, 1)
    assert theirs.learners == LearnerCounts(linked=0, asked_for=0, served=0)
    assert (theirs.decisions.decided, theirs.obstacles, theirs.realizations.rows) == (0, (), 0)
    assert sum(day.realized for day in theirs.days) == 0


def test_customers_with_most_in_the_way_come_first(world):
    intend(DEMO)
    intend(DEMO, customer=GLOBEX)
    visit(HAL)
    customers = get_overview().customers
    assert [(row.customer_uuid, row.intentions, row.blocked) for row in customers] == [(ACME, 1, 1), (GLOBEX, 1, 0)]


# --- What is shown -------------------------------------------------------------------------------------------------


def test_what_needs_somebody_is_shown_with_since_when_why_and_what_to_do(staff):
    intend(DEMO, NO_RUN)
    check_intentions(customer_uuid=ACME)
    page = text_of(staff)
    for shown in (
        "1 needs attention",
        "1 healthy",
        NO_RUN,
        "Acme Learning",
        "The course has no advertised run",
        "A run of the course is published and marketed",
        f"{timezone.now():%Y-%m-%d}",
    ):
        assert shown in page


@pytest.mark.parametrize("customer", [None, ACME])
def test_the_obstacles_lead_to_those_whom_they_hold_up(staff, customer):
    intend(DEMO)
    visit(HAL)
    page = staff.get(page_of(customer)).content.decode()
    (url,) = set(re.findall(r'href="([^"]+reason=no_license[^"]*)"', page))
    rows = staff.get(unescape(url)).context["cl"].result_list
    assert [row.lms_user_id for row in rows] == [HAL]


def test_the_numbers_lead_to_as_many_rows(staff):
    intend(DEMO, NO_RUN)
    visit(ADA, HAL)
    visit(HAL)
    answer = staff.get(PAGE)
    steps = [*answer.context["learner_steps"], *answer.context["decision_steps"]]
    assert {step.label: staff.get(step.url).context["cl"].result_count for step in steps if step.url} == {
        step.label: step.count for step in steps if step.url
    }


def test_the_chart_has_a_table_with_the_same_numbers(staff, world):
    intend(DEMO)
    visit(ADA, *add_learners(world, 1, plan_uuid=ACME_ANNUAL))
    page = staff.get(PAGE).content.decode()
    assert page.count("<rect ") == DAYS
    assert re.search(rf'<th scope="row">{timezone.now():%Y-%m-%d}</th><td class="number">2</td>', page)


def test_the_highest_bar_fills_the_chart_and_an_empty_one_is_flat():
    day = timezone.now().date()
    drawn = bars([Day(date=day, realized=count) for count in (0, 5, 10)])
    assert [(bar.y, bar.height) for bar in drawn] == [("100.00", "0.00"), ("50.00", "50.00"), ("0.00", "100.00")]


def test_a_neighbour_that_is_left_alone_is_shown(staff, settings):
    def fail():
        raise UpstreamUnavailable("away", service="lms", reason=UpstreamReason.TIMEOUT)

    for _ in range(settings.BREAKER_FAILURES):
        with pytest.raises(UpstreamUnavailable):
            breaker_of("lms").call(fail)
    page = text_of(staff)
    assert "Does not answer: circuit open" in page
    assert "Last error: timeout" in page


def test_events_that_wait_for_the_bus_are_shown(staff, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    assert "Events to be sent" not in text_of(staff)
    Outbox.objects.create(key="learner:1", event_type="x", data={}, occurred_at=timezone.now() - timedelta(hours=2))
    assert re.search(r"Events to be sent 1 The oldest was written 2\s?hours ago", text_of(staff))


def test_a_pause_and_a_customer_that_is_switched_off_are_said(staff):
    (intention,) = intend(DEMO)
    customer = intention.customer
    customer.realization_paused, customer.is_active = True, False
    customer.save()
    page = text_of(staff, ACME)
    assert "Enrolling is paused." in page
    assert "The customer is inactive in the LMS" in page


def test_the_customers_page_leads_to_its_overview(staff):
    intend(DEMO)
    page = staff.get(reverse("admin:customers_enterprisecustomer_change", args=[ACME])).content.decode()
    assert f'href="{page_of(ACME)}"' in page


@pytest.mark.parametrize("customer", [None, ACME])
def test_every_table_has_a_caption_and_every_field_a_label(staff, customer):
    intend(DEMO, NO_RUN)
    visit(ADA, HAL)
    check_intentions(customer_uuid=ACME)
    page = staff.get(page_of(customer)).content.decode()
    assert page.count("<table") == page.count("<caption") > 0
    fields = re.findall(r'<input type="text"[^>]*id="(\w+)"', page)
    assert fields
    assert all(f'<label for="{field}"' in page for field in fields)


# --- How many are linked -------------------------------------------------------------------------------------------


def test_the_lms_counts_who_is_linked_to_a_customer(staff, world, time_machine):
    time_machine.move_to("2026-11-28 16:28:00+00:00", tick=False)
    intend(DEMO)
    visit(ADA, HAL)
    linked = {link.lms_user_id for link in iterate_linked_learners(customer_uuid=ACME)}
    assert len(linked) > 2
    text = text_of(staff, ACME)
    assert f"Linked {len(linked)} Linked to the customer, as counted by the LMS at 2026-11-28 16:28 UTC" in text
    assert "Linked and known here 2 " in text


def test_the_count_is_remembered_for_some_minutes_and_its_age_is_said(staff, world, time_machine):
    time_machine.move_to("2026-11-28 16:28:00+00:00", tick=False)
    intend(DEMO)
    text_of(staff, ACME)
    asked = len(world.journal.calls())
    time_machine.shift(180)
    assert re.search(r"counted by the LMS at 2026-11-28 16:28 UTC, 3\s?minutes ago", text_of(staff, ACME))
    assert len(world.journal.calls()) == asked


@pytest.mark.parametrize("kind", ["status", "hang"])
def test_without_the_lmss_count_the_page_says_so(staff, simulator, kind):
    intend(DEMO)
    visit(ADA)
    simulator.faults.add(kind, "lms.learners", times=None, **({"status": 500} if kind == "status" else {}))
    text = text_of(staff, ACME)
    assert "The LMS did not answer when asked for its own count. Known here: 1." in text
    assert "as counted by the LMS" not in text


def test_a_count_that_fails_keeps_no_learner_from_being_enrolled(staff, simulator, settings):
    intend(DEMO)
    simulator.faults.add("status", "lms.learners", times=None, status=500)
    for _ in range(settings.BREAKER_FAILURES + 1):
        staff.get(page_of(ACME))
    assert breaker_of("lms", part="counts").is_open
    assert breaker_of("lms").is_closed


# --- Cost ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer", [None, ACME])
def test_it_takes_the_same_number_of_statements_however_much_there_is(staff, world, customer):
    intend(DEMO)
    visit(ADA)
    few = statements_of(staff, customer)
    intend(LINUX, PROJECT, STATS, NO_RUN)
    intend(DEMO, customer=GLOBEX)
    visit(BEN, HAL, DAVE, *add_learners(world, 5, plan_uuid=ACME_ANNUAL))
    check_intentions(customer_uuid=ACME)
    assert statements_of(staff, customer) == few
    assert few <= 20


def statements_of(client, customer):
    client.get(page_of(customer))
    with CaptureQueriesContext(connection) as statements:
        assert client.get(page_of(customer)).status_code == 200
    return len(statements)


def test_nobody_is_asked_for_it(staff, world):
    intend(DEMO)
    before = len(world.journal.calls())
    staff.get(PAGE)
    assert len(world.journal.calls()) == before


def test_what_took_long_to_count_is_not_counted_again_within_a_minute(world, settings):
    settings.OVERVIEW_SLOW_SECONDS = -1
    first = get_overview()
    intend(DEMO)
    visit(ADA)
    assert get_overview() == first
    cache.clear()
    assert get_overview().learners.asked_for == 1


def test_otherwise_it_is_counted_each_time(world):
    get_overview()
    intend(DEMO)
    visit(ADA)
    assert get_overview().learners.asked_for == 1
