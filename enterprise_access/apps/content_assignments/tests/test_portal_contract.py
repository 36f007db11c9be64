"""What the admin portal breaks on, and what it must be able to repeat."""

import pytest

from enterprise_access.apps.content_assignments.services import redeeming
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.apps.subsidy_access_policies.models import Subsidy
from enterprise_access.apps.subsidy_access_policies.services import spend
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock

from .addresses import BODY, admin_url, allocate_url, own_url, post
from .scene import (
    ADA,
    PRICE,
    Assignment,
    allocate,
    allocated,
    begin_redeeming,
    check_money,
    make_assigned_budget,
    news_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
PEOPLE = ["ada@example.com", "ben@example.com", "cleo@example.com"]
PAGE = {"page": 1, "page_size": 25, "state__in": "allocated,errored", "ordering": ""}


@pytest.fixture
def policy(world):
    return make_assigned_budget()


@pytest.fixture
def admin(api_as):
    return api_as("amy_admin")


def end_account(policy):
    Subsidy.objects.filter(pk=policy.subsidy_id).update(expires_at=clock.now())


# By code: what the budget is like, what is sent, and what happens before.
REFUSALS = {
    "policy_not_assignable": (lambda: make_budget(per_learner_spend_limit=None), {}, None),
    "policy_expired": (lambda: make_assigned_budget(active=False), {}, None),
    "subsidy_expired": (make_assigned_budget, {}, end_account),
    "content_not_in_catalog": (make_assigned_budget, {"content_key": "edX+Unknown"}, None),
    "PriceValidationError": (make_assigned_budget, {"content_price_cents": 100}, None),
    "policy_spend_limit_reached": (lambda: make_assigned_budget(spend_limit=PRICE - 1), {}, None),
    "not_enough_value_in_subsidy": (
        lambda: make_assigned_budget(spend_limit=10**9),
        {"learner_emails": [f"p{number}@example.com" for number in range(40)]},
        None,
    ),
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_every_refusal_is_a_list_and_needs_no_lms(admin, simulator, reason):
    make, changes, happen = REFUSALS[reason]
    policy = make()
    if happen is not None:
        happen(policy)
    simulator.faults.add("status", "lms.*", status=503, times=None)
    answer = post(admin, allocate_url(policy), {**BODY, **changes})
    assert answer.status_code == 422
    assert [refusal["reason"] for refusal in answer.json()] == [reason]
    assert not Assignment.objects.exists()


def test_the_same_call_at_the_exact_limit_changes_nothing(admin):
    policy = make_assigned_budget(spend_limit=2 * PRICE)
    body = {**BODY, "learner_emails": ["Ada@example.com", "ada@EXAMPLE.com", "ben@example.com"]}
    answers = [post(admin, allocate_url(policy), body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [{name: len(rows) for name, rows in answer.json().items()} for answer in answers] == [
        {"created": 2, "updated": 0, "no_change": 0},
        {"created": 0, "updated": 0, "no_change": 2},
    ]
    more = post(admin, allocate_url(policy), {**BODY, "learner_emails": ["cleo@example.com"]})
    assert more.json()[0]["reason"] == "policy_spend_limit_reached"
    check_money(policy)


def test_what_is_allocated_is_answered_and_listed_without_the_catalog(policy, admin, api_as, simulator):
    allocate(policy, ["ada@example.com"])
    simulator.faults.add("status", "*", status=503, times=None)
    listed = admin.get(admin_url(policy), PAGE)
    (row,) = listed.json()["results"]
    assert row["earliest_possible_expiration"]["date"]
    assert row["recent_action"]["action_type"] == "assigned"
    assert admin.get(admin_url(policy, f"{row['uuid']}/")).json() == row
    assert api_as("ada").get(own_url(policy)).json()["count"] == 1


def test_rows_of_the_same_moment_are_each_on_one_page(policy, admin):
    allocate(policy, PEOPLE)
    for ordering in ("", "-recent_action_time", "learner_state_sort_order", "content_quantity"):
        query = {**PAGE, "page_size": 1, "ordering": ordering}
        pages = [admin.get(admin_url(policy), {**query, "page": page}).json()["results"] for page in (1, 2, 3)]
        assert sorted(row["learner_email"] for rows in pages for row in rows) == PEOPLE


def test_a_reminder_during_a_redemption_leaves_the_state_alone(policy, admin):
    row = allocated(policy)
    promise = begin_redeeming(row)
    only = {"assignment_uuids": [str(row.pk)]}
    assert post(admin, admin_url(policy, "remind/"), only).status_code == 200
    assert post(admin, admin_url(policy, "cancel/"), only).json()["extra"]["refused"] == [
        {"uuid": str(row.pk), "reason": "redemption_in_progress"}
    ]
    assert post(admin, admin_url(policy, "cancel-all/")).status_code == 422
    news = news_of(row)
    redeeming.accept(assignment_uuid=row.pk, transaction_uuid=news.uuid, lms_user_id=ADA, now=clock.now())
    spend(reservation_uuid=promise.pk, news=news, now=clock.now())
    assert post(admin, admin_url(policy, "remind/"), only).status_code == 422
    notifications.send_due()
    row.refresh_from_db()
    # Nothing of what the two mails would say is true any more.
    assert (row.state, set(Notification.objects.values_list("outcome", flat=True))) == ("accepted", {"not_needed"})
    check_money(policy)


def test_reminding_all_reminds_as_many_as_the_portal_promises(policy, admin, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    allocate(policy, PEOPLE[:2])
    notifications.send_due()
    allocate(policy, PEOPLE[2:])
    counts = {
        one["learner_state"]: one["count"] for one in admin.get(admin_url(policy), PAGE).json()["learner_state_counts"]
    }
    assert counts == {"waiting": 2, "notifying": 1}
    assert post(admin, admin_url(policy, "remind-all/")).status_code == 202
    assert Notification.objects.filter(kind="assignment_reminded").count() == counts["waiting"]
