"""How the LMS enrolls, re-enrolls, moves to audit and lets go: platform rows and edx-enterprise rows together."""

from __future__ import annotations

from uuid import UUID

import attrs

from .store import Store
from .tables import fold
from .values import AUDIT_LIKE, LMS_MODE_ORDER, Enrollment, EnterpriseEnrollment, Link, Run, User, uuid_for


class Refused(Exception):
    """The LMS does not enroll: closed, full, by invitation only, mode missing or expired. It never says which."""


def best_mode(run: Run) -> str:
    """Return the mode the LMS picks: the first of its order that the run has, expired or not; else audit."""
    slugs = {mode.slug for mode in run.modes}
    return next((slug for slug in LMS_MODE_ORDER if slug in slugs), "audit")


def link(world: Store, *, user: User, customer_uuid: UUID, make_active: bool) -> Link:
    """Create or restore the link; saving it moves the row to the front of the default order, even if unchanged."""
    now = world.now()
    old = world.tables.links.get((customer_uuid, user.id))
    row = old or Link(
        id=len(world.tables.links) + 1,
        customer_uuid=customer_uuid,
        user_id=user.id,
        is_linked=True,
        is_active=False,
        created_at=now,
        modified_at=now,
    )
    row = attrs.evolve(row, is_linked=True, is_active=make_active or row.is_active, modified_at=now)
    for other in world.tables.links.where(user=user.id) if make_active else []:
        if other.customer_uuid != customer_uuid and other.is_active:
            world.put("other customer deselected", attrs.evolve(other, is_active=False))
    world.put("learner linked" if old is None or not old.is_linked else "link saved", row)
    return row


def enroll_in_best_mode(world: Store, *, user: User, run: Run, is_forced: bool) -> Enrollment:
    """Enroll at the platform the way the enterprise bulk call does. Raises Refused."""
    mode = best_mode(run)
    row = world.tables.enrollments.get((user.id, fold(run.key)))
    if row is not None and row.is_active and row.mode == mode:
        return row
    _check_mode(world, run=run, mode=mode)
    if row is None and not is_forced:
        _check_open(world, run=run)
    return write_enrollment(world, user_id=user.id, run_key=run.key, mode=mode, is_active=True)


def write_enrollment(world: Store, *, user_id: int, run_key: str, mode: str, is_active: bool) -> Enrollment:
    now = world.now()
    old = world.tables.enrollments.get((user_id, fold(run_key)))
    row = Enrollment(
        user_id=user_id,
        run_key=run_key,
        mode=mode,
        is_active=is_active,
        created_at=old.created_at if old else now,
        modified_at=now,
    )
    world.put(_name_of(old, row), row)
    return row


def write_enterprise_enrollment(
    world: Store,
    *,
    link: Link,
    run_key: str,
    license_uuid: UUID | None = None,
    transaction_id: UUID | None = None,
) -> EnterpriseEnrollment:
    """Create or re-open the enterprise row with its subsidy. Raises Refused when another license sits on the run."""
    now = world.now()
    old = world.tables.enterprise_enrollments.get((link.id, fold(run_key)))
    if old is not None and license_uuid is not None and old.license_uuid not in (None, license_uuid):
        raise Refused
    row = old or EnterpriseEnrollment(
        id=len(world.tables.enterprise_enrollments) + 1,
        link_id=link.id,
        run_key=run_key,
        created_at=now,
        modified_at=now,
        unenrolled=None,
        unenrolled_at=None,
        is_saved_for_later=False,
        fulfillment_uuid=None,
        license_uuid=None,
        transaction_id=None,
        is_revoked=False,
    )
    row = attrs.evolve(
        row,
        modified_at=now,
        unenrolled=None if row.unenrolled is None else False,
        unenrolled_at=None,
        is_saved_for_later=False,
        license_uuid=license_uuid or row.license_uuid,
        transaction_id=transaction_id or row.transaction_id,
    )
    if license_uuid or transaction_id:
        kind = "license" if license_uuid else "transaction"
        row = attrs.evolve(row, fulfillment_uuid=row.fulfillment_uuid or uuid_for(kind, link.id, fold(run_key)))
    world.put("enterprise enrollment written", row)
    return row


def leave(world: Store, *, row: Enrollment, delete_enterprise_row: bool = False) -> Enrollment:
    """Deactivate a platform enrollment. edx-enterprise marks its rows unenrolled and revoked, mode unchanged."""
    left = attrs.evolve(row, is_active=False, modified_at=world.now())
    world.put("learner left", left)
    for link_row in world.tables.links.where(user=row.user_id):
        enterprise = world.tables.enterprise_enrollments.get((link_row.id, fold(row.run_key)))
        if enterprise is not None and delete_enterprise_row:
            world.drop("enterprise enrollment deleted", enterprise)
        elif enterprise is not None:
            _mark_unenrolled(world, enterprise)
    return left


def revoke_licensed(world: Store, *, link: Link) -> dict[str, str]:
    """Move every licensed enrollment of the learner at the customer to audit, whatever license. Run key -> message."""
    messages = {}
    for enterprise in world.tables.enterprise_enrollments.where(link=link.id):
        if enterprise.license_uuid is None or (enterprise.is_revoked and enterprise.unenrolled_at):
            continue
        messages[enterprise.run_key] = _revoke_one(world, link=link, enterprise=enterprise)
    return messages


def _revoke_one(world: Store, *, link: Link, enterprise: EnterpriseEnrollment) -> str:
    row = world.tables.enrollments.get((link.user_id, fold(enterprise.run_key)))
    run = world.tables.runs.get(fold(enterprise.run_key))
    _mark_unenrolled(world, enterprise)
    if row is None or not row.is_active:
        return "unenrolled"
    if run is not None and any(mode.slug == "audit" for mode in run.modes):
        world.put("moved to audit", attrs.evolve(row, mode="audit", modified_at=world.now()))
        return "moved to audit"
    world.put("license revoked, no audit mode", attrs.evolve(row, is_active=False, modified_at=world.now()))
    return "unenrolled"


def _mark_unenrolled(world: Store, enterprise: EnterpriseEnrollment) -> None:
    now = world.now()
    marked = attrs.evolve(
        enterprise,
        modified_at=now,
        unenrolled=True,
        unenrolled_at=now,
        is_saved_for_later=True,
        is_revoked=enterprise.license_uuid is not None or enterprise.is_revoked,
    )
    world.put("enterprise enrollment unenrolled", marked)


def _check_mode(world: Store, *, run: Run, mode: str) -> None:
    row = next((row for row in run.modes if row.slug == mode), None)
    if row is None or (row.expires_at is not None and row.expires_at < world.now()):
        raise Refused


def _check_open(world: Store, *, run: Run) -> None:
    now = world.now()
    is_early = run.enrollment_start is not None and now < run.enrollment_start
    is_late = run.enrollment_end is not None and now > run.enrollment_end
    if is_early or is_late or run.is_full or run.is_invitation_only:
        raise Refused


def _name_of(old: Enrollment | None, new: Enrollment) -> str:
    if old is None:
        return "enrolled"
    if not old.is_active and new.is_active:
        return "enrolled again"
    return "upgraded" if old.mode in AUDIT_LIKE and new.mode not in AUDIT_LIKE else "enrollment changed"
