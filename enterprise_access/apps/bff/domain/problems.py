"""What a page says of what it could not load.

The portal writes these sentences into logs, so nothing in them may name a person.
"""

from attrs import frozen

from enterprise_access.lib.wording import gettext_noop


@frozen
class Problem:
    """One thing that went wrong: for developers, and for the learner."""

    developer_message: str
    user_message: str


@frozen
class Section:
    """A part of the page that can fail by itself."""

    name: str
    user_message: str

    def failed(self, why: str) -> Problem:
        """Return the problem that this part could not be loaded. `why` is a stable code, not the service's text."""
        return Problem(f"{self.name} could not be loaded: {why}", self.user_message)


CUSTOMERS = Section(
    "The learner's customers", gettext_noop("We could not load your organization completely. Try again in a moment.")
)
SEARCH_KEY = Section("The search key", gettext_noop("Search is not available at the moment."))
LICENSES = Section(
    "The learner's licenses", gettext_noop("We could not load your subscriptions. Try again in a moment.")
)
ENROLLMENTS = Section(
    "The learner's enrollments", gettext_noop("We could not load your courses. Try again in a moment.")
)
REQUESTABLE_CREDIT = Section(
    "Whether courses can be requested",
    gettext_noop("We could not find out whether you can request courses. Try again in a moment."),
)
STATUS = Section(
    "The status of default enrollments", gettext_noop("We could not load the courses that everyone here starts with.")
)
REALIZATION = Section(
    "The realization of default enrollments", gettext_noop("We could not ask for the courses everyone starts with.")
)

NO_CUSTOMER = Problem(
    "There is no customer to show to this learner.", gettext_noop("We could not find your organization.")
)


def portal_is_off(customer_slug: str) -> Problem:
    """Return the warning that a customer was left out because it does not use the learner portal."""
    return Problem(
        f"The learner portal is switched off for the customer {customer_slug}.",
        gettext_noop("Your organization does not use the learner portal."),
    )
