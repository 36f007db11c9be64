"""What customers refuses."""

from enterprise_access.lib.errors import Invalid, NotFound


class CustomerUnknown(NotFound):
    """The LMS knows no such customer, it is switched off there, or the caller may not know of it."""

    code = "customer_unknown"


class LearnerNotAssociated(Invalid):
    """The learner is not linked to the customer. (The LMS itself answers 400 here, and clients know it so.)"""

    code = "learner_not_linked"


class NotALearner(Invalid):
    """The text can be neither an LMS user id, nor a username, nor an email address."""

    code = "not_a_learner"
