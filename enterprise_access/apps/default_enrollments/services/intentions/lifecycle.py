"""What staff intend: adding, correcting, deleting and restoring intentions."""

import time
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from enterprise_access.apps.content_metadata.selectors import Content
from enterprise_access.apps.content_metadata.services import ask_for_modes, refresh_modes
from enterprise_access.apps.customers.selectors import get_customer
from enterprise_access.apps.customers.services import fetch_customer
from enterprise_access.apps.default_enrollments.errors import IntentionDeleted, IntentionExists, KeyIsUsed
from enterprise_access.apps.default_enrollments.models import Intention, IntentionHealth
from enterprise_access.apps.default_enrollments.selectors.intentions import find_twin
from enterprise_access.apps.default_enrollments.services.intentions.describing import (
    Description,
    check_key,
    describe,
    describe_all,
    spelling_of,
)
from enterprise_access.lib import clock
from enterprise_access.lib.http import deadline
from enterprise_access.lib.keys import same_key
from enterprise_access.lib.transactions import retry_deadlocks


def add_intention(
    *, customer_uuid: UUID, content_key: str, uuid: UUID | None = None, asks_lms: bool = False
) -> tuple[Intention, Description]:
    """Add an intention, with the key in the catalog's spelling where that is known; say what it stands for.

    Raises what `check_key` raises, IntentionExists, IntentionDeleted, and for a customer that we never met
    CustomerUnknown, or UpstreamError when the LMS cannot be asked. The upstream services share one budget. The run's
    modes are fetched in the background: saving does not need them. `asks_lms`: they are asked for now, so that the
    description says what the LMS knows; for one intention at a time. `uuid`: the intention's, for a caller that has to
    recognize later what it added.
    """
    with deadline(time.monotonic() + settings.CONTENT_BUDGET_SECONDS):
        _meet(customer_uuid)
        content = check_key(customer_uuid=customer_uuid, content_key=content_key)
        _refuse_twin(customer_uuid, content_key)
        intention = Intention(customer_id=customer_uuid, content_key=spelling_of(content_key, content))
        if uuid is not None:
            intention.uuid = uuid
        try:
            _insert(intention, content)
        except IntegrityError:
            _refuse_twin(customer_uuid, content_key)
            raise
        if asks_lms and content.run is not None:
            refresh_modes(course_run_keys=[content.run.key])
    return intention, describe(intention, content)


@retry_deadlocks
def _insert(intention: Intention, content: Content) -> None:
    with transaction.atomic():
        intention.save(force_insert=True)
        _ask_for_modes(content)


def change_key(intention: Intention, *, content_key: str) -> Description:
    """Let an intention name something else, as long as no one was looked at for it. The row passed is brought up to
    date.

    Raises what `check_key` raises, KeyIsUsed, IntentionDeleted, and IntentionExists when another intention of the
    customer names the new key. The key that it has already is always taken, and changes nothing.
    """
    with deadline(time.monotonic() + settings.CONTENT_BUDGET_SECONDS):
        if same_key(intention.content_key, content_key):
            return describe_all([intention])[0]
        _refuse_change(intention)
        content = check_key(customer_uuid=intention.customer_id, content_key=content_key)
        _refuse_twin(intention.customer_id, content_key)
        try:
            _write_key(intention, spelling_of(content_key, content))
        except IntegrityError:
            _refuse_twin(intention.customer_id, content_key)
            raise
        _ask_for_modes(content)
    return describe(intention, content)


@retry_deadlocks
def _write_key(intention: Intention, content_key: str) -> None:
    """Change the key under a lock, which workers take too before they write an attempt (sending.py)."""
    with transaction.atomic():
        _lock(intention)
        _refuse_change(intention)
        intention.content_key = content_key
        intention.save()
        # What was found about the old key says nothing of the new one.
        IntentionHealth.objects.filter(pk=intention.pk).delete()


def _refuse_change(intention: Intention) -> None:
    if intention.is_deleted:
        raise IntentionDeleted("The intention is deleted; restore it first.", extra={"uuid": str(intention.pk)})
    if intention.attempts.exists() or intention.realizations.exists():
        raise KeyIsUsed(
            f"Learners were looked at for {intention.content_key} already, so this intention keeps its key. "
            "Delete it, and add another for the other key.",
            extra={"uuid": str(intention.pk)},
        )


def _meet(customer_uuid: UUID) -> None:
    """Know the customer, if need be by asking the LMS."""
    if get_customer(customer_uuid=customer_uuid) is None:
        fetch_customer(customer_uuid=customer_uuid)


def _ask_for_modes(content: Content) -> None:
    if content.run is not None:
        ask_for_modes(course_run_keys=[content.run.key])


def _refuse_twin(customer_uuid: UUID, content_key: str) -> None:
    twin = find_twin(customer_uuid=customer_uuid, content_key=content_key)
    if twin is None:
        return
    extra = {"uuid": str(twin.pk)}
    if twin.is_deleted:
        raise IntentionDeleted(
            f"An intention for {twin.content_key} was deleted; restore it instead of adding it again.", extra=extra
        )
    raise IntentionExists(f"The customer has an intention for {twin.content_key} already.", extra=extra)


@retry_deadlocks
def delete_intention(intention: Intention) -> None:
    """Delete softly: no one is enrolled for it any more, and what was realized stays. Deleting twice is deleting once.

    The row passed is brought up to date.
    """
    _lock(intention)
    if not intention.is_deleted:
        intention.deleted_at = clock.now()
        intention.save()


@retry_deadlocks
def restore_intention(intention: Intention) -> None:
    """Bring a deleted intention back; one that lives stays as it is. The row passed is brought up to date."""
    _lock(intention)
    if intention.is_deleted:
        intention.deleted_at = None
        intention.save()


def _lock(intention: Intention) -> None:
    """Read the row again and keep others from changing it, so that no change undoes another."""
    intention.refresh_from_db(from_queryset=Intention.objects.select_for_update())
