"""`manage.py seed_demonstration`: the login, customers and intentions of the demonstration; safe to repeat."""

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from enterprise_access.apps.core.models import User
from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.apps.default_enrollments.models import DefaultEnterpriseEnrollmentIntention, IntentionHealth
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import delete_intention
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, LINUX, visit

Intention = DefaultEnterpriseEnrollmentIntention

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    """Set what `make run` sets."""
    monkeypatch.setenv("DEMONSTRATION_PASSWORD", "a-password-of-the-demonstration")


def seed(*entries):
    call_command("seed_demonstration", *entries)


def test_the_login_is_made_and_may_do_everything(world):
    seed()
    user = authenticate(username="demo", password="a-password-of-the-demonstration")
    assert isinstance(user, User)
    assert user.is_superuser


def test_customers_and_intentions_are_made(world, capsys):
    seed(f"acme={DEMO},{LINUX}", "globex")
    assert set(EnterpriseCustomer.objects.values_list("slug", flat=True)) == {"acme", "globex"}
    assert set(Intention.objects.values_list("content_key", flat=True)) == {DEMO, LINUX}
    assert f"Acme Learning: {DEMO}" in capsys.readouterr().out


def test_the_first_intentions_are_checked(world):
    seed(f"acme={DEMO},{LINUX}")
    assert list(IntentionHealth.objects.values_list("is_healthy", flat=True)) == [True, True]


def test_it_may_be_repeated(world, monkeypatch):
    seed(f"acme={DEMO}")
    monkeypatch.setenv("DEMONSTRATION_PASSWORD", "another-password-entirely")
    seed(f"acme={DEMO},{LINUX}")
    assert User.objects.filter(username="demo").count() == 1
    assert authenticate(username="demo", password="another-password-entirely")
    assert Intention.objects.count() == 2


def test_what_somebody_deleted_stays_deleted(world):
    seed(f"acme={DEMO}")
    delete_intention(Intention.objects.get())
    seed(f"acme={DEMO}")
    assert Intention.objects.get().is_deleted


def test_who_visits_afterwards_is_enrolled(world):
    seed(f"acme={DEMO}")
    assert visit(ADA).realized == 1


def test_without_a_password_nothing_is_made(world, monkeypatch):
    monkeypatch.delenv("DEMONSTRATION_PASSWORD")
    with pytest.raises(CommandError, match="DEMONSTRATION_PASSWORD"):
        seed()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [("nobody=edX+DemoX", "nobody"), ("acme=NobodyX+NOTHING", "NobodyX"), ("acme=DemoX", "neither a course key")],
)
def test_what_is_wrong_is_said_in_a_sentence(world, entry, sentence):
    with pytest.raises(CommandError, match=sentence):
        seed(entry)


def test_a_silent_lms_is_said_in_a_sentence(world, simulator):
    simulator.faults.add("hang", "lms.*", times=None)
    with pytest.raises(CommandError, match="did not answer"):
        seed("acme")
