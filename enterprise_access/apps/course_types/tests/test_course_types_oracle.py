"""The cases of the specification, and the command that evaluates any file of their format."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.course_types.management.oracle_file import evaluate_all, evaluate_file
from enterprise_access.lib.oracle import Evaluated, UnreadableCase, UnreadableFileError

CASES = Path(__file__).parents[4] / "tests" / "data" / "course-types-oracle.json"
EVALUATED = list(evaluate_file(CASES))


def test_the_rules_answer_as_the_specification_wants():
    assert len(EVALUATED) > 80
    assert [case for case in EVALUATED if not isinstance(case, Evaluated) or case.got != case.want] == []


def test_there_are_cases_of_every_function():
    functions = {case["function"] for case in json.loads(CASES.read_text())["cases"]}
    assert functions == set(INPUTS)


# The smallest case of each function, with what it wants.
INPUTS: dict[str, tuple[dict[str, Any], Any]] = {
    "match": ({"runs_seats": [["audit"]]}, {"matched": True, "course_type": "audit", "run_types": ["audit"]}),
    "check_run": ({"published": True, "old": "audit", "new": "verified-audit"}, "allowed"),
    "check_course": ({"published": True, "new": "verified-audit"}, "allowed"),
    "pick": ({"modes": ["audit", "verified"]}, "verified"),
    "enroll_by": ({}, None),
    "default_upgrade_deadline": (
        {"run_end": "2025-06-30T13:00:00Z", "seat_type": "verified"},
        "2025-06-20T23:59:59.099999Z",
    ),
    "spec": ({"tracks": [["audit", "audit"]]}, {"lms_modes_via_ecommerce": ["audit"]}),
    "downgrade_target": ({"event": "license revoked", "lms_modes": []}, "audit"),
}


def case_of(function: str, **changes: Any) -> dict[str, Any]:
    """Return the smallest case of a function; `want` replaces what it wants, anything else a member of its input."""
    facts, want = deepcopy(INPUTS[function])
    want = changes.pop("want", want)
    return {"id": "one", "function": function, "input": {**facts, **changes}, "want": want}


def evaluate(*cases: Any) -> list[Evaluated | UnreadableCase]:
    return list(evaluate_all({"cases": list(cases)}))


def differs(case: dict[str, Any]) -> bool:
    [result] = evaluate(case)
    assert isinstance(result, Evaluated), result
    return not result.is_as_wanted


def why_unreadable(case: Any) -> str:
    [result] = evaluate(case)
    assert isinstance(result, UnreadableCase), result
    return result.why


class TestReading:
    """Members that may be left out, and spellings that do not matter."""

    @pytest.mark.parametrize("function", INPUTS)
    def test_the_smallest_case_of_each_function(self, function):
        assert not differs(case_of(function))

    @pytest.mark.parametrize(
        ("function", "changes"),
        [
            ("match", {"entitlements": None, "course_type": None, "run_types": None, "allow": None, "lms_modes": None}),
            ("match", {"run_types": [None], "graph": "upstream"}),
            ("match", {"run_types": ["empty"], "course_type": "empty"}),
            ("match", {"runs_seats": [["audit", "audit"]]}),
            ("match", {"course_type": "spoc", "want": {"matched": False}}),
            ("match", {"run_types": ["spoc"], "want": {"matched": False, "course_type": None, "run_types": []}}),
            ("match", {"runs_seats": [["honor"]], "course_type": "audit", "want": {"matched": False}}),
            ("check_run", {"old": None, "new": "professional"}),
            ("check_run", {"old": "honor", "want": "denied"}),
            ("check_run", {"new": "empty", "published": False}),
            ("check_run", {"course_type": "audit", "want": "denied"}),
            ("check_course", {"entitlement": None}),
            ("check_course", {"entitlement": "audit"}),
            ("check_course", {"run_types": ["honor"], "want": "denied"}),
            ("check_course", {"old": "professional", "new": "professional"}),
            ("pick", {"modes": {"verified": "2020-01-01T00:00:00Z", "audit": None}}),
            ("enroll_by", {"seats": [], "enrollment_end": None, "exec_ed": None}),
            (
                "enroll_by",
                {
                    "seats": [{"type": "verified", "upgrade_deadline": "2025-03-01T02:00:00+02:00"}],
                    "enrollment_end": "2025-03-01T00:30:00",
                    "want": "2025-02-28T19:00:00-05:00",
                },
            ),
            ("default_upgrade_deadline", {"days": None}),
            ("default_upgrade_deadline", {"days": 11, "want": "2025-06-19T23:59:59.099999+00:00"}),
            ("default_upgrade_deadline", {"seat_type": "audit", "want": None}),
            ("default_upgrade_deadline", {"seat_type": "spoc", "want": None}),
            ("default_upgrade_deadline", {"run_end": None, "want": None}),
            ("spec", {"lms_has": None, "entitlement_types": None}),
            ("spec", {"tracks": [], "want": {"ecommerce_products": [], "lms_modes_via_ecommerce": []}}),
            ("spec", {"tracks": [["masters", None]], "want": {"lms_modes_pushed_directly": ["masters"]}}),
            (
                "spec",
                {
                    "tracks": [["verified", "verified"], ["audit", "audit"]],
                    "entitlement_types": ["verified"],
                    "want": {
                        "ecommerce_products": [
                            ["Course Entitlement", "verified", None, None],
                            ["Seat", "verified", True, "2025-06-21T04:59:59+05:00"],
                            ["Seat", "", False, None],
                        ],
                        "lms_modes_via_ecommerce": ["verified", "audit", "verified"],
                        "lms_modes_pushed_directly": [],
                    },
                },
            ),
            (
                "spec",
                {
                    "tracks": [["verified", "verified"]],
                    "run_end": None,
                    "want": {"ecommerce_products": [["Seat", "verified", True, None]]},
                },
            ),
            (
                "spec",
                {
                    "tracks": [["paid-bootcamp", "paid-bootcamp"]],
                    "want": {"ecommerce_products": [["Seat", "paid-bootcamp", False, None]]},
                },
            ),
            ("downgrade_target", {"lms_modes": ["verified"], "want": "unenroll"}),
            ("downgrade_target", {"run_completed": True, "want": "none"}),
            ("downgrade_target", {"event": "Licence expired"}),
            ("downgrade_target", {"event": "learner credit transaction reversed", "want": "unenroll"}),
        ],
    )
    def test_what_may_be_said_otherwise_or_not_at_all(self, function, changes):
        assert not differs(case_of(function, **changes))

    @pytest.mark.parametrize(
        "allow", [[["verified-audit", "honor"]], ["verified-audit:honor"], {"verified-audit": ["honor"]}]
    )
    def test_allowed_pairs_may_be_written_in_three_ways(self, allow):
        want = {"matched": True, "course_type": "verified-audit", "run_types": ["verified-audit", "honor"]}
        assert not differs(case_of("match", runs_seats=[["audit", "verified"], ["honor"]], allow=allow, want=want))

    def test_operator_rows_count_only_where_the_graph_has_them(self):
        facts = {"runs_seats": [[]], "lms_modes": [["masters"]]}
        want = {"matched": True, "course_type": "masters", "run_types": ["masters"]}
        assert not differs(case_of("match", **facts, graph="upstream+operator", want=want))
        assert not differs(case_of("match", **facts, graph="upstream", want={"matched": False}))

    @pytest.mark.parametrize(
        ("function", "want"),
        [
            ("match", {"matched": False}),
            ("match", {"matched": True, "course_type": "audit", "run_types": ["honor"]}),
            ("match", {"matched": True, "course_type": "honor", "run_types": ["audit"]}),
            ("check_run", "denied"),
            ("check_course", "denied"),
            ("pick", "audit"),
            ("enroll_by", "2025-06-20T23:59:59Z"),
            ("default_upgrade_deadline", None),
            ("default_upgrade_deadline", "2025-06-20T23:59:59Z"),
            ("spec", {"lms_modes_via_ecommerce": []}),
            ("spec", {"ecommerce_products": [["Seat", "", True, None]]}),
            ("downgrade_target", "unenroll"),
        ],
    )
    def test_another_answer_differs(self, function, want):
        assert differs(case_of(function, want=want))

    @pytest.mark.parametrize(
        ("function", "changes", "why"),
        [
            ("match", {"runs_seats": None}, "input.runs_seats is not a list"),
            ("match", {"runs_seats": ["audit"]}, "input.runs_seats[0] is not a list"),
            ("match", {"run_types": ["audit", "audit"]}, "run_types has 2 entries for 1 runs"),
            ("match", {"lms_modes": []}, "lms_modes has 0 entries for 1 runs"),
            ("match", {"graph": "operator"}, "input.graph is 'operator', and none of upstream, upstream+operator"),
            ("match", {"allow": ["audit"]}, "input.allow[0] is not a pair"),
            ("match", {"want": {"matched": "yes"}}, "want.matched is neither true nor false"),
            ("match", {"want": {"matched": True}}, "want has no course_type"),
            ("match", {"want": "matched"}, "want is not an object"),
            ("check_run", {"published": None}, "input.published is neither true nor false"),
            ("check_run", {"old": "spoc"}, "no run type 'spoc'"),
            ("check_run", {"new": "AUDIT"}, "no run type 'AUDIT'"),
            ("check_run", {"new": None}, "input.new is not a text"),
            ("check_run", {"want": "perhaps"}, "want is neither allowed nor denied"),
            ("check_run", {"want": None}, "want is neither allowed nor denied"),
            ("check_course", {"new": "spoc-verified-audit"}, "no course type 'spoc-verified-audit'"),
            ("pick", {"modes": None}, "input.modes is not a list"),
            ("enroll_by", {"enrollment_end": "soon"}, "input.enrollment_end is not an instant"),
            ("enroll_by", {"seats": [{}]}, "input.seats[0] has no type"),
            ("default_upgrade_deadline", {"days": "ten"}, "input.days is not a whole number"),
            ("default_upgrade_deadline", {"days": 10**9}, "beyond the calendar"),
            ("spec", {"tracks": [["audit"]]}, "input.tracks[0] is not a pair"),
            ("spec", {"want": {}}, "want has to have some of the members"),
            ("spec", {"want": {"lms_modes": []}}, "want has to have some of the members"),
            ("spec", {"want": {"ecommerce_products": [["Seat"]]}}, "want.ecommerce_products[0] is not kind"),
            ("downgrade_target", {"event": "rain"}, "input.event is 'rain'"),
            ("downgrade_target", {"lms_modes": None}, "input.lms_modes is not a list"),
        ],
    )
    def test_a_case_that_cannot_be_read_says_which_member(self, function, changes, why):
        assert why in why_unreadable(case_of(function, **changes))

    @pytest.mark.parametrize(
        ("function", "member"),
        [
            ("match", "runs_seats"),
            ("check_run", "published"),
            ("check_run", "old"),
            ("check_course", "new"),
            ("spec", "tracks"),
        ],
    )
    def test_a_member_that_has_to_be_there_is_named(self, function, member):
        case = case_of(function)
        del case["input"][member]
        assert why_unreadable(case) == f"input has no {member}."

    @pytest.mark.parametrize("member", ["id", "function", "input", "want"])
    def test_a_case_has_all_its_parts(self, member):
        case = case_of("pick")
        del case[member]
        assert why_unreadable(case) == f"the case has no {member}."

    @pytest.mark.parametrize("function", ["guess", None, [], 3])
    def test_an_unknown_function_is_named(self, function):
        assert "none of match, check_run" in why_unreadable({**case_of("pick"), "function": function})

    def test_one_unreadable_case_does_not_hide_the_others(self):
        [broken, result] = evaluate("nonsense", case_of("pick"))
        assert isinstance(broken, UnreadableCase)
        assert (broken.where, broken.why) == ("cases[0]", "the case is not an object.")
        assert isinstance(result, Evaluated)

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"cases": {}}', '{"cases": null}', "\ud800"])
    def test_a_file_without_cases_is_refused(self, tmp_path, content):
        path = tmp_path / "cases.json"
        path.write_text(content, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(UnreadableFileError):
            list(evaluate_file(path))


class TestMatrix:
    """`run_transition_matrix`: what is wanted of every ordered pair of published run types."""

    TYPES = ("masters", "masters-verified-audit", "audit")

    def evaluate(self, want: Any) -> list[Evaluated | UnreadableCase]:
        return list(evaluate_all({"run_transition_matrix": {"types": list(self.TYPES), "want": want}}))

    @pytest.mark.parametrize(
        "want",
        [
            [["allowed", "allowed", "denied"], ["denied", "allowed", "denied"], ["denied", "allowed", "allowed"]],
            [["=", "yes", "DROP"], ["-", "=", "-"], ["-", "yes", "="]],
            [[True, True, False], [False, True, False], [False, True, True]],
            {"masters": {"masters-verified-audit": "allowed", "audit": "denied"}},
        ],
    )
    def test_all_as_wanted_however_it_is_written(self, want):
        results = self.evaluate(want)
        assert all(isinstance(result, Evaluated) and result.is_as_wanted for result in results), results

    def test_a_pair_that_differs_is_named(self):
        want = [["allowed"] * 3, ["denied", "allowed", "denied"], ["denied", "allowed", "allowed"]]
        [differing] = [one for one in self.evaluate(want) if isinstance(one, Evaluated) and not one.is_as_wanted]
        assert (differing.id, differing.got) == ("run_transition_matrix[masters][audit]", "denied")

    @pytest.mark.parametrize(
        ("matrix", "why"),
        [
            ([], "run_transition_matrix is not an object"),
            ({"want": []}, "has no types"),
            ({"types": ["audit"]}, "has no want"),
            ({"types": ["audit"], "want": []}, "want has 0 entries for 1 types"),
            ({"types": ["audit"], "want": [["allowed"] * 2]}, "want[audit] has 2 entries for 1 types"),
            ({"types": ["audit"], "want": ["="]}, "want[audit] is neither a list nor an object"),
            ({"types": ["audit"], "want": [[None]]}, "[audit][audit] is neither allowed nor denied"),
            ({"types": ["spoc"], "want": [["="]]}, "no run type 'spoc'"),
        ],
    )
    def test_what_cannot_be_read_says_so(self, matrix, why):
        [result] = evaluate_all({"run_transition_matrix": matrix})
        assert isinstance(result, UnreadableCase)
        assert why in result.why


class TestCommand:
    """`manage.py course_types_oracle FILE`."""

    def write(self, folder: Path, content: Any) -> str:
        path = folder / "cases.json"
        path.write_text(json.dumps(content))
        return str(path)

    def test_all_as_wanted_and_every_departure_named(self, capsys):
        call_command("course_types_oracle", str(CASES))
        *departures, closing = capsys.readouterr().out.splitlines()
        assert closing == f"{len(EVALUATED)} cases: {len(EVALUATED)} as expected, 0 differ, 0 unreadable."
        named = [case for case in json.loads(CASES.read_text())["cases"] if "departure" in case]
        assert departures == [f"{case['id']} departs from upstream: {case['departure']}" for case in named]

    def test_one_that_differs_is_shown_and_exits_1(self, tmp_path, capsys):
        broken = case_of("spec", want={"ecommerce_products": [["Seat", "x", None, "2025-01-01T00:00:00Z"]]})
        with pytest.raises(SystemExit) as caught:
            call_command("course_types_oracle", self.write(tmp_path, {"cases": [broken, case_of("pick")]}))
        assert caught.value.code == 1
        head, want, got, closing = capsys.readouterr().out.splitlines()
        assert head == "one differs"
        assert want == '  expected {"ecommerce_products": [["Seat", "x", null, "2025-01-01T00:00:00+00:00"]]}'
        assert '"ecommerce_products": [["Seat", "", false, null]]' in got
        assert closing == "2 cases: 1 as expected, 1 differ, 0 unreadable."

    def test_a_pair_of_the_matrix_that_differs_exits_1(self, tmp_path, capsys):
        matrix = {"types": ["audit", "honor"], "want": [["=", "yes"], ["-", "="]]}
        with pytest.raises(SystemExit) as caught:
            call_command("course_types_oracle", self.write(tmp_path, {"cases": [], "run_transition_matrix": matrix}))
        assert caught.value.code == 1
        assert "run_transition_matrix[audit][honor] differs" in capsys.readouterr().out

    def test_an_unreadable_case_is_named_and_exits_2(self, tmp_path, capsys):
        path = self.write(tmp_path, {"cases": [case_of("check_run", old="spoc"), case_of("pick")]})
        with pytest.raises(SystemExit) as caught:
            call_command("course_types_oracle", path)
        assert caught.value.code == 2
        streams = capsys.readouterr()
        assert streams.err == "cases[0] (one) cannot be read: There is no run type 'spoc'.\n"
        assert "2 cases: 1 as expected, 0 differ, 1 unreadable." in streams.out

    @pytest.mark.parametrize(
        ("content", "why"), [("cases: none", "not JSON"), ('{"decide": []}', "cases, run_transition_matrix")]
    )
    def test_a_file_that_holds_no_cases_exits_2(self, tmp_path, content, why):
        path = tmp_path / "cases.json"
        path.write_text(content)
        with pytest.raises(CommandError, match=why) as caught:
            call_command("course_types_oracle", str(path))
        assert caught.value.returncode == 2

    def test_a_missing_file_exits_2(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read") as caught:
            call_command("course_types_oracle", str(tmp_path / "nowhere.json"))
        assert caught.value.returncode == 2
