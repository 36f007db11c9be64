"""Each reason as a part of a sentence, for staff and for the learner."""

from typing import Final

from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.lib.wording import gettext_noop


@frozen
class Words:
    """A reason as a part of a sentence: "... because `because`.", what staff can `do`, and what the learner is told."""

    because: str
    do: str
    to_learner: str


_ASKS_AGAIN: Final = "The service asks again automatically."

WORDS: Final[dict[Reason, Words]] = {
    Reason.CUSTOMER_INACTIVE: Words(
        "the customer is inactive",
        "Activate the customer in the LMS.",
        gettext_noop("Your organization is inactive, so its courses are not offered."),
    ),
    Reason.LEARNER_NOT_LINKED: Words(
        "they are not linked to the customer",
        "Link them to the customer in the LMS.",
        gettext_noop("You do not belong to this organization."),
    ),
    Reason.ENROLLED: Words("they are enrolled", "", gettext_noop("You are enrolled.")),
    Reason.LEARNER_UNENROLLED: Words(
        "they left the course",
        "If they want it back, allow re-enrollment.",
        gettext_noop("You left this course, so you are not enrolled again."),
    ),
    Reason.LICENSE_REVOKED: Words(
        "the license that paid for it was revoked",
        "Assign a license and allow re-enrollment.",
        gettext_noop("Your license was revoked, so you are no longer enrolled."),
    ),
    Reason.ENROLLMENT_ENDED: Words(
        "their earlier enrollment ended (they left, or the license was revoked)",
        "If they want it back, allow re-enrollment.",
        gettext_noop("You are no longer enrolled: you left the course, or your license was revoked."),
    ),
    Reason.ENROLLMENT_STATE_UNKNOWN: Words(
        "the LMS does not say whether they are enrolled already",
        _ASKS_AGAIN,
        gettext_noop("We do not know yet whether you are enrolled."),
    ),
    Reason.ENROLLMENT_NOT_VISIBLE: Words(
        "they were enrolled earlier and the LMS does not show it",
        _ASKS_AGAIN,
        gettext_noop("You were enrolled, but the enrollment is not visible yet."),
    ),
    Reason.COVERED_BY_OTHER_INTENTION: Words(
        "another default enrollment covers the same course",
        "",
        gettext_noop("Another course of this list covers this one."),
    ),
    Reason.REALIZED_EARLIER: Words(
        "they have another run of it", "", gettext_noop("You are enrolled in another run of this course.")
    ),
    Reason.CONTENT_NOT_FOUND: Words(
        "no catalog has the course",
        "Correct the key of the default enrollment, or add the course to a catalog.",
        gettext_noop("This course is not available."),
    ),
    Reason.NO_ADVERTISED_RUN: Words(
        "the course has no run that is published and marketed",
        "Publish and market a run, or add a default enrollment for a particular run.",
        gettext_noop("No run of this course is offered at the moment."),
    ),
    Reason.RUN_NOT_FOUND: Words(
        "the course no longer has this run",
        "Add a default enrollment for another run.",
        gettext_noop("This run of the course no longer exists."),
    ),
    Reason.CONTENT_NOT_READY: Words(
        "enterprise-catalog has not loaded the course completely",
        "Wait for its next full load, usually within a day.",
        gettext_noop("This course is being prepared."),
    ),
    Reason.CATALOG_UNAVAILABLE: Words(
        "enterprise-catalog did not answer",
        _ASKS_AGAIN,
        gettext_noop("The catalog could not be reached. We try again automatically."),
    ),
    Reason.ENROLLED_IN_AUDIT_ONLY_RUN: Words(
        "they are enrolled in a run that has no paid mode",
        "",
        gettext_noop("You are enrolled. This run has no paid mode."),
    ),
    Reason.NOT_IN_CUSTOMER_CATALOGS: Words(
        "the run is in none of the customer's catalogs",
        "Add the course to a catalog of the customer.",
        gettext_noop("This course is in no catalog of your organization."),
    ),
    Reason.NEEDS_LEARNER_INPUT: Words(
        "it is executive education, for which they have to enter details and accept terms",
        "Ask them to enroll in the learner portal.",
        gettext_noop("This course needs details from you: enroll through the learner portal."),
    ),
    Reason.RUN_NOT_PUBLISHED: Words(
        "the run is not published", "Publish the run.", gettext_noop("This run of the course is not published.")
    ),
    Reason.ENROLLMENT_NOT_OPEN: Words(
        "enrollment has not opened yet",
        "They are enrolled automatically when it opens.",
        gettext_noop("Enrollment has not opened yet. You are enrolled when it opens."),
    ),
    Reason.ENROLLMENT_CLOSED: Words(
        "enrollment in the run is closed",
        "Move the end of enrollment, or advertise another run.",
        gettext_noop("Enrollment in this course is closed."),
    ),
    Reason.RUN_ENDED: Words(
        "the run has ended", "Advertise another run.", gettext_noop("This run of the course has ended.")
    ),
    Reason.INVITATION_ONLY: Words(
        "the run is by invitation only",
        "Open the run to everyone, or advertise another run.",
        gettext_noop("This run of the course is by invitation only."),
    ),
    Reason.RUN_UNKNOWN_TO_LMS: Words(
        "the LMS does not have the run",
        "Create the run in the LMS, or advertise another run.",
        gettext_noop("This run of the course is not available."),
    ),
    Reason.MODES_UNAVAILABLE: Words(
        "the LMS did not say which enrollment modes the run has",
        _ASKS_AGAIN,
        gettext_noop("The course could not be looked up. We try again automatically."),
    ),
    Reason.NO_SUBSIDIZABLE_MODE: Words(
        "the run has no mode to enroll in automatically",
        "Add a verified, professional or audit mode to the run.",
        gettext_noop("You cannot be enrolled in this run automatically."),
    ),
    Reason.MODE_EXPIRED: Words(
        "the mode that the LMS would choose has expired",
        "Move its expiry in the LMS, or advertise another run.",
        gettext_noop("The time to enroll in this run has passed."),
    ),
    Reason.MODE_MISMATCH: Words(
        "the LMS would enroll them in another mode than intended",
        "Correct the modes of the run in the LMS.",
        gettext_noop("You cannot be enrolled in this run automatically."),
    ),
    Reason.UPGRADE_DEADLINE_PASSED: Words(
        "the last day to enroll in this mode has passed",
        "Move the upgrade deadline, or advertise another run.",
        gettext_noop("The time to enroll in this run has passed."),
    ),
    Reason.NEEDS_UPGRADE: Words("they are in the audit track", "", gettext_noop("Your enrollment will be upgraded.")),
    Reason.NEEDS_ENROLLMENT: Words("they are not in the course yet", "", gettext_noop("You will be enrolled.")),
    Reason.LICENSE_NOT_IN_CATALOG: Words(
        "their license does not cover this course",
        "Assign a license of a plan whose catalog has the course.",
        gettext_noop("Your license does not cover this course."),
    ),
    Reason.LICENSE_PLAN_NOT_CURRENT: Words(
        "the plan of their license has not started, has expired or is inactive",
        "Renew or activate the plan, or assign a license of a current plan.",
        gettext_noop("The plan of your license is not current."),
    ),
    Reason.LICENSE_NOT_ACTIVATED: Words(
        "their license is not activated",
        "Ask them to open the learner portal, which activates it.",
        gettext_noop("Your license is not activated yet."),
    ),
    Reason.NO_LICENSE: Words(
        "they have no license",
        "Assign one, and check now. (If their email address changed recently, ask them to open the learner portal.)",
        gettext_noop("You have no license. Ask your administrator for one."),
    ),
    Reason.LEARNER_WITHOUT_EMAIL: Words(
        "their LMS account has no email address, by which licenses are found",
        "Add an email address to the account, and assign a license to it.",
        gettext_noop("Your account has no email address, so no license can be found."),
    ),
    Reason.LICENSE_MANAGER_UNAVAILABLE: Words(
        "license-manager did not answer",
        _ASKS_AGAIN,
        gettext_noop("Your licenses could not be looked up. We try again automatically."),
    ),
    Reason.REFUSED_BY_LMS: Words(
        "the LMS refused the enrollment without a reason",
        "Look for the learner and the run in the LMS. The service retries at growing intervals.",
        gettext_noop("The platform refused the enrollment. We try again automatically."),
    ),
    Reason.OUTCOME_UNKNOWN: Words(
        "the enrollment was sent and the LMS's answer was lost",
        "The service finds out automatically.",
        gettext_noop("Your enrollment was sent. It is not confirmed yet."),
    ),
    Reason.LMS_UNAVAILABLE: Words(
        "the LMS did not answer",
        _ASKS_AGAIN,
        gettext_noop("The platform could not be reached. We try again automatically."),
    ),
    Reason.KEPT_BACK: Words(
        "enrollments were paused, or facts had become too old",
        "The service checks again automatically, unless enrollments are paused.",
        gettext_noop("Your enrollment will be tried again."),
    ),
}


def words_of(code: str) -> Words:
    """Return the words for a reason code, also for one that only a payer knows."""
    try:
        return WORDS[Reason(code)]
    except ValueError:
        return Words(
            f"no license or budget pays for it ({code})",
            "Assign a license, or let a budget pay for it.",
            gettext_noop("No license or budget of your organization pays for this course."),
        )
