"""What the learner portal's pages refuse. (A failing upstream service is no refusal: the page says what is missing.)"""

from enterprise_access.lib.errors import Forbidden, Invalid


class CustomerNotNamed(Invalid):
    """The request names no customer."""

    code = "customer_not_named"


class MayNotSeePage(Forbidden):
    """The caller has no role for the customer, or it is not known which customer is meant."""

    code = "may_not_see_page"
