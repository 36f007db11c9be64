"""The public cases of learner credit, and `manage.py credit_oracle`, which runs any file of them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.redemption.management.oracle_file import FUNCTIONS, answer_case, answer_file

CASES = Path(__file__).resolve().parents[4] / "tests/data/credit-oracle.json"
ANSWERED = list(answer_file(CASES))

PRICE = {
    "id": "one",
    "function": "price",
    "input": {"assignment_cents": None, "run_price": "19.99", "course_price": None},
    "want": {"cents": 1999},
}


def changed(**members: Any) -> dict[str, Any]:
    return {**PRICE, **members}


def write(folder: Path, *cases: Any) -> str:
    path = folder / "cases.json"
    path.write_text(json.dumps({"cases": cases}))
    return str(path)


def test_every_public_case_is_answered_as_wanted():
    assert [(one.id, one.problem or one.got, one.want) for one in ANSWERED if not one.is_as_wanted] == []


def test_the_public_cases_use_every_function():
    assert {case["function"] for case in json.loads(CASES.read_text())["cases"]} == set(FUNCTIONS)


def test_the_command_is_silent_and_exits_0_when_all_agree(capsys):
    call_command("credit_oracle", str(CASES))
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == f"{len(ANSWERED)} cases: {len(ANSWERED)} as expected, 0 not.\n"


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (changed(want={"cents": 1998}), ""),
        (changed(want={"cents": 1999, "more": 1}), ""),
        (changed(want={"cents": True}), ""),
        (changed(function="nonsense"), "'nonsense' is not known"),
        (changed(input={}), "has no assignment_cents"),
        ({"id": "one"}, "has no want"),
    ],
)
def test_a_case_that_cannot_be_answered_as_wanted_is_named_on_a_line_of_its_own(tmp_path, capsys, case, why):
    with pytest.raises(SystemExit) as caught:
        call_command("credit_oracle", write(tmp_path, PRICE | {"id": "good"}, case))
    assert caught.value.code == 1
    streams = capsys.readouterr()
    assert streams.out == "one\n"
    assert why in streams.err


@pytest.mark.parametrize("case", ["nonsense", None, {}])
def test_a_case_without_an_id_is_named_by_its_position(tmp_path, capsys, case):
    with pytest.raises(SystemExit):
        call_command("credit_oracle", write(tmp_path, case))
    assert capsys.readouterr().out == "cases[0]\n"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cases": 5}'])
def test_a_file_without_cases_exits_1(tmp_path, content):
    path = tmp_path / "cases.json"
    path.write_text(content)
    with pytest.raises(CommandError) as caught:
        call_command("credit_oracle", str(path))
    assert caught.value.returncode == 1


def test_both_sides_of_a_case_are_explained(tmp_path, capsys):
    with pytest.raises(SystemExit):
        call_command("credit_oracle", write(tmp_path, changed(want={"cents": 5})), explain="one")
    assert capsys.readouterr().out == 'one is not as expected\n  expected {"cents": 5}\n  got      {"cents": 1999}\n'


def test_every_public_case_can_be_explained(capsys):
    for one in {answered.id.rsplit("-", 1)[0]: answered for answered in ANSWERED}.values():
        call_command("credit_oracle", str(CASES), explain=one.id)
        assert f"{one.id} is as expected" in capsys.readouterr().out


def test_explaining_an_unknown_case_exits_1(tmp_path):
    with pytest.raises(CommandError, match="no case two"):
        call_command("credit_oracle", write(tmp_path, PRICE), explain="two")


def test_a_star_matches_anything():
    assert answer_case(changed(want={"cents": "*"}), position=0).is_as_wanted


def test_lists_compare_as_sets_and_members_count():
    emails = {"id": "e", "function": "bulk", "want": {"changed": ["A1", "A2"]}}
    rows = [
        {"uuid": name, "configuration": "C", "state": "allocated", "learner_state": None, "attempt_open": False}
        for name in ("A2", "A1")
    ]
    case = emails | {
        "input": {"action": "cancel", "configuration": "C", "uuids": ["A2", "A1"], "filters": {}, "rows": rows}
    }
    assert answer_case(case, position=0).is_as_wanted
    assert not answer_case(case | {"want": {"changed": ["A1"]}}, position=0).is_as_wanted
    assert not answer_case(case | {"want": {"changed": ["A1", "A1"]}}, position=0).is_as_wanted
    assert not answer_case(case | {"want": {"changed": ["A1", 5]}}, position=0).is_as_wanted
