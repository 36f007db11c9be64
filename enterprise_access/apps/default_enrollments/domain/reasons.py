"""Every reason in plain words: what it means, and what would have to change. For support people, admin and explain."""

from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.values import Reason


@frozen
class Explanation:
    """One sentence on what is so, and one on what would have to change (or that nothing has to)."""

    text: str
    what_would_change_it: str


EXPLANATIONS: Final[dict[Reason, Explanation]] = {
    Reason.CUSTOMER_INACTIVE: Explanation(
        "The customer is inactive, so no learners are enrolled for it.",
        "The customer is activated again in the LMS.",
    ),
    Reason.LEARNER_NOT_LINKED: Explanation(
        "The learner is not linked to the customer now.",
        "The learner is linked to the customer in the LMS.",
    ),
    Reason.ENROLLED: Explanation(
        "The learner is already enrolled in a paid mode.",
        "Nothing has to change: the learner has the course.",
    ),
    Reason.LEARNER_UNENROLLED: Explanation(
        "The learner left the course, so they are not enrolled again.",
        "A staff override for this learner, with a reason, allows one more enrollment.",
    ),
    Reason.LICENSE_REVOKED: Explanation(
        "The license that paid for the enrollment was revoked.",
        "If the learner is no longer in the course, a staff override with a reason; if the learner is still in audit, "
        "a license that pays for the upgrade.",
    ),
    Reason.ENROLLMENT_ENDED: Explanation(
        "The learner is no longer enrolled (unenrolled or license revoked): the facts do not tell which.",
        "A staff override for this learner, with a reason, allows one more enrollment.",
    ),
    Reason.ENROLLMENT_STATE_UNKNOWN: Explanation(
        "The LMS did not say whether an enrollment of the learner is active, so the learner waits.",
        "The LMS answers. The service asks again automatically.",
    ),
    Reason.ENROLLMENT_NOT_VISIBLE: Explanation(
        "This service enrolled the learner earlier, but the LMS does not show it (a delay, or a deleted row).",
        "The LMS shows the enrollment again. The service checks automatically.",
    ),
    Reason.COVERED_BY_OTHER_INTENTION: Explanation(
        "Another intention of the customer, for a run of the same course, covers the learner.",
        "The other intention is deleted, or can no longer enroll the learner.",
    ),
    Reason.REALIZED_EARLIER: Explanation(
        "The learner was enrolled in another run of the course by a default enrollment, and is still there.",
        "Nothing has to change: the learner has the course.",
    ),
    Reason.CONTENT_NOT_FOUND: Explanation(
        "No catalog has the course or run that the intention names.",
        "The key is corrected (a new intention), or the content reaches the catalogs.",
    ),
    Reason.NO_ADVERTISED_RUN: Explanation(
        "The course has no advertised run, so there is no run to enroll in.",
        "A run of the course is published and marketed; or an intention names the run itself.",
    ),
    Reason.RUN_NOT_FOUND: Explanation(
        "The course exists, but the run that the intention names is not one of its runs.",
        "The run returns to the course, or another run is named in a new intention.",
    ),
    Reason.CONTENT_NOT_READY: Explanation(
        "The catalog has the course, but has not loaded all of it yet.",
        "The catalog's next full load, usually within a day.",
    ),
    Reason.CATALOG_UNAVAILABLE: Explanation(
        "The catalog service did not answer, so the course and the customer's catalogs are unknown.",
        "The catalog service answers. The service asks again automatically.",
    ),
    Reason.ENROLLED_IN_AUDIT_ONLY_RUN: Explanation(
        "The learner is enrolled in the run, and there is no paid mode to move to.",
        "Nothing has to change: the learner has the course.",
    ),
    Reason.NOT_IN_CUSTOMER_CATALOGS: Explanation(
        "The run is in none of the customer's catalogs.",
        "The course or run is added to a catalog of the customer.",
    ),
    Reason.NEEDS_LEARNER_INPUT: Explanation(
        "It is executive education, for which the learner has to enter details and accept terms.",
        "The learner enrolls through the learner portal.",
    ),
    Reason.RUN_NOT_PUBLISHED: Explanation(
        "The run is not published.",
        "The run is published.",
    ),
    Reason.ENROLLMENT_NOT_OPEN: Explanation(
        "Enrollment in the run has not opened yet.",
        "Enrollment opens. The learner is then enrolled automatically.",
    ),
    Reason.ENROLLMENT_CLOSED: Explanation(
        "Enrollment in the run is closed.",
        "The end of enrollment is moved, or another run is advertised.",
    ),
    Reason.RUN_ENDED: Explanation(
        "The run has ended.",
        "The end of the run is moved, or another run is advertised.",
    ),
    Reason.INVITATION_ONLY: Explanation(
        "The run takes learners by invitation only.",
        "The run is opened to everyone, or another run is advertised.",
    ),
    Reason.RUN_UNKNOWN_TO_LMS: Explanation(
        "The LMS has no such course run, although the catalog names it.",
        "The run is created in the LMS, or another run is advertised.",
    ),
    Reason.MODES_UNAVAILABLE: Explanation(
        "The LMS did not say which enrollment modes the run has.",
        "The LMS answers. The service asks again automatically.",
    ),
    Reason.NO_SUBSIDIZABLE_MODE: Explanation(
        "The run has none of the modes that the LMS enrolls in automatically.",
        "A verified, professional or audit mode is added to the run.",
    ),
    Reason.MODE_EXPIRED: Explanation(
        "The LMS would choose a mode of the run that has expired, and refuse the enrollment.",
        "The mode's expiry is moved in the LMS, or another run is advertised.",
    ),
    Reason.MODE_MISMATCH: Explanation(
        "The LMS would enroll the learner in another mode than the intended one.",
        "The modes of the run are corrected in the LMS.",
    ),
    Reason.UPGRADE_DEADLINE_PASSED: Explanation(
        "The last day to enroll in the mode that the LMS would choose has passed.",
        "The upgrade deadline is moved, or another run is advertised.",
    ),
    Reason.NEEDS_UPGRADE: Explanation(
        "The learner is in the run without a paid mode, and can be upgraded.",
        "The learner is upgraded as soon as a license or budget pays for it.",
    ),
    Reason.NEEDS_ENROLLMENT: Explanation(
        "The learner is not in the course, and can be enrolled.",
        "The learner is enrolled as soon as a license or budget pays for it.",
    ),
    Reason.LICENSE_NOT_IN_CATALOG: Explanation(
        "The learner has a usable license, but its plan's catalog does not contain the run.",
        "The learner gets a license of a plan whose catalog contains the run, or the run is added to that catalog.",
    ),
    Reason.LICENSE_PLAN_NOT_CURRENT: Explanation(
        "The learner's activated license belongs to a plan that is not active, has not started or has expired.",
        "The plan is made active or renewed, or the learner gets a license of a current plan.",
    ),
    Reason.LICENSE_NOT_ACTIVATED: Explanation(
        "A license is assigned to the learner, but not activated yet.",
        "The learner activates it by visiting the learner portal.",
    ),
    Reason.NO_LICENSE: Explanation(
        "The learner has no license of this customer. If their email address changed recently, ask them to open the "
        "learner portal once.",
        "A license is assigned to the learner. After a change of the email address, the learner opens the learner "
        "portal, which also queues them for evaluation.",
    ),
    Reason.LEARNER_WITHOUT_EMAIL: Explanation(
        "The learner's LMS account has no email address. license-manager finds licenses by the address only.",
        "An email address is added to the account, and a license is assigned to it.",
    ),
    Reason.LICENSE_MANAGER_UNAVAILABLE: Explanation(
        "The license service did not answer, so the learner's licenses are unknown.",
        "The license service answers. The service asks again automatically.",
    ),
    Reason.REFUSED_BY_LMS: Explanation(
        "The LMS refused the enrollment without giving a reason.",
        "The service retries at growing intervals, and immediately when the run, its modes or the license change.",
    ),
    Reason.LMS_UNAVAILABLE: Explanation(
        "The LMS did not answer, so nothing was decided or sent.",
        "The LMS answers. The service asks again automatically.",
    ),
    Reason.KEPT_BACK: Explanation(
        "The enrollment was not sent, because enrollments were paused or the facts had become too old.",
        "Enrollments are resumed, if they are paused. The service checks again automatically.",
    ),
    Reason.OUTCOME_UNKNOWN: Explanation(
        "The enrollment was sent to the LMS, but its answer was lost.",
        "The next read of the learner's enrollments settles it. The service checks automatically.",
    ),
}


def explain(code: str) -> Explanation:
    """Return the words for a reason code; for one that only its payer knows, the code itself."""
    try:
        return EXPLANATIONS[Reason(code)]
    except ValueError:
        return Explanation(f"No subsidy pays for it: {code}.", "A subsidy of the learner pays for the run.")
