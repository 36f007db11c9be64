"""What staff intend: adding, deleting and restoring intentions."""

from uuid import UUID

from attrs import frozen
from django.db import IntegrityError, transaction
from django.utils import timezone

from enterprise_access.apps.content_metadata.domain import (
    Resolution,
    Resolved,
    Unresolved,
    UnresolvedReason,
    content_type_of,
)
from enterprise_access.apps.content_metadata.selectors import Content, fetch_content
from enterprise_access.apps.content_metadata.services import refresh_modes
from enterprise_access.apps.default_enrollments.domain.reasons import explain
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.errors import ContentUnknown, IntentionDeleted, IntentionExists
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention
from enterprise_access.lib.keys import fold

Intention = DefaultEnterpriseEnrollmentIntention


@frozen(kw_only=True)
class Checked:
    """What a key stands for, as staff are told before and after saving. `warnings` are sentences for people."""

    content_key: str
    content: Content
    warnings: tuple[str, ...]

    @property
    def resolution(self) -> Resolution:
        """The run, or why there is none."""
        return self.content.resolution


def check_key(*, customer_uuid: UUID, content_key: str) -> Checked:
    """Say what a key would stand for. Nothing is saved.

    Raises MalformedContentKey, and ContentUnknown for a key that no catalog record anywhere answers to. Whatever
    else is wrong may be right tomorrow (catalogs replicate late), and is a warning.
    """
    content_key = content_key.strip()
    content_type_of(content_key)
    content = fetch_content(customer_uuid=customer_uuid, content_keys=[content_key])[fold(content_key)]
    if _is_unknown(content.resolution):
        raise ContentUnknown(f"No course or run with the key {content_key!r} is known. Check the spelling.")
    return Checked(content_key=content_key, content=content, warnings=_warnings(content))


def _is_unknown(resolution: Resolution) -> bool:
    return isinstance(resolution, Unresolved) and resolution.reason is UnresolvedReason.CONTENT_NOT_FOUND


def _warnings(content: Content) -> tuple[str, ...]:
    if isinstance(content.resolution, Unresolved):
        return (explain(content.resolution.reason).text,)
    return () if content.catalogs else (explain(Reason.NOT_IN_CUSTOMER_CATALOGS).text,)


def add_intention(*, customer_uuid: UUID, content_key: str) -> tuple[Intention, Checked]:
    """Add an intention, with the key in the catalog's spelling where that is known.

    Raises what `check_key` raises, IntentionExists and IntentionDeleted.
    """
    checked = check_key(customer_uuid=customer_uuid, content_key=content_key)
    _refuse_twin(customer_uuid, content_key)
    intention = Intention(customer_id=customer_uuid, content_key=_spelling(checked))
    try:
        with transaction.atomic():
            intention.save(force_insert=True)
    except IntegrityError:
        _refuse_twin(customer_uuid, content_key)
        raise
    if isinstance(checked.resolution, Resolved):
        refresh_modes(course_run_keys=[checked.resolution.run.key])
    return intention, checked


def _spelling(checked: Checked) -> str:
    resolution = checked.resolution
    if not isinstance(resolution, Resolved):
        return checked.content_key
    known = (resolution.course.key, resolution.run.key)
    return next((key for key in known if fold(key) == fold(checked.content_key)), checked.content_key)


def _refuse_twin(customer_uuid: UUID, content_key: str) -> None:
    twin = Intention.objects.of_customer(customer_uuid).filter(content_key_folded=fold(content_key)).first()
    if twin is None:
        return
    extra = {"uuid": str(twin.pk)}
    if twin.is_deleted:
        raise IntentionDeleted(
            f"An intention for {twin.content_key} was deleted; restore it instead of adding it again.", extra=extra
        )
    raise IntentionExists(f"The customer has an intention for {twin.content_key} already.", extra=extra)


def delete_intention(intention: Intention) -> None:
    """Delete softly: nobody is enrolled for it any more, and what was realized stays."""
    intention.deleted_at = timezone.now()
    intention.save()


def restore_intention(intention: Intention) -> None:
    """Bring a deleted intention back."""
    intention.deleted_at = None
    intention.save()
