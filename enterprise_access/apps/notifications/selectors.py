"""Reads of notifications."""

from collections.abc import Collection
from uuid import UUID

from enterprise_access.apps.notifications.models import Notification as Notification


def list_of_subjects(subjects: Collection[UUID]) -> dict[UUID, list[Notification]]:
    """Return the notifications about some things, oldest first, by thing: one statement."""
    found: dict[UUID, list[Notification]] = {subject: [] for subject in subjects}
    for row in Notification.objects.filter(subject__in=list(found)).order_by("created", "pk"):
        found[row.subject].append(row)
    return found


def find_unsettled(subjects: Collection[UUID], *, kinds: Collection[str]) -> frozenset[UUID]:
    """Return the things about which a mail of one of these kinds is still to be sent."""
    rows = Notification.objects.filter(subject__in=list(subjects), kind__in=list(kinds), outcome="")
    return frozenset(rows.values_list("subject", flat=True))
