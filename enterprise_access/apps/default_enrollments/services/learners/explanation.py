"""What `explain` answers with: one learner of one customer, and each intention, with every fact that was used."""

from datetime import datetime
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.selectors import Content, KnownModes
from enterprise_access.apps.customers.domain import EnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.answers import IntentionState
from enterprise_access.apps.default_enrollments.domain.looking_again import look_of
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Verdict
from enterprise_access.apps.default_enrollments.models import RealizationAttempt
from enterprise_access.apps.default_enrollments.selectors.facts import Intention, Realization
from enterprise_access.apps.default_enrollments.services.health.current import Current
from enterprise_access.apps.default_enrollments.services.requests.work_items import UNEXPECTED_ERROR
from enterprise_access.lib.timeline import Explained


@frozen(kw_only=True)
class ReasonInWords:
    """A reason code, what it means, what would have to change, and what brings the next look."""

    code: str
    text: str
    what_would_change_it: str
    looked_at_again: str
    looked_at_again_upon: tuple[str, ...]


@frozen(kw_only=True)
class ExplainedIntention:
    """One intention. `verdict` and `reason` None: it was deleted, and nothing is decided about it any more.

    `sentence` is the answer. `blocking` is everything that blocks the enrollment; `paid_by` what paid for it (None: not
    known here). `obstacle` is why the last attempt came to nothing although the decision was to enroll: a payer's
    reason, mostly.
    `enrollments` and `realizations` are those in runs of the intention's course, `is_revoked` by folded run key.
    """

    intention: Intention
    verdict: Verdict | None
    reason: ReasonInWords | None
    obstacle: ReasonInWords | None
    state: IntentionState
    sentence: str
    blocking: tuple[ReasonInWords, ...]
    paid_by: str | None
    content: Content | None
    modes: KnownModes | None
    has_override: bool
    enrollments: tuple[EnrollmentCopy, ...]
    revoked_runs: frozenset[str]
    realizations: tuple[Realization, ...]
    attempts: tuple[RealizationAttempt, ...]


@frozen(kw_only=True)
class ExplainedRequest:
    """What is owed to the learner. `waiting_for` is the reason of the next look, None when there is none."""

    due_at: datetime | None
    is_being_worked_on: bool
    waiting_for: ReasonInWords | None
    failures: int
    trigger: str
    settled_at: datetime | None
    dead_at: datetime | None


@frozen(kw_only=True)
class LearnerExplanation:
    """Everything that is known of one learner of one customer at `now`; `sentence` sums it up. `request` None: the
    learner was never queued."""

    customer_uuid: UUID
    customer_name: str
    lms_user_id: int
    now: datetime
    current: Current
    is_paused: bool
    sentence: str
    request: ExplainedRequest | None
    intentions: tuple[ExplainedIntention, ...]
    after_approvals: tuple[Explained, ...]


def in_words(code: str) -> ReasonInWords:
    """Return what a reason code means, also one that is not a reason of the rules but an error of this service."""
    if code == UNEXPECTED_ERROR:
        return ReasonInWords(
            code=code,
            text="An unexpected error of this service stopped the evaluation.",
            what_would_change_it="The service retries automatically; if it keeps failing, staff have to retry it.",
            looked_at_again="after a minute",
            looked_at_again_upon=(),
        )
    words, look = explain(code), look_of(code)
    return ReasonInWords(
        code=code,
        text=words.text,
        what_would_change_it=words.what_would_change_it,
        looked_at_again=look.schedule.value,
        looked_at_again_upon=tuple(sorted(look.events)),
    )
