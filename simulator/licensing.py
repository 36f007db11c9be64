"""What license-manager does with licenses: assign, activate, apply automatically, revoke, refresh addresses."""

from __future__ import annotations

from uuid import UUID

import attrs

from . import enrolling
from .store import Store
from .tables import fold
from .values import Agreement, License, LicenseStatus, Plan, User, uuid_for

HELD = (LicenseStatus.ASSIGNED, LicenseStatus.ACTIVATED)


class NotPossible(Exception):
    """A refusal whose text license-manager sends with a 422."""


class NoLicenseLeft(Exception):
    """The plan has no free license."""


def licenses_of(world: Store, *, email: str, user_id: int | None) -> list[License]:
    """Return the licenses stored under the address or under the LMS user id, each once."""
    rows = {row.uuid: row for row in world.tables.licenses.where(email=fold(email))}
    if user_id is not None:
        rows |= {row.uuid: row for row in world.tables.licenses.where(user=user_id)}
    return list(rows.values())


def refresh_address(world: Store, *, email: str, user_id: int) -> None:
    """Rewrite stale addresses on the licenses of this LMS user: a side effect of reading own licenses."""
    for row in world.tables.licenses.where(user=user_id):
        if fold(row.user_email or "") != fold(email):
            world.put("license address refreshed", attrs.evolve(row, user_email=email))


def add_free_license(world: Store, *, plan_uuid: UUID) -> License:
    row = License(
        uuid=uuid_for("license", plan_uuid, world.tables.licenses.count(plan=plan_uuid)),
        plan_uuid=plan_uuid,
        status=LicenseStatus.UNASSIGNED,
    )
    world.put("license added", row)
    return row


def add_license(world: Store, *, plan_uuid: UUID, user: User, status: LicenseStatus, uuid: UUID | None) -> License:
    now = world.now()
    row_uuid = uuid or uuid_for("license", plan_uuid, world.tables.licenses.count(plan=plan_uuid))
    was_activated = status in (LicenseStatus.ACTIVATED, LicenseStatus.REVOKED)
    row = License(
        uuid=row_uuid,
        plan_uuid=plan_uuid,
        status=status,
        user_email=user.email,
        user_id=user.id if was_activated else None,
        activation_key=uuid_for("key", row_uuid),
        assigned_at=now,
        activated_at=now if was_activated else None,
        reminded_at=now,
        revoked_at=now if status is LicenseStatus.REVOKED else None,
    )
    world.put(f"license {status}", row)
    return row


def assign(world: Store, *, plan_uuid: UUID, email: str) -> License:
    """Give a free license to the address; who already holds one in that plan keeps it. Raises NoLicenseLeft."""
    for row in world.tables.licenses.where(email=fold(email)):
        if row.plan_uuid == plan_uuid and row.status in HELD:
            return row
    free, now = _free_license(world, plan_uuid=plan_uuid), world.now()
    assigned = attrs.evolve(
        free,
        status=LicenseStatus.ASSIGNED,
        user_email=fold(email),
        activation_key=uuid_for("key", free.uuid),
        assigned_at=now,
        reminded_at=now,
    )
    world.put("license assigned", assigned)
    return assigned


def assign_all(world: Store, *, plan_uuid: UUID, emails: list[str]) -> tuple[list[License] | None, int]:
    """Give free licenses to those addresses that hold none in the plan, or to none of them where there are too few.

    Return the licenses that were given (None: too few), and how many addresses hold one already.
    """
    held = {fold(row.user_email or "") for row in world.tables.licenses.where(plan=plan_uuid) if row.status in HELD}
    wanted = list(dict.fromkeys(map(fold, emails)))
    new = [email for email in wanted if email not in held]
    free = len(world.tables.licenses.where(plan_status=(plan_uuid, LicenseStatus.UNASSIGNED)))
    if len(new) > free:
        return None, len(wanted) - len(new)
    return [assign(world, plan_uuid=plan_uuid, email=email) for email in new], len(wanted) - len(new)


def activate(world: Store, *, row: License, user: User) -> License:
    """Activate for `user`; an activated license is returned as it is. Raises NotPossible for a revoked one."""
    if row.status is LicenseStatus.REVOKED:
        raise NotPossible(
            f"Action: activation failed for license: {row.uuid} because: Cannot activate a revoked license."
        )
    if row.status is LicenseStatus.ACTIVATED:
        return row
    activated = attrs.evolve(
        row, status=LicenseStatus.ACTIVATED, user_id=user.id, user_email=user.email, activated_at=world.now()
    )
    world.put("license activated", activated)
    return activated


def auto_apply(world: Store, *, agreement: Agreement, user: User) -> License:
    """Give the learner a license of the auto-apply plan, or the one already held there. Raises NotPossible."""
    plan = auto_apply_plan(world, agreement)
    if plan is None:
        raise NotPossible(_refusal("License was unable to be automatically applied."))
    mine = [row for row in licenses_of(world, email=user.email, user_id=user.id) if row.plan_uuid == plan.uuid]
    if held := next((row for row in mine if row.status in HELD), None):
        return held
    if mine:
        raise NotPossible(_refusal("You are not eligible for an auto-applied license."))
    try:
        row = _license_to_apply(world, plan)
    except NoLicenseLeft:
        raise NotPossible(_refusal("There are no licenses remaining in your organization.")) from None
    now = world.now()
    applied = attrs.evolve(
        row,
        status=LicenseStatus.ACTIVATED,
        user_email=user.email,
        user_id=user.id,
        activation_key=row.activation_key or uuid_for("key", row.uuid),
        assigned_at=now,
        activated_at=now,
        reminded_at=now,
    )
    world.put("license auto-applied", applied)
    return applied


def auto_apply_plan(world: Store, agreement: Agreement) -> Plan | None:
    """Return the current, active plan of the agreement that applies licenses by itself."""
    now = world.now()
    plans = world.tables.plans.where(agreement=agreement.uuid)
    return next((plan for plan in plans if plan.auto_applies and plan.is_active and plan.is_current(now)), None)


def revoke(world: Store, *, row: License) -> License:
    """Revoke for good, and add a free license. For an activated one the LMS is told: it moves the learner to audit."""
    revoked = attrs.evolve(row, status=LicenseStatus.REVOKED, revoked_at=world.now())
    world.put("license revoked", revoked)
    add_free_license(world, plan_uuid=row.plan_uuid)
    if row.status is LicenseStatus.ACTIVATED and row.user_id is not None:
        plan = world.tables.plans.get(row.plan_uuid)
        link = world.tables.links.get((plan.customer_uuid, row.user_id)) if plan else None
        if link is not None:
            enrolling.revoke_licensed(world, link=link)
    return revoked


def _license_to_apply(world: Store, plan: Plan) -> License:
    """Return a free license; while collisions are switched on, the one that somebody else was given just before."""
    if world.quirks.auto_apply_collisions > 0:
        taken = [row for row in world.tables.licenses.where(plan=plan.uuid) if row.status is LicenseStatus.ACTIVATED]
        if taken:
            world.quirks.auto_apply_collisions -= 1
            return max(taken, key=lambda row: (row.assigned_at, row.uuid))
    return _free_license(world, plan_uuid=plan.uuid)


def _free_license(world: Store, *, plan_uuid: UUID) -> License:
    row = world.tables.licenses.first(plan_status=(plan_uuid, LicenseStatus.UNASSIGNED))
    if row is None:
        raise NoLicenseLeft
    return row


def _refusal(sentence: str) -> str:
    return f"{sentence} Please contact your administrator for further assistance."
