"""What default enrollments tell of a learner's past (lib/timeline.py)."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.models import (
    Outcome,
    Realization,
    RealizationAttempt,
    RealizationOverride,
)
from enterprise_access.lib.timeline import Explained


def list_past_events(customer_uuid: UUID, lms_user_id: int, limit: int) -> Iterable[Explained]:
    """Return the newest enrollments, failed attempts and overrides: three statements."""
    mine = {"lms_user_id": lms_user_id, "intention__customer_id": customer_uuid}
    realizations = Realization.objects.filter(**mine)[:limit]
    blocked = RealizationAttempt.objects.filter(outcome__in=[Outcome.BLOCKED, Outcome.IN_DOUBT], **mine)
    overrides = RealizationOverride.objects.filter(**mine).select_related("intention")[:limit]
    return [
        *(event for row in realizations for event in _of_realization(row)),
        *(_of_attempt(row) for row in blocked.select_related("intention")[:limit]),
        *(event for row in overrides for event in _of_override(row)),
    ]


def _of_realization(row: Realization) -> Iterator[Explained]:
    run = row.course_run_key
    about = {"intention": str(row.intention_id), "course_run_key": run}
    yield Explained(at=row.realized_at, kind="realized", text=_("Enrolled in %(run)s.") % {"run": run}, about=about)
    if row.downgraded_at:
        text = _("Seen in the audit track of %(run)s again.") % {"run": run}
        yield Explained(at=row.downgraded_at, kind="downgraded", text=text, about=about)
    if row.left_at:
        text = _("Seen without the enrollment in %(run)s: %(why)s") % {"run": run, "why": explain(row.left_reason).text}
        yield Explained(at=row.left_at, kind="left", text=text, reason=row.left_reason, about=about)


def _of_attempt(row: RealizationAttempt) -> Explained:
    key = row.course_run_key or row.intention.content_key
    kind, words = "not_enrolled", _("Not enrolled in %(key)s: %(why)s")
    if row.outcome == Outcome.IN_DOUBT:
        kind, words = "outcome_unknown", _("It is not known yet whether the enrollment in %(key)s was made: %(why)s")
    return Explained(
        at=row.last_seen_at,
        kind=kind,
        text=words % {"key": key, "why": explain(row.reason).text},
        reason=row.reason,
        about={"intention": str(row.intention_id), "course_run_key": row.course_run_key},
    )


def _of_override(row: RealizationOverride) -> Iterator[Explained]:
    key, about = row.intention.content_key, {"intention": str(row.intention_id), "override": str(row.pk)}

    def told(at: datetime | None, kind: str, text: str) -> Iterator[Explained]:
        if at is not None:
            yield Explained(at=at, kind=kind, text=text % {"key": key}, about=about)

    yield from told(row.created, "override_granted", _("Staff allowed one more enrollment in %(key)s."))
    yield from told(row.used_at, "override_used", _("The permission to enroll once more in %(key)s was used."))
    yield from told(row.cancelled_at, "override_cancelled", _("Staff cancelled the permission for %(key)s."))
    yield from told(
        row.withdrawn_at, "override_withdrawn", _("The permission for %(key)s ended: the learner came back without it.")
    )
