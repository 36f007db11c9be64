"""`manage.py realize_default_enrollments`: what people type, and what they are told."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.models import RealizationAttempt, RealizationRequest
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import request_all
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    BULK,
    DEMO,
    DEMO_RUN,
    FRANK,
    GRACE,
    HAL,
    MAX,
    PROJECT,
    asked,
    intend,
    is_enrolled,
    work,
)
from simulator.seed import ACME, GLOBEX

LINKS = "lms.learners"

pytestmark = pytest.mark.django_db


def run(*arguments, customer="acme"):
    """Run the command as people do; return the lines that it wrote."""
    out = StringIO()
    call_command("realize_default_enrollments", "--customer", customer, *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def owed():
    return sorted(RealizationRequest.objects.values_list("lms_user_id", flat=True))


@pytest.fixture
def crowd(world):
    """Add learners of acme that fill three pages."""
    return [world.add_learner(username=f"learner{number:03}", customer=ACME).id for number in range(220)]


@pytest.mark.parametrize("customer", ["acme", str(ACME), str(ACME).upper()])
def test_a_customer_is_named_by_slug_or_uuid(world, customer):
    intend(DEMO)
    assert run("--learner", ADA, customer=customer) == [
        "1 learners queued, up to LMS user id 1001",
        "Done: 1 learners queued. Workers enroll them; see the requests in the admin.",
    ]
    assert owed() == [ADA]


def test_a_customer_that_we_do_not_know_yet_is_fetched(world):
    run("--learner", FRANK, customer="globex")
    assert RealizationRequest.objects.get().customer_id == GLOBEX


def test_workers_enroll_who_was_asked_for(world):
    intend(DEMO)
    run("--learner", ADA, "--learner", MAX)
    assert asked(world, BULK) == 0
    assert work().realized == 2
    assert is_enrolled(world, ["ada", "max"], DEMO_RUN)


def test_progress_is_shown_piece_by_piece(crowd):
    intend(DEMO)
    lines = run()
    assert len(lines) == 4
    assert [line.split()[0] for line in lines] == ["100", "200", str(len(owed())), "Done:"]
    assert lines[2].endswith(f"up to LMS user id {max(owed())}")


def test_inactive_links_only_when_asked_for(world):
    intend(DEMO)
    run()
    assert FRANK not in owed()
    run("--include-inactive-links")
    assert FRANK in owed()


def test_a_named_intention_leaves_out_who_has_it(world):
    demo, project = intend(DEMO, PROJECT)
    run("--learner", ADA)
    work()
    assert run("--learner", ADA, "--intention", demo.pk, "--intention", project.pk)[0].startswith("0 learners")


def test_the_rate_is_kept(crowd, monkeypatch):
    naps = []
    monkeypatch.setitem(request_all.__kwdefaults__, "sleep", naps.append)
    intend(DEMO)
    run("--rate", 600)
    assert naps == [10, 10, (len(owed()) - 200) / 10]


# --- Dry run ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_says_what_would_happen_to_whom_and_why_and_does_nothing(world):
    intend(DEMO)
    lines = run("--dry-run", "--learner", ADA, "--learner", HAL, "--learner", GRACE)
    assert len(lines) == 4
    assert lines[0].startswith(f"learner {ADA}: {DEMO} ({DEMO_RUN}): enroll. ")
    assert lines[1].startswith(f"learner {HAL}: {DEMO} ({DEMO_RUN}): nothing. ")
    assert lines[2].endswith(": nothing. The learner is not linked to the customer now.")
    assert lines[3] == "Dry run, nothing was done. enroll: 1, nothing: 2"
    assert all(line.endswith(".") and "_" not in line.split(". ", 1)[1] for line in lines[:3])
    assert asked(world, BULK) == 0
    assert owed() == []
    assert not RealizationAttempt.objects.exists()


def test_a_dry_run_about_nobody_says_so(world):
    assert run("--dry-run", "--after", 99_999_999) == ["Dry run, nothing was done. No learner is in scope."]


def test_a_dry_run_says_of_an_unknown_learner_that_there_is_no_link(world):
    intend(DEMO)
    assert "424242" in run("--dry-run", "--learner", 424242)[0]
    assert run("--dry-run", "--learner", 424242)[0].endswith("The learner is not linked to the customer now.")


# --- Stopped and resumed ---------------------------------------------------------------------------------------------


def test_stopped_in_the_middle_it_says_how_to_go_on(crowd, monkeypatch):
    intend(DEMO)

    def interrupt(self, text=""):
        raise KeyboardInterrupt

    monkeypatch.setattr("django.core.management.base.OutputWrapper.write", interrupt)
    with pytest.raises(CommandError) as raised:
        run()
    monkeypatch.undo()
    assert raised.value.returncode == 130
    assert len(owed()) == 100
    assert str(raised.value) == f"Stopped. To go on: --after {max(owed())}"


def test_it_goes_on_after_where_it_was_stopped(crowd, world):
    intend(DEMO)
    run("--after", crowd[99])
    assert owed() == [lms_user_id for lms_user_id in crowd if lms_user_id > crowd[99]]


def test_a_silent_lms_in_the_middle_is_an_error_that_says_how_to_go_on(crowd, simulator, meanwhile):
    intend(DEMO)
    silence = lambda: simulator.faults.add("unreachable", LINKS, times=None)  # noqa: E731
    # Two pages, of which inactive links are left out, make the first piece.
    meanwhile("/enterprise-learner/")
    meanwhile("/enterprise-learner/", after=silence)
    with pytest.raises(CommandError) as raised:
        run()
    assert len(owed()) == 100
    assert str(raised.value).endswith(f" 100 learners were queued. To continue: --after {max(owed())}")


def test_a_silent_lms_at_the_start_is_an_error(world, simulator):
    intend(DEMO)
    simulator.faults.add("unreachable", LINKS, times=None)
    with pytest.raises(CommandError, match=r"0 learners were queued\. To continue: --after 7$"):
        run("--after", 7)
    with pytest.raises(CommandError, match="enterprise-learner"):
        run("--dry-run")


# --- What cannot be meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("customer", ["nobody", "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_customer_is_an_error(world, customer):
    with pytest.raises(CommandError, match="customer"):
        run(customer=customer)


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_unknown_intention_is_an_error_and_nobody_is_asked_for(world, options):
    (of_another,) = intend("TUMx+AUTO1", customer=GLOBEX)
    intend(DEMO)
    for uuid in (uuid4(), of_another.pk):
        with pytest.raises(CommandError, match=f"no such intention: {uuid}"):
            run("--learner", ADA, "--intention", uuid, *options)
    assert owed() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--learner", "ada"), "--learner: invalid int value: 'ada'"),
        (("--intention", "edX+DemoX"), "--intention: invalid UUID value"),
        (("--rate", "0"), "--rate has to be at least 1"),
        (("--rate", "-5"), "--rate has to be at least 1"),
    ],
)
def test_what_makes_no_sense_is_refused(world, arguments, complaint):
    with pytest.raises(CommandError, match=complaint):
        run(*arguments)
    assert owed() == []
