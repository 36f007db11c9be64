"""What staff did for one customer's default enrollments (lib/activity.py): a statement for each kind."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.urls import reverse
from waffle.models import Switch

from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention, RealizationOverride
from enterprise_access.apps.default_enrollments.selectors.state import PAUSE_SWITCH
from enterprise_access.jobs.models import Job
from enterprise_access.lib.activity import Done, until

INTENTION_PAGE: Final = "admin:default_enrollments_defaultenterpriseenrollmentintention_change"
OVERRIDE_PAGE: Final = "admin:default_enrollments_realizationoverride_change"
BACKFILL: Final = "default_enrollments.backfill"


def list_intention_changes(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who added, deleted and restored default enrollments."""
    rows: QuerySet[Any] = DefaultEnterpriseEnrollmentIntention.history.filter(customer_id=customer_uuid)
    newest = until(rows.select_related("history_user"), "history_date", before).order_by("-history_date", "-history_id")
    return [
        Done(
            at=row.history_date,
            what=f"{_verb(row)} the default enrollment {row.content_key}",
            key=f"{row.history_id:020}",
            who=_name(row.history_user),
            why=row.history_change_reason or "",
            url=reverse(INTENTION_PAGE, args=[row.uuid]),
        )
        for row in newest[:limit]
    ]


def _verb(row: Any) -> str:
    if row.history_type == "+":
        return "Added"
    return "Deleted" if row.deleted_at else "Restored or changed"


def list_overrides_given(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who allowed re-enrollments."""
    rows = until(_overrides(customer_uuid), "created", before).order_by("-created", "-pk")
    return [_of_override(row, row.created, "Allowed re-enrollment", _giver(row), row.reason) for row in rows[:limit]]


def _giver(row: RealizationOverride) -> str:
    return row.by if row.is_actor_verified else f"{row.by} (not verified)"


def list_overrides_cancelled(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who took such permissions back."""
    cancelled = _overrides(customer_uuid).filter(cancelled_at__isnull=False)
    rows = until(cancelled, "cancelled_at", before).order_by("-cancelled_at", "-pk")
    return [
        _of_override(row, row.cancelled_at, "Cancelled the re-enrollment", row.cancelled_by, row.cancel_reason)
        for row in rows[:limit]
        if row.cancelled_at is not None
    ]


def _overrides(customer_uuid: UUID) -> QuerySet[RealizationOverride]:
    return RealizationOverride.objects.filter(intention__customer_id=customer_uuid).select_related("intention")


def _of_override(row: RealizationOverride, at: datetime, what: str, who: str, why: str) -> Done:
    return Done(
        at=at,
        what=f"{what} of learner {row.lms_user_id} in {row.intention.content_key}",
        key=f"{row.pk:020}",
        who=who,
        why=why,
        url=reverse(OVERRIDE_PAGE, args=[row.pk]),
    )


def list_pauses_and_checks(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who paused and resumed enrollments, of this customer or of all, and who had it checked."""
    customers = ContentType.objects.get_by_natural_key("customers", "enterprisecustomer")
    switches = ContentType.objects.get_for_model(Switch)
    own = Q(content_type=customers, object_id=str(customer_uuid))
    of_all = Q(content_type=switches, object_id__in=_switch_ids())
    rows = until(LogEntry.objects.filter(own | of_all), "action_time", before).select_related("user")
    return [
        Done(
            at=row.action_time,
            what=_of_all(row.get_change_message()) if row.content_type_id == switches.pk else _first(row),
            key=f"{row.pk:020}",
            who=_name(row.user),
            why=_reason(row.get_change_message()),
        )
        for row in rows.order_by("-action_time", "-pk")[:limit]
    ]


def _switch_ids() -> list[str]:
    return [str(pk) for pk in Switch.objects.filter(name=PAUSE_SWITCH).values_list("pk", flat=True)]


def _first(row: LogEntry) -> str:
    message = row.get_change_message() or ("Added" if row.is_addition() else "Changed")
    return _of_one(message)


def _of_one(message: str) -> str:
    told = message.partition(": ")[0].rstrip(".")
    return {"Paused": "Paused enrollments", "Resumed": "Resumed enrollments"}.get(told, told)


def _of_all(message: str) -> str:
    return f"{_of_one(message)} of all customers"


def _reason(message: str) -> str:
    """Return why something was paused; the page that pauses writes it behind the word."""
    return message.removeprefix("Paused: ") if message.startswith("Paused: ") else ""


def list_backfills(customer_uuid: UUID, before: datetime | None, limit: int) -> Iterable[Done]:
    """Return who had the customer's linked learners enrolled."""
    rows = Job.objects.filter(kind=BACKFILL, parameters__customer=str(customer_uuid)).select_related("created_by")
    newest = until(rows, "created_at", before).order_by("-created_at", "-pk")
    return [
        Done(
            at=row.created_at,
            what=f"Started the job {row.title!r}",
            key=str(row.pk),
            who=_name(row.created_by),
            url=reverse("admin:jobs_job_change", args=[row.pk]),
        )
        for row in newest[:limit]
    ]


def _name(user: Any) -> str:
    return user.get_username() if user is not None else ""
