"""Why enrollments ended, as far as local copies tell."""

from collections.abc import Iterable, Mapping

from enterprise_access.apps.content_metadata.selectors import list_last_known_modes
from enterprise_access.apps.course_types.domain.modes import Modes, is_paid
from enterprise_access.apps.customers.domain import EnrollmentCopy, EnterpriseEnrollmentCopy
from enterprise_access.apps.default_enrollments.domain.ending import why_ended
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.lib.keys import fold


def list_modes_of_ended(rows: Iterable[EnrollmentCopy]) -> Mapping[str, Modes]:
    """Return, by folded run key, the modes of the runs in which a paid enrollment has ended."""
    return list_last_known_modes(
        course_run_keys={row.course_run_key for row in rows if not row.is_active and is_paid(row.mode)}
    )


def reason_of_ending(
    row: EnrollmentCopy, enterprise: EnterpriseEnrollmentCopy | None, modes: Mapping[str, Modes]
) -> Reason:
    """Return why an enrollment that we made, and that is inactive, ended; ENROLLMENT_ENDED: the copies do not tell."""
    if enterprise is not None and enterprise.ended_because:
        return Reason(enterprise.ended_because)
    return why_ended(
        mode=row.mode,
        modes=modes.get(fold(row.course_run_key)),
        ended_at=enterprise.unenrolled_at if enterprise else None,
        licenses=None,
    )


def was_revoked(
    row: EnrollmentCopy, enterprise: EnterpriseEnrollmentCopy | None, modes: Mapping[str, Modes]
) -> bool | None:
    """Say whether a license was taken away from an enrollment; None: that, or the learner left.

    An active audit enrollment that edx-enterprise has ended tells it, too.
    """
    if enterprise is None:
        return False
    if row.is_active:
        return not is_paid(row.mode) and (enterprise.is_revoked or enterprise.unenrolled_at is not None)
    if not enterprise.is_revoked:
        return False
    reason = reason_of_ending(row, enterprise, modes)
    return None if reason is Reason.ENROLLMENT_ENDED else reason is Reason.LICENSE_REVOKED
