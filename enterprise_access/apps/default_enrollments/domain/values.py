"""The words of default enrollments: rules, reasons, verdicts, and the facts that a decision is made from."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.content_metadata.domain import (
    ContentType,
    CourseRun,
    Resolution,
    Resolved,
    course_key_of_run,
)
from enterprise_access.apps.course_types.domain.modes import Modes, is_paid
from enterprise_access.lib.keys import fold


class Rule(StrEnum):
    """The rules of the decision, first match wins. See docs/reference/default-enrollments."""

    D0 = "D0"
    D1 = "D1"
    D2 = "D2"
    D3 = "D3"
    D4 = "D4"
    D5 = "D5"
    D6 = "D6"
    D7 = "D7"
    D8 = "D8"
    D9 = "D9"
    D10 = "D10"
    D11 = "D11"
    D12 = "D12"
    D13 = "D13"
    D14 = "D14"
    D15 = "D15"
    D16 = "D16"
    D17 = "D17"


class Reason(StrEnum):
    """Every reason code of ours. Stable: clients, stored attempts and metrics rely on them.

    A payer may refuse with a code that is not listed here (see paying.py); stored codes are therefore plain text.
    """

    # Of the decision, in the order of its rules.
    CUSTOMER_INACTIVE = "customer_inactive"
    LEARNER_NOT_LINKED = "learner_not_linked"
    ENROLLED = "enrolled"
    LEARNER_UNENROLLED = "learner_unenrolled"
    LICENSE_REVOKED = "license_revoked"
    ENROLLMENT_ENDED = "enrollment_ended"
    ENROLLMENT_STATE_UNKNOWN = "enrollment_state_unknown"
    ENROLLMENT_NOT_VISIBLE = "enrollment_not_visible"
    COVERED_BY_OTHER_INTENTION = "covered_by_other_intention"
    REALIZED_EARLIER = "realized_earlier"
    CONTENT_NOT_FOUND = "content_not_found"
    NO_ADVERTISED_RUN = "no_advertised_run"
    RUN_NOT_FOUND = "run_not_found"
    CONTENT_NOT_READY = "content_not_ready"
    CATALOG_UNAVAILABLE = "catalog_unavailable"
    ENROLLED_IN_AUDIT_ONLY_RUN = "enrolled_in_audit_only_run"
    NOT_IN_CUSTOMER_CATALOGS = "not_in_customer_catalogs"
    NEEDS_LEARNER_INPUT = "needs_learner_input"
    RUN_NOT_PUBLISHED = "run_not_published"
    ENROLLMENT_NOT_OPEN = "enrollment_not_open"
    ENROLLMENT_CLOSED = "enrollment_closed"
    RUN_ENDED = "run_ended"
    INVITATION_ONLY = "invitation_only"
    RUN_UNKNOWN_TO_LMS = "run_unknown_to_lms"
    MODES_UNAVAILABLE = "modes_unavailable"
    NO_SUBSIDIZABLE_MODE = "no_subsidizable_mode"
    MODE_EXPIRED = "mode_expired"
    MODE_MISMATCH = "mode_mismatch"
    UPGRADE_DEADLINE_PASSED = "upgrade_deadline_passed"
    NEEDS_UPGRADE = "needs_upgrade"
    NEEDS_ENROLLMENT = "needs_enrollment"

    # Of paying with licenses.
    LICENSE_NOT_IN_CATALOG = "license_not_in_catalog"
    LICENSE_PLAN_NOT_CURRENT = "license_plan_not_current"
    LICENSE_NOT_ACTIVATED = "license_not_activated"
    NO_LICENSE = "no_license"
    LEARNER_WITHOUT_EMAIL = "learner_without_email"
    LICENSE_MANAGER_UNAVAILABLE = "license_manager_unavailable"

    # Of realizing.
    REFUSED_BY_LMS = "refused_by_lms"
    OUTCOME_UNKNOWN = "outcome_unknown"
    LMS_UNAVAILABLE = "lms_unavailable"
    KEPT_BACK = "kept_back"


class Bucket(StrEnum):
    """Where learner-status shows an intention."""

    ENROLLABLE = "enrollable"
    NOT_ENROLLABLE = "not_enrollable"
    ALREADY_ENROLLED = "already_enrolled"


class VerdictKind(StrEnum):
    """What is to be done about one intention of one learner."""

    NONE = "none"
    SKIP = "skip"
    ENROLL = "enroll"
    UPGRADE = "upgrade"


@frozen(kw_only=True)
class Verdict:
    """What one default enrollment needs: the rule that matched, what to do, and why.

    `mode` is what the LMS will enroll in, and is set exactly when there is something to do.
    """

    rule: Rule
    kind: VerdictKind
    reason: Reason
    bucket: Bucket
    mode: str | None = None

    @property
    def is_to_do(self) -> bool:
        """Whether the LMS is to be called."""
        return self.kind in (VerdictKind.ENROLL, VerdictKind.UPGRADE)

    @property
    def is_skip(self) -> bool:
        """Whether the intention is not served, and cannot be for now."""
        return self.kind is VerdictKind.SKIP

    @classmethod
    def none(cls, rule: Rule, reason: Reason) -> "Verdict":
        """The learner has it: nothing to do."""
        return cls(rule=rule, kind=VerdictKind.NONE, reason=reason, bucket=Bucket.ALREADY_ENROLLED)

    @classmethod
    def skip(cls, rule: Rule, reason: Reason) -> "Verdict":
        """The learner does not get it, for this reason."""
        return cls(rule=rule, kind=VerdictKind.SKIP, reason=reason, bucket=Bucket.NOT_ENROLLABLE)

    @classmethod
    def upgrade(cls, rule: Rule, reason: Reason, *, mode: str) -> "Verdict":
        """Move the learner's enrollment to `mode`."""
        return cls(rule=rule, kind=VerdictKind.UPGRADE, reason=reason, bucket=Bucket.ENROLLABLE, mode=mode)

    @classmethod
    def enroll(cls, rule: Rule, reason: Reason, *, mode: str) -> "Verdict":
        """Enroll the learner in `mode`."""
        return cls(rule=rule, kind=VerdictKind.ENROLL, reason=reason, bucket=Bucket.ENROLLABLE, mode=mode)


@frozen(kw_only=True)
class Enrollment:
    """What the platform says of the learner in one run, whoever enrolled them.

    `is_active` None: could not be learned, and is never defaulted. `is_revoked`: a license was taken away; None: that,
    or the learner left (edx-enterprise marks both alike; see ending.py). `course_key` None: not stored; never put a
    key here that was merely parsed from the run key.
    """

    course_run_key: str
    mode: str
    is_active: bool | None
    is_revoked: bool | None = False
    course_key: str | None = None

    @property
    def is_paid(self) -> bool:
        """Whether the mode is more than audit or honor."""
        return is_paid(self.mode)


@frozen(kw_only=True)
class RealizationFact:
    """An intention of this customer, this one or another, that became an enrollment of the learner in one run.

    `left_at` is when it was first seen inactive, `left_reason` why; a staff override clears both. `course_uuid` is the
    catalog's id of the course, which outlives a rename; None: not stored.
    """

    course_run_key: str
    of_this_intention: bool
    course_key: str | None = None
    course_uuid: UUID | None = None
    left_at: datetime | None = None
    left_reason: Reason | None = None


@frozen(kw_only=True)
class Case:
    """Everything that one decision is made from: one learner, one intention.

    `course_key` is the course of the intention as far as it is known (from the catalog, or stored at the last look).
    `known_run_keys` are the course's current runs. `catalogs` are those of the customer that contain the content, and
    `modes` those of the resolved run; None = could not be asked. `is_covered_in_plan`: see [D6] and plan.py.
    `enrollments` and `realizations` may hold other courses' too.
    """

    is_linked: bool
    is_customer_active: bool
    content_type: ContentType
    content_key: str
    resolution: Resolution
    catalogs: tuple[UUID, ...] | None
    modes: Modes | None
    course_key: str | None = None
    known_run_keys: frozenset[str] = frozenset()
    is_invitation_only: bool = False
    is_run_unknown_to_lms: bool = False
    lms_enrollment_starts_at: datetime | None = None
    lms_enrollment_ends_at: datetime | None = None
    enrollments: tuple[Enrollment, ...] = ()
    realizations: tuple[RealizationFact, ...] = ()
    is_covered_in_plan: bool = False
    has_override: bool = False

    @property
    def is_course_intention(self) -> bool:
        """Whether the intention names a course, and not a very run."""
        return self.content_type is ContentType.COURSE

    @property
    def resolved_run(self) -> CourseRun | None:
        """The run that the intention stands for now."""
        return self.resolution.run if isinstance(self.resolution, Resolved) else None

    @property
    def target_run_key(self) -> str | None:
        """The run that is meant, folded: the resolved one, or else the one that a run intention names."""
        if self.resolved_run is not None:
            return fold(self.resolved_run.key)
        return None if self.is_course_intention else fold(self.content_key)

    @property
    def course(self) -> str | None:
        """The key of the intention's course, folded; None when a run key does not tell it and no one else did."""
        known = self.course_key or (self.resolution.course.key if self.resolution.course else None)
        if known:
            return fold(known)
        return fold(self.content_key) if self.is_course_intention else course_key_of_run(self.content_key)

    @property
    def course_uuid(self) -> UUID | None:
        """The catalog's id of the course, if the catalog tells."""
        return self.resolution.course.uuid if self.resolution.course else None

    @property
    def run_keys(self) -> frozenset[str]:
        """The course's current runs, folded."""
        nested = self.resolution.course.run_keys if self.resolution.course else frozenset()
        return frozenset(map(fold, self.known_run_keys | nested))
