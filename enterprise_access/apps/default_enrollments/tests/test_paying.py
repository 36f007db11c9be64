"""Who pays, of licenses and of whatever comes later."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from enterprise_access.apps.default_enrollments.domain.license_payer import LicensePayer
from enterprise_access.apps.default_enrollments.domain.paying import (
    Carrier,
    NoPayer,
    Payer,
    PaymentOffer,
    Purchase,
    choose_payers,
)
from enterprise_access.apps.default_enrollments.tests.cases import CATALOG, NOON
from enterprise_access.apps.licenses.domain import License, LicenseStatus, Plan

ADA = 42
LICENSE = License(
    uuid=UUID(int=5),
    status=LicenseStatus.ACTIVATED,
    plan=Plan(uuid=UUID(int=6), catalog_uuid=CATALOG, is_current=True, is_active=True, expires_at=NOON),
)
CREDIT = PaymentOffer(kind="learner_credit", uuid=UUID(int=7), carrier=Carrier.REDEMPTION)


@frozen
class Answering:
    """A payer of another kind."""

    answer: PaymentOffer | NoPayer

    def quote(self, purchase: Purchase, *, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
        return self.answer


@frozen
class Budget:
    """A payer with a remaining value in cents; every purchase costs the same."""

    left: int
    price: int

    def quote(self, purchase: Purchase, *, offered: Sequence[PaymentOffer]) -> PaymentOffer | NoPayer:
        used = sum(offer.cents for offer in offered)
        if self.price > self.left - used:
            return NoPayer(code="not_enough_value_in_subsidy")
        return PaymentOffer(kind="learner_credit", uuid=UUID(int=7), carrier=Carrier.REDEMPTION, cents=self.price)


def purchase_of(run: str = "course-v1:X+Y+1", catalogs: Sequence[UUID] = (CATALOG,)) -> Purchase:
    return Purchase(lms_user_id=ADA, course_key="X+Y", course_run_key=run, mode="verified", catalogs=catalogs)


def choose(*payers: Payer, catalogs: Sequence[UUID] = (CATALOG,)) -> PaymentOffer | NoPayer:
    [answer] = choose_payers(payers, [purchase_of(catalogs=catalogs)])
    return answer


def test_a_license_pays():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    assert choose(payer) == PaymentOffer(kind="license", uuid=LICENSE.uuid, carrier=Carrier.LMS)


def test_no_license_does_not():
    assert choose(LicensePayer(licenses={ADA: []})) == NoPayer(code="no_license")


def test_the_license_has_to_open_the_catalog():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    assert choose(payer, catalogs=(UUID(int=8),)) == NoPayer(code="license_not_in_catalog")


@pytest.mark.parametrize("licenses", [{ADA: None}, {}])
def test_licenses_that_could_not_be_asked_for_are_unknown(licenses):
    assert choose(LicensePayer(licenses=licenses)) == NoPayer(code="license_manager_unavailable", is_unknown=True)


def test_a_learner_without_an_email_address_can_have_no_license():
    payer = LicensePayer(licenses={ADA: [LICENSE]}, without_email=frozenset({ADA}))
    assert choose(payer) == NoPayer(code="learner_without_email")


def test_every_intention_chooses_for_itself():
    payer = LicensePayer(licenses={ADA: [LICENSE]})
    one, other = choose_payers([payer], [purchase_of(), purchase_of("course-v1:X+Z+1")])
    assert one == other == PaymentOffer(kind="license", uuid=LICENSE.uuid, carrier=Carrier.LMS)


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


def test_a_budget_pays_until_its_rest_is_promised():
    answers = choose_payers([Budget(250, 100)], [purchase_of() for _ in range(4)])
    assert [isinstance(answer, PaymentOffer) for answer in answers] == [True, True, False, False]
    assert answers[2] == NoPayer(code="not_enough_value_in_subsidy")


@given(left=st.integers(0, 1000), price=st.integers(0, 300), count=st.integers(0, 20))
def test_purchases_of_one_plan_never_spend_the_same_rest_twice(left, price, count):
    answers = choose_payers([Budget(left, price)], [purchase_of() for _ in range(count)])
    paid = [answer for answer in answers if isinstance(answer, PaymentOffer)]
    assert sum(offer.cents for offer in paid) <= left
    assert len(paid) == (count if price == 0 else min(count, left // price))
