"""What course_types refuses."""

from enterprise_access.lib.errors import Conflict, Invalid, NotFound


class UnknownType(NotFound):
    """No mode, seat type, run type or course type has this slug."""

    code = "unknown_type"


class BrokenTypes(Invalid):
    """The types cannot be as they are given; the detail names every reason."""

    code = "broken_types"


class MalformedKey(Invalid):
    """What was given is not the key of a course, or of a run."""

    code = "malformed_content_key"


class UntypedContent(NotFound):
    """Nobody has said what the course or run is for."""

    code = "untyped_content"


class ImmutableType(Conflict):
    """The type means "not known yet", and stays as it is."""

    code = "immutable_type"


class SlugInUse(Conflict):
    """Others know the row by its slug."""

    code = "slug_in_use"


class TransitionRefused(Conflict):
    """The type may not be changed so; `extra` has every reason, and what would be added and vanish."""

    code = "transition_refused"


class AlreadyPublished(Conflict):
    """What was published once stays guarded."""

    code = "already_published"


class RunOfAnotherCourse(Conflict):
    """The run belongs to another course."""

    code = "run_of_another_course"


class NoDiscovery(Invalid):
    """This installation has no course-discovery to ask."""

    code = "no_discovery"
