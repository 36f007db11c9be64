"""By which names recordings call the services."""

import re

_FAMILIES = (
    ("enterprise-catalog", re.compile(r"(edx-)?(enterprise-)?catalog\b")),
    ("enterprise-subsidy", re.compile(r"(edx-)?enterprise-subsidy\b")),
    ("license-manager", re.compile(r"(edx-)?license-manager\b")),
    ("lms", re.compile(r"(lms|(edx-|openedx-)?platform|edx-enterprise(?!-))\b")),
)


def service_named(name: str) -> str | None:
    """Return which of our clients speaks to the service of this name; None when none does."""
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    return next((family for family, names in _FAMILIES if names.match(plain)), None)
