"""learner-status: what one learner has, gets, and does not get, and why."""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from attrs import evolve, field, frozen
from django.conf import settings

from enterprise_access.apps.content_metadata.selectors import Content, fetch_content, list_known_modes
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.customers.errors import LearnerNotAssociated
from enterprise_access.apps.customers.selectors import reads_of_stored_learner, recall_email
from enterprise_access.apps.customers.services import ask_for_enrollments
from enterprise_access.apps.default_enrollments.domain.answers import IntentionState, state_of
from enterprise_access.apps.default_enrollments.domain.plan import decide_all
from enterprise_access.apps.default_enrollments.domain.shown import OwnEnrollment, shown_enrollments
from enterprise_access.apps.default_enrollments.domain.values import Bucket, Verdict
from enterprise_access.apps.default_enrollments.models import Outcome
from enterprise_access.apps.default_enrollments.selectors.endings import list_modes_of_ended
from enterprise_access.apps.default_enrollments.selectors.facts import Facts, Realization, make_cases_of_intended
from enterprise_access.apps.default_enrollments.selectors.intended import Intended
from enterprise_access.apps.default_enrollments.selectors.past import (
    LastLook,
    Past,
    get_past,
    list_intentions_for,
    reads_of_history,
)
from enterprise_access.apps.default_enrollments.services.health.current import Current, get_current
from enterprise_access.apps.default_enrollments.services.learners.noticing import notice_changes
from enterprise_access.apps.default_enrollments.services.realizing.override_use import withdraw_overrides
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import fold
from enterprise_access.lib.prepared import read_together


@frozen(kw_only=True)
class IntentionStatus:
    """One intention for one learner. `enrollment` (that in the resolved run), `realization`, `last_look` are None when
    there is nothing to tell."""

    intended: Intended
    verdict: Verdict
    enrollment: EnrollmentCopy | None
    realization: Realization | None
    last_look: LastLook | None

    @property
    def obstacle(self) -> str:
        """Why the last evaluation did not enroll although the decision is to enroll; empty: nothing is known."""
        look = self.last_look
        if look is None or not self.verdict.is_to_do or look.outcome == Outcome.REALIZED:
            return ""
        return look.reason if look.reason != self.verdict.reason else ""

    @property
    def state(self) -> IntentionState:
        """How it stands for the learner: a learner without a license is not pending."""
        reason = self.obstacle or (self.verdict.reason if self.verdict.is_skip else "")
        return state_of(self.verdict.kind, (reason,) if reason else ())


@frozen(kw_only=True)
class LearnerStatus:
    """Everything that is intended for one learner, decided at `now` from facts of which the oldest is of
    `facts_fetched_at`. `is_stale`: an upstream service could not be asked, and copies had to do that are older than
    usual. `email` is known only for some minutes after a call has brought it."""

    customer_uuid: UUID
    lms_user_id: int
    email: str | None = field(repr=False)
    intentions: tuple[IntentionStatus, ...]
    facts_fetched_at: datetime
    is_stale: bool
    now: datetime

    def in_bucket(self, bucket: Bucket) -> list[IntentionStatus]:
        """Return the intentions in one of the three buckets."""
        return [status for status in self.intentions if status.verdict.bucket is bucket]


def get_learner_status(*, customer_uuid: UUID, lms_user_id: int, with_email: bool = False) -> LearnerStatus:
    """Say what the customer's intentions mean for a learner, from copies that are young enough or else refreshed.

    All upstream services together hold it up for REQUEST_BUDGET_SECONDS at most. `with_email`: read the address, too.

    Raises LearnerNotAssociated, CustomerUnknown, and UpstreamUnavailable when there is no copy and the LMS does not
    answer.
    """
    now = clock.now()
    current, facts, past = _read(customer_uuid, lms_user_id, now, reads_platform=True)
    email = recall_email(lms_user_id=lms_user_id) if with_email else None
    return _status(current, facts, past, lms_user_id, now, email)


def get_page_status(*, customer_uuid: UUID, lms_user_id: int, own: Collection[OwnEnrollment] | None) -> LearnerStatus:
    """Say the same for a page of the portal, which never asks the LMS for platform enrollments: those reads are few.

    Shown are stored copies, and on top of them what is newer: our own realizations, and `own`, the active enrollments
    that the LMS has just told the learner of (None: it was not asked, or did not answer). Copies that `own` contradicts
    are read again in the background. It is all stale if `own` does not confirm copies that are too old to be shown.

    Raises as `get_learner_status` does.
    """
    now = clock.now()
    current, facts, past = _read(customer_uuid, lms_user_id, now, reads_platform=False)
    newer = shown_enrollments(
        current.enrollments,
        past.here.get(lms_user_id, ()),
        read_at=current.enrollments_read_at,
        own=own,
        lms_user_id=lms_user_id,
        now=now,
    )
    facts = evolve(facts, enrollments={lms_user_id: newer.enrollments})
    if newer.are_contradicted and current.enrollments_read_at is not None:
        ask_for_enrollments(lms_user_ids=[lms_user_id])
    is_too_old = not newer.are_confirmed and not _may_be_trusted(current.enrollments_read_at, now)
    return _status(evolve(current, is_stale=current.is_stale or is_too_old), facts, past, lms_user_id, now)


def _may_be_trusted(read_at: datetime | None, now: datetime) -> bool:
    """Say whether a page shows copies of this age as they are: events keep them up to date where there are any."""
    has_events = bool(settings.EVENT_BUS_REDIS_CONNECTION_URL)
    seconds = settings.ENROLLMENTS_SHOWN_SECONDS if has_events else settings.ENROLLMENTS_FRESH_SECONDS
    return read_at is not None and read_at >= now - timedelta(seconds=seconds)


def _need_link(current: Current, lms_user_id: int) -> None:
    if not current.is_linked:
        raise LearnerNotAssociated(
            f"User with lms_user_id {lms_user_id} is not associated with the enterprise customer "
            f"{current.customer_uuid}."
        )


def _status(
    current: Current, facts: Facts, past: Past, lms_user_id: int, now: datetime, email: str | None = None
) -> LearnerStatus:
    return LearnerStatus(
        customer_uuid=current.customer_uuid,
        lms_user_id=lms_user_id,
        email=email,
        intentions=_decide(facts, past.last_looks, lms_user_id, now),
        facts_fetched_at=_oldest(facts, current),
        is_stale=current.is_stale or any(content.is_stale for content in facts.contents.values()),
        now=now,
    )


def _read(customer_uuid: UUID, lms_user_id: int, now: datetime, *, reads_platform: bool) -> tuple[Current, Facts, Past]:
    """Return what `get_current` and `gather` do; where copies are young enough, in one round trip."""
    reads = (
        *reads_of_stored_learner(customer_uuid=customer_uuid, lms_user_id=lms_user_id),
        *reads_of_history(customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now),
    )
    with deadline(time.monotonic() + settings.REQUEST_BUDGET_SECONDS), read_together(*reads):
        current = get_current(
            customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now, reads_platform=reads_platform
        )
        _need_link(current, lms_user_id)
        return current, *gather(current, lms_user_id=lms_user_id, now=now)


def gather(current: Current, *, lms_user_id: int, now: datetime) -> tuple[Facts, Past]:
    """Put together what decisions about one learner are made from, and note what it shows of realized enrollments."""
    customer_uuid, read_at = current.customer_uuid, current.enrollments_read_at or now
    intentions, overrides = list_intentions_for(customer_uuid=customer_uuid, lms_user_id=lms_user_id, now=now)
    past = get_past(customer_uuid=customer_uuid, lms_user_id=lms_user_id)
    contents = fetch_content(customer_uuid=customer_uuid, content_keys=[row.content_key for row in intentions])
    resolutions = [content.resolution for content in contents.values()]
    enrollments = {lms_user_id: current.enrollments}
    notice_changes(past.here.values(), enrollments, current.enterprise_enrollments, now=read_at)
    facts = Facts(
        customer_uuid=customer_uuid,
        is_customer_active=current.is_customer_active,
        intentions=intentions,
        learners={lms_user_id: current.learner} if current.learner else {},
        enrollments=enrollments,
        enterprise_enrollments=current.enterprise_enrollments,
        realizations=past.here,
        contents=contents,
        modes=list_known_modes(resolutions, now=now),
        modes_of_ended=list_modes_of_ended(current.enrollments),
        overrides=overrides,
        realized_elsewhere=past.elsewhere,
        read_at=read_at,
    )
    return withdraw_overrides(facts, now=now) if facts.overrides else facts, past


def _decide(
    facts: Facts, looks: Mapping[UUID, LastLook], lms_user_id: int, now: datetime
) -> tuple[IntentionStatus, ...]:
    cases = make_cases_of_intended(facts, lms_user_id=lms_user_id)
    decided = {known: known.verdict_for_newcomer(now=now) for known, case in cases.items() if case is known.case}
    verdicts = decide_all(cases, now=now, decided=decided)
    realizations = {row.intention_id: row for row in facts.realizations[lms_user_id]}
    enrollments = {fold(row.course_run_key): row for row in facts.enrollments[lms_user_id]}
    return tuple(
        IntentionStatus(
            intended=known,
            verdict=verdict,
            enrollment=_in_resolved_run(known.content, enrollments),
            realization=realizations.get(known.intention.uuid),
            last_look=looks.get(known.intention.uuid),
        )
        for known, verdict in verdicts.items()
    )


def _in_resolved_run(content: Content, enrollments: Mapping[str, EnrollmentCopy]) -> EnrollmentCopy | None:
    return enrollments.get(fold(content.run.key)) if content.run else None


def _oldest(facts: Facts, current: Current) -> datetime:
    contents = [content.fetched_at for content in facts.contents.values() if content.fetched_at is not None]
    link = [current.learner.fetched_at] if current.learner else []
    return min([facts.read_at, *link, *contents])
