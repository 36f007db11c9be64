"""`manage.py replay_recordings`: what it prints, and when it fails."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

RECORDINGS = Path(__file__).resolve().parents[4] / "tests" / "recordings"


def run(*arguments):
    out = io.StringIO()
    call_command("replay_recordings", *map(str, arguments), stdout=out)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    def write(name="a.json", **response):
        request = {"method": "GET", "path": "/api/enrollment/v1/enrollments", "query": {"username": "alice"}}
        response = {"status": 200, "headers": {"Content-Type": "application/json"}, "body": {}} | response
        content = {"service": "edx-platform", "request": request, "response": response}
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path

    return write


def test_all_recordings_that_we_have_are_understood():
    summary = json.loads(run(RECORDINGS, "--json"))["summary"]
    assert summary["untyped"] == summary["unreadable"] == 0
    assert summary["recordings"] == summary["in_use"] + summary["not_in_use"]
    assert summary["in_use"] == summary["equal"] + summary["different"] + summary["refused_locally"]


def test_people_read_what_was_asked_and_what_came_of_it():
    said = run(RECORDINGS / "edx-platform")
    assert "course-400-unknown-run.json: GET /api/enrollment/v1/course/course-v1:AX+NONE+R1, answered 400\n" in said
    assert "    method   LmsClient.get_run_modes\n    request  equal\n    outcome  None\n" in said
    assert "    outcome  4 x PlatformEnrollmentRecord\n" in said
    assert "    outcome  UpstreamRefused, forbidden: lms answered 403 to GET /api/enrollment/v1/enrollments\n" in said
    *_, summary = said.splitlines()
    assert summary.startswith("8 recordings, 8 in use, 0 not in use, 8 equal, 0 different, 0 refused locally, ")
    assert summary.endswith(" 0 untyped, 0 unreadable, 0 broken")


def test_machines_read_the_whole_value():
    (found, *_) = json.loads(run(RECORDINGS / "edx-platform", "--json"))["recordings"]
    assert (found["file"], found["in_use"], found["typed"]) == ("course-200-include-expired.json", True, True)
    assert found["request"] == {"verdict": "equal", "differences": []}
    assert found["outcome"]["type"] == "RunModesRecord"
    assert found["outcome"]["value"]["modes"][1] == {"slug": "verified", "expires_at": "2027-06-20T23:59:59+00:00"}


def test_an_answer_that_cannot_be_typed_fails_the_command(folder, capsys):
    with pytest.raises(SystemExit) as caught:
        call_command("replay_recordings", str(folder(body={"rows": []})))
    assert caught.value.code == 1
    assert "THE ANSWER CANNOT BE TYPED" in capsys.readouterr().out


def test_a_failure_that_we_know_does_not(folder):
    assert "UpstreamUnavailable, server_error" in run(folder(status=500, headers={}, body="<h1>"))


def test_a_file_that_is_no_recording_is_named(folder):
    path = folder(body={"results": [], "next": None})
    (path / "b.json").write_text("{}")
    assert "b.json: not a recording (request: is missing)" in run(path)
    assert json.loads(run(path, "--json"))["unreadable"] == {"b.json": "request: is missing"}


def test_a_folder_without_recordings_is_a_mistake_and_not_a_finding(tmp_path):
    for folder, said in ((tmp_path, "no recordings"), (tmp_path / "nowhere", "not a folder")):
        with pytest.raises(CommandError, match=said) as caught:
            run(folder)
        assert caught.value.returncode == 2
    (tmp_path / "notes.txt").write_text("{}")
    (tmp_path / "a.json").mkdir()
    (tmp_path / "b.json").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="no recordings"):
        run(tmp_path)
    (tmp_path / "c.json").write_text("[]")
    with pytest.raises(CommandError, match="None of the files") as caught:
        run(tmp_path)
    assert caught.value.returncode == 2


def test_what_a_terminal_has_no_letter_for_breaks_nothing(folder):
    request = {"method": "GET", "path": "/api/enrollment/v1/\u00e9", "query": None}
    path = folder(body={"results": [], "next": None})
    (path / "b.json").write_text(json.dumps({"request": request, "response": {"status": 200}}))
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    call_command("replay_recordings", str(path), stdout=out)
    out.flush()
    assert b"GET /api/enrollment/v1/\\xe9, answered 200" in out.buffer.getvalue()


def test_nothing_of_a_replay_is_in_the_cache_and_a_cache_that_is_away_is_not_missed(settings, caplog):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "no_table"}}
    run(RECORDINGS / "lms")
    assert caplog.records == []
