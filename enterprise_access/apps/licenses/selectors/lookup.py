"""Which licenses learners hold."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan
from enterprise_access.lib.errors import UpstreamError
from enterprise_access.upstream import license_manager
from enterprise_access.upstream.license_manager import types
from enterprise_access.upstream.license_manager.client import LicenseManagerClient

log = logging.getLogger(__name__)

Licenses = tuple[License, ...]

# So many learners are looked up one by one before it is worth asking what the pages would cost.
FEW_LEARNERS = 5
LICENSES_PER_PAGE = 500
TAKEN = (types.ACTIVATED, types.ASSIGNED)


def fetch_licenses(*, customer_uuid: UUID, emails: Mapping[int, str | None]) -> dict[int, Licenses | None]:
    """Return the licenses of learners, given as LMS user id to e-mail. None: could not be asked for.

    A few learners are looked up one by one; many through the pages of the customer's plans, when those are fewer.
    The pages show plans that are switched on, and licenses that are not revoked: what is left out is never usable.

    license-manager looks a learner up by the e-mail that it has stored: one whose address changed may seem to have no
    license until the learner's own next visit of the portal.
    """
    client = license_manager.from_settings()
    known = {lms_user_id: email for lms_user_id, email in emails.items() if email}
    unknown: dict[int, Licenses | None] = dict.fromkeys(emails.keys() - known.keys())
    plans = _plans_worth_reading(client, customer_uuid, len(known))
    if plans is None:
        return unknown | {key: _look_up(client, customer_uuid, email) for key, email in known.items()}
    return unknown | _read_pages(client, plans, known)


def fetch_licenses_with_revoked(
    *, customer_uuid: UUID, emails: Mapping[int, str | None], renew: Callable[[], object] = bool
) -> dict[int, Licenses | None]:
    """Return the licenses of a few learners, the revoked ones, too. None: could not be asked for.

    `renew` is called after every answer.
    """
    client = license_manager.from_settings()
    found: dict[int, Licenses | None] = {}
    for lms_user_id, email in emails.items():
        found[lms_user_id] = _look_up(client, customer_uuid, email) if email else None
        renew()
    return found


def _plans_worth_reading(
    client: LicenseManagerClient, customer_uuid: UUID, learners: int
) -> Sequence[types.Plan] | None:
    """Return the customer's plans when reading all their pages takes fewer calls than asking for each learner."""
    if learners <= FEW_LEARNERS:
        return None
    try:
        plans = client.list_plans(customer_uuid=customer_uuid)
    except UpstreamError as error:
        log.warning("Plans could not be asked for. reason=%s", error.reason)
        return None
    if plans.unreadable:
        # Its licenses would be missing from the pages; asked one by one, they are unknown for their learners only.
        return None
    pages = sum(max(1, math.ceil((plan.allocated or 0) / LICENSES_PER_PAGE)) for plan in plans)
    return plans if pages < learners and all(plan.allocated is not None for plan in plans) else None


def _read_pages(
    client: LicenseManagerClient, plans: Sequence[types.Plan], emails: Mapping[int, str]
) -> dict[int, Licenses | None]:
    by_email: dict[str, list[License]] = {email.lower(): [] for email in emails.values()}
    unknown: set[str] = set()
    try:
        for plan in plans:
            rows = client.list_plan_licenses(plan_uuid=plan.uuid, statuses=TAKEN)
            unknown |= rows.unknown_among(by_email, told={(row.user_email or "").lower() for row in rows})
            for row in rows:
                holder = by_email.get((row.user_email or "").lower())
                if holder is not None:
                    holder.append(_as_license(row, plan))
    except UpstreamError as error:
        log.warning("Licenses could not be asked for. reason=%s", error.reason)
        return dict.fromkeys(emails)
    return {
        lms_user_id: None if email.lower() in unknown else tuple(by_email[email.lower()])
        for lms_user_id, email in emails.items()
    }


def _look_up(client: LicenseManagerClient, customer_uuid: UUID, email: str) -> Licenses | None:
    try:
        answer = client.list_licenses_of(customer_uuid=customer_uuid, user_email=email)
    except UpstreamError as error:
        log.warning("Licenses could not be asked for. reason=%s", error.reason)
        return None
    return tuple(_as_license(row, row.plan) for row in answer)


def _as_license(row: types.License | types.PlanLicense, plan: types.Plan) -> License:
    return License(
        uuid=row.uuid,
        status=LicenseStatus(row.status),
        revoked_at=row.revoked_at,
        plan=Plan(
            uuid=plan.uuid,
            catalog_uuid=plan.catalog_uuid,
            is_current=plan.is_current,
            is_active=plan.is_active,
            expires_at=plan.expires_at,
        ),
    )
