"""`manage.py validate_default_enrollment_intentions`: what it says, and what its exit code means."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.tests.stories import DEMO, DEMO_RUN, intend
from simulator.faults import FaultKind
from simulator.seed import ACME, HOOLI

pytestmark = pytest.mark.django_db

CLOSED = "BerkeleyX+CS188.1x"


def run(*arguments):
    """Return the exit code, what was said, and what was said of failures."""
    out, err = StringIO(), StringIO()
    try:
        call_command("validate_default_enrollment_intentions", *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return ended.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_it_exits_with_0_when_every_intention_is_healthy(world):
    intend(DEMO)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert f"{ACME} {DEMO}: healthy (needs_enrollment) since " in out
    assert out.endswith("1 healthy, 0 unhealthy, 0 unknown; 1 changed\n")


def test_it_exits_with_1_when_one_is_not_and_says_what_to_do(world):
    intend(DEMO, CLOSED)
    code, out, _ = run()
    assert code == 1
    assert "enrollment_closed" in out
    assert "another run is advertised" in out


def test_it_exits_with_2_when_a_neighbour_could_not_be_asked_whatever_else_is_known(world, simulator):
    intend(CLOSED)
    run()
    intend(DEMO, customer=HOOLI)
    simulator.faults.add(FaultKind.HANG, "catalog.*", times=1)
    code, out, err = run()
    assert code == 2
    assert f"{ACME}: could not be checked: " in err
    assert f"{HOOLI} {DEMO}: healthy" in out


def test_without_modes_the_verdict_is_not_known(world, simulator):
    simulator.faults.add(FaultKind.UNREACHABLE, "platform.course", times=None)
    intend(DEMO)
    code, out, _ = run()
    assert code == 2
    assert "unknown (modes_unavailable)" in out


def test_one_customer_alone(world):
    intend(DEMO)
    intend(CLOSED, customer=HOOLI)
    code, out, _ = run("--customer", "acme")
    assert code == 0
    assert CLOSED not in out


def test_what_was_checked_lately_is_told_and_not_asked(world):
    intend(DEMO)
    run()
    world.close_run(run_key=DEMO_RUN)
    assert run("--delay-minutes", "30")[0] == 0
    assert run("--delay-minutes", "0")[0] == 1


def test_for_machines(world):
    intend(CLOSED)
    code, out, _ = run("--json")
    assert code == 1
    ((customer),) = json.loads(out)
    assert customer["enterprise_customer_uuid"] == str(ACME)
    (intention,) = customer["intentions"]
    assert (intention["content_key"], intention["state"], intention["reason"]) == (
        CLOSED,
        "unhealthy",
        "enrollment_closed",
    )
    assert intention["since"] == intention["checked_at"]


def test_it_does_not_know_everybody(world):
    with pytest.raises(CommandError, match="nobody") as failed:
        run("--customer", "nobody")
    assert failed.value.returncode == 2


@pytest.mark.parametrize("minutes", ["-1", "soon"])
def test_a_delay_is_a_number_of_minutes(minutes):
    with pytest.raises(CommandError, match="delay-minutes"):
        run("--delay-minutes", minutes)
