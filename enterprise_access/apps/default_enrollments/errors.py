"""What default_enrollments refuses."""

from enterprise_access.lib.csv_files import FileMalformed as FileMalformed
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


class KeyIsUsed(Conflict):
    """Somebody has been looked at for this intention, so its key stays what it is."""

    code = "key_is_used"


class RealizationUnknown(NotFound):
    """There is no such realization, or the caller may not know of it."""

    code = "realization_unknown"


class AttemptUnknown(NotFound):
    """There is no such attempt, or the caller may not know of it."""

    code = "attempt_unknown"


class MayNotRealize(Forbidden):
    """Learners ask for themselves; only operators for others."""

    code = "may_not_realize"


class MayNotOperate(Forbidden):
    """Only operators pause, override, search for customers and see the queue."""

    code = "may_not_operate"


class OverrideUnknown(NotFound):
    """There is no such override, or the caller may not know of it."""

    code = "override_unknown"


class OverrideExists(Conflict):
    """There is an active override already."""

    code = "override_exists"


class OverrideNotNeeded(Conflict):
    """The learner is not blocked by having left, or by a revoked license; the detail says what the decision is."""

    code = "override_not_needed"


class OverrideNotActive(Conflict):
    """The override was used, withdrawn or cancelled, or has expired."""

    code = "override_not_active"


class OverrideInUse(Conflict):
    """A call that the override allows was sent, and its outcome is not known yet."""

    code = "override_in_use"


class ReasonMissing(Invalid):
    """An override needs a reason."""

    code = "reason_missing"
