"""What moving in refuses."""

from enterprise_access.lib.errors import Invalid


class SourceUnreadable(Invalid):
    """The source is not what can be imported, or cannot be opened."""

    code = "source_unreadable"


class RowUnreadable(Exception):
    """A row of the source does not say what is needed. The text says which column, and why."""
