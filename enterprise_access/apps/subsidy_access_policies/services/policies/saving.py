"""Writing a budget: with its history, and the event that tells of it, in one transaction."""

from datetime import datetime
from typing import Any

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services.announcing import POLICY_SIGNALS, Change, policy_event
from enterprise_access.events.services import publish


@frozen(kw_only=True)
class By:
    """Who changes a budget, and why. `user` None: a command or a worker."""

    user: Any = None
    reason: str = ""


def save_policy(policy: SubsidyAccessPolicy, *, change: Change, by: By, now: datetime) -> None:
    """Save a budget, and announce it. To be called in a transaction."""
    is_known = getattr(by.user, "pk", None) is not None
    policy._history_user = by.user if is_known else None  # type: ignore[attr-defined]
    # The column takes 100 characters.
    policy._change_reason = by.reason[:100] or None  # type: ignore[attr-defined]
    policy.save()
    publish(policy_event(POLICY_SIGNALS[change], policy, now=now))
