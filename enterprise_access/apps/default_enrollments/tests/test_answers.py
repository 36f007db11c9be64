"""The answers of Why?, as sentences."""

from datetime import UTC, datetime

import pytest

from enterprise_access.apps.default_enrollments.domain.answers import (
    EvaluationState,
    IntentionState,
    Standing,
    say_intention,
    say_learner,
    say_to_learner,
    state_of,
)
from enterprise_access.apps.default_enrollments.domain.values import Reason, VerdictKind
from enterprise_access.apps.default_enrollments.domain.words import WORDS, words_of

AT = datetime(2026, 11, 28, 16, 28, tzinfo=UTC)
HAL = "Learner 1008"


def blocked(course: str, *reasons: str, **more: object) -> Standing:
    kind = VerdictKind.ENROLL if "obstacle_seen_at" in more else VerdictKind.SKIP
    return Standing(course=course, kind=kind, blocking=reasons, **more)  # type: ignore[arg-type]


def test_every_reason_has_words_that_make_a_sentence():
    assert WORDS.keys() == set(Reason)
    for words in WORDS.values():
        assert words.because[0].islower()
        assert not words.because.endswith(".")
        assert words.do == "" or words.do.endswith((".", ")"))
        assert words.to_learner.endswith(".")


def test_a_missing_license_is_told_with_what_to_do():
    told = say_intention(HAL, blocked("CS50", "no_license", obstacle_seen_at=AT), EvaluationState.NONE)
    assert told.startswith(
        "Learner 1008 is not enrolled in CS50 because they have no license (last checked 2026-11-28 16:28 UTC). Assign "
    )


def test_all_reasons_are_told():
    told = say_intention(HAL, blocked("CS50", "not_in_customer_catalogs", "enrollment_closed"), EvaluationState.NONE)
    assert told == (
        "Learner 1008 is not enrolled in CS50 because the run is in none of the customer's catalogs and enrollment in "
        "the run is closed. Add the course to a catalog of the customer. Move the end of enrollment, or advertise "
        "another run."
    )


@pytest.mark.parametrize(
    ("queue", "end"),
    [
        (EvaluationState.NONE, "CS50 yet. Nothing blocks it: check now, or ask them to open the learner portal."),
        (EvaluationState.QUEUED, "CS50 yet. It is queued: a worker enrolls them if a license or budget pays."),
        (EvaluationState.FAILED, "CS50 because their evaluation failed repeatedly. Retry the request."),
        (EvaluationState.PAUSED, "CS50 because enrollments are paused. Resume enrollments."),
    ],
)
def test_where_nothing_blocks_the_queue_tells(queue, end):
    told = say_intention(HAL, Standing(course="CS50", kind=VerdictKind.ENROLL), queue)
    assert told == f"Learner 1008 is not enrolled in {end}"


def test_courses_that_stand_alike_share_a_sentence_and_those_that_are_there_come_first():
    told = say_learner(
        HAL,
        "Acme",
        [
            blocked("A", "enrollment_closed"),
            Standing(course="B", kind=VerdictKind.NONE, paid_by="a license"),
            blocked("C", "enrollment_closed"),
            Standing(course="D", kind=None),
        ],
        EvaluationState.NONE,
    )
    assert told == (
        "Learner 1008 is enrolled in B, paid by a license. They are not enrolled in A and C because enrollment "
        "in the run is closed. Move the end of enrollment, or advertise another run."
    )


def test_many_courses_are_counted():
    told = say_learner(
        HAL, "Acme", [Standing(course=f"C{n}", kind=VerdictKind.NONE) for n in range(8)], EvaluationState.NONE
    )
    assert told == "Learner 1008 is enrolled in C0, C1, C2, C3, C4 and 3 more."


def test_a_customer_without_any_is_said():
    assert say_learner(HAL, "Acme", [], EvaluationState.NONE) == "Acme has no default enrollments."


def test_an_override_and_a_pause_are_told_beside_a_reason():
    told = say_intention(HAL, blocked("CS50", "enrollment_closed", has_override=True), EvaluationState.PAUSED)
    assert told.endswith("Staff have allowed one re-enrollment. Enrollments are paused, too.")


@pytest.mark.parametrize(
    ("kind", "blocking", "state"),
    [
        (VerdictKind.NONE, (), IntentionState.ENROLLED),
        (VerdictKind.ENROLL, (), IntentionState.PENDING),
        (VerdictKind.ENROLL, ("no_license",), IntentionState.BLOCKED),
        (VerdictKind.ENROLL, ("license_manager_unavailable",), IntentionState.PENDING),
        (VerdictKind.ENROLL, ("kept_back",), IntentionState.PENDING),
        (VerdictKind.SKIP, ("catalog_unavailable",), IntentionState.PENDING),
        (VerdictKind.SKIP, ("catalog_unavailable", "enrollment_closed"), IntentionState.BLOCKED),
        (VerdictKind.SKIP, ("enrollment_closed",), IntentionState.BLOCKED),
        (VerdictKind.SKIP, (), IntentionState.BLOCKED),
    ],
)
def test_a_learner_without_a_license_is_not_pending(kind, blocking, state):
    assert state_of(kind, blocking) is state


def test_the_learner_is_told_what_blocks_rather_than_the_decision():
    assert say_to_learner("needs_enrollment") == "You will be enrolled."
    assert say_to_learner("needs_enrollment", "no_license").startswith("You have no license.")


def test_a_code_that_only_a_payer_knows_is_named():
    assert "(policy_expired)" in words_of("policy_expired").because
