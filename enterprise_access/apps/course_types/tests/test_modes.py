"""The LMS's choice of a mode, ours, and what follows from them."""

from datetime import UTC, datetime, timedelta

import pytest

from enterprise_access.apps.course_types.domain.modes import (
    AUDIT_LIKE,
    LMS_BEST_MODE_ORDER,
    WANTED_MODE_ORDER,
    DowngradeTarget,
    PayingSubsidy,
    SeatDeadline,
    deadline,
    downgrade_target,
    effective,
    enroll_by,
    is_expired,
    is_paid,
    pick,
    seat_deadline,
    want,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ONE_SECOND = timedelta(seconds=1)
YESTERDAY = NOON - timedelta(days=1)


def endless(*slugs: str) -> dict[str, datetime | None]:
    return dict.fromkeys(slugs)


@pytest.mark.parametrize(
    ("slugs", "picked"),
    [
        (("audit", "verified"), "verified"),
        (("verified", "audit", "credit"), "verified"),
        (("professional",), "professional"),
        (("professional", "verified"), "verified"),
        (("no-id-professional", "audit"), "no-id-professional"),
        (("no-id-professional", "professional"), "professional"),
        (("audit", "honor"), "audit"),
        (("honor",), "honor"),
        (("honor", "verified"), "verified"),
        (("audit", "unpaid-executive-education"), "audit"),
        (("honor", "unpaid-executive-education"), "honor"),
        (("unpaid-executive-education",), "unpaid-executive-education"),
        (("masters", "verified", "audit"), "verified"),
    ],
)
def test_the_lms_picks_by_its_own_order(slugs, picked):
    assert pick(endless(*slugs)) == picked


@pytest.mark.parametrize(
    "slug", ["credit", "masters", "paid-executive-education", "executive-education", "unpaid-bootcamp", "unheard-of"]
)
def test_the_lms_falls_back_on_audit_when_it_knows_no_mode_of_the_run(slug):
    assert pick(endless(slug)) == "audit"


def test_the_lms_picks_audit_when_there_are_no_modes():
    assert pick({}) == "audit"


def test_the_lms_picks_an_expired_mode():
    assert pick({"verified": YESTERDAY, "audit": None}) == "verified"


def test_we_want_the_first_unexpired_mode():
    assert want({"verified": YESTERDAY, "professional": None, "audit": None}, now=NOON) == "professional"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("verified", "professional"),
        ("professional", "no-id-professional"),
        ("no-id-professional", "unpaid-executive-education"),
    ],
)
def test_of_two_paid_modes_we_want_the_better(better, worse):
    assert want({worse: None, better: None}, now=NOON) == better


def test_we_want_unpaid_executive_education_before_audit():
    assert want(endless("audit", "unpaid-executive-education"), now=NOON) == "unpaid-executive-education"


def test_we_want_audit_before_honor():
    assert want(endless("honor", "audit"), now=NOON) == "audit"


def test_we_want_audit_when_there_are_no_modes():
    assert want({}, now=NOON) == "audit"


@pytest.mark.parametrize("slug", ["credit", "masters", "executive-education", "paid-executive-education", "unheard-of"])
def test_a_mode_without_a_rank_is_never_wanted(slug):
    assert want(endless(slug), now=NOON) is None


def test_nothing_is_wanted_when_all_is_expired():
    assert want({"verified": YESTERDAY, "audit": YESTERDAY}, now=NOON) is None


def test_a_mode_counts_in_its_last_second():
    assert not is_expired(NOON, now=NOON)
    assert want({"verified": NOON}, now=NOON) == "verified"


def test_a_mode_is_expired_one_second_later():
    assert is_expired(NOON, now=NOON + ONE_SECOND)
    assert want({"verified": NOON}, now=NOON + ONE_SECOND) is None


def test_a_mode_without_expiry_never_expires():
    assert not is_expired(None, now=NOON)


def test_both_orders_name_the_same_modes():
    assert set(LMS_BEST_MODE_ORDER) == set(WANTED_MODE_ORDER)


def test_only_audit_and_honor_are_like_audit():
    assert {"audit", "honor"} == AUDIT_LIKE
    assert not is_paid("audit")
    assert not is_paid("honor")


@pytest.mark.parametrize("slug", ["verified", "masters", "credit", "unpaid-executive-education", "unpaid-bootcamp"])
def test_everything_else_is_paid(slug):
    assert is_paid(slug)


def test_no_modes_count_as_audit_without_expiry():
    assert effective({}) == {"audit": None}


def test_known_modes_count_as_they_are():
    assert effective(endless("verified")) == {"verified": None}


def test_the_override_of_a_seat_wins():
    assert seat_deadline(stored=YESTERDAY, override=NOON) == NOON
    assert seat_deadline(stored=NOON, override=YESTERDAY) == YESTERDAY


def test_without_an_override_the_stored_deadline_counts():
    assert seat_deadline(stored=NOON, override=None) == NOON
    assert seat_deadline(stored=None, override=None) is None


def test_the_deadline_is_that_of_the_modes_seat_whatever_the_mode():
    deadlines = {"verified": YESTERDAY, "audit": NOON}
    assert deadline("audit", upgrade_deadlines=deadlines) == NOON
    assert deadline("verified", upgrade_deadlines=deadlines) == YESTERDAY


def test_a_mode_without_a_seat_has_no_deadline():
    assert deadline("masters", upgrade_deadlines={"verified": NOON}) is None


def test_losing_the_license_moves_to_audit_where_there_is_audit():
    assert downgrade_target(endless("audit", "verified")) is DowngradeTarget.AUDIT


def test_losing_the_license_moves_to_audit_where_no_modes_are_known():
    assert downgrade_target({}) is DowngradeTarget.AUDIT


def test_an_expired_audit_mode_is_a_target_all_the_same():
    assert downgrade_target({"audit": YESTERDAY, "verified": None}) is DowngradeTarget.AUDIT


@pytest.mark.parametrize("slugs", [("honor", "verified"), ("professional",), ("unpaid-executive-education",)])
def test_losing_the_license_unenrolls_where_there_is_no_audit(slugs):
    assert downgrade_target(endless(*slugs)) is DowngradeTarget.UNENROLL


def test_a_completed_run_stays_as_it_is():
    assert downgrade_target(endless("audit", "verified"), is_run_completed=True) is DowngradeTarget.NONE


def test_learner_credit_that_is_taken_back_always_unenrolls():
    for completed in (True, False):
        target = downgrade_target(
            endless("audit", "verified"), is_run_completed=completed, subsidy=PayingSubsidy.LEARNER_CREDIT
        )
        assert target is DowngradeTarget.UNENROLL


def seat(seat_type: str, stored: datetime | None = None, override: datetime | None = None) -> SeatDeadline:
    return SeatDeadline(seat_type=seat_type, stored=stored, override=override)


def test_one_can_enroll_until_the_earlier_of_deadline_and_end_of_enrollment():
    assert enroll_by([seat("verified", YESTERDAY)], enrollment_ends_at=NOON) == YESTERDAY
    assert enroll_by([seat("verified", NOON)], enrollment_ends_at=YESTERDAY) == YESTERDAY
    assert enroll_by([seat("verified")], enrollment_ends_at=NOON) == NOON
    assert enroll_by([seat("verified", NOON)], enrollment_ends_at=None) == NOON
    assert enroll_by([], enrollment_ends_at=None) is None


def test_the_override_of_the_best_seat_counts():
    assert enroll_by([seat("verified", YESTERDAY, NOON)], enrollment_ends_at=None) == NOON


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("verified", "professional"),
        ("professional", "no-id-professional"),
        ("no-id-professional", "unpaid-executive-education"),
        ("unpaid-executive-education", "audit"),
        ("audit", "honor"),
        ("audit", "unheard-of"),
    ],
)
def test_the_best_seat_tells_though_a_worse_one_ends_earlier(better, worse):
    assert enroll_by([seat(worse, YESTERDAY), seat(better, NOON)], enrollment_ends_at=None) == NOON


def test_a_seat_that_is_in_no_order_tells_when_it_is_alone():
    assert enroll_by([seat("unheard-of", NOON)], enrollment_ends_at=None) == NOON


def test_of_two_seats_that_are_in_no_order_the_first_tells():
    assert enroll_by([seat("honor", NOON), seat("credit", YESTERDAY)], enrollment_ends_at=None) == NOON


def test_in_executive_education_only_the_end_of_enrollment_tells():
    seats = [seat("unpaid-executive-education", YESTERDAY)]
    assert enroll_by(seats, enrollment_ends_at=NOON, is_executive_education=True) == NOON
    assert enroll_by(seats, enrollment_ends_at=None, is_executive_education=True) is None
