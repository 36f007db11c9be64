"""When a skip is looked at again: the table line by line."""

from datetime import timedelta

import pytest

from enterprise_access.apps.default_enrollments.domain.looking_again import (
    TABLE,
    RecheckEvent,
    is_waiting,
    is_woken_by,
    look_of,
    next_look,
)
from enterprise_access.apps.default_enrollments.domain.reasons import EXPLANATIONS, Explanation, explain
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.tests.cases import NOON, ONE_DAY, ONE_SECOND

WAITING = [
    Reason.CATALOG_UNAVAILABLE,
    Reason.MODES_UNAVAILABLE,
    Reason.LICENSE_MANAGER_UNAVAILABLE,
    Reason.ENROLLMENT_STATE_UNKNOWN,
    Reason.ENROLLMENT_NOT_VISIBLE,
    Reason.OUTCOME_UNKNOWN,
    Reason.LMS_UNAVAILABLE,
]
CONTENT = [
    Reason.CONTENT_NOT_FOUND,
    Reason.CONTENT_NOT_READY,
    Reason.RUN_NOT_FOUND,
    Reason.RUN_UNKNOWN_TO_LMS,
    Reason.RUN_NOT_PUBLISHED,
    Reason.RUN_ENDED,
    Reason.NO_ADVERTISED_RUN,
    Reason.NOT_IN_CUSTOMER_CATALOGS,
    Reason.ENROLLMENT_CLOSED,
    Reason.INVITATION_ONLY,
    Reason.MODE_EXPIRED,
    Reason.MODE_MISMATCH,
    Reason.NO_SUBSIDIZABLE_MODE,
    Reason.UPGRADE_DEADLINE_PASSED,
    Reason.COVERED_BY_OTHER_INTENTION,
]
PAYING = [
    Reason.NO_LICENSE,
    Reason.LEARNER_WITHOUT_EMAIL,
    Reason.LICENSE_NOT_IN_CATALOG,
    Reason.LICENSE_PLAN_NOT_CURRENT,
    Reason.LICENSE_NOT_ACTIVATED,
]
NEVER = [Reason.LEARNER_UNENROLLED, Reason.LICENSE_REVOKED, Reason.ENROLLMENT_ENDED, Reason.NEEDS_LEARNER_INPUT]
UNLINKED = [Reason.LEARNER_NOT_LINKED, Reason.CUSTOMER_INACTIVE]
SERVED = [
    Reason.ENROLLED,
    Reason.REALIZED_EARLIER,
    Reason.ENROLLED_IN_AUDIT_ONLY_RUN,
    Reason.NEEDS_ENROLLMENT,
    Reason.NEEDS_UPGRADE,
]
BY_TIME = [Reason.KEPT_BACK, *WAITING, *PAYING, Reason.ENROLLMENT_NOT_OPEN, Reason.REFUSED_BY_LMS]


def minutes_until_next(code: str, failures: int, spread: float = 0.0) -> float:
    look = next_look(code, now=NOON, failures=failures, spread=spread)
    assert look is not None
    return (look - NOON) / timedelta(minutes=1)


def events_of(code: str) -> set[RecheckEvent]:
    return {event for event in RecheckEvent if is_woken_by(code, event)}


def test_what_was_not_answered_is_asked_again_after_1_minute_up_to_1_hour_then_hourly():
    for reason in WAITING:
        pauses = [minutes_until_next(reason, failures) for failures in range(1, 11)]
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_what_was_not_answered_and_nothing_else_is_visible_as_waiting():
    assert {reason for reason in Reason if is_waiting(reason)} == set(WAITING)


def test_learners_who_failed_together_do_not_come_back_together():
    spreads = [minutes_until_next(Reason.CATALOG_UNAVAILABLE, 3, spread) for spread in (0.0, 0.25, 0.5, 1.0)]
    assert spreads == [4, 5, 6, 8]


@pytest.mark.parametrize("failures", [1, 5, 6, 7, 100, 10_000])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
def test_the_pause_is_never_under_1_minute_nor_over_1_hour(failures, spread):
    assert 1 <= minutes_until_next(Reason.MODES_UNAVAILABLE, failures, spread) <= 60


def test_a_first_look_without_failures_counts_as_the_first_failure():
    assert minutes_until_next(Reason.MODES_UNAVAILABLE, 0) == 1
    assert next_look(Reason.MODES_UNAVAILABLE, now=NOON) == NOON + timedelta(minutes=1)


def test_enrollment_that_is_not_open_is_looked_at_when_it_opens():
    opening = NOON + 3 * ONE_DAY
    assert next_look(Reason.ENROLLMENT_NOT_OPEN, now=NOON, enrollment_starts_at=opening) == opening


def test_enrollment_of_which_nobody_knows_when_it_opens_is_not_looked_at_by_time():
    assert next_look(Reason.ENROLLMENT_NOT_OPEN, now=NOON, enrollment_starts_at=None) is None


def test_enrollment_that_opened_in_the_meantime_is_looked_at_now():
    assert next_look(Reason.ENROLLMENT_NOT_OPEN, now=NOON, enrollment_starts_at=NOON - ONE_DAY) == NOON


def test_what_hangs_on_content_waits_for_a_change_of_content_or_the_next_login():
    for reason in CONTENT:
        assert next_look(reason, now=NOON, last_login_at=NOON, enrollment_starts_at=NOON) is None
        assert events_of(reason) == {RecheckEvent.CONTENT_CHANGE, RecheckEvent.LOGIN}


def test_what_nobody_paid_for_is_looked_at_daily():
    for reason in PAYING:
        assert next_look(reason, now=NOON, last_login_at=NOON) == NOON + ONE_DAY


def test_what_nobody_paid_for_is_looked_at_for_30_days_after_the_last_login():
    for reason in PAYING:
        last_day = NOON - 29 * ONE_DAY
        assert next_look(reason, now=NOON, last_login_at=last_day) == NOON + ONE_DAY
        assert next_look(reason, now=NOON, last_login_at=last_day - ONE_SECOND) is None
        assert next_look(reason, now=NOON, last_login_at=None) is None


def test_what_nobody_paid_for_is_looked_at_once_a_license_changes_and_at_the_next_login():
    for reason in PAYING:
        assert events_of(reason) == {RecheckEvent.LICENSE_CHANGE, RecheckEvent.LOGIN}


def test_what_the_lms_refused_is_tried_again_after_1_hour_up_to_7_days():
    hours = [minutes_until_next(Reason.REFUSED_BY_LMS, failures) / 60 for failures in range(1, 11)]
    assert hours == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]


def test_what_the_lms_refused_is_tried_at_once_when_run_modes_or_license_change():
    assert events_of(Reason.REFUSED_BY_LMS) == {RecheckEvent.CONTENT_CHANGE, RecheckEvent.LICENSE_CHANGE}


def test_who_left_is_looked_at_by_staff_override_alone():
    for reason in NEVER:
        assert next_look(reason, now=NOON, last_login_at=NOON, enrollment_starts_at=NOON) is None
        assert events_of(reason) == {RecheckEvent.OVERRIDE}


def test_who_is_not_linked_is_looked_at_when_a_link_or_the_customer_is_seen():
    for reason in UNLINKED:
        assert next_look(reason, now=NOON, last_login_at=NOON) is None
        assert events_of(reason) == {RecheckEvent.LINK, RecheckEvent.CUSTOMER_ACTIVE}


def test_what_is_served_is_not_looked_at_again():
    for reason in SERVED:
        assert next_look(reason, now=NOON, last_login_at=NOON) is None
        assert events_of(reason) == set()


def test_every_reason_has_its_line():
    assert set(TABLE) == set(Reason)
    assert {*BY_TIME, *CONTENT, *NEVER, *UNLINKED, *SERVED} == set(Reason)


def test_a_code_that_only_its_payer_knows_is_one_of_paying():
    assert next_look("budget_used_up", now=NOON, last_login_at=NOON) == NOON + ONE_DAY


@pytest.mark.parametrize("code", ["subsidy_unavailable", "balance_unknown", "transaction_not_visible"])
def test_a_code_of_a_payer_that_did_not_answer_is_one_of_waiting(code):
    assert look_of(code) == look_of(Reason.OUTCOME_UNKNOWN)


class TestWords:
    """Every reason in plain words."""

    def test_every_reason_has_two_sentences_without_codes(self):
        for reason in Reason:
            explanation = explain(reason)
            assert explanation == EXPLANATIONS[reason]
            assert explanation.text.endswith((".", ").")), reason
            assert explanation.what_would_change_it.endswith("."), reason
            assert "_" not in explanation.text + explanation.what_would_change_it, reason

    def test_an_ending_that_the_facts_do_not_explain_says_so(self):
        assert "unenrolled or license revoked" in explain("enrollment_ended").text

    def test_no_license_may_be_wrong_after_an_address_change(self):
        assert "email address changed" in explain("no_license").text
        assert "portal" in explain("no_license").text

    @pytest.mark.parametrize("reason", [Reason.LEARNER_UNENROLLED, Reason.LICENSE_REVOKED, Reason.ENROLLMENT_ENDED])
    def test_who_left_is_told_of_the_override(self, reason):
        assert "staff override" in explain(reason).what_would_change_it

    def test_a_code_that_only_its_payer_knows_is_shown(self):
        assert explain("budget_used_up") == Explanation(
            "No subsidy pays for it: budget_used_up.", "A subsidy of the learner pays for the run."
        )


def test_what_was_kept_back_is_looked_at_at_once_and_is_not_shown_as_waiting_for_somebody():
    assert next_look(Reason.KEPT_BACK, now=NOON) == NOON
    assert not is_waiting(Reason.KEPT_BACK)
