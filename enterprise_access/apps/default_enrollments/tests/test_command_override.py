"""`manage.py override_default_enrollment`."""

from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.models import RealizationOverride
from enterprise_access.apps.default_enrollments.tests.stories import ADA, DEMO, DEMO_RUN, intend, times_sent, visit

pytestmark = pytest.mark.django_db


def override(intention_uuid: object, *, reason: str = "asked for by mail") -> None:
    call_command(
        "override_default_enrollment",
        f"--intention={intention_uuid}",
        f"--learner={ADA}",
        "--by=demo",
        f"--reason={reason}",
    )


def test_who_left_is_enrolled_once_more(world, capsys):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 1

    override(intention.pk)
    visit(ADA)

    assert "may be enrolled once more" in capsys.readouterr().out
    assert times_sent(world, ADA, DEMO_RUN) == 2
    used = RealizationOverride.objects.get()
    assert (used.by, used.reason, used.used_at is not None) == ("demo", "asked for by mail", True)
    assert not used.is_actor_verified

    world.leave(username="ada", run_key=DEMO_RUN)
    visit(ADA)
    assert times_sent(world, ADA, DEMO_RUN) == 2


def test_an_override_needs_a_reason(world):
    with pytest.raises(CommandError, match="Say why"):
        override(intend(DEMO)[0].pk, reason=" ")


def test_an_unknown_intention_is_named(world):
    with pytest.raises(CommandError, match="There is no intention"):
        override(uuid4())


def test_a_second_unused_override_is_refused(world):
    (intention,) = intend(DEMO)
    visit(ADA)
    world.leave(username="ada", run_key=DEMO_RUN)
    override(intention.pk)
    with pytest.raises(CommandError, match="There is an active override"):
        override(intention.pk)
