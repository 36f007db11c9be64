"""Which license is used, and why none can be."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from enterprise_access.apps.licenses.domain import (
    License,
    LicenseRefusal,
    LicenseStatus,
    Plan,
    SomeLicenses,
    choose_license,
)
from enterprise_access.apps.licenses.domain.usable import is_usable

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=30)
CATALOG, OTHER_CATALOG = UUID(int=1), UUID(int=2)


def make_license(number: int = 7, *, status: str = "activated", **plan: Any) -> License:
    facts = {"catalog_uuid": CATALOG, "is_current": True, "is_active": True, "expires_at": NOON, **plan}
    return License(uuid=UUID(int=number), status=LicenseStatus(status), plan=Plan(uuid=UUID(int=99), **facts))


def test_an_activated_license_of_a_current_and_active_plan_is_usable():
    assert is_usable(make_license())


@pytest.mark.parametrize("status", ["assigned", "revoked", "unassigned", "something new"])
def test_only_an_activated_license_is_usable(status):
    assert not is_usable(make_license(status=status))


def test_a_license_of_a_plan_that_is_not_current_is_not_usable():
    assert not is_usable(make_license(is_current=False))


def test_a_license_of_a_plan_that_is_not_active_is_not_usable():
    assert not is_usable(make_license(is_active=False))


def test_the_plan_says_whether_it_is_current_not_its_expiration():
    assert is_usable(make_license(expires_at=NOON - timedelta(days=3)))


def test_an_unheard_of_status_is_unknown():
    assert LicenseStatus("something new") is LicenseStatus.UNKNOWN


def test_a_usable_license_of_an_applicable_catalog_is_chosen():
    assert choose_license([make_license()], catalogs=[OTHER_CATALOG, CATALOG]) == make_license()


def test_of_several_the_latest_plan_expiration_wins():
    early, late = make_license(1, expires_at=NOON), make_license(2, expires_at=LATER)
    assert choose_license([early, late], catalogs=[CATALOG]) == late
    assert choose_license([late, early], catalogs=[CATALOG]) == late


def test_a_plan_without_an_end_outlasts_the_others():
    endless, late = make_license(9, expires_at=None), make_license(1, expires_at=LATER)
    assert choose_license([late, endless], catalogs=[CATALOG]) == endless


def test_of_equal_expirations_the_smallest_uuid_wins_in_any_order():
    licenses = [make_license(number, expires_at=NOON) for number in (3, 1, 2)]
    for order in permutations(licenses):
        assert choose_license(order, catalogs=[CATALOG]) == licenses[1]


def test_the_same_instant_in_another_time_zone_is_equal():
    elsewhere = NOON.astimezone(tz=datetime.strptime("+0530", "%z").tzinfo)
    first, second = make_license(1, expires_at=NOON), make_license(2, expires_at=elsewhere)
    assert choose_license([second, first], catalogs=[CATALOG]) == first


def test_a_longer_plan_of_another_catalog_does_not_win():
    fitting, longer = make_license(1), make_license(2, catalog_uuid=OTHER_CATALOG, expires_at=LATER)
    assert choose_license([longer, fitting], catalogs=[CATALOG]) == fitting


def test_a_usable_license_of_another_catalog_is_not_in_catalog():
    assert choose_license([make_license()], catalogs=[OTHER_CATALOG]) is LicenseRefusal.LICENSE_NOT_IN_CATALOG


def test_a_plan_without_a_catalog_is_in_no_catalog():
    licenses = [make_license(catalog_uuid=None)]
    assert choose_license(licenses, catalogs=[CATALOG]) is LicenseRefusal.LICENSE_NOT_IN_CATALOG


def test_without_applicable_catalogs_nothing_is_in_catalog():
    assert choose_license([make_license()], catalogs=[]) is LicenseRefusal.LICENSE_NOT_IN_CATALOG


@pytest.mark.parametrize("plan", [{"is_current": False}, {"is_active": False}])
def test_an_activated_license_of_a_bad_plan_is_not_current(plan):
    licenses = [make_license(**plan)]
    assert choose_license(licenses, catalogs=[CATALOG]) is LicenseRefusal.LICENSE_PLAN_NOT_CURRENT


def test_an_assigned_license_is_not_activated_whatever_its_plan():
    licenses = [make_license(status="assigned", is_current=False, catalog_uuid=None)]
    assert choose_license(licenses, catalogs=[CATALOG]) is LicenseRefusal.LICENSE_NOT_ACTIVATED


@pytest.mark.parametrize("licenses", [[], [make_license(status="revoked")], [make_license(status="something new")]])
def test_otherwise_there_is_no_license(licenses):
    assert choose_license(licenses, catalogs=[CATALOG]) is LicenseRefusal.NO_LICENSE


def test_the_refusals_come_in_this_order():
    usable_elsewhere = make_license(1, catalog_uuid=OTHER_CATALOG)
    not_current = make_license(2, is_current=False)
    assigned = make_license(3, status="assigned")
    revoked = make_license(4, status="revoked")
    licenses = [revoked, assigned, not_current, usable_elsewhere]
    refusals = [choose_license(licenses[:count], catalogs=[CATALOG]) for count in (4, 3, 2, 1)]
    assert refusals == [
        LicenseRefusal.LICENSE_NOT_IN_CATALOG,
        LicenseRefusal.LICENSE_PLAN_NOT_CURRENT,
        LicenseRefusal.LICENSE_NOT_ACTIVATED,
        LicenseRefusal.NO_LICENSE,
    ]


def test_licenses_that_could_not_be_asked_for_are_not_no_license():
    assert choose_license(None, catalogs=[CATALOG]) is LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE


def test_of_licenses_that_are_known_in_part_a_good_one_counts_and_its_absence_says_nothing():
    assert choose_license(SomeLicenses([make_license()]), catalogs=[CATALOG]) == make_license()
    for known in ([], [make_license(status="assigned")], [make_license(catalog_uuid=OTHER_CATALOG)]):
        refused = choose_license(SomeLicenses(known), catalogs=[CATALOG])
        assert refused is LicenseRefusal.LICENSE_MANAGER_UNAVAILABLE
