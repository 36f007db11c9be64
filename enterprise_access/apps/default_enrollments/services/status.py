"""learner-status: what one learner has, gets, and does not get, and why."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import frozen
from django.conf import settings
from django.utils import timezone

from enterprise_access.apps.content_metadata.domain import Resolved
from enterprise_access.apps.content_metadata.selectors import Content, KnownModes, fetch_content, list_modes, with_seats
from enterprise_access.apps.customers.domain import EnrollmentCopy, Learner
from enterprise_access.apps.customers.errors import LearnerNotAssociated
from enterprise_access.apps.customers.selectors import (
    get_customer,
    list_enrollments,
    list_enterprise_enrollments,
    list_learners,
)
from enterprise_access.apps.customers.services import refresh_customer, refresh_enrollments, refresh_learners
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.values import Bucket, Verdict
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.facts import (
    Facts,
    Intention,
    Realization,
    list_intentions,
    list_overrides,
    list_realizations,
    list_realized_elsewhere,
    make_cases,
)
from enterprise_access.apps.default_enrollments.services.noticing import notice_changes
from enterprise_access.lib.errors import UpstreamError

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class IntentionStatus:
    """One intention for one learner. `modes` and `realization` are None when there is nothing to tell."""

    intention: Intention
    verdict: Verdict
    content: Content
    modes: KnownModes | None
    enrollment: EnrollmentCopy | None
    realization: Realization | None
    last_attempt: RealizationAttempt | None


@frozen(kw_only=True)
class LearnerStatus:
    """Everything that is intended for one learner, decided at `now` from facts of which the oldest is of
    `facts_fetched_at`. `is_stale`: a neighbour could not be asked, and copies had to do that are older than usual."""

    customer_uuid: UUID
    lms_user_id: int
    intentions: tuple[IntentionStatus, ...]
    facts_fetched_at: datetime
    is_stale: bool
    now: datetime

    def in_bucket(self, bucket: Bucket) -> list[IntentionStatus]:
        """Return the intentions in one of the three buckets."""
        return [status for status in self.intentions if status.verdict.bucket is bucket]


def get_learner_status(*, customer_uuid: UUID, lms_user_id: int) -> LearnerStatus:
    """Say what the customer's intentions mean for a learner, from copies that are young enough or else refreshed.

    Raises LearnerNotAssociated, CustomerUnknown, and UpstreamUnavailable when there is no copy and the LMS does not
    answer.
    """
    now = timezone.now()
    is_customer_active, customer_is_stale = _is_customer_active(customer_uuid, now)
    learner, link_is_stale = _current_learner(customer_uuid, lms_user_id, now)
    if learner is None or not learner.is_linked:
        raise LearnerNotAssociated(
            f"User with lms_user_id {lms_user_id} is not associated with the enterprise customer {customer_uuid}."
        )
    enrollments, read_at, is_stale = _current_enrollments(learner, now)
    facts = _gather(customer_uuid, is_customer_active, learner, enrollments, read_at)
    return LearnerStatus(
        customer_uuid=customer_uuid,
        lms_user_id=lms_user_id,
        intentions=_decide(facts, lms_user_id, now),
        facts_fetched_at=_oldest(facts, learner),
        is_stale=customer_is_stale
        or link_is_stale
        or is_stale
        or any(content.is_stale for content in facts.contents.values()),
        now=now,
    )


def _is_customer_active(customer_uuid: UUID, now: datetime) -> tuple[bool, bool]:
    """Return whether the customer is active, and whether the copy that says so is older than it should be."""
    try:
        return refresh_customer(customer_uuid=customer_uuid).is_active, False
    except UpstreamError:
        copy = get_customer(customer_uuid=customer_uuid)
        if copy is None or copy.fetched_at < _stale_limit(now):
            raise
        return copy.is_active, True


def _current_learner(customer_uuid: UUID, lms_user_id: int, now: datetime) -> tuple[Learner | None, bool]:
    """Return the learner (None: never linked), and whether the copy is older than it should be."""
    copy = list_learners(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).get(lms_user_id)
    if copy is not None and copy.fetched_at >= now - timedelta(seconds=settings.LINKS_FRESH_SECONDS):
        return copy, False
    try:
        return refresh_learners(customer_uuid=customer_uuid, lms_user_ids=[lms_user_id]).get(lms_user_id), False
    except UpstreamError:
        if copy is None or copy.fetched_at < _stale_limit(now):
            raise
        return copy, True


def _current_enrollments(
    learner: Learner, now: datetime
) -> tuple[Mapping[int, tuple[EnrollmentCopy, ...]], datetime, bool]:
    """Return the platform enrollments, when they were read, and whether that is longer ago than it should be."""
    read_at = learner.enrollments_fetched_at
    if read_at is not None and read_at >= now - timedelta(seconds=settings.ENROLLMENTS_FRESH_SECONDS):
        return list_enrollments(lms_user_ids=[learner.lms_user_id]), read_at, False
    try:
        return refresh_enrollments(learners=[learner]), now, False
    except UpstreamError:
        if read_at is None or read_at < _stale_limit(now):
            raise
        return list_enrollments(lms_user_ids=[learner.lms_user_id]), read_at, True


def _stale_limit(now: datetime) -> datetime:
    return now - timedelta(seconds=settings.STALE_LIMIT_SECONDS)


def _gather(
    customer_uuid: UUID,
    is_customer_active: bool,
    learner: Learner,
    enrollments: Mapping[int, tuple[EnrollmentCopy, ...]],
    read_at: datetime,
) -> Facts:
    ids = [learner.lms_user_id]
    intentions = list_intentions(customer_uuid=customer_uuid)
    contents = fetch_content(customer_uuid=customer_uuid, content_keys=[row.content_key for row in intentions])
    resolutions = [content.resolution for content in contents.values()]
    runs = [found.run.key for found in resolutions if isinstance(found, Resolved)]
    realizations = list_realizations(customer_uuid=customer_uuid, lms_user_ids=ids)
    enterprise_enrollments = list_enterprise_enrollments(customer_uuid=customer_uuid, lms_user_ids=ids)
    notice_changes(realizations.values(), enrollments, enterprise_enrollments, now=read_at)
    return Facts(
        customer_uuid=customer_uuid,
        is_customer_active=is_customer_active,
        intentions=intentions,
        learners={learner.lms_user_id: learner},
        enrollments=enrollments,
        enterprise_enrollments=enterprise_enrollments,
        realizations=realizations,
        contents=contents,
        modes=with_seats(list_modes(course_run_keys=runs, now=read_at), resolutions),
        overrides=list_overrides(customer_uuid=customer_uuid, lms_user_ids=ids),
        realized_elsewhere=list_realized_elsewhere(customer_uuid=customer_uuid, lms_user_ids=ids),
        read_at=read_at,
    )


def _decide(facts: Facts, lms_user_id: int, now: datetime) -> tuple[IntentionStatus, ...]:
    verdicts = decide_all(make_cases(facts, lms_user_id=lms_user_id), now=now)
    realizations = {row.intention_id: row for row in facts.realizations[lms_user_id]}
    attempts = {
        row.intention_id: row for row in RealizationAttempt.objects.latest_of([lms_user_id], facts.customer_uuid)
    }
    return tuple(
        IntentionStatus(
            intention=intention,
            verdict=verdict,
            content=facts.content_of(intention),
            modes=facts.modes_of(intention),
            enrollment=_enrollment_in_resolved_run(facts, intention, lms_user_id),
            realization=realizations.get(intention.pk),
            last_attempt=attempts.get(intention.pk),
        )
        for intention, verdict in verdicts.items()
    )


def _enrollment_in_resolved_run(facts: Facts, intention: Intention, lms_user_id: int) -> EnrollmentCopy | None:
    resolution = facts.content_of(intention).resolution
    return facts.enrollment_in(lms_user_id, resolution.run.key) if isinstance(resolution, Resolved) else None


def _oldest(facts: Facts, learner: Learner) -> datetime:
    contents = [content.fetched_at for content in facts.contents.values() if content.fetched_at is not None]
    return min([facts.read_at, learner.fetched_at, *contents])
