"""The refusals of this app."""

from enterprise_access.lib.errors import NotFound


class GroupUnknown(NotFound):
    """There is no such group, or the budget is not restricted to it."""

    code = "group_unknown"


class PageUnknown(NotFound):
    """The list of members has fewer pages."""

    code = "not_found"
