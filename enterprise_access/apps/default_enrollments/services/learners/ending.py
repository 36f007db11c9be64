"""Finding out why enrollments ended: edx-enterprise is asked, and license-manager where that does not tell."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy, Learner
from enterprise_access.apps.customers.selectors import list_enterprise_enrollments
from enterprise_access.apps.customers.services import refresh_enterprise_enrollments, remember_endings
from enterprise_access.apps.default_enrollments.domain.ending import LicenseFact, why_ended
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import Realization
from enterprise_access.apps.default_enrollments.selectors.doubts import list_doubts
from enterprise_access.apps.default_enrollments.selectors.endings import list_modes_of_ended, reason_of_ending
from enterprise_access.apps.default_enrollments.selectors.intended import labels_of
from enterprise_access.apps.licenses.domain import LicenseStatus
from enterprise_access.apps.licenses.services import fetch_licenses_with_revoked
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold

Copies = Mapping[tuple[int, str], EnterpriseEnrollmentCopy]

# An enrollment that has ended does not change: what edx-enterprise says of it is believed for so long.
ENDED_BELIEVED: Final = timedelta(days=1)
# So long the reason of an ending is requested, while the facts do not tell it.
ASKED_FOR: Final = timedelta(days=7)


@frozen(kw_only=True)
class EndingQuestion:
    """An enrollment of which we want to know why it ended, or was moved to audit.

    `is_ours`: we made it, or may have. `sent_at`: when the call was sent whose outcome is not known yet, if any.
    """

    row: EnrollmentCopy
    is_ours: bool
    sent_at: datetime | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Learner and folded run key."""
        return self.row.lms_user_id, fold(self.row.course_run_key)


def find_questions(
    learners: Mapping[int, Learner],
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]],
    realizations: Mapping[int, tuple[Realization, ...]],
    *,
    in_scope: frozenset[str],
) -> list[EndingQuestion]:
    """Return what matters: ended or downgraded rows that we made or may have made, and ended paid rows `in_scope`.

    `in_scope` are folded course and run keys.
    """
    sent_at = {
        (attempt.lms_user_id, fold(attempt.course_run_key)): attempt.created_at
        for attempt in list_doubts(enrollments.keys())
    }
    found = []
    for lms_user_id, rows in enrollments.items():
        if lms_user_id not in learners or not learners[lms_user_id].is_linked:
            continue
        realized = {fold(row.course_run_key): row for row in realizations.get(lms_user_id, ())}
        for row in rows:
            key = fold(row.course_run_key)
            question = EndingQuestion(
                row=row,
                is_ours=key in realized or (lms_user_id, key) in sent_at,
                sent_at=sent_at.get((lms_user_id, key)),
            )
            if _matters(question, realized.get(key), in_scope):
                found.append(question)
    return found


def _matters(question: EndingQuestion, realized: Realization | None, in_scope: frozenset[str]) -> bool:
    row = question.row
    if question.sent_at is not None and not row.is_active:
        return True
    if realized is not None:
        return _is_open(row, realized)
    return not row.is_active and is_paid(row.mode) and not in_scope.isdisjoint(labels_of(row.course_run_key, None))


def _is_open(row: EnrollmentCopy, realized: Realization) -> bool:
    """Say whether it is still to be found out what became of a realized enrollment."""
    if row.is_active:
        return is_paid(realized.predicted_mode) and not is_paid(row.mode)
    if realized.left_at is None:
        return True
    return realized.left_reason == Reason.ENROLLMENT_ENDED and realized.left_at > clock.now() - ASKED_FOR


def ask_why_ended(
    customer_uuid: UUID,
    learners: Mapping[int, Learner],
    questions: Iterable[EndingQuestion],
    *,
    renew: Callable[[], object] = bool,
) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    """Ask what the copies do not tell yet, and return the copies of all these learners, by learner and folded run."""
    open_questions = list(questions)
    copies = _copies(customer_uuid, learners)
    runs: dict[int, list[str]] = {}
    for question in open_questions:
        if not _is_known(question, copies):
            runs.setdefault(question.row.lms_user_id, []).append(question.row.course_run_key)
    if runs:
        refresh_enterprise_enrollments(
            customer_uuid=customer_uuid,
            learners=[learners[lms_user_id] for lms_user_id in runs],
            runs=runs,
            renew=renew,
        )
        copies = _copies(customer_uuid, learners)
    ended = [question for question in open_questions if not question.row.is_active]
    if ended and _judge(customer_uuid, learners, ended, copies, renew):
        copies = _copies(customer_uuid, learners)
    return copies


def _copies(customer_uuid: UUID, learners: Iterable[int]) -> dict[tuple[int, str], EnterpriseEnrollmentCopy]:
    return list_enterprise_enrollments(customer_uuid=customer_uuid, lms_user_ids=learners)


def _is_known(question: EndingQuestion, copies: Copies) -> bool:
    copy = copies.get(question.key)
    if copy is None or question.row.is_active or copy.fetched_at < clock.now() - ENDED_BELIEVED:
        return False
    if any(at is not None and copy.fetched_at <= at for at in (question.row.changed_at, question.sent_at)):
        return False
    # (What we enrolled has a row, which may only be late.)
    return copy.unenrolled_at is not None or not question.is_ours


def _judge(
    customer_uuid: UUID,
    learners: Mapping[int, Learner],
    questions: Iterable[EndingQuestion],
    copies: Copies,
    renew: Callable[[], object],
) -> bool:
    """Keep why enrollments ended, where the facts tell; say whether anything was learned.

    license-manager is asked about the learners for whom nothing else tells whether a license was revoked.
    """
    undecided = [
        question
        for question in questions
        if (copy := copies.get(question.key)) is not None
        and not copy.ended_because
        and (copy.is_revoked or question.is_ours)
    ]
    modes = list_modes_of_ended(question.row for question in undecided)
    reasons = {question.key: reason_of_ending(question.row, copies[question.key], modes) for question in undecided}
    unclear = {lms_user_id for (lms_user_id, _), reason in reasons.items() if reason is Reason.ENROLLMENT_ENDED}
    licenses = _license_facts(customer_uuid, learners, unclear, renew)
    for question in undecided:
        if reasons[question.key] is Reason.ENROLLMENT_ENDED:
            reasons[question.key] = why_ended(
                mode=question.row.mode,
                modes=None,
                ended_at=copies[question.key].unenrolled_at or question.row.changed_at,
                licenses=licenses[question.row.lms_user_id],
            )
    known = {key: reason for key, reason in reasons.items() if reason is not Reason.ENROLLMENT_ENDED}
    if known:
        remember_endings(customer_uuid=customer_uuid, reasons=known)
    return bool(known)


def _license_facts(
    customer_uuid: UUID, learners: Mapping[int, Learner], lms_user_ids: Iterable[int], renew: Callable[[], object]
) -> dict[int, list[LicenseFact] | None]:
    found = fetch_licenses_with_revoked(
        customer_uuid=customer_uuid,
        emails={lms_user_id: learners[lms_user_id].email for lms_user_id in sorted(lms_user_ids)},
        renew=renew,
    )
    return {
        lms_user_id: None
        if rows is None
        else [
            LicenseFact(
                is_activated=row.is_activated,
                is_revoked=row.status is LicenseStatus.REVOKED,
                revoked_at=row.revoked_at,
            )
            for row in rows
        ]
        for lms_user_id, rows in found.items()
    }
