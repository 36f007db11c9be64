"""Can we work with every upstream service, with the rights that we need? Asked at the start, and by `check_neighbours`.

Some upstream services answer a worker account without rights as if there were nothing to see. What that would do is in
docs/reference/upstream-services; here it is found out before anybody relies on such an answer.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connections

from enterprise_access.apps.customers.services.canary import CANARY_KEY, check_canary
from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.errors import UpstreamError, UpstreamUnavailable
from enterprise_access.lib.neighbour_checks import NeighbourCheck, last_neighbour_checks, remember_checks
from enterprise_access.upstream import catalog, license_manager, lms
from enterprise_access.upstream.license_manager import creating as license_manager_creating
from enterprise_access.upstream.lms import creating as lms_creating

log = logging.getLogger(__name__)

# Belongs to no one: the upstream services answer "nothing" to a caller with rights, and refuse one without.
_NOBODY: Final = UUID("00000000-0000-4000-8000-000000000000")
# Of processes that start together, one asks for all.
_TOGETHER_SECONDS: Final = 60
_NOT_PROVISIONING: Final = "not asked: PROVISIONING_CATALOG_QUERIES is empty, so no customer can be provisioned"


def check_neighbours() -> tuple[NeighbourCheck, ...]:
    """Make a harmless call that needs our account's rights at every upstream service, and remember the outcome."""
    found = tuple(_check(name, ask) for name, ask in _CHECKS)
    remember_checks(found)
    return found


def check_neighbours_again() -> tuple[NeighbourCheck, ...]:
    """Check again if the last check found a problem: what is mended is not shown as broken for long."""
    return check_neighbours() if any(check.problem for check in last_neighbour_checks()) else ()


def check_neighbours_at_start() -> None:
    """Check in the background, and say in the log what is wrong. A start is neither delayed nor stopped by it."""
    if settings.CHECK_NEIGHBOURS_AT_START:
        threading.Thread(target=_check_and_say, name="check-neighbours", daemon=True).start()


def _check_and_say() -> None:
    started = shared_cache.address_of(kind="neighbours checked at start", version=1)
    try:
        if shared_cache.add(started, True, seconds=_TOGETHER_SECONDS) is not False:
            _say(check_neighbours())
    except Exception:
        log.exception("The neighbours could not be checked.")
    finally:
        # Of this thread: the cache may be a table.
        connections.close_all()


def _say(checks: Iterable[NeighbourCheck]) -> None:
    for check in checks:
        if check.is_unavailable:
            log.warning(
                "An upstream service could not be checked at the start. check=%s problem=%s", check.name, check.problem
            )
        elif check.problem:
            log.error(
                "We may not ask a neighbour what we have to, and nothing that depends on it will be decided until our"
                " worker account is given the right. check=%s problem=%s",
                check.name,
                check.problem,
            )


def _check(name: str, ask: Callable[[], str]) -> NeighbourCheck:
    started, problem, note, is_unavailable = time.monotonic(), "", "", False
    try:
        note = ask()
    except UpstreamError as error:
        problem = f"{error.reason.value}: {error.detail}"
        is_unavailable = isinstance(error, UpstreamUnavailable)
    return NeighbourCheck(
        name=name,
        at=clock.now(),
        took_seconds=time.monotonic() - started,
        problem=problem,
        is_unavailable=is_unavailable,
        note=note,
    )


def _look_for_canary() -> str:
    if settings.LMS_CANARY_USER_ID is None:
        return "not asked: LMS_CANARY_USER_ID names no learner"
    shared_cache.delete_many([CANARY_KEY])
    check_canary()
    return ""


def _ask_for_customer() -> str:
    lms.from_settings().get_customer(customer_uuid=_NOBODY)
    return ""


def _ask_for_enrollments() -> str:
    lms.from_settings().list_platform_enrollments(usernames=["nobody"])
    return ""


def _ask_for_catalogs() -> str:
    catalog.from_settings().list_catalogs(customer_uuid=_NOBODY)
    return ""


def _ask_for_licenses() -> str:
    license_manager.from_settings().list_licenses_of(customer_uuid=_NOBODY, user_email="nobody@example.com")
    return ""


def _ask_for_plans() -> str:
    license_manager.from_settings().list_plans(customer_uuid=_NOBODY)
    return ""


def _ask_for_pending_admins() -> str:
    if not settings.PROVISIONING_CATALOG_QUERIES:
        return _NOT_PROVISIONING
    lms_creating.from_settings().is_pending_admin(customer_uuid=_NOBODY, email="nobody@example.com")
    return ""


def _ask_for_renewals() -> str:
    if not settings.PROVISIONING_CATALOG_QUERIES:
        return _NOT_PROVISIONING
    license_manager_creating.from_settings().find_renewal(prior_plan_uuid=_NOBODY)
    return ""


_CHECKS: Final[tuple[tuple[str, Callable[[], str]], ...]] = (
    ("LMS, customers (staff)", _ask_for_customer),
    ("LMS, learners of every customer (staff)", _look_for_canary),
    ("LMS, platform enrollments (staff)", _ask_for_enrollments),
    ("enterprise-catalog, catalogs (operator)", _ask_for_catalogs),
    ("license-manager, licenses (staff)", _ask_for_licenses),
    ("license-manager, plans (operator)", _ask_for_plans),
    # Reads that need the same role as creating.
    ("LMS, provisioning (provisioning admin)", _ask_for_pending_admins),
    ("license-manager, provisioning (provisioning admin)", _ask_for_renewals),
)
