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
        "The customer is switched off, so nobody is enrolled for it.",
        "The customer is made active again in the LMS.",
    ),
    Reason.LEARNER_NOT_LINKED: Explanation(
        "The learner is not linked to the customer now.",
        "The learner is linked to the customer (again).",
    ),
    Reason.ENROLLED: Explanation(
        "The learner is active in a paid mode already.",
        "Nothing has to change: the learner has the course.",
    ),
    Reason.LEARNER_UNENROLLED: Explanation(
        "The learner left the course, and is not enrolled in it again against their will.",
        "Only a staff override for this learner, with a reason, lets one more enrollment through.",
    ),
    Reason.LICENSE_REVOKED: Explanation(
        "The license that paid for the enrollment was revoked.",
        "If the learner is out of the course, only a staff override for this learner, with a reason; if the learner is "
        "still there in audit, a license that pays for the upgrade.",
    ),
    Reason.ENROLLMENT_ENDED: Explanation(
        "The learner is no longer enrolled (unenrolled or license revoked): the facts do not tell which.",
        "Only a staff override for this learner, with a reason, lets one more enrollment through.",
    ),
    Reason.ENROLLMENT_STATE_UNKNOWN: Explanation(
        "The LMS did not say whether an enrollment of the learner is active, so nothing is risked.",
        "The LMS answers; it is asked again by itself.",
    ),
    Reason.ENROLLMENT_NOT_VISIBLE: Explanation(
        "We enrolled the learner earlier, but the LMS shows no such enrollment (a late copy, or a deleted row).",
        "The enrollment becomes visible again; it is looked for by itself.",
    ),
    Reason.COVERED_BY_OTHER_INTENTION: Explanation(
        "Another intention of the customer, for a run of the same course, serves the learner.",
        "That other intention is removed, or can no longer be honoured.",
    ),
    Reason.REALIZED_EARLIER: Explanation(
        "The learner was enrolled in another run of the course by a default enrollment, and is still there.",
        "Nothing has to change: the learner has the course.",
    ),
    Reason.CONTENT_NOT_FOUND: Explanation(
        "No catalog knows the course or run that the intention names.",
        "The key is corrected (a new intention), or the content reaches the catalogs.",
    ),
    Reason.NO_ADVERTISED_RUN: Explanation(
        "The course has no advertised run, so there is no run to enroll in.",
        "A run of the course is published and marketed; or an intention names the run itself.",
    ),
    Reason.RUN_NOT_FOUND: Explanation(
        "The course is known, but the run that the intention names is not among its runs.",
        "The run returns to the course, or another run is named in a new intention.",
    ),
    Reason.CONTENT_NOT_READY: Explanation(
        "The catalog knows the course, but has not loaded all of it yet.",
        "The catalog's next full load, usually within a day.",
    ),
    Reason.CATALOG_UNAVAILABLE: Explanation(
        "The catalog service could not be asked, so nothing is known about the course or the customer's catalogs.",
        "The catalog service answers; it is asked again by itself.",
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
        "It is executive education, which asks the learner for details and terms that nobody else can give.",
        "Nothing automatic: the learner enrolls through the learner portal.",
    ),
    Reason.RUN_NOT_PUBLISHED: Explanation(
        "The run is not published.",
        "The run is published.",
    ),
    Reason.ENROLLMENT_NOT_OPEN: Explanation(
        "Enrollment in the run has not opened yet.",
        "Enrollment opens; the learner is then enrolled by itself.",
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
        "The LMS could not be asked which enrollment modes the run has.",
        "The LMS answers; it is asked again by itself.",
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
        "The LMS would enroll in another mode than the one that is wanted.",
        "The modes of the run are corrected in the LMS.",
    ),
    Reason.UPGRADE_DEADLINE_PASSED: Explanation(
        "The last day to enroll in the mode that the LMS would choose has passed.",
        "The upgrade deadline is moved, or another run is advertised.",
    ),
    Reason.NEEDS_UPGRADE: Explanation(
        "The learner is in the run without a paid mode, and is to be upgraded.",
        "The upgrade is made, as soon as something pays for it.",
    ),
    Reason.NEEDS_ENROLLMENT: Explanation(
        "The learner is not in the course, and is to be enrolled.",
        "The enrollment is made, as soon as something pays for it.",
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
        "The learner activates it: a visit to the learner portal does.",
    ),
    Reason.NO_LICENSE: Explanation(
        "The learner has no license of this customer. If the learner's e-mail address changed lately this may be wrong "
        "until the learner's own visit to the learner portal refreshes it.",
        "A license is assigned to the learner; after a change of address, the learner visits the learner portal, "
        "which also asks for the default enrollments again.",
    ),
    Reason.LEARNER_WITHOUT_EMAIL: Explanation(
        "The learner's LMS account has no email address. license-manager finds licenses by the address only.",
        "An email address is added to the account, and a license is assigned to it.",
    ),
    Reason.LICENSE_MANAGER_UNAVAILABLE: Explanation(
        "The license service could not be asked, so nothing is known about the learner's licenses.",
        "The license service answers; it is asked again by itself.",
    ),
    Reason.REFUSED_BY_LMS: Explanation(
        "The LMS refused the enrollment without giving a cause.",
        "It is tried again at growing intervals, and at once when the run, its modes or the license change.",
    ),
    Reason.LMS_UNAVAILABLE: Explanation(
        "The LMS could not be asked, so nothing was decided or sent.",
        "The LMS answers; it is asked again by itself.",
    ),
    Reason.KEPT_BACK: Explanation(
        "It was decided, but not sent: enrolling was paused meanwhile, or what was known had become too old.",
        "Nothing has to change, once enrolling is not paused: it is looked at again by itself.",
    ),
    Reason.OUTCOME_UNKNOWN: Explanation(
        "The LMS was asked to enroll, but its answer was lost.",
        "A later look at the learner's enrollments settles it; it is looked at by itself.",
    ),
}


def explain(code: str) -> Explanation:
    """Return the words for a reason code; for one that only its payer knows, the code itself."""
    try:
        return EXPLANATIONS[Reason(code)]
    except ValueError:
        return Explanation(f"No subsidy pays for it: {code}.", "A subsidy of the learner pays for the run.")
