"""Keeping copies of the platform's enrollments, and deleting every copy about a learner.

What asks the platform raises `UpstreamError` when it gives no usable answer; the copies are then left as they were. No
lock and no transaction is held while the LMS is asked.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from attrs import evolve
from django.conf import settings
from django.db.models import Case, F, Q, Value, When

from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner, Told
from enterprise_access.apps.customers.models import (
    EnterpriseEnrollment,
    EnterpriseLearner,
    LearnerEnrollment,
    LearnerSighting,
)
from enterprise_access.apps.customers.selectors import list_enrollments
from enterprise_access.apps.customers.services.canary import check_canary
from enterprise_access.apps.customers.services.links import need_some
from enterprise_access.lib import clock
from enterprise_access.lib.keys import fold
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.transactions import retry_deadlocks
from enterprise_access.upstream import lms
from enterprise_access.upstream.lms.types import PlatformEnrollmentRecord


def refresh_enrollments(
    *, learners: Iterable[Learner], names_since: datetime | None = None
) -> Told[tuple[EnrollmentCopy, ...]]:
    """Ask the platform for all enrollments of these learners, keep copies, and return them by learner.

    The platform knows usernames only, and a username can have passed to somebody else since a copy was made: names are
    those that the LMS tells now, or told since `names_since`. A learner whom no customer links any more has no name
    that can be known; they are absent from what is returned, and their copies stay as they were. So are learners of
    whom a link or an enrollment cannot be read, whom `unknown` names.
    """
    asked = list(learners)
    names, unknown = _names_of(asked, names_since)
    if names:
        ids_by_username = {name.lower(): lms_user_id for lms_user_id, name in names.items()}
        started_at = clock.now()
        answer = _folded_keys(lms.from_settings().list_platform_enrollments(usernames=list(names.values())))
        told = {row.username.lower() for row in answer}
        unknown |= {ids_by_username[name] for name in answer.unknown_among(ids_by_username, told=told)}
    need_some(unknown, [learner.lms_user_id for learner in asked])
    ids = [lms_user_id for lms_user_id in names if lms_user_id not in unknown]
    if not ids:
        return Told({}, unknown)
    fresh = [
        LearnerEnrollment(
            lms_user_id=ids_by_username[row.username.lower()],
            course_run_key=row.course_run_key,
            mode=row.mode,
            is_active=row.is_active,
            fetched_at=started_at,
        )
        for row in answer
        if ids_by_username.get(row.username.lower()) in ids
    ]
    _store_enrollments(ids, fresh, started_at)
    return Told(list_enrollments(lms_user_ids=ids), unknown)


def _folded_keys(answer: Rows[PlatformEnrollmentRecord]) -> Rows[PlatformEnrollmentRecord]:
    """Return the answer with the usernames of unreadable rows in lower case: the LMS compares them so."""
    rows = (evolve(row, key=row.key.lower()) if isinstance(row.key, str) else row for row in answer.unreadable)
    return Rows(answer, rows)


def _names_of(learners: Collection[Learner], since: datetime | None) -> tuple[dict[int, str], set[int]]:
    """Return the usernames by LMS user id, as the LMS tells them now or has told them since; and who is unknown."""
    names = {
        learner.lms_user_id: learner.username
        for learner in learners
        if since is not None and learner.is_linked and learner.fetched_at >= since
    }
    others = {learner.lms_user_id for learner in learners} - names.keys()
    if not others:
        return names, set()
    links = lms.from_settings().list_learner_links(lms_user_ids=sorted(others))
    names |= {link.lms_user_id: link.username for link in links}
    # One readable link is enough: every link of a learner tells the same name.
    unknown = links.unknown_among(others, told=names) - names.keys()
    if not others - unknown <= names.keys():
        check_canary()
    return names, unknown


@retry_deadlocks
def _store_enrollments(lms_user_ids: list[int], fresh: list[LearnerEnrollment], started_at: datetime) -> None:
    _replace_enrollments(lms_user_ids, fresh, started_at)
    # A read that began before something was changed there does not make young what was forgotten since.
    unchanged = Q(enrollments_changed_at=None) | Q(enrollments_changed_at__lte=started_at)
    EnterpriseLearner.objects.filter(unchanged, lms_user_id__in=lms_user_ids).update(enrollments_fetched_at=started_at)


def _replace_enrollments(lms_user_ids: list[int], fresh: list[LearnerEnrollment], started_at: datetime) -> None:
    """Make the stored enrollments of these learners equal to what was read.

    What an event changed after the read had started is newer than the read, and stays; so does what another read says
    that started later and was quicker.
    """
    stored = {
        (row.lms_user_id, fold(row.course_run_key)): row
        for row in LearnerEnrollment.objects.filter(lms_user_id__in=lms_user_ids)
    }
    newer = {key for key, row in stored.items() if max(row.fetched_at, row.changed_at or row.fetched_at) > started_at}
    read = {(row.lms_user_id, fold(row.course_run_key)): row for row in fresh}
    gone = [row.pk for key, row in stored.items() if key not in read and key not in newer]
    LearnerEnrollment.objects.filter(pk__in=gone).delete()
    LearnerEnrollment.objects.bulk_create(
        [row for key, row in read.items() if key not in stored], ignore_conflicts=True
    )
    changed = [stored[key] for key in read if key in stored and key not in newer]
    for row in changed:
        source = read[row.lms_user_id, fold(row.course_run_key)]
        row.mode, row.is_active, row.fetched_at = source.mode, source.is_active, started_at
    LearnerEnrollment.objects.bulk_update(changed, ["mode", "is_active", "fetched_at"])


@retry_deadlocks
def forget_enrollments(*, lms_user_ids: Collection[int]) -> None:
    """Make the next reader ask the platform about these learners: something was changed there just now.

    The copies only count as too old: should the platform be silent, they are better than nothing.
    """
    now = clock.now()
    too_old = now - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS + 1)
    rows = EnterpriseLearner.objects.filter(lms_user_id__in=lms_user_ids)
    rows.update(
        enrollments_changed_at=now,
        enrollments_fetched_at=Case(
            When(enrollments_fetched_at__gt=too_old, then=Value(too_old)), default=F("enrollments_fetched_at")
        ),
    )


@retry_deadlocks
def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Delete every copy of what the LMS says of a learner; return how many rows went, by table."""
    return {
        str(model._meta.verbose_name): model._default_manager.filter(lms_user_id=lms_user_id).delete()[0]
        for model in (EnterpriseLearner, LearnerEnrollment, EnterpriseEnrollment, LearnerSighting)
    }
