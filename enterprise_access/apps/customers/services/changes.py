"""What events tell of enrollments, taken over into the local copies."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Max

from enterprise_access.apps.customers.domain import EnrollmentChange
from enterprise_access.apps.customers.models import EnterpriseLearner, LearnerEnrollment
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from enterprise_access.lib.transactions import retry_deadlocks


@retry_deadlocks
def apply_enrollment_changes(*, changes: Sequence[EnrollmentChange]) -> None:
    """Take over the newest of these changes of each learner and run. Whatever is known to be newer stays.

    Learners who are not linked to any customer that we know are none of our business: nothing is written of them.
    """
    ids = {change.lms_user_id for change in changes}
    read_at = _known_learners(ids)
    rows = {
        (row.lms_user_id, fold(row.course_run_key)): row
        for row in LearnerEnrollment.objects.filter(lms_user_id__in=read_at).order_by("pk").select_for_update()
    }
    new, changed = [], []
    for key, change in _newest(changes).items():
        if key in rows and _is_news(rows[key], change):
            changed.append(_take_over(rows[key], change))
        elif key not in rows and change.lms_user_id in read_at and _is_after(change, read_at[change.lms_user_id]):
            new.append(_as_row(change))
    LearnerEnrollment.objects.bulk_create(new, ignore_conflicts=True)
    LearnerEnrollment.objects.bulk_update(changed, ["mode", "is_active", "changed_at"], batch_size=50)


def _known_learners(lms_user_ids: Collection[int]) -> dict[int, datetime | None]:
    """Return of the learners whom we know when their enrollments were last read. (None: never.)"""
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=lms_user_ids).order_by("lms_user_id")
    return dict(rows.values_list("lms_user_id").annotate(read_at=Max("enrollments_fetched_at")))


def _newest(changes: Sequence[EnrollmentChange]) -> dict[tuple[int, str], EnrollmentChange]:
    in_order = sorted(changes, key=lambda change: (change.lms_user_id, change.at))
    return {(change.lms_user_id, fold(change.course_run_key)): change for change in in_order}


def _is_news(row: LearnerEnrollment, change: EnrollmentChange) -> bool:
    """Say whether the change is younger than the last one, and than the start of the read that the row comes from."""
    return _is_after(change, row.changed_at) and _is_after(change, row.fetched_at)


def _is_after(change: EnrollmentChange, instant: datetime | None) -> bool:
    return instant is None or change.at > instant


def _take_over(row: LearnerEnrollment, change: EnrollmentChange) -> LearnerEnrollment:
    row.mode, row.is_active, row.changed_at = change.mode, change.is_active, _not_ahead(change.at)
    return row


def _as_row(change: EnrollmentChange) -> LearnerEnrollment:
    at = _not_ahead(change.at)
    return LearnerEnrollment(
        lms_user_id=change.lms_user_id,
        course_run_key=change.course_run_key,
        mode=change.mode,
        is_active=change.is_active,
        changed_at=at,
        fetched_at=at,
    )


def _not_ahead(at: datetime) -> datetime:
    """Return the time, or now if it comes from a clock that is ahead: later reads must not look older than it."""
    return min(at, clock.now())
