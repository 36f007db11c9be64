"""Which licenses learners hold, asked at a pace that all processes share.

license-manager allows our account 18 calls a second and 360 a minute. Learners of a backlog leave some turns to those
who come one by one, so that no customer's learners use up what another's need.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.conf import settings

from enterprise_access.apps.customers.services.pace import Pace
from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan, SomeLicenses
from enterprise_access.lib.errors import UpstreamError, UpstreamReason, UpstreamUnavailable
from enterprise_access.lib.http.deadline import earliest
from enterprise_access.upstream import license_manager
from enterprise_access.upstream.license_manager import types
from enterprise_access.upstream.license_manager.client import LicenseManagerClient

log = logging.getLogger(__name__)

Licenses = tuple[License, ...]

# So many learners are looked up one by one before it is worth asking what the pages would cost.
FEW_LEARNERS = 5
LICENSES_PER_PAGE = 500
# So many calls, each within its own limit, end before a lease does.
LOOKUPS_PER_RENEWAL = 5
# So many calls may follow each other at once, after a quiet time. With those of a second they are 13 of 18: calls that
# took their turns one after the other may arrive together.
CALLS_AT_ONCE: Final = 8
# How many of these a round for many learners leaves to those for a few.
LEFT_TO_FEW: Final = 5
# A call waits so long for its turn, and looks so often whether there is one.
PATIENCE_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.1
TAKEN = (types.ACTIVATED, types.ASSIGNED)


def fetch_licenses(
    *, customer_uuid: UUID, emails: Mapping[int, str | None], renew: Callable[[], object] = bool
) -> dict[int, Licenses | None]:
    """Return the licenses of learners, given as LMS user id to e-mail. None: could not be read, or read.

    Where some of a learner's licenses cannot be read, those that can are SomeLicenses.

    A few learners are looked up one by one; many through the pages of the customer's plans, when those are fewer.
    The pages show plans that are switched on, and licenses that are not revoked: what is left out is never usable.

    license-manager looks a learner up by the e-mail that it has stored: one whose address changed may seem to have no
    license until the learner's own next visit of the portal. `renew` is called after every few answers.
    """
    client = license_manager.from_settings()
    known = {lms_user_id: email for lms_user_id, email in emails.items() if email}
    unknown: dict[int, Licenses | None] = dict.fromkeys(emails.keys() - known.keys())
    plans = _plans_worth_reading(client, customer_uuid, len(known))
    if plans is None:
        return unknown | _look_up_all(client, customer_uuid, known, renew)
    found = _read_pages(client, plans, known, renew)
    if found is None:
        return unknown | dict.fromkeys(known)
    # One row can make a page unreadable. Whom the other pages do not tell of is requested alone.
    rest = {lms_user_id: known[lms_user_id] for lms_user_id, licenses in found.items() if licenses is None}
    return unknown | found | _look_up_all(client, customer_uuid, rest, renew)


def fetch_licenses_with_revoked(
    *, customer_uuid: UUID, emails: Mapping[int, str | None], renew: Callable[[], object] = bool
) -> dict[int, Licenses | None]:
    """Return all licenses of a few learners, the revoked ones, too. None: not all of them could be read.

    `renew` is called after every few answers.
    """
    known = {lms_user_id: email for lms_user_id, email in emails.items() if email}
    found = _look_up_all(license_manager.from_settings(), customer_uuid, known, renew)
    whole = {key: None if isinstance(licenses, SomeLicenses) else licenses for key, licenses in found.items()}
    return dict.fromkeys(emails) | whole


def _plans_worth_reading(
    client: LicenseManagerClient, customer_uuid: UUID, learners: int
) -> Sequence[types.PlanRecord] | None:
    """Return the customer's plans when reading all their pages takes fewer calls than asking for each learner."""
    if learners <= FEW_LEARNERS:
        return None
    try:
        _take_turn(LEFT_TO_FEW)
        plans = client.list_plans(customer_uuid=customer_uuid)
    except UpstreamError as error:
        _heed(error)
        log.warning("Plans could not be read. reason=%s", error.reason)
        return None
    if plans.unreadable:
        # Its licenses would be missing from the pages; asked one by one, they are unknown for their learners only.
        return None
    pages = sum(max(1, math.ceil((plan.allocated or 0) / LICENSES_PER_PAGE)) for plan in plans)
    return plans if pages < learners and all(plan.allocated is not None for plan in plans) else None


def _read_pages(
    client: LicenseManagerClient,
    plans: Sequence[types.PlanRecord],
    emails: Mapping[int, str],
    renew: Callable[[], object],
) -> dict[int, Licenses | None] | None:
    """Return the licenses that the pages tell of, and None for those who may have others; None when no one answers."""
    by_email: dict[str, list[License]] = {email.lower(): [] for email in emails.values()}
    unknown: set[str] = set()

    def before_page() -> None:
        _take_turn(LEFT_TO_FEW)
        renew()

    for plan in plans:
        try:
            rows = client.list_plan_licenses(plan_uuid=plan.uuid, statuses=TAKEN, before_page=before_page)
        except UpstreamError as error:
            _heed(error)
            log.warning("Licenses of a plan could not be read. plan=%s reason=%s", plan.uuid, error.reason)
            if not error.may_be_one_row:
                return None
            unknown |= by_email.keys()
            continue
        unknown |= rows.unknown_among(by_email, told={(row.user_email or "").lower() for row in rows})
        for row in rows:
            holder = by_email.get((row.user_email or "").lower())
            if holder is not None:
                holder.append(_as_license(row, plan))
    return {
        lms_user_id: _known(by_email[email.lower()], is_complete=email.lower() not in unknown)
        for lms_user_id, email in emails.items()
    }


def _look_up_all(
    client: LicenseManagerClient, customer_uuid: UUID, emails: Mapping[int, str], renew: Callable[[], object]
) -> dict[int, Licenses | None]:
    found: dict[int, Licenses | None] = {}
    leave = 0 if len(emails) <= FEW_LEARNERS else LEFT_TO_FEW
    for lms_user_id, email in emails.items():
        try:
            _take_turn(leave)
        except UpstreamUnavailable as error:
            log.warning("Licenses were not read. reason=%s", error.reason)
            return found | dict.fromkeys(emails.keys() - found.keys())
        found[lms_user_id] = _look_up(client, customer_uuid, email)
        if len(found) % LOOKUPS_PER_RENEWAL == 0:
            renew()
    return found


def _look_up(client: LicenseManagerClient, customer_uuid: UUID, email: str) -> Licenses | None:
    try:
        answer = client.list_licenses_of(customer_uuid=customer_uuid, user_email=email)
    except UpstreamError as error:
        _heed(error)
        log.warning("Licenses could not be read. reason=%s", error.reason)
        return None
    return _known([_as_license(row, row.plan) for row in answer], is_complete=not answer.unreadable)


def _take_turn(leave: int) -> None:
    """Take a turn of the shared pace, after a wait if need be.

    Raises UpstreamUnavailable when there is none in time.
    """
    ends_at = earliest(time.monotonic() + PATIENCE_SECONDS)
    while not _pace().take(leave=leave):
        left = ends_at - time.monotonic()
        if left <= 0:
            raise UpstreamUnavailable(
                "license-manager was not asked: the rate of calls is used up.",
                service="license-manager",
                reason=UpstreamReason.THROTTLED,
                retry_after_seconds=1,
            )
        time.sleep(min(PAUSE_SECONDS, left))


def _heed(error: UpstreamError) -> None:
    """Let no process call before the time that license-manager has named."""
    if (
        isinstance(error, UpstreamUnavailable)
        and error.reason is UpstreamReason.THROTTLED
        and error.retry_after_seconds
    ):
        _pace().pause(seconds=error.retry_after_seconds)


def _pace() -> Pace:
    return Pace(name="licenses", per_minute=settings.LICENSE_READS_PER_MINUTE, burst=CALLS_AT_ONCE)


def _known(licenses: Sequence[License], *, is_complete: bool) -> Licenses | None:
    if is_complete:
        return tuple(licenses)
    return SomeLicenses(licenses) if licenses else None


def _as_license(row: types.LicenseRecord | types.PlanLicense, plan: types.PlanRecord) -> License:
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
