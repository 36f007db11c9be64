"""What notifications refuse."""

from enterprise_access.lib.errors import Conflict, NotFound


class NotificationUnknown(NotFound):
    """There is no such notification."""

    code = "notification_unknown"


class NotificationSettled(Conflict):
    """The mail was sent, or is on its way."""

    code = "notification_settled"
