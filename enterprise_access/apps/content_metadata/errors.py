"""What content_metadata refuses."""

from enterprise_access.lib.errors import Invalid


class MalformedContentKey(Invalid):
    """What was given is neither a course key nor a run key."""

    code = "malformed_content_key"
