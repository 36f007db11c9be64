"""The decision: what one default enrollment of one learner needs. The rules are in docs/reference/default-enrollments.

Each rule is a function that answers with a verdict when it matches, and with None when it does not.
"""

from collections.abc import Callable
from datetime import datetime

from enterprise_access.apps.content_metadata.domain import Unresolved
from enterprise_access.apps.course_types.domain.modes import deadline, effective, is_expired, is_paid, pick, want
from enterprise_access.apps.default_enrollments.domain.case_view import CaseView, active_audit_like
from enterprise_access.apps.default_enrollments.domain.values import (
    Case,
    Enrollment,
    RealizationFact,
    Reason,
    Rule,
    Verdict,
)
from enterprise_access.apps.default_enrollments.domain.window import all_why_not_open, why_not_open, why_not_open_at_lms
from enterprise_access.lib.keys import fold, same_key


def decide(case: Case, *, now: datetime) -> Verdict:
    """Say what one default enrollment needs at `now` (aware UTC). The first rule that matches wins."""
    view = CaseView(case=case, now=now)
    verdicts = (rule(view) for rule in _RULES)
    return next(verdict for verdict in verdicts if verdict is not None)


def blocking_reasons(case: Case, verdict: Verdict, *, now: datetime) -> tuple[Reason, ...]:
    """Return everything that blocks the enrollment, the reason of the verdict first; empty unless it is a skip.

    `decide` stops at the first rule that matches. Of the rest, this returns what would block the enrollment still when
    that reason is gone. What is merely unknown is left out, and so is what cannot be judged without a run.
    """
    if not verdict.is_skip:
        return ()
    if verdict.rule is Rule.D6:
        # The other intention serves the course: nothing else matters.
        return (verdict.reason,)
    view = CaseView(case=case, now=now)
    unlinked = [] if case.is_linked else [Reason.LEARNER_NOT_LINKED]
    found = [verdict.reason, *unlinked, *_all_of_content(view)]
    return tuple(dict.fromkeys(found))


def _d0_nobody_to_enroll(view: CaseView) -> Verdict | None:
    if not view.case.is_customer_active:
        return Verdict.skip(Rule.D0, Reason.CUSTOMER_INACTIVE)
    if not view.case.is_linked:
        return Verdict.skip(Rule.D0, Reason.LEARNER_NOT_LINKED)
    return None


def _d1_enrolled_and_paid(view: CaseView) -> Verdict | None:
    if any(row.is_active is True and row.is_paid for row in view.in_scope):
        return Verdict.none(Rule.D1, Reason.ENROLLED)
    return None


def _d2_left_what_we_realized(view: CaseView) -> Verdict | None:
    if view.case.has_override:
        return None
    reasons = _reasons_of_leaving(view)
    # The learner's own will outweighs a revocation; and what may have been it, too.
    strongest = (Reason.LEARNER_UNENROLLED, Reason.ENROLLMENT_ENDED, Reason.LICENSE_REVOKED)
    reason = next((reason for reason in strongest if reason in reasons), None)
    return None if reason is None else Verdict.skip(Rule.D2, reason)


def _reasons_of_leaving(view: CaseView) -> frozenset[Reason | None]:
    """Return why the realized runs were left; None is of those that were not."""
    return frozenset(_reason_of_leaving(view, row) for row in view.realizations)


def _reason_of_leaving(view: CaseView, realization: RealizationFact) -> Reason | None:
    """Return why the learner left this realization: as found at first sight, else as it looks now; None = did not."""
    if realization.left_at is not None:
        return realization.left_reason or Reason.LEARNER_UNENROLLED
    rows = [row for row in view.in_realized_runs if same_key(row.course_run_key, realization.course_run_key)]
    left = [row for row in rows if row.is_active is False]
    if not left:
        return None
    return _reason_of_ending(left)


def _reason_of_ending(ended: list[Enrollment]) -> Reason:
    """Return why enrollments ended, given what is known of each."""
    if any(row.is_revoked is False for row in ended):
        return Reason.LEARNER_UNENROLLED
    return Reason.LICENSE_REVOKED if all(row.is_revoked for row in ended) else Reason.ENROLLMENT_ENDED


def _d3_state_unknown(view: CaseView) -> Verdict | None:
    if any(row.is_active is None for row in view.in_scope + view.in_realized_runs):
        return Verdict.skip(Rule.D3, Reason.ENROLLMENT_STATE_UNKNOWN)
    return None


def _d4_realized_but_not_visible(view: CaseView) -> Verdict | None:
    expected = {fold(row.course_run_key) for row in view.realizations if row.left_at is None}
    if expected <= view.visible_runs:
        return None
    return Verdict.skip(Rule.D4, Reason.ENROLLMENT_NOT_VISIBLE)


def _d5_left_what_was_paid(view: CaseView) -> Verdict | None:
    left = [row for row in view.in_scope if row.is_active is False and row.is_paid]
    if view.case.has_override or not left:
        return None
    return Verdict.skip(Rule.D5, _reason_of_ending(left))


def _d6_covered(view: CaseView) -> Verdict | None:
    if view.case.is_course_intention and view.case.is_covered_in_plan:
        return Verdict.skip(Rule.D6, Reason.COVERED_BY_OTHER_INTENTION)
    return None


def _d7_realized_in_another_run(view: CaseView) -> Verdict | None:
    run = view.case.resolved_run
    resolved = None if run is None else fold(run.key)
    runs = {fold(row.course_run_key) for row in active_audit_like(view.in_scope)}
    if (runs & view.realized_runs) - {resolved}:
        return Verdict.none(Rule.D7, Reason.REALIZED_EARLIER)
    return None


def _d8_unresolved(view: CaseView) -> Verdict | None:
    resolution = view.case.resolution
    if isinstance(resolution, Unresolved):
        return Verdict.skip(Rule.D8, Reason(resolution.reason.value))
    return None


def _d9_in_audit_only_run(view: CaseView) -> Verdict | None:
    if view.case.modes is None or is_paid(pick(view.case.modes)) or not view.audit_like_in_resolved_run:
        return None
    return Verdict.none(Rule.D9, Reason.ENROLLED_IN_AUDIT_ONLY_RUN)


def _d10_in_no_catalog(view: CaseView) -> Verdict | None:
    if view.case.catalogs is None:
        return Verdict.skip(Rule.D10, Reason.CATALOG_UNAVAILABLE)
    if not view.case.catalogs:
        return Verdict.skip(Rule.D10, Reason.NOT_IN_CUSTOMER_CATALOGS)
    return None


def _d11_executive_education(view: CaseView) -> Verdict | None:
    course = view.case.resolution.course
    if course is not None and course.is_executive_education:
        return Verdict.skip(Rule.D11, Reason.NEEDS_LEARNER_INPUT)
    return None


def _d12_run_not_open(view: CaseView) -> Verdict | None:
    reason = why_not_open(view.run, now=view.now) or why_not_open_at_lms(view.case, now=view.now)
    return None if reason is None else Verdict.skip(Rule.D12, reason)


def _d13_invitation_only(view: CaseView) -> Verdict | None:
    if view.case.is_invitation_only:
        return Verdict.skip(Rule.D13, Reason.INVITATION_ONLY)
    return None


def _d14_wrong_mode(view: CaseView) -> Verdict | None:
    if view.case.is_run_unknown_to_lms:
        return Verdict.skip(Rule.D14, Reason.RUN_UNKNOWN_TO_LMS)
    if view.case.modes is None:
        return Verdict.skip(Rule.D14, Reason.MODES_UNAVAILABLE)
    modes = effective(view.case.modes)
    picked = pick(modes)
    if picked not in modes:
        return Verdict.skip(Rule.D14, Reason.NO_SUBSIDIZABLE_MODE)
    if is_expired(modes[picked], now=view.now):
        return Verdict.skip(Rule.D14, Reason.MODE_EXPIRED)
    if picked != want(modes, now=view.now):
        return Verdict.skip(Rule.D14, Reason.MODE_MISMATCH)
    return None


def _d15_too_late_for_seat(view: CaseView) -> Verdict | None:
    until = deadline(pick(view.modes), upgrade_deadlines=view.run.upgrade_deadlines)
    if until is not None and view.now > until:
        return Verdict.skip(Rule.D15, Reason.UPGRADE_DEADLINE_PASSED)
    return None


def _d16_upgrade(view: CaseView) -> Verdict | None:
    rows = view.audit_like_in_resolved_run
    if not rows:
        return None
    revoked = any(row.is_revoked for row in rows)
    reason = Reason.LICENSE_REVOKED if revoked else Reason.NEEDS_UPGRADE
    return Verdict.upgrade(Rule.D16, reason, mode=pick(view.modes))


def _d17_enroll(view: CaseView) -> Verdict:
    return Verdict.enroll(Rule.D17, Reason.NEEDS_ENROLLMENT, mode=pick(view.modes))


_RULES: tuple[Callable[[CaseView], Verdict | None], ...] = (
    _d0_nobody_to_enroll,
    _d1_enrolled_and_paid,
    _d2_left_what_we_realized,
    _d3_state_unknown,
    _d4_realized_but_not_visible,
    _d5_left_what_was_paid,
    _d6_covered,
    _d7_realized_in_another_run,
    _d8_unresolved,
    _d9_in_audit_only_run,
    _d10_in_no_catalog,
    _d11_executive_education,
    _d12_run_not_open,
    _d13_invitation_only,
    _d14_wrong_mode,
    _d15_too_late_for_seat,
    _d16_upgrade,
    _d17_enroll,
)


# --- Everything that blocks -----------------------------------------------------------------------------------------


def _all_of_content(view: CaseView) -> list[Reason]:
    """Return what the content has against an enrollment, in the order of the rules."""
    case, found = view.case, list[Reason]()
    if isinstance(case.resolution, Unresolved):
        found.append(Reason(case.resolution.reason.value))
    if case.resolved_run is not None and case.catalogs is not None and not case.catalogs:
        found.append(Reason.NOT_IN_CUSTOMER_CATALOGS)
    if _d11_executive_education(view) is not None:
        found.append(Reason.NEEDS_LEARNER_INPUT)
    if case.resolved_run is not None:
        at_lms = why_not_open_at_lms(case, now=view.now)
        found += [*all_why_not_open(view.run, now=view.now), *([at_lms] if at_lms else []), *_all_of_modes(view)]
    unknown = {Reason.CATALOG_UNAVAILABLE, Reason.MODES_UNAVAILABLE}
    return [reason for reason in found if reason not in unknown]


def _all_of_modes(view: CaseView) -> list[Reason]:
    found = [verdict.reason for verdict in (_d13_invitation_only(view), _d14_wrong_mode(view)) if verdict is not None]
    if view.case.modes is not None and not view.case.is_run_unknown_to_lms:
        late = _d15_too_late_for_seat(view)
        found += [] if late is None else [late.reason]
    return found
