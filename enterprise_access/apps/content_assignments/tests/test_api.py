"""The addresses as the portals call them: shapes, all or nothing, and what is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from enterprise_access.apps.content_assignments.selectors import describe_for_portal
from enterprise_access.apps.content_assignments.selectors.people import list_assignments_of
from enterprise_access.apps.content_assignments.services import mails, redeeming, transitions
from enterprise_access.apps.notifications import services as notifications
from enterprise_access.apps.notifications.models import Notification
from enterprise_access.lib import clock
from simulator.faults import FaultKind

from .addresses import BODY, admin_url, allocate_url, own_url, post
from .scene import ADA, DEMO, PRICE, Assignment, allocate, allocated, check_money, make_assigned_budget

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture
def policy(world):
    return make_assigned_budget()


@pytest.fixture
def admin(api_as):
    return api_as("amy_admin")


@pytest.fixture
def learner(api_as):
    return api_as("ada")


class TestAllocating:
    def test_the_portals_call_answers_in_three_lists_and_twice_is_once(self, policy, admin):
        answer = post(admin, allocate_url(policy), {**BODY, "admin_lms_user_id": 17})
        assert (answer.status_code, {name: len(rows) for name, rows in answer.json().items()}) == (
            202,
            {"created": 1, "updated": 0, "no_change": 0},
        )
        (row,) = answer.json()["created"]
        assert set(row) == {
            "uuid", "assignment_configuration", "learner_email", "lms_user_id", "content_key", "parent_content_key",
            "is_assigned_course_run", "content_title", "content_quantity", "state", "transaction_uuid", "actions",
            "earliest_possible_expiration",
        }  # fmt: skip
        assert (row["content_quantity"], row["actions"], row["parent_content_key"]) == (-PRICE, [], DEMO)
        assert row["earliest_possible_expiration"]["reason"] in {"NINETY_DAYS_PASSED", "ENROLLMENT_DATE_PASSED"}
        assert Assignment.objects.get().admin_lms_user_id != 17
        assert len(post(admin, allocate_url(policy), BODY).json()["no_change"]) == 1
        check_money(policy)

    @pytest.mark.parametrize("admin_lms_user_id", [None, 17, "undefined"])
    def test_who_the_client_says_the_admin_is_does_not_matter(self, policy, admin, admin_lms_user_id):
        """As recorded in allocate-admin-id-null."""
        answer = post(admin, allocate_url(policy), {**BODY, "admin_lms_user_id": admin_lms_user_id})
        assert answer.status_code == 202

    def test_an_address_that_is_none_is_named_by_its_place(self, policy, admin):
        answer = post(admin, allocate_url(policy), {**BODY, "learner_emails": ["ada@example.com", "nope"]})
        assert answer.json()["detail"] == "learner_emails.1: Enter a valid email address."

    def test_a_refusal_is_the_list_that_the_portal_reads(self, policy, admin):
        answer = post(admin, allocate_url(policy), {**BODY, "content_price_cents": 100})
        assert answer.status_code == 422
        (refusal,) = answer.json()
        assert (refusal["reason"], refusal["policy_uuids"]) == ("PriceValidationError", [str(policy.pk)])
        assert refusal["user_message"]
        assert refusal["error_message"]

    def test_a_ledger_or_catalog_that_is_away_is_unknown_and_never_no(self, policy, admin, simulator):
        simulator.faults.add(FaultKind.STATUS, "catalog.*", status=503, times=None)
        answer = post(admin, allocate_url(policy), BODY)
        assert (answer.status_code, answer.json()[0]["reason"]) == (422, "catalog_unavailable")
        assert not Assignment.objects.exists()

    @pytest.mark.parametrize(
        "change",
        [
            {"learner_emails": ["nope"]},
            {"learner_emails": []},
            {"learner_emails": "ada@example.com"},
            {"learner_emails": [7]},
            {"learner_emails": [f"p{number}@example.com" for number in range(1001)]},
            {"content_price_cents": None},
            {"content_price_cents": -1},
            {"content_price_cents": "12.5"},
            {"content_price_cents": True},
            {"content_key": ""},
            {"content_key": 7},
            {"misspelled": 1},
        ],
    )
    def test_what_makes_no_sense_is_a_400(self, policy, admin, change):
        answer = post(admin, allocate_url(policy), {**BODY, **change})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert not Assignment.objects.exists()

    def test_others_are_refused(self, policy, learner, api_as):
        assert post(learner, allocate_url(policy), BODY).status_code == 403
        assert post(api_as("amy_admin"), f"/api/v1/policy-allocation/{uuid4()}/allocate/", BODY).status_code == 404


class TestLists:
    def test_the_portals_list(self, policy, admin):
        allocate(policy, ["ada@example.com", "ben@example.com"])
        query = {"page": 1, "page_size": 25, "state__in": "allocated,errored", "ordering": ""}
        answer = admin.get(admin_url(policy), query).json()
        assert (answer["count"], answer["learner_state_counts"]) == (2, [{"learner_state": "notifying", "count": 2}])
        row = answer["results"][0]
        assert (row["recent_action"]["action_type"], row["learner_state"], row["error_reason"]) == (
            "assigned",
            "notifying",
            None,
        )

    def test_filters_leave_the_other_counts(self, policy, admin):
        rows = allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"]).created
        transitions.error(rows[0].pk, reason="internal_api_error", now=clock.now())
        answer = admin.get(admin_url(policy), {"learner_state__in": "failed"}).json()
        assert [row["learner_email"] for row in answer["results"]] == ["ada@example.com"]
        assert answer["results"][0]["error_reason"] == {
            "action_type": "learner_linked",
            "error_reason": "internal_api_error",
        }
        assert answer["learner_state_counts"] == [
            {"learner_state": "notifying", "count": 2},
            {"learner_state": "failed", "count": 1},
        ]
        for query, count in [
            ({"search": "BEN"}, 1),
            ({"search": "demonstration"}, 3),
            ({"learner_email": "BEN@example.com"}, 1),
            ({"content_key__in": f"{DEMO},x+y"}, 3),
            ({"state": "errored"}, 1),
            ({"state": "errored", "state__in": "allocated"}, 0),
            ({"lms_user_id": 1}, 0),
            ({"lms_user_id": 1, "lms_user_id__in": "2,3"}, 0),
            ({"learner_state__in": ""}, 3),
        ]:
            assert admin.get(admin_url(policy), query).json()["count"] == count, query
        ordered = admin.get(admin_url(policy), {"ordering": "-learner_state_sort_order,nonsense"}).json()
        assert ordered["results"][0]["learner_state"] == "failed"

    @pytest.mark.parametrize("query", [{"state": "nonsense"}, {"learner_states": "x"}, {"learner_state__in": "odd"}])
    def test_what_is_misspelled_is_a_400_and_cancels_nothing(self, policy, admin, query):
        allocate(policy, ["ada@example.com"])
        assert admin.get(admin_url(policy), query).status_code == 400
        text = "&".join(f"{name}={value}" for name, value in query.items())
        assert post(admin, f"{admin_url(policy, 'cancel-all/')}?{text}").status_code == 400
        assert Assignment.objects.get().state == "allocated"

    def test_a_list_is_a_constant_number_of_statements(self, policy, admin, django_assert_max_num_queries):
        allocate(policy, [f"p{number}@example.com" for number in range(20)])
        admin.get(admin_url(policy))
        with django_assert_max_num_queries(6):
            assert len(admin.get(admin_url(policy), {"page_size": 20}).json()["results"]) == 20


class TestActions:
    def test_all_of_a_call_is_done_or_nothing(self, policy, admin):
        rows = allocate(policy, ["ada@example.com", "ben@example.com"]).created
        redeeming.accept(assignment_uuid=rows[0].pk, transaction_uuid=uuid4(), lms_user_id=ADA, now=clock.now())
        body = {"assignment_uuids": [str(row.pk) for row in rows]}
        answer = post(admin, admin_url(policy, "cancel/"), body)
        assert (answer.status_code, answer.json()["extra"]["refused"]) == (
            422,
            [{"uuid": str(rows[0].pk), "reason": "wrong_state"}],
        )
        rows[1].refresh_from_db()
        assert rows[1].state == "allocated"
        only = {"assignment_uuids": [str(rows[1].pk)] * 2}
        assert post(admin, admin_url(policy, "remind/"), only).status_code == 200
        assert post(admin, admin_url(policy, "remind/"), only).status_code == 200
        assert Notification.objects.filter(kind="assignment_reminded").count() == 1
        assert [post(admin, admin_url(policy, "cancel/"), only).status_code for _ in range(2)] == [200, 200]
        unknown = {"assignment_uuids": [str(rows[0].pk), str(uuid4())]}
        assert post(admin, admin_url(policy, "cancel/"), unknown).status_code == 404
        assert post(admin, admin_url(policy, "remind/"), {"assignment_uuids": "nope"}).status_code == 400
        assert post(admin, admin_url(policy, "remind/"), {}).status_code == 400

    def test_all_means_what_the_portal_counts(self, policy, admin, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        allocate(policy, ["ada@example.com"])
        assert post(admin, admin_url(policy, "remind-all/")).status_code == 404
        notifications.send_due()
        assert Assignment.objects.get().learner_state == "waiting"
        allocate(policy, ["ben@example.com"])
        assert post(admin, admin_url(policy, "remind-all/")).status_code == 202
        reminded = Notification.objects.filter(kind="assignment_reminded")
        assert [Assignment.objects.get(pk=row.subject).learner_email for row in reminded] == ["ada@example.com"]
        assert post(admin, admin_url(policy, "cancel-all/") + "?search=ben").status_code == 202
        assert post(admin, admin_url(policy, "cancel-all/")).status_code == 202
        assert post(admin, admin_url(policy, "cancel-all/")).status_code == 404
        check_money(policy)

    @pytest.mark.parametrize("action", ["cancel-all/", "remind-all/"])
    def test_a_body_that_names_rows_is_not_taken_for_all_of_them(self, policy, admin, action):
        row = allocated(policy)
        Assignment.objects.update(learner_state="waiting")
        answer = post(admin, admin_url(policy, action), {"assignment_uuids": [str(row.pk)]})
        assert (answer.status_code, list(answer.json()["extra"]["fields"])) == (400, ["assignment_uuids"])
        assert Assignment.objects.get().state == "allocated"
        assert post(admin, admin_url(policy, action), {}).status_code == 202

    @pytest.mark.parametrize("action", ["cancel-all/", "remind-all/"])
    def test_what_is_redeemed_while_all_are_looked_for_holds_up_no_other(self, policy, admin, action):
        rows = allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"]).created
        Assignment.objects.update(learner_state="waiting")
        first = min(row.pk for row in rows)
        redeemed = []

        def redeem_meanwhile(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if "learnercontentassignment" in sql and sql.startswith("SELECT") and not redeemed:
                redeemed.append(first)
                redeeming.accept(assignment_uuid=first, transaction_uuid=uuid4(), lms_user_id=ADA, now=clock.now())
            return result

        with connection.execute_wrapper(redeem_meanwhile):
            assert post(admin, admin_url(policy, action)).status_code == 202
        assert redeemed == [first]
        assert Assignment.objects.get(pk=first).state == "accepted"
        kind = "assignment_cancelled" if action == "cancel-all/" else "assignment_reminded"
        assert Notification.objects.filter(kind=kind).count() == 2

    @pytest.mark.parametrize("action", ["cancel-all/", "remind-all/"])
    def test_what_is_too_much_for_one_transaction_is_refused_and_a_part_of_it_is_not(
        self, policy, admin, settings, action
    ):
        settings.ASSIGNMENTS_AT_ONCE = 2
        allocate(policy, ["ada@example.com", "ben@example.com", "cleo@example.com"])
        Assignment.objects.update(learner_state="waiting")
        answer = post(admin, admin_url(policy, action))
        assert (answer.status_code, answer.json()["code"]) == (422, "too_many_assignments")
        assert answer.json()["detail"].startswith(
            "3 assignments match, and one call takes at most 2. Nothing was changed."
        )
        assert Assignment.objects.filter(state="allocated").count() == 3
        assert not Notification.objects.exclude(kind="assignment_allocated").exists()
        assert post(admin, f"{admin_url(policy, action)}?search=ben").status_code == 202

    def test_nobody_is_reminded_of_a_start_that_is_not_near(self, policy, admin):
        row = allocated(policy)
        body = {"assignment_uuids": [str(row.pk)], "days_before_course_start_date": 14}
        assert post(admin, admin_url(policy, "nudge/"), body).status_code == 422
        assert post(admin, admin_url(policy, "nudge/"), {"assignment_uuids": []}).status_code == 400


class TestLearners:
    def test_a_learner_sees_their_own_and_dismisses_what_is_over(self, policy, learner, api_as):
        row = allocated(policy, "Ada@Example.com")
        allocated(policy, "cleo@example.com")
        answer = learner.get(own_url(policy)).json()
        assert [(one["uuid"], one["lms_user_id"]) for one in answer["results"]] == [(str(row.pk), ADA)]
        assert learner.get(own_url(policy, f"assignments/{row.pk}/")).status_code == 200
        body = {"assignment_uuids": [str(row.pk)]}
        acknowledge = own_url(policy, "acknowledge-assignments/")
        assert post(learner, acknowledge, body).json()["unacknowledged_assignments"] == [str(row.pk)]
        transitions.cancel([row.pk], now=clock.now())
        first, again = post(learner, acknowledge, body), post(learner, acknowledge, body)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["acknowledged_assignments"] == [str(row.pk)]
        assert again.json()["already_acknowledged_assignments"] == [str(row.pk)]
        assert post(api_as("ben"), acknowledge, body).status_code == 400
        assert post(learner, acknowledge, {}).status_code == 400
        assert learner.get(admin_url(policy)).status_code == 403
        (shown,) = describe_for_portal(list_assignments_of([ADA], policy_uuids=[policy.pk])[ADA])
        assert (shown["state"], shown["learner_acknowledged"]) == ("cancelled", True)


class TestMails:
    def test_what_becomes_of_a_mail_is_shown(self, policy, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        row = allocated(policy)
        notifications.send_due()
        row.refresh_from_db()
        assert (row.learner_state, [action.action_type for action in row.actions.all()]) == ("waiting", ["notified"])

    def test_a_mail_of_a_former_life_changes_nothing(self, policy):
        row = allocated(policy)
        old = Notification.objects.get()
        transitions.cancel([row.pk], now=clock.now())
        allocate(policy, ["ada@example.com"], now=clock.now() + timedelta(seconds=1))
        old.outcome = "refused"
        mails.note_mail(notification=old, now=clock.now())
        row.refresh_from_db()
        assert row.learner_state == "notifying"
