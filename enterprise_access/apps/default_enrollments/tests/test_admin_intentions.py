"""The admin pages of intentions: adding with what the key stands for, deleting softly, restoring; keys never change."""

import re

import pytest
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from enterprise_access.apps.customers.services import fetch_customer, iterate_linked_learners
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    IntentionHealth,
    RealizationAttempt,
    RealizationRequest,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BEN,
    DEMO,
    DEMO_RUN,
    HAL,
    LINUX,
    MINUTE,
    ask_for,
    intend,
    request_of,
    visit,
    work,
)
from enterprise_access.jobs.services import run_jobs
from simulator.seed import ACME, GLOBEX

Intention = DefaultEnterpriseEnrollmentIntention

BASE = "admin:default_enrollments_defaultenterpriseenrollmentintention"

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(staff) -> Client:
    """Return somebody who may do everything, with acme known."""
    fetch_customer(customer_uuid=ACME)
    return staff


@pytest.fixture
def onlooker(world, django_user_model) -> Client:
    """Return somebody who may look at intentions, and nothing else."""
    user = django_user_model.objects.create_user("onlooker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_defaultenterpriseenrollmentintention"))
    client = Client()
    client.force_login(user)
    return client


def look_up(client, key, customer=ACME, **more):
    """Send the form as it is sent first: to be shown what the key stands for."""
    return client.post(reverse(f"{BASE}_add"), {"customer": str(customer), "content_key": key, **more})


def add(client, key, customer=ACME, *, accept=True):
    """Look the key up, and save what was shown."""
    first = look_up(client, key, customer)
    if errors_of(first) or first.context["preview"] is None:
        return first
    shown = first.context["form"].address
    return look_up(client, key, customer, shown=shown, **({"accept": "on"} if accept else {}))


def errors_of(answer):
    """Return the errors of the form, by field; none when it was accepted."""
    return {} if answer.status_code == 302 else dict(answer.context["form"].errors)


def messages_of(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def delete(client, *intentions):
    """Delete in bulk, the confirmation included."""
    return act(client, "delete_selected", *intentions, post="yes")


def act(client, action, *intentions, **more):
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in intentions], **more}
    return client.post(f"{reverse(f'{BASE}_changelist')}?state=all", chosen)


# --- Adding --------------------------------------------------------------------------------------------------------


def test_the_page_to_add_one_offers_the_known_customers(staff):
    page = staff.get(reverse(f"{BASE}_add")).content.decode()
    assert "Acme Learning" in page
    assert "Globex" not in page


def test_who_adds_an_intention_is_told_what_the_key_stands_for(staff):
    answer = add(staff, f" {DEMO.lower()} ")
    assert errors_of(answer) == {}
    assert Intention.objects.get().content_key == DEMO
    (message,) = messages_of(answer)
    assert message.startswith(f"From now on, the learners of Acme Learning start with {DEMO}. Learners who are linked")


def test_before_anything_is_saved_the_page_shows_what_the_key_stands_for(staff):
    page = look_up(staff, DEMO).content.decode()
    for shown in ("edX Demonstration Course", DEMO_RUN, "verified", "A new learner would be enrolled"):
        assert shown in page
    assert not Intention.objects.exists()


def reach_of(answer):
    """Return what the page says of whom saving concerns."""
    (part,) = re.findall(r'(?s)<div class="form-row" id="reach">(.*?)</div>', answer.content.decode())
    return " ".join(re.sub(r"<[^>]+>", "", part).split())


def test_before_anything_is_saved_the_page_says_who_is_evaluated_when(staff, world):
    linked = len(list(iterate_linked_learners(customer_uuid=ACME)))
    text = reach_of(look_up(staff, DEMO))
    assert text.startswith("Saving it queues no learners for evaluation. No learners of the customer are in the queue.")
    assert "Linked learners are evaluated at their next sign-in" in text
    assert f"The LMS counted {linked} linked learners at " in text


def test_learners_who_are_in_the_queue_are_counted_and_evaluated_for_it(staff, clock):
    intend(DEMO)
    visit(HAL)
    ask_for(ADA)
    due_at = request_of(HAL).due_at
    text = reach_of(look_up(staff, LINUX))
    assert "2 learners of the customer are in the queue already (1 due now, 1 later)" in text
    add(staff, LINUX)
    assert request_of(HAL).due_at == due_at
    clock.move_to(due_at + MINUTE)
    work()
    work()
    assert {row.intention.content_key for row in RealizationAttempt.objects.filter(lms_user_id=HAL)} == {DEMO, LINUX}


def test_before_restoring_the_page_says_whom_it_may_queue(staff, world):
    (intention,) = intend("BerkeleyX+CS188.1x")
    visit(ADA)
    check_intentions(customer_uuid=ACME)
    RealizationRequest.objects.update(due_at=None)
    delete_intention(intention)
    text = reach_of(look_up(staff, "BerkeleyX+CS188.1x"))
    assert "restoring it queues 1 learner whom the content blocked" in text
    world.change_run(run_key="course-v1:BerkeleyX+CS188.1x+2026", enrollment_end=None)
    staff.post(reverse("admin:restore_intention", args=[intention.pk]))
    assert request_of(ADA).due_at is not None


def test_while_the_lms_is_silent_the_page_says_that_it_does_not_know_who_is_linked(staff, simulator):
    simulator.faults.add("status", "lms.learners", times=None, status=500)
    assert "The LMS did not answer when asked how many learners are linked." in reach_of(look_up(staff, DEMO))


def test_a_key_that_was_changed_after_it_was_shown_is_shown_first(staff):
    shown = look_up(staff, DEMO).context["form"].address
    answer = look_up(staff, LINUX, shown=shown)
    assert answer.context["preview"].description.content.title == "Introduction to Linux"
    assert not Intention.objects.exists()


@pytest.mark.parametrize("key", ["EdinburghX+SUST1", "MITx+6.00.1x"])
def test_what_nobody_would_be_enrolled_in_is_saved_only_when_that_is_accepted(staff, key):
    answer = add(staff, key, accept=False)
    assert "Tick the box" in answer.content.decode()
    assert not Intention.objects.exists()
    assert add(staff, key).status_code == 302
    assert Intention.objects.count() == 1


def test_what_is_fine_needs_no_second_thought(staff):
    assert add(staff, DEMO, accept=False).status_code == 302


def test_after_adding_the_customers_page_is_shown(staff):
    assert add(staff, DEMO).url == reverse("admin:customers_enterprisecustomer_change", args=[ACME])


def test_what_was_added_is_realized_for_the_next_visitor(staff):
    add(staff, DEMO)
    assert visit(ADA).realized == 1


@pytest.mark.parametrize(
    ("key", "reason"),
    [("EdinburghX+SUST1", Reason.NOT_IN_CUSTOMER_CATALOGS), ("MITx+6.00.1x", Reason.NO_ADVERTISED_RUN)],
)
def test_what_may_be_right_tomorrow_is_added_with_a_warning(staff, key, reason):
    answer = add(staff, key)
    assert errors_of(answer) == {}
    assert any(explain(reason).text in message for message in messages_of(answer))
    assert Intention.objects.count() == 1


def test_while_the_catalog_is_silent_a_key_is_added_unchecked_with_a_warning(staff, simulator):
    cache.clear()
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    page = look_up(staff, DEMO).content.decode()
    assert "It could not be checked" in page
    assert page.lower().count("the catalog service") == 1
    assert '<input type="submit" name="again" value="Try again">' in page
    assert add(staff, DEMO, accept=False).status_code == 200
    answer = add(staff, DEMO)
    assert errors_of(answer) == {}
    assert any(explain(Reason.CATALOG_UNAVAILABLE).text in message for message in messages_of(answer))


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("NobodyX+NOTHING1", "No course or run with the key"),
        ("DemoX", "is neither a course key"),
        ("edX+De moX", "is neither a course key"),
        ("edX+\u202eDemoX", "is neither a course key"),
        ("x" * 256, "at most 255 characters"),
        ("edX+De\x00moX", "Null characters are not allowed"),
        ("", "required"),
        ("   ", "required"),
    ],
)
def test_a_key_that_is_wrong_is_an_error_at_the_field(staff, key, sentence):
    answer = add(staff, key)
    assert answer.status_code == 200
    assert list(errors_of(answer)) == ["content_key"]
    assert sentence in str(errors_of(answer)["content_key"])
    assert not Intention.objects.exists()


def test_a_twin_is_an_error_at_the_field(staff):
    add(staff, DEMO)
    answer = add(staff, DEMO.upper())
    assert "already" in str(errors_of(answer)["content_key"])
    assert Intention.objects.count() == 1


def test_a_deleted_twin_is_offered_for_restoring(staff):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    answer = look_up(staff, DEMO.lower())
    restore = reverse("admin:restore_intention", args=[intention.pk])
    assert f'formaction="{restore}"' in answer.content.decode()
    assert add(staff, DEMO).status_code == 200
    assert Intention.objects.living().count() == 0
    staff.post(restore)
    assert Intention.objects.living().get() == intention


def test_who_may_only_look_can_neither_restore_nor_delete_nor_check(staff, onlooker):
    (intention,) = intend(DEMO)
    assert onlooker.post(reverse("admin:restore_intention", args=[intention.pk])).status_code == 403
    assert onlooker.post(reverse("admin:check_intentions", args=[ACME])).status_code == 403
    assert onlooker.post(reverse(f"{BASE}_delete", args=[intention.pk]), {"post": "yes"}).status_code == 403
    assert onlooker.get(reverse("admin:import_intentions")).status_code == 403
    assert onlooker.get(reverse("admin:pause_everything")).status_code == 403
    assert Intention.objects.living().count() == 1


def test_restoring_and_checking_is_not_done_by_following_a_link(staff):
    (intention,) = intend(DEMO)
    assert staff.get(reverse("admin:restore_intention", args=[intention.pk])).status_code == 405
    assert staff.get(reverse("admin:check_intentions", args=[ACME])).status_code == 405


@pytest.mark.parametrize("customer", ["", "abc", GLOBEX])
def test_a_customer_that_is_not_known_is_an_error_at_the_field(staff, customer):
    answer = add(staff, DEMO, customer)
    assert list(errors_of(answer)) == ["customer"]
    assert not Intention.objects.exists()


def test_the_history_says_who_added_and_who_deleted(staff):
    add(staff, DEMO)
    intention = Intention.objects.get()
    delete(staff, intention)
    assert [row.history_user.username for row in intention.history.all()] == ["root", "root"]
    page = staff.get(reverse(f"{BASE}_history", args=[intention.pk])).content.decode()
    assert "Deleted" in page
    assert "Added" in page
    entries = LogEntry.objects.filter(object_id=str(intention.pk)).order_by("pk")
    assert [entry.action_flag for entry in entries] == [ADDITION, DELETION]


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_catalog_is_asked(staff, meanwhile, in_transaction):
    seen = []
    meanwhile("/catalog/", before=lambda: seen.append(in_transaction()), times=100)
    add(staff, DEMO)
    assert seen
    assert not any(seen)


def test_what_could_not_be_looked_up_is_tried_again_and_not_saved(staff, simulator):
    cache.clear()
    simulator.faults.add("status", "catalog.*", times=None, status=500)
    shown = look_up(staff, DEMO).context["form"].address
    simulator.faults.clear()
    cache.clear()
    answer = look_up(staff, DEMO, shown=shown, accept="on", again="Try again")
    assert DEMO_RUN in answer.content.decode()
    assert not Intention.objects.exists()


def test_the_page_has_the_title_of_the_course_and_calls_nobody_for_it(staff, world):
    (intention,) = intend(DEMO)
    page = reverse(f"{BASE}_change", args=[intention.pk])
    calls = len(world.journal.calls())
    assert "edX Demonstration Course" in staff.get(page).content.decode()
    cache.clear()
    assert "edX Demonstration Course" not in staff.get(page).content.decode()
    assert len(world.journal.calls()) == calls


@pytest.mark.parametrize("search", [DEMO_RUN.upper(), "acme learn", "needs_enroll", "acme demox"])
def test_the_list_is_searched_in_what_its_rows_show(staff, search):
    (intention, _) = intend(DEMO, "MITx+6.00.1x")
    check_intentions(customer_uuid=ACME)
    found = staff.get(reverse(f"{BASE}_changelist"), {"q": search}).context["cl"].queryset
    assert intention in found


@pytest.mark.parametrize(
    ("search", "count"), [("1001 demo", 1), (f"{HAL} acme", 1), ("1001 linux", 0), ("no_license", 1)]
)
def test_attempts_are_searched_by_several_words(staff, search, count):
    intend(DEMO)
    visit(ADA, HAL)
    page = staff.get(reverse("admin:default_enrollments_realizationattempt_changelist"), {"q": search})
    assert page.context["cl"].result_count == count


# --- Deleting and restoring ----------------------------------------------------------------------------------------


def test_deleting_is_soft_and_can_be_taken_back(staff):
    first, second = intend(DEMO, LINUX)
    delete(staff, first)
    assert list(Intention.objects.living()) == [second]
    answer = act(staff, "restore", first)
    assert f"Restored: {DEMO}." in messages_of(answer)
    assert Intention.objects.living().count() == 2


def test_restoring_says_what_keeps_learners_from_being_enrolled(staff, world):
    (intention,) = intend("MITx+6.00.1x")
    delete_intention(intention)
    told = messages_of(act(staff, "restore", intention))
    assert any(text.startswith("On MITx+6.00.1x: ") and "What would change it" in text for text in told)
    assert IntentionHealth.objects.get(pk=intention.pk).is_healthy is False
    assert "Not checked yet" not in staff.get(reverse(f"{BASE}_changelist")).content.decode()


# --- One intention's page ------------------------------------------------------------------------------------------


def test_the_page_counts_its_learners_with_the_list_of_each(staff, world):
    (intention,) = intend(DEMO)
    visit(ADA, BEN, HAL)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    page = staff.get(reverse(f"{BASE}_change", args=[intention.pk]))
    counts = {label: (count, url) for label, count, _, url in page.context["counts"]}
    assert {label: count for label, (count, _) in counts.items()} == {
        "Enrolled": 1,
        "Left": 1,
        "Already enrolled": 0,
        "Blocked": 3,
        "Waiting": 0,
    }
    for label in ("Enrolled", "Left", "Already enrolled", "Blocked"):
        count, url = counts[label]
        assert staff.get(url).context["cl"].result_count == count


def test_the_page_says_in_utc_when_it_was_checked(staff, world):
    (intention,) = intend(DEMO)
    staff.post(reverse("admin:check_intention", args=[intention.pk]))
    checked_at = IntentionHealth.objects.get().checked_at
    page = staff.get(reverse(f"{BASE}_change", args=[intention.pk])).content.decode()
    assert f">{checked_at:%Y-%m-%d %H:%M} UTC<" in page


def test_one_intention_is_checked_by_a_button(staff, world):
    first, second = intend(DEMO, LINUX)
    check = reverse("admin:check_intention", args=[first.pk])
    page = reverse(f"{BASE}_change", args=[first.pk])
    assert check in staff.get(page).content.decode()
    assert staff.post(check).url == page
    assert list(IntentionHealth.objects.values_list("pk", flat=True)) == [first.pk]
    delete_intention(second)
    assert staff.post(reverse("admin:check_intention", args=[second.pk])).status_code == 404
    assert staff.get(check).status_code == 405


def test_who_may_only_look_can_neither_check_one_nor_evaluate_its_learners(staff, onlooker):
    (intention,) = intend(DEMO)
    assert onlooker.post(reverse("admin:check_intention", args=[intention.pk])).status_code == 403
    assert onlooker.get(reverse("admin:backfill_intention", args=[ACME, intention.pk])).status_code == 403


def test_learners_whom_one_intention_has_not_enrolled_are_evaluated(staff, world):
    first, _ = intend(DEMO, LINUX)
    visit(ADA)
    backfill = reverse("admin:backfill_intention", args=[ACME, first.pk])
    assert backfill in staff.get(reverse(f"{BASE}_change", args=[first.pk])).content.decode()
    assert "whom edX+DemoX has not enrolled yet" in staff.get(backfill).content.decode()
    before = set(RealizationRequest.objects.filter(due_at=None).values_list("lms_user_id", flat=True))
    assert ADA in before
    assert staff.post(backfill).status_code == 302
    run_jobs()
    assert request_of(ADA).due_at is None
    assert RealizationRequest.objects.exclude(due_at=None).exists()
    assert staff.get(reverse("admin:backfill_intention", args=[GLOBEX, first.pk])).status_code == 404


def test_deleting_what_is_deleted_and_restoring_what_lives_does_nothing(staff):
    (intention,) = intend(DEMO)
    act(staff, "restore", intention)
    delete(staff, intention)
    deleted_at = Intention.objects.get().deleted_at
    delete(staff, intention)
    assert Intention.objects.get().deleted_at == deleted_at
    assert intention.history.count() == 2


def test_there_is_no_way_to_delete_for_good(staff):
    (intention,) = intend(DEMO)
    assert staff.post(reverse(f"{BASE}_delete", args=[intention.pk]), {"post": "yes"}).status_code == 302
    assert Intention.objects.get().is_deleted
    assert staff.get(reverse(f"{BASE}_delete", args=[intention.pk])).status_code == 403


def test_deleting_asks_first_and_says_that_nobody_loses_anything(staff):
    first, second = intend(DEMO, LINUX)
    answer = act(staff, "delete_selected", first, second)
    assert "stay enrolled" in answer.content.decode()
    assert "stay enrolled" in staff.get(reverse(f"{BASE}_delete", args=[first.pk])).content.decode()
    assert Intention.objects.living().count() == 2


def test_deleting_leaves_what_was_realized(staff):
    (intention,) = intend(DEMO)
    visit(ADA)
    delete(staff, intention)
    assert intention.realizations.count() == 1


@pytest.mark.parametrize("action", ["delete_selected", "restore"])
def test_who_may_only_look_can_neither_delete_nor_restore(onlooker, action):
    first, second = intend(DEMO, LINUX)
    delete_intention(second)
    act(onlooker, action, first, second, post="yes")
    assert {row.content_key: row.is_deleted for row in Intention.objects.all()} == {DEMO: False, LINUX: True}


def test_who_may_only_look_cannot_add(onlooker):
    fetch_customer(customer_uuid=ACME)
    assert look_up(onlooker, DEMO).status_code == 403


# --- Looking -------------------------------------------------------------------------------------------------------


def test_the_list_shows_living_intentions_unless_asked_otherwise(staff):
    first, _ = intend(DEMO, LINUX)
    delete_intention(first)
    url = reverse(f"{BASE}_changelist")
    pages = {state: staff.get(url, {"state": state} if state else {}) for state in ("", "deleted", "all")}
    shown = {state: [row.content_key for row in page.context["cl"].result_list] for state, page in pages.items()}
    assert shown == {"": [LINUX], "deleted": [DEMO], "all": [DEMO, LINUX]}


@pytest.mark.parametrize("query", ["demo", "DEMOX", "edX+", "%", "'"])
def test_the_list_can_be_searched(staff, query):
    intend(DEMO)
    assert staff.get(reverse(f"{BASE}_changelist"), {"q": query}).status_code == 200


def test_an_intention_can_be_looked_at_and_not_changed(staff):
    (intention,) = intend(DEMO)
    url = reverse(f"{BASE}_change", args=[intention.pk])
    assert DEMO in staff.get(url).content.decode()
    staff.post(url, {"customer": str(GLOBEX), "content_key": LINUX, "deleted_at_0": "2020-01-01"})
    intention.refresh_from_db()
    assert (intention.content_key, intention.customer_id, intention.deleted_at) == (DEMO, ACME, None)


def test_an_earlier_state_can_be_looked_at_and_not_brought_back(staff):
    (intention,) = intend(DEMO)
    delete_intention(intention)
    assert staff.get(reverse(f"{BASE}_history", args=[intention.pk])).status_code == 200
    first = intention.history.earliest()
    url = reverse(f"{BASE}_simple_history", args=[intention.pk, first.pk])
    page = staff.get(url)
    assert page.status_code == 200
    assert "Revert" not in page.content.decode()
    assert staff.post(url, {"content_key": LINUX, "customer": str(ACME)}).status_code == 403
    intention.refresh_from_db()
    assert intention.deleted_at is not None
    assert intention.history.count() == 2
