"""`manage.py explain_default_enrollments`: how it reads."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, intend
from simulator.seed import ACME

pytestmark = pytest.mark.django_db


def test_it_names_the_customer_as_people_do_and_every_time_in_utc(world):
    intend(DEMO)
    out = StringIO()
    call_command("explain_default_enrollments", "acme", str(ADA), stdout=out)
    first, *rest = out.getvalue().splitlines()
    assert first == f"Learner {ADA} of Acme Learning (acme), {ACME}"
    times = [line for line in rest if "as of" in line]
    assert len(times) >= 3
    assert all(re.search(r"as of \d{4}-\d\d-\d\d \d\d:\d\d UTC$", line) for line in times)


@pytest.mark.parametrize("who", ["ada", "ADA@example.com"])
def test_a_learner_is_given_by_username_or_address(world, who):
    intend(DEMO)
    out = StringIO()
    call_command("explain_default_enrollments", "acme", who, stdout=out)
    assert out.getvalue().startswith(f"Learner {ADA} of Acme Learning")
    assert "@" not in out.getvalue()


def test_a_learner_whom_the_customer_does_not_have_is_said(world):
    intend(DEMO)
    with pytest.raises(CommandError, match="no such learner of this customer"):
        call_command("explain_default_enrollments", "acme", "nobody-like-this")
