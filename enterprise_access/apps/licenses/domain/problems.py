"""What may go wrong with a learner's own licenses, in words for the log and for the learner."""

from enum import StrEnum

from attrs import frozen

from enterprise_access.lib.wording import gettext_noop


class ProblemCode(StrEnum):
    """What went wrong. Stable: kept beside a claim, and shown in the answers of the portal."""

    LICENSES_UNAVAILABLE = "licenses_unavailable"
    ACTIVATION_FAILED = "license_activation_failed"
    AUTO_APPLY_FAILED = "license_auto_apply_failed"
    NOT_CONFIRMED = "license_not_confirmed"
    IN_PROGRESS = "license_in_progress"
    NO_TIME = "license_no_time"


@frozen(kw_only=True)
class LicenseProblem:
    """One thing that went wrong. `because` is the service's failure in a word (`timeout`), where there was one.

    Both messages are safe to log: they name no one, no license and no key.
    """

    code: ProblemCode
    because: str = ""

    @property
    def developer_message(self) -> str:
        """What happened, for whoever reads the log."""
        what = _FOR_DEVELOPERS[self.code]
        return f"{what} ({self.because})." if self.because else f"{what}."

    @property
    def user_message(self) -> str:
        """What it means for the learner."""
        return _FOR_LEARNERS[self.code]


_FOR_DEVELOPERS = {
    ProblemCode.LICENSES_UNAVAILABLE: "The learner's licenses could not be read",
    ProblemCode.ACTIVATION_FAILED: "An assigned license could not be activated",
    ProblemCode.AUTO_APPLY_FAILED: "No license could be applied automatically",
    ProblemCode.NOT_CONFIRMED: "A license was activated or applied, and could not be seen afterwards",
    ProblemCode.IN_PROGRESS: "Another page load was still activating or applying a license",
    ProblemCode.NO_TIME: "No time was left for activating or applying a license",
}

_FOR_LEARNERS = {
    ProblemCode.LICENSES_UNAVAILABLE: gettext_noop(
        "We could not look up your subscription licenses. Please try again in a minute."
    ),
    ProblemCode.ACTIVATION_FAILED: gettext_noop(
        "We could not activate your subscription license. Please try again in a minute."
    ),
    ProblemCode.AUTO_APPLY_FAILED: gettext_noop(
        "We could not get you a subscription license. Please contact your administrator."
    ),
    ProblemCode.NOT_CONFIRMED: gettext_noop(
        "We could not confirm your subscription license. Please try again in a minute."
    ),
    ProblemCode.IN_PROGRESS: gettext_noop("Your subscription license is being prepared. Please try again in a minute."),
    ProblemCode.NO_TIME: gettext_noop("Your subscription license is being prepared. Please try again in a minute."),
}
