"""What default_enrollments refuses."""

from enterprise_access.lib.errors import Conflict, Forbidden, Invalid, NotFound


class ContentUnknown(Invalid):
    """No catalog record anywhere answers to the key."""

    code = "content_not_found"


class IntentionExists(Conflict):
    """The customer has an intention for this key already."""

    code = "intention_exists"


class IntentionDeleted(Conflict):
    """The customer had an intention for this key, which was deleted: it is restored, not made again."""

    code = "intention_deleted"


class IntentionUnknown(NotFound):
    """There is no such intention, or the caller may not know of it."""

    code = "intention_unknown"


class MayNotRealize(Forbidden):
    """Learners ask for themselves; only operators for others."""

    code = "may_not_realize"


class MayNotRead(Forbidden):
    """The caller has no role for this customer."""

    code = "may_not_read"


class OverrideExists(Conflict):
    """There is an unused override already."""

    code = "override_exists"


class ReasonMissing(Invalid):
    """An override needs a reason."""

    code = "reason_missing"
