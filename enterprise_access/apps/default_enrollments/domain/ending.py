"""Why an enrollment ended: the learner left, or a license was taken away. The LMS tells neither; the facts together do.

When a license is revoked, the LMS moves the enrollment to audit, and ends it only in a run without an audit mode. When
a learner leaves, it ends the enrollment in the mode that it is in, and marks the license's row as revoked, too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from enterprise_access.apps.course_types.domain.modes import Modes, effective, is_paid
from enterprise_access.apps.default_enrollments.domain.values import Reason

AUDIT: Final = "audit"
# license-manager tells the LMS of a revocation in the background: the enrollment ends so long afterwards at most. (A
# little earlier: the clocks of two services.)
AFTER_REVOCATION: Final = timedelta(minutes=15)
CLOCKS_DIFFER: Final = timedelta(minutes=1)


@frozen(kw_only=True)
class LicenseFact:
    """A license of the learner: whether it is activated now, and when it was revoked, if it was."""

    is_activated: bool
    is_revoked: bool
    revoked_at: datetime | None = None


def why_ended(
    *, mode: str, modes: Modes | None, ended_at: datetime | None, licenses: Sequence[LicenseFact] | None
) -> Reason:
    """Return LEARNER_UNENROLLED or LICENSE_REVOKED where only one of them fits, and ENROLLMENT_ENDED where both do.

    `mode` is the enrollment's after it ended, `modes` those of the run; `ended_at` is edx-enterprise's time. None: not
    known, or not asked for.
    """
    if not is_paid(mode) or (modes is not None and AUDIT in effective(modes)):
        return Reason.LEARNER_UNENROLLED
    if not licenses:
        return Reason.ENROLLMENT_ENDED
    revoked = [row.revoked_at for row in licenses if row.is_revoked]
    if not revoked:
        return Reason.LEARNER_UNENROLLED if any(row.is_activated for row in licenses) else Reason.ENROLLMENT_ENDED
    if ended_at is None or None in revoked:
        return Reason.ENROLLMENT_ENDED
    if any(at is not None and at - CLOCKS_DIFFER <= ended_at <= at + AFTER_REVOCATION for at in revoked):
        return Reason.LICENSE_REVOKED
    return Reason.LEARNER_UNENROLLED
