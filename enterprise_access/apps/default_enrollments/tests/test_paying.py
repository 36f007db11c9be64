"""Who pays, of licenses and of whatever comes later."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from attrs import frozen

from enterprise_access.apps.default_enrollments.domain.license_payer import LicensePayer
from enterprise_access.apps.default_enrollments.domain.paying import NoPayer, Payer, Payment, choose_payer
from enterprise_access.apps.default_enrollments.tests.cases import CATALOG, NOON
from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan

ADA = 42
LICENSE = License(
    uuid=UUID(int=5),
    status=LicenseStatus.ACTIVATED,
    plan=Plan(uuid=UUID(int=6), catalog_uuid=CATALOG, is_current=True, is_active=True, expires_at=NOON),
)
CREDIT = Payment(kind="learner_credit", uuid=UUID(int=7))


@frozen
class Answering:
    """A payer of another kind."""

    answer: Payment | NoPayer

    def pay(self, *, lms_user_id: int, catalogs: Sequence[UUID]) -> Payment | NoPayer:
        return self.answer


def choose(*payers: Payer, catalogs: Sequence[UUID] = (CATALOG,)) -> Payment | NoPayer:
    return choose_payer(payers, lms_user_id=ADA, catalogs=catalogs)


def test_a_license_pays():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    assert choose(payer) == Payment(kind="license", uuid=LICENSE.uuid)


def test_no_license_does_not():
    assert choose(LicensePayer(licenses={ADA: []})) == NoPayer(code="no_license")


def test_the_license_has_to_open_the_catalog():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    assert choose(payer, catalogs=(UUID(int=8),)) == NoPayer(code="license_not_in_catalog")


@pytest.mark.parametrize("licenses", [{ADA: None}, {}])
def test_licenses_that_could_not_be_asked_for_are_unknown(licenses):
    assert choose(LicensePayer(licenses=licenses)) == NoPayer(code="license_manager_unavailable", is_unknown=True)


def test_every_intention_chooses_for_itself():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    assert choose(payer) == choose(payer)


def test_another_payer_may_pay_when_the_first_does_not():
    assert choose(LicensePayer(licenses={ADA: []}), Answering(CREDIT)) == CREDIT


def test_the_first_that_can_pay_pays():
    assert choose(Answering(CREDIT), LicensePayer(licenses={ADA: [LICENSE]})) == CREDIT


def test_a_payer_that_could_not_be_asked_is_not_passed_over():
    answer = choose(LicensePayer(licenses={ADA: None}), Answering(CREDIT))
    assert answer == NoPayer(code="license_manager_unavailable", is_unknown=True)


def test_when_all_refuse_the_first_refusal_is_told():
    refusal = NoPayer(code="budget_used_up")
    assert choose(LicensePayer(licenses={ADA: []}), Answering(refusal)) == NoPayer(code="no_license")
    assert choose(Answering(refusal), LicensePayer(licenses={ADA: []})) == refusal


def test_a_later_payer_that_could_not_be_asked_is_not_a_refusal():
    unknown = NoPayer(code="subsidy_unavailable", is_unknown=True)
    assert choose(LicensePayer(licenses={ADA: []}), Answering(unknown)) == unknown


def test_without_payers_there_is_nothing_to_choose_from():
    with pytest.raises(ValueError, match=r"^There has to be a payer to choose from\.$"):
        choose()
