"""The API of learner credit, as the learner portal calls it."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from enterprise_access.apps.content_assignments.tests.scene import DEMO, Assignment, allocated, make_assigned_budget
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.redeeming import await_outcome
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    BALANCE,
    BEN,
    PRICE,
    RUN,
    assert_totals_agree,
    charged,
    is_enrolled,
    make_policy,
    transactions,
)
from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.tests.made import COUPON, CREDIT, made
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_MIXED, GLOBEX

pytestmark = pytest.mark.django_db

BASE = "/api/v1/policy-redemption/"
CAN_REDEEM = f"{BASE}enterprise-customer/{ACME}/can-redeem/"
CAN_REQUEST = f"{BASE}enterprise-customer/{ACME}/can-request/"
CREDITS = f"{BASE}credits_available/"
EXECUTIVE = "course-v1:GetSmarter+AIB+2026_B"
CLOSED = "course-v1:BerkeleyX+CS188.1x+2026_T1"
NOWHERE = "course-v1:Elsewhere+NOT1+2026"
OPERATOR, ADMIN = "enterprise_access_worker", "amy_admin"


@pytest.fixture
def ada(world, api_as):
    return api_as("ada")


@pytest.fixture
def policy(ada):
    return make_policy()


def can_redeem(client, *keys: str, **more: Any) -> Any:
    answer = client.get(CAN_REDEEM, {"content_key": list(keys) or [RUN], **more})
    assert answer.status_code == 200, answer.content
    return answer.json()


def redeem(client, policy, *, learner: int = ADA, run: str = RUN, **more: Any) -> Any:
    body = {"lms_user_id": learner, "content_key": run, "metadata": {}, **more}
    return client.post(f"{BASE}{policy.pk}/redeem/", body, format="json")


def reason_of(client, run: str = RUN) -> str:
    (row,) = can_redeem(client, run)
    assert (row["can_redeem"], row["redeemable_subsidy_access_policy"]) == (False, None)
    assert row["display_reason"]["user_message"]
    return row["display_reason"]["reason"]


class TestRedeeming:
    """From the button to the course."""

    def test_the_portal_polls_from_pending_to_committed_and_every_answer_has_what_it_reads(self, world, ada, policy):
        first = redeem(ada, policy).json()
        assert first["state"] == "pending"
        work_on_attempts()
        then = ada.get(first["transaction_status_api_url"]).json()
        assert (then["state"], then["quantity"], then["lms_user_id"]) == ("committed", -PRICE, ADA)
        assert then["transaction_status_api_url"] == first["transaction_status_api_url"]
        assert then.keys() == first.keys()
        assert then["courseware_url"].startswith("https://")
        assert is_enrolled(world)

    def test_a_repeat_answers_with_the_transaction_that_exists(self, world, ada, policy):
        redeem(ada, policy)
        work_on_attempts()
        again = redeem(ada, make_policy())
        attempt = RedemptionAttempt.objects.get()
        assert (again.status_code, again.json()["state"]) == (200, "committed")
        assert again.json()["uuid"] == str(attempt.transaction_uuid)
        assert charged(world) == PRICE

    def test_a_warm_redemption_is_one_call_to_the_ledger_and_at_most_two_reads(self, world, ada, policy):
        can_redeem(ada)
        with time_machine.travel(clock.now() + timedelta(seconds=30)):
            seen = len(world.journal.calls(service="subsidy"))
            redeem(ada, policy)
            work_on_attempts()
            endpoints = [call.endpoint for call in world.journal.calls(service="subsidy")[seen:]]
        assert endpoints.count("subsidy.redeem") == 1
        assert len(endpoints) <= 3

    @pytest.mark.parametrize("is_catalog_away", [False, True])
    def test_after_a_refused_price_the_price_is_read_again(self, simulator, world, ada, policy, is_catalog_away):
        can_redeem(ada)
        world.change_run(run_key=RUN, fixed_price_cents=2 * PRICE)
        url = redeem(ada, policy).json()["transaction_status_api_url"]
        if is_catalog_away:
            simulator.faults.add("status", "catalog.*", status=503, times=None)
        work_on_attempts()
        assert (ada.get(url).json()["state"], RedemptionAttempt.objects.get().reason) == ("failed", "price_changed")
        price = PRICE if is_catalog_away else 2 * PRICE
        assert can_redeem(ada)[0]["list_price"]["usd_cents"] == price
        redeem(ada, policy)
        work_on_attempts()
        assert charged(world) == (0 if is_catalog_away else price)
        assert_totals_agree()

    def test_a_refused_price_of_an_assignment_leaves_it_allocated(self, world, ada, caplog):
        row = allocated(make_assigned_budget())
        world.change_run(run_key=RUN, fixed_price_cents=2 * PRICE)
        redeem(ada, SubsidyAccessPolicy.objects.get())
        work_on_attempts()
        assert RedemptionAttempt.objects.get().reason == "price_changed"
        assert Assignment.objects.get(pk=row.pk).state == "allocated"
        assert "refused the price" in caplog.text
        assert_totals_agree()

    def test_a_double_click_joins(self, ada, policy):
        urls = {redeem(ada, policy).json()["transaction_status_api_url"] for _ in range(3)}
        assert len(urls) == 1
        assert RedemptionAttempt.objects.count() == 1

    def test_after_a_failure_the_next_try_has_an_address_of_its_own(self, world, ada, policy):
        world.quirks.ledger_lms_answers.append("500")
        first = redeem(ada, policy).json()["transaction_status_api_url"]
        work_on_attempts()
        assert ada.get(first).json()["state"] == "failed"
        second = redeem(ada, policy).json()["transaction_status_api_url"]
        assert second != first
        work_on_attempts()
        assert ada.get(second).json()["state"] == "committed"
        assert ada.get(first).json()["state"] == "failed"
        assert_totals_agree()

    def test_what_another_tool_redeemed_is_answered_as_it_is(self, world, ada, policy):
        row = redeemed(world, None)
        answer = redeem(ada, policy).json()
        assert (answer["uuid"], answer["state"]) == (str(row.uuid), "committed")
        assert ada.get(answer["transaction_status_api_url"]).json()["uuid"] == str(row.uuid)

    def test_a_refusal_is_a_list_with_a_sentence_and_names_no_person(self, ada):
        refused = redeem(ada, make_policy(per_learner_spend_limit=PRICE - 1))
        assert refused.status_code == 422
        (reason,) = refused.json()
        assert reason["reason"] == "learner_max_spend_reached"
        assert reason["user_message"] == "You can't enroll right now because of limits set by your organization."
        assert reason["metadata"] == {"enterprise_administrators": []}
        assert RedemptionAttempt.objects.get().rule == "C11"

    def test_the_ledger_away_while_asked_is_no_charge_and_tried_again(self, simulator, world, ada, policy):
        simulator.faults.add("status", "subsidy.redeem", status=503, times=1)
        url = redeem(ada, policy).json()["transaction_status_api_url"]
        work_on_attempts()
        assert ada.get(url).json()["state"] == "pending"
        with time_machine.travel(clock.now() + timedelta(minutes=5)):
            work_on_attempts()
        assert RedemptionAttempt.objects.get().state == "committed"
        assert charged(world) == PRICE

    def test_executive_education_says_what_is_missing_before_money_is_touched(self, ada):
        policy = make_policy(catalog_uuid=ACME_MIXED)
        answer = redeem(ada, policy, run=EXECUTIVE)
        assert (answer.status_code, answer.json()["code"]) == (400, "metadata_refused")
        assert "geag_date_of_birth" in answer.json()["extra"]["missing"]
        assert RedemptionAttempt.objects.count() == 0

    def test_what_executive_education_asks_of_a_learner_is_kept_until_the_end_only(self, world, ada):
        policy = make_policy(catalog_uuid=ACME_MIXED)
        names = ("geag_first_name", "geag_last_name", "geag_email", "geag_date_of_birth", "geag_terms_accepted_at")
        answer = redeem(
            ada, policy, run=EXECUTIVE, metadata={**dict.fromkeys(names, "x"), "geag_data_share_consent": True}
        )
        assert answer.json()["metadata"] == {}
        assert set(names) < set(RedemptionAttempt.objects.get().metadata)
        work_on_attempts()
        attempt = RedemptionAttempt.objects.get()
        # The simulator's ledger has no variant of the course at the provider.
        assert (attempt.state, attempt.reason, attempt.metadata) == ("refused", "enrollment_failed", {})
        (row,) = transactions(world)
        assert row.state == "failed"

    def test_a_request_waits_for_its_outcome_and_no_longer(self, ada, policy, settings):
        settings.REDEEM_WAIT_SECONDS = 0.3
        settings.REALIZE_WAITERS = 16
        began = time.monotonic()
        assert redeem(ada, policy).json()["state"] == "pending"
        assert time.monotonic() - began >= settings.REDEEM_WAIT_SECONDS
        work_on_attempts()
        settings.REDEEM_WAIT_SECONDS = 60
        assert await_outcome(RedemptionAttempt.objects.get()).state == "committed"


BAD_BODIES = [
    {},
    {"lms_user_id": ADA},
    {"lms_user_id": "abc", "content_key": RUN},
    {"lms_user_id": ADA, "content_key": "edX+DemoX"},
    {"lms_user_id": ADA, "content_key": "nonsense"},
    {"lms_user_id": True, "content_key": RUN},
    {"lms_user_id": None, "content_key": RUN},
    {"lms_user_id": ADA, "content_key": RUN, "price": 1},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": "text"},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": []},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"a": {"b": "c"}}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"a": 1}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"a": "x" * 1001}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {str(number): "x" for number in range(21)}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"allow_late_enrollment": True}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"Allow_Late_Enrollment": True}},
    {"lms_user_id": ADA, "content_key": RUN, "metadata": {"fallback_external_reference": "x"}},
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: str(body)[:60])
def test_bodies_that_make_no_sense_are_400_and_touch_nothing(ada, policy, body):
    answer = ada.post(f"{BASE}{policy.pk}/redeem/", body, format="json")
    assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)
    assert RedemptionAttempt.objects.count() == 0


def test_who_may_redeem_and_read_for_whom(world, api_as, policy):
    assert redeem(api_as("ada"), policy, learner=BEN).status_code == 403
    assert redeem(api_as(ADMIN), policy, learner=BEN).status_code == 403
    assert redeem(api_as("heidi"), policy).status_code == 404
    assert redeem(api_as(OPERATOR), policy, learner=BEN).status_code == 200
    url = redeem(api_as("ada"), policy).json()["transaction_status_api_url"]
    statuses = {name: api_as(name).get(url).status_code for name in ("ada", "ben", "heidi", ADMIN, OPERATOR)}
    assert statuses == {"ada": 200, "ben": 404, "heidi": 404, ADMIN: 200, OPERATOR: 200}
    assert api_as("ada").get(f"{BASE}redemption-attempts/{uuid4()}/").status_code == 404
    assert redeem(api_as("ada"), policy, run=RUN).status_code == 200


def test_a_redemption_can_be_followed_by_who_has_left_the_customer_meanwhile(world, api_as, policy):
    url = redeem(api_as("ada"), policy).json()["transaction_status_api_url"]
    world.unlink(username="ada", customer="acme")
    world.link(username="ada", customer="globex")
    assert api_as("ada").get(url).status_code == 200
    assert redeem(api_as("ada"), policy).status_code == 404


def test_an_assignment_of_a_course_pays_for_one_of_its_runs_however_many_are_asked_for_at_once(world, ada):
    other = world.add_run(key="course-v1:edX+DemoX+2027_T1", advertise=False).key
    assigned = make_assigned_budget()
    assignment = allocated(assigned, key=DEMO)
    first = redeem(ada, assigned).json()
    # A budget that pays without an assignment may pay for the other run.
    assert reason_of(ada, other) == "redemption_in_progress"
    refused = redeem(ada, assigned, run=other)
    assert (refused.status_code, refused.json()[0]["reason"]) == (422, "redemption_in_progress")
    direct = make_policy()
    own, another = can_redeem(ada, RUN, other)
    assert own["redeemable_subsidy_access_policy"]["uuid"] == str(assigned.pk)
    assert another["redeemable_subsidy_access_policy"]["uuid"] == str(direct.pk)
    work_on_attempts()
    assignment.refresh_from_db()
    assert ada.get(first["transaction_status_api_url"]).json()["state"] == "committed"
    assert (assignment.state, charged(world)) == ("accepted", PRICE)
    assert_totals_agree()


class TestCanRedeem:
    """What the course page asks."""

    def test_the_answer_has_the_recorded_members_and_the_key_as_it_was_sent(self, ada, policy):
        key = RUN.replace("DemoX", "demox")
        (row,) = can_redeem(ada, key)
        assert (row["content_key"], row["can_redeem"], row["display_reason"]) == (key, True, None)
        assert row["list_price"] == {"usd": PRICE / 100, "usd_cents": PRICE}
        payer = row["redeemable_subsidy_access_policy"]
        assert payer["uuid"] == str(policy.pk)
        assert payer["policy_redemption_url"].endswith(f"/policy-redemption/{policy.pk}/redeem/")
        assert set(row) == {
            *("content_key", "list_price", "redemptions", "has_successful_redemption", "can_redeem", "reasons"),
            *("redeemable_subsidy_access_policy", "display_reason"),
        }

    def test_after_redeeming_it_says_so_and_lists_the_redemption(self, ada, policy):
        redeem(ada, policy)
        assert can_redeem(ada)[0]["can_redeem"]
        work_on_attempts()
        (row,) = can_redeem(ada)
        assert (row["has_successful_redemption"], row["can_redeem"], row["reasons"]) == (True, False, [])
        (redemption,) = row["redemptions"]
        assert (redemption["state"], redemption["quantity"]) == ("committed", -PRICE)
        assert redemption["policy_redemption_status_url"].startswith("http")

    def test_several_runs_in_the_order_of_the_question_and_a_repeated_key_once(self, ada, policy):
        rows = can_redeem(ada, NOWHERE, RUN, NOWHERE)
        assert [(row["content_key"], row["can_redeem"]) for row in rows] == [(NOWHERE, False), (RUN, True)]
        assert rows[0]["list_price"] is None

    def test_why_not(self, ada):
        limited = make_policy(spend_limit=PRICE - 1)
        assert reason_of(ada) == "policy_spend_limit_reached"
        assert reason_of(ada, NOWHERE) == "content_not_in_catalog"
        limited.group_associations.create(group_uuid=uuid4())
        assert reason_of(ada) == "learner_not_in_enterprise_group"

    def test_the_budget_that_pays_is_the_one_that_expires_first_then_the_smaller_one(self, ada):
        make_policy()
        smaller = make_policy(spend_limit=2 * PRICE)
        assert can_redeem(ada)[0]["redeemable_subsidy_access_policy"]["uuid"] == str(smaller.pk)

    def test_an_assigned_budget_pays_nothing_without_an_assignment(self, ada):
        make_policy(
            policy_type=PolicyType.ASSIGNED.value, access_method=AccessMethod.ASSIGNED.value, spend_limit=BALANCE
        )
        assert reason_of(ada) == "reason_learner_not_assigned_content"

    @pytest.mark.parametrize(
        ("endpoint", "reason"),
        [
            ("subsidy.*", "subsidy_unavailable"),
            ("catalog.*", "catalog_unavailable"),
            ("lms.learners", "learner_state_unknown"),
        ],
    )
    def test_an_outage_is_a_reason_that_says_try_again(self, simulator, ada, policy, endpoint, reason):
        simulator.faults.add("status", endpoint, status=503, times=None)
        with time_machine.travel(clock.now() + timedelta(minutes=10)):
            assert reason_of(ada) == reason

    def test_warm_it_asks_no_service_and_its_statements_do_not_grow(
        self,
        ada,
        policy,
        world,
        django_assert_max_num_queries,
    ):
        can_redeem(ada)
        seen = len(world.journal.calls())
        with django_assert_max_num_queries(20):
            can_redeem(ada)
        for _ in range(4):
            make_policy()
        can_redeem(ada, RUN, NOWHERE, CLOSED)
        seen = len(world.journal.calls())
        with django_assert_max_num_queries(20):
            can_redeem(ada, RUN, NOWHERE, CLOSED)
        assert len(world.journal.calls()) == seen

    def test_a_customer_without_an_active_budget_is_404(self, ada):
        assert ada.get(CAN_REDEEM, {"content_key": RUN}).status_code == 404
        make_policy(active=False)
        assert ada.get(CAN_REDEEM, {"content_key": RUN}).status_code == 404

    def test_when_all_budgets_have_ended_a_run_that_was_not_redeemed_has_a_reason(self, ada, policy):
        redeem(ada, policy)
        work_on_attempts()
        policy.active = False
        policy.save()
        paid, other = can_redeem(ada, RUN, NOWHERE)
        assert (paid["has_successful_redemption"], paid["display_reason"], paid["reasons"]) == (True, None, [])
        assert (other["can_redeem"], other["display_reason"]["reason"]) == (False, "policy_expired")
        assert other["display_reason"]["user_message"].endswith("doesn't have enough funds.")

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"content_key": "edX+DemoX"},
            {"content_key": RUN, "lms_user_id": "abc"},
            {"content_key": RUN, "page": 1},
            {"content_key": [f"course-v1:A+B+{number}" for number in range(401)]},
        ],
        ids=lambda query: str(query)[:50],
    )
    def test_bad_questions_are_400(self, ada, policy, query):
        answer = ada.get(CAN_REDEEM, query)
        assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)

    def test_only_your_own(self, api_as, policy):
        asked = {"content_key": RUN, "lms_user_id": BEN}
        assert api_as("ada").get(CAN_REDEEM, asked).status_code == 403
        assert api_as("heidi").get(CAN_REDEEM, {"content_key": RUN}).status_code == 403
        for name in (ADMIN, OPERATOR):
            assert api_as(name).get(CAN_REDEEM, asked).status_code == 200


class TestCredit:
    """What every page asks."""

    def credits(self, client, learner: int = ADA) -> Any:
        answer = client.get(CREDITS, {"enterprise_customer_uuid": str(ACME), "lms_user_id": learner})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def test_a_budget_with_what_is_left_of_it(self, ada):
        policy = make_policy(per_learner_spend_limit=2 * PRICE)
        (row,) = self.credits(ada)
        assert (row["uuid"], row["remaining_balance"]) == (str(policy.pk), BALANCE)
        assert row["remaining_balance_per_user"] == 2 * PRICE
        assert (row["learner_content_assignments"], row["learner_requests"], row["group_associations"]) == ([], [], [])
        assert row["subsidy_expiration_date"]
        redeem(ada, policy)
        work_on_attempts()
        (row,) = self.credits(ada)
        assert (row["remaining_balance"], row["remaining_balance_per_user"]) == (BALANCE - PRICE, PRICE)

    def test_what_can_pay_nothing_is_not_listed(self, ada):
        make_policy(active=False)
        make_policy(spend_limit=0)
        make_policy(policy_type=PolicyType.PER_LEARNER_ENROLLMENT.value, per_learner_enrollment_limit=0)
        make_policy(retired=True)
        assert self.credits(ada) == []

    def test_an_outage_shows_what_was_known(self, simulator, ada, policy):
        self.credits(ada)
        simulator.faults.add("status", "subsidy.*", status=503, times=None)
        with time_machine.travel(clock.now() + timedelta(minutes=10)):
            assert [row["uuid"] for row in self.credits(ada)] == [str(policy.pk)]

    def test_assignments_say_what_the_catalog_says_of_their_content(self, simulator, ada):
        budget = make_assigned_budget()
        rows = [allocated(budget), allocated(budget, "ada@example.com", key="LinuxFoundationX+LFS101x")]
        Assignment.objects.filter(pk=rows[1].pk).update(content_key="edX+Unseen", is_assigned_course_run=False)
        simulator.faults.add("status", "catalog.*", status=503, times=None)
        (row,) = self.credits(ada)
        shown = {one["content_key"]: one["content_metadata"] for one in row["learner_content_assignments"]}
        assert shown.keys() == {DEMO, "edX+Unseen"}
        assert shown["edX+Unseen"] is None
        assert (shown[DEMO]["course_type"], shown[DEMO]["content_price"]) == ("verified-audit", PRICE / 100)
        assert shown[DEMO]["start_date"] < shown[DEMO]["end_date"]
        (partner,) = shown[DEMO]["partners"]
        assert partner["name"] == "edX University"
        assert partner["logo_image_url"].startswith("https://")

    def test_assignments_and_what_happened_to_them_are_read_once(self, ada):
        budget = make_assigned_budget()
        allocated(budget)
        allocated(budget, key="LinuxFoundationX+LFS101x")
        # Where a service has to be asked, what was read before the call is read again.
        self.credits(ada)
        with CaptureQueriesContext(connection) as statements:
            (row,) = self.credits(ada)
        assert len(row["learner_content_assignments"]) == 2
        quote = connection.ops.quote_name
        of_learner, of_assignments = f"{quote('lms_user_id')} = {ADA} ORDER BY", f"{quote('assignment_id')} IN"
        for table, whose in ((Assignment, of_learner), (Assignment.actions.rel.related_model, of_assignments)):
            name = f"FROM {quote(table._meta.db_table)}"
            reads = [one["sql"] for one in statements if name in one["sql"] and whose in one["sql"]]
            assert len(reads) == 1, reads

    def test_an_operator_who_is_not_linked_sees_an_empty_list(self, api_as, policy):
        assert self.credits(api_as(OPERATOR), learner=2) == []

    def test_parameters(self, ada, api_as):
        assert ada.get(CREDITS, {"enterprise_customer_uuid": str(ACME)}).status_code == 400
        assert ada.get(CREDITS, {"enterprise_customer_uuid": "nope", "lms_user_id": 1}).status_code == 400
        other = {"enterprise_customer_uuid": str(GLOBEX), "lms_user_id": ADA}
        assert ada.get(CREDITS, other).status_code == 403
        assert api_as("outsider").get(CREDITS, other).status_code == 403


class TestCanRequest:
    """Whether the button to request a course is shown."""

    def ask(self, client, key: str = "edX+DemoX") -> Any:
        return client.get(CAN_REQUEST, {"content_key": key}).json()

    def test_reasons_as_clients_know_them(self, ada):
        assert self.ask(ada) == {"can_request": False, "reason": "No active policies for this customer"}
        make_policy()
        assert self.ask(ada) == {"can_request": False, "reason": "No policies with BnR enabled found"}
        policy = make_policy(learner_credit_request_config=uuid4())
        found = self.ask(ada)
        assert (found["can_request"], found["reason"], found["content_key"]) == (True, None, "edX+DemoX")
        assert found["requestable_subsidy_access_policy"]["uuid"] == str(policy.pk)
        assert self.ask(ada, "Elsewhere+NOT1") == {"can_request": False, "reason": "content_not_in_catalog"}

    @pytest.mark.parametrize(
        ("state", "is_open"),
        # Credit is never pending.
        [(one, one in {"requested", "approved", "error"}) for one in map(str, RequestState) if one != "pending"],
    )
    def test_a_course_that_the_learner_has_an_open_or_approved_request_for_cannot_be_requested(
        self, ada, state, is_open
    ):
        policy = make_policy(learner_credit_request_config=uuid4())
        # Of another learner, another customer, another kind, another course.
        for about in ({"lms_user_id": BEN}, {"customer": GLOBEX}, {"kind": COUPON}, {"course_id": "edX+Other"}):
            made(**{"lms_user_id": ADA, "kind": CREDIT, "policy_uuid": policy.pk, **about})
        assert self.ask(ada)["can_request"] is True
        made(ADA, kind=CREDIT, state=RequestState(state), policy_uuid=uuid4())
        refused = {"can_request": False, "reason": "already_requested"}
        for key in ("edX+DemoX", "EDX+demox", RUN):
            found = self.ask(ada, key)
            assert found == refused if is_open else found["can_request"]

    @pytest.mark.parametrize(
        ("limits", "balance", "reason"),
        [
            ({"spend_limit": 0}, 0, "not_enough_value_in_subsidy"),
            ({"spend_limit": 0, "per_learner_spend_limit": 0}, 1, "policy_spend_limit_reached"),
            ({"spend_limit": 1, "per_learner_spend_limit": 0}, 1, "learner_max_spend_reached"),
        ],
    )
    def test_the_reason_names_what_is_used_up(self, ada, limits, balance, reason):
        make_policy(learner_credit_request_config=uuid4(), **limits)
        Subsidy.objects.update(balance=balance)
        assert self.ask(ada) == {"can_request": False, "reason": reason}

    def test_what_was_never_read_is_not_called_a_lack_of_money(self, simulator, ada):
        policy = make_policy(learner_credit_request_config=uuid4())
        group = policy.group_associations.create(group_uuid=uuid4())
        assert self.ask(ada)["reason"] == "learner_not_in_enterprise_group"
        group.delete()
        Subsidy.objects.update(expires_at=clock.now() - timedelta(days=1))
        assert self.ask(ada)["reason"] == "subsidy_expired"
        Subsidy.objects.update(balance=None, total_deposits=None, fetched_at=None)
        simulator.faults.add("status", "subsidy.*", status=503, times=None)
        assert self.ask(ada)["reason"] == "subsidy_unavailable"

    def test_parameters(self, ada):
        assert ada.get(CAN_REQUEST).status_code == 400
        assert ada.get(CAN_REQUEST, {"content_key": "nonsense"}).status_code == 400
