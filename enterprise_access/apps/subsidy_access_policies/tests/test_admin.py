"""Budgets and deposits in the admin: dollars become exact cents, and a rule that is broken is an error at its field."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_access.apps.subsidy_access_policies.admin.dollars import DollarField, as_dollars
from enterprise_access.apps.subsidy_access_policies.domain.availability import ReservationKind
from enterprise_access.apps.subsidy_access_policies.models import (
    Deposit,
    DepositState,
    Subsidy,
    SubsidyAccessPolicy,
    SubsidyTransaction,
)
from enterprise_access.apps.subsidy_access_policies.services import reserve
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_new
from enterprise_access.apps.subsidy_access_policies.tests.ledger import (
    ADA,
    DEMO_RUN,
    known_account,
    make_budget,
    redeemed,
)
from enterprise_access.lib import clock
from simulator.seed import ACME, ACME_CREDIT, ACME_OPEN

pytestmark = pytest.mark.django_db

LIST = "/admin/subsidy_access_policies/subsidyaccesspolicy/"
DEPOSITS = "/admin/subsidy_access_policies/deposit/"
NEW = {
    "customer_uuid": str(ACME),
    "subsidy_uuid": str(ACME_CREDIT),
    "catalog_uuid": str(ACME_OPEN),
    "policy_type": "PerLearnerSpendCreditAccessPolicy",
    "access_method": "direct",
    "display_name": "Team North",
    "description": "",
    "spend_limit": "4350.10",
    "per_learner_spend_limit": "",
    "per_learner_enrollment_limit": "",
}
INLINE = {
    "group_associations-TOTAL_FORMS": "0",
    "group_associations-INITIAL_FORMS": "0",
}


def changed(policy, **about):
    known = {
        "display_name": policy.display_name,
        "description": policy.description,
        "spend_limit": "" if policy.spend_limit is None else f"{policy.spend_limit / 100:.2f}",
        "active": "on",
    }
    return {**known, **INLINE, **about}


@pytest.mark.parametrize(
    ("cents", "dollars"),
    [(0, "$0.00"), (435, "$4.35"), (123_456_789, "$1,234,567.89"), (-5, "-$0.05"), (None, "unknown")],
)
def test_cents_are_shown_as_dollars(cents, dollars):
    assert as_dollars(cents) == dollars


@pytest.mark.parametrize(("typed", "cents"), [("4.35", 435), ("1000", 100_000), ("0.1", 10), ("", None)])
def test_dollars_become_exact_cents(typed, cents):
    field = DollarField(required=False)
    assert field.clean(typed) == cents


def test_a_budget_is_added_and_changed_by_its_forms(world, staff):
    assert staff.post(f"{LIST}add/", NEW).status_code == 302
    policy = SubsidyAccessPolicy.objects.get()
    assert (policy.spend_limit, policy.history.get().history_user.username) == (435_010, "root")
    page = f"{LIST}{policy.pk}/change/"
    assert b'value="4350.10"' in staff.get(page).content
    answer = staff.post(page, changed(policy, spend_limit="99.99", reason="Smaller."))
    assert answer.status_code == 302
    policy.refresh_from_db()
    assert (policy.spend_limit, policy.history.first().history_change_reason) == (9_999, "Smaller.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spend_limit", "1.005"),
        ("spend_limit", "-1"),
        ("spend_limit", "5000.01"),
        ("per_learner_enrollment_limit", "3"),
        ("customer_uuid", "x"),
        ("catalog_uuid", "00000000-0000-4000-8000-000000000001"),
        ("subsidy_uuid", "00000000-0000-4000-8000-000000000001"),
        ("policy_type", "none"),
    ],
)
def test_what_no_budget_can_be_is_an_error_at_its_field(world, staff, field, value):
    answer = staff.post(f"{LIST}add/", {**NEW, field: value})
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not SubsidyAccessPolicy.objects.exists()


def test_a_budget_in_use_is_deactivated_by_force_only(world, staff):
    policy = make_budget()
    redeemed(world, policy.pk)
    reconcile_new()
    page = f"{LIST}{policy.pk}/change/"
    sent = {key: value for key, value in changed(policy).items() if key != "active"}
    assert "Retire it instead" in staff.post(page, sent).content.decode()
    assert staff.post(page, {**sent, "force": "on"}).status_code == 302
    policy.refresh_from_db()
    assert not policy.active


def test_browse_and_request_is_switched_on_and_off_for_the_type_that_has_it(world, staff):
    policy = make_budget()
    configurations = set()
    for on in ({"bnr_enabled": "on"}, {}, {"bnr_enabled": "on"}):
        assert staff.post(f"{LIST}{policy.pk}/change/", changed(policy, **on)).status_code == 302
        policy.refresh_from_db()
        assert policy.bnr_enabled is bool(on)
        configurations |= {policy.learner_credit_request_config, policy.assignment_configuration}
    assert len(configurations) == 3
    assert b"checked" in staff.get(f"{LIST}{policy.pk}/change/").content.split(b'name="bnr_enabled"')[1][:80]
    other = make_budget(policy_type="PerLearnerEnrollmentCreditAccessPolicy")
    answer = staff.post(f"{LIST}{other.pk}/change/", changed(other, bnr_enabled="on"))
    assert list(answer.context["adminform"].form.errors) == ["bnr_enabled"]


def test_staff_confirm_that_nothing_pays_for_allocated_assignments(world, staff):
    policy = make_budget(bnr_enabled=True)
    known_account()
    for kind, number in (
        (ReservationKind.ALLOCATION, 1),
        (ReservationKind.ALLOCATION, 2),
        (ReservationKind.REDEMPTION, 3),
    ):
        reserve(
            policy_uuid=policy.pk,
            lms_user_id=number,
            content_key="course-v1:edX+DemoX+2026_T1",
            amount_cents=100,
            kind=kind,
            now=clock.now(),
            assignment_uuid=uuid4(),
        )
    page = f"{LIST}{policy.pk}/change/"
    (warning,) = staff.post(page, changed(policy)).context["adminform"].form.errors["bnr_enabled"]
    assert warning.startswith("2 assignments of this budget are allocated.")
    assert staff.post(page, changed(policy, bnr_enabled="on", display_name="Renamed")).status_code == 302
    assert staff.post(page, changed(policy, force="on", reason="Ended")).status_code == 302
    policy.refresh_from_db()
    assert (policy.bnr_enabled, policy.history.first().history_change_reason) == (False, "Ended")


def test_the_pages_show_the_money(world, staff, django_assert_max_num_queries):
    policy = make_budget(spend_limit=100_000, per_learner_spend_limit=10_000)
    redeemed(world, policy.pk)
    reconcile_new()
    page = staff.get(f"{LIST}{policy.pk}/change/").content.decode()
    for text in ("$149.00", "$851.00", "<polyline", "1001", "course-v1:edX+DemoX+2026_T1", "Add a deposit"):
        assert text in page
    for number in range(4):
        make_budget(display_name=f"More {number}")
    with django_assert_max_num_queries(9):
        shown = staff.get(LIST).content.decode()
    assert "$149.00" in shown
    answer = staff.post(LIST, {"action": "export_csv", "_selected_action": [str(policy.pk)]})
    assert answer.content.decode().splitlines()[1].split(",")[6:11] == ["1000.00", "149.00", "0.00", "0.00", "851.00"]
    assert staff.get(f"{LIST}{policy.pk}/history/").status_code == 200
    for model in ("subsidy", "subsidytransaction", "reservation", "deposit"):
        assert staff.get(f"/admin/subsidy_access_policies/{model}/").status_code == 200


def test_every_page_shows_dollars_and_the_time_zone(world, staff):
    policy = make_budget(spend_limit=100_000)
    redeemed(world, policy.pk)
    reconcile_new()
    transaction = SubsidyTransaction.objects.get(policy_uuid=policy.pk)
    promise = reserve(
        policy_uuid=policy.pk,
        lms_user_id=ADA,
        content_key=DEMO_RUN,
        amount_cents=1_250,
        kind=ReservationKind.REDEMPTION,
        now=clock.now(),
    )
    assert f"{transaction.created:%Y-%m-%d %H:%M} UTC</td>" in staff.get(f"{LIST}{policy.pk}/change/").content.decode()
    for path, amounts in (
        (f"subsidytransaction/{transaction.pk}", ["-$149.00"]),
        (f"reservation/{promise.pk}", ["$12.50"]),
        (f"subsidy/{policy.subsidy_id}", [as_dollars(Subsidy.objects.get(pk=policy.subsidy_id).balance)]),
    ):
        page = staff.get(f"/admin/subsidy_access_policies/{path}/change/").content.decode()
        assert all(f">{amount}<" in page for amount in amounts), path
        assert " cents" not in page


def test_a_deposit_is_noted_and_sent_again_by_staff(world, staff):
    policy = make_budget()
    sent = {
        "policy": str(policy.pk),
        "amount": "250.05",
        "sales_contract_reference_id": "00kABC",
        "sales_contract_reference_provider": "salesforce_opportunity_line_item",
    }
    assert staff.get(f"{DEPOSITS}add/?policy={policy.pk}").status_code == 200
    assert staff.post(f"{DEPOSITS}add/", {**sent, "amount": "0"}).status_code == 200
    assert staff.post(f"{DEPOSITS}add/", sent).status_code == 302
    row = Deposit.objects.get()
    assert (row.amount, row.state, row.actor.username) == (25_005, DepositState.PENDING, "root")
    assert staff.get(f"{DEPOSITS}{row.pk}/change/").status_code == 200
    about = {"state": DepositState.SENT, "failed_at": timezone.now(), "sent_at": timezone.now() - timedelta(hours=2)}
    Deposit.objects.update(due_at=None, **about)
    staff.post(DEPOSITS, {"action": "send_again", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert (row.state, row.failed_at) == (DepositState.PENDING, None)


def test_staff_who_may_change_budgets_restrict_them_to_groups_of_their_customer(
    world, staff, client, django_user_model
):
    policy, groups = make_budget(), "/admin/subsidy_access_policies/policygroupassociation/"
    own = world.add_group(customer="acme", name="Own").uuid
    foreign = world.add_group(customer="globex", name="Foreign").uuid
    assert f"{groups}add/?policy={policy.pk}" in staff.get(f"{LIST}{policy.pk}/change/").content.decode()
    refused = staff.post(f"{groups}add/", {"policy": str(policy.pk), "group_uuid": str(foreign)})
    assert list(refused.context["adminform"].form.errors) == ["group_uuid"]
    assert not policy.group_associations.exists()
    assert staff.post(f"{groups}add/", {"policy": str(policy.pk), "group_uuid": str(own)}).status_code == 302
    row = policy.group_associations.get()
    assert str(own) in staff.get(groups, {"q": str(policy.pk)}).content.decode()
    client.force_login(django_user_model.objects.create_user("viewer", is_staff=True))
    assert client.post(f"{groups}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.post(f"{groups}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not policy.group_associations.exists()
