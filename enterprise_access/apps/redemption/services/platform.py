"""Whether a learner is enrolled in a run in a paid mode, as the LMS has it now."""

from enterprise_access.apps.course_types.domain.modes import is_paid
from enterprise_access.apps.customers.selectors import list_learners
from enterprise_access.apps.customers.services import read_enrollments
from enterprise_access.apps.redemption.domain.settling import Enrolled
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.lib.keys import same_key


def read_enrolled(attempt: RedemptionAttempt) -> Enrolled:
    """Ask the LMS whether the learner of an attempt is enrolled, and compare with what was so before the first call."""
    lms_user_id = attempt.lms_user_id
    if lms_user_id is None:
        return Enrolled.UNKNOWN
    learners = list_learners(customer_uuid=attempt.customer_uuid, lms_user_ids=[lms_user_id])
    try:
        read = read_enrollments(learners=learners.values(), must_read={lms_user_id})
    except UpstreamError:
        return Enrolled.UNKNOWN
    if lms_user_id not in read.enrollments:
        return Enrolled.UNKNOWN
    is_enrolled = any(
        same_key(row.course_run_key, attempt.content_key) and row.is_active and is_paid(row.mode)
        for row in read.enrollments[lms_user_id]
    )
    if not is_enrolled:
        return Enrolled.NO
    return Enrolled.BEFORE if attempt.was_enrolled else Enrolled.BY_THIS_ATTEMPT
