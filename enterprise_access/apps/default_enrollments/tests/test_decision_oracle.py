"""The cases of the specification, and the command that evaluates any file of their format."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from enterprise_access.apps.default_enrollments.management.oracle_file import evaluate_all, evaluate_file
from enterprise_access.lib.oracle import Evaluated, UnreadableCase, UnreadableFileError

CASES = Path(__file__).parents[4] / "tests" / "data" / "decision-oracle.json"
EVALUATED = list(evaluate_file(CASES))


def test_the_rules_answer_as_the_specification_expects():
    assert len(EVALUATED) > 500
    assert [case for case in EVALUATED if not isinstance(case, Evaluated) or dict(case.got) != dict(case.want)] == []


def test_there_are_cases_of_every_rule():
    rules = {case.got["rule"] for case in EVALUATED if isinstance(case, Evaluated) and "rule" in case.got}
    assert rules == {f"D{number}" for number in range(18)}


DECIDE: dict[str, Any] = {
    "id": "one",
    "now": "2026-11-21T12:00:00Z",
    "learner": {"linked": True, "customer_active": True},
    "intention": {"content_type": "course", "content_key": "edX+DemoX"},
    "course_key": "edX+DemoX",
    "resolution": {
        "status": "resolved",
        "course_type": "verified-audit",
        "run": {"key": "course-v1:edX+DemoX+2026_T1", "status": "published"},
    },
    "catalogs": ["6ddad00b-8c49-4817-8652-b81df359a85a"],
    "modes": {"audit": None},
    "expected": {
        "rule": "D17",
        "verdict": "enroll",
        "bucket": "enrollable",
        "reason": "needs_enrollment",
        "mode": "audit",
    },
}
CHOOSE_PAYER: dict[str, Any] = {
    "id": "two",
    "catalogs": ["6ddad00b-8c49-4817-8652-b81df359a85a"],
    "licenses": [
        {
            "uuid": "DA9A98BC-FDE9-40CB-8DF9-3E2D7E3BFD8B",
            "status": "activated",
            "plan": {
                "uuid": "f7fc694e-2f82-41de-aa31-ae897bbcfc83",
                "catalog": "6DDAD00B-8C49-4817-8652-B81DF359A85A",
                "is_current": True,
                "is_active": True,
                "expires": None,
            },
        }
    ],
    "expected": {"license": "DA9A98BC-FDE9-40CB-8DF9-3E2D7E3BFD8B", "reason": None},
}
ENROLLMENT = {"course_run_key": "course-v1:edX+DemoX+2026_T1", "mode": "verified"}


def changed(case: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the case with another value at `path` (members and positions, with dots)."""
    copy = deepcopy(case)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = copy
    for step in way:
        place = place[step]
    place[last] = value
    return copy


def without(case: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the case without the member at `path`."""
    copy = deepcopy(case)
    *way, last = path.split(".")
    place = copy
    for step in way:
        place = place[step]
    del place[last]
    return copy


def evaluate(
    *, decide: list[Any] | None = None, choose_payer: list[Any] | None = None
) -> list[Evaluated | UnreadableCase]:
    return list(evaluate_all({"decide": decide or [], "choose_payer": choose_payer or []}))


def got(case: dict[str, Any]) -> Any:
    [result] = evaluate(**{"choose_payer" if "licenses" in case else "decide": [case]})
    assert isinstance(result, Evaluated), result
    return result.got


class TestReading:
    """Members that may be left out, and spellings that do not matter."""

    def test_the_smallest_case_is_read(self):
        assert got(DECIDE) == DECIDE["expected"]

    def test_a_uuid_is_the_same_in_any_spelling(self):
        [result] = evaluate(choose_payer=[CHOOSE_PAYER])
        assert isinstance(result, Evaluated)
        assert result.is_as_wanted

    @pytest.mark.parametrize(
        ("member", "reason"), [("catalogs", "catalog_unavailable"), ("modes", "modes_unavailable")]
    )
    def test_what_is_absent_is_unknown(self, member, reason):
        assert got(without(DECIDE, member))["reason"] == reason
        assert got(changed(DECIDE, member, None))["reason"] == reason

    def test_no_modes_are_audit_only(self):
        assert got(changed(DECIDE, "modes", {}))["mode"] == "audit"

    @pytest.mark.parametrize("facts", [{}, {"is_active": None}])
    def test_a_state_that_is_absent_is_unknown(self, facts):
        case = changed(DECIDE, "enrollments", [{**ENROLLMENT, **facts}])
        assert got(case)["reason"] == "enrollment_state_unknown"

    def test_a_mark_of_revocation_that_is_unknown_is_none(self):
        case = changed(DECIDE, "enrollments", [{**ENROLLMENT, "is_active": False, "is_revoked": None}])
        assert got(case)["reason"] == "learner_unenrolled"

    @pytest.mark.parametrize("course_key", [None, "EDX+DEMOX"])
    def test_a_course_key_may_be_absent_or_in_another_case(self, course_key):
        case = changed(DECIDE, "enrollments", [{**ENROLLMENT, "is_active": True}])
        assert got(changed(case, "course_key", course_key))["rule"] == "D1"

    def test_realizations_are_read(self):
        realization = {"course_run_key": "COURSE-V1:EDX+DEMOX+2025", "left_at": "2026-11-18T12:00:00Z"}
        assert got(changed(DECIDE, "realizations", [realization]))["rule"] == "D2"

    def test_dates_that_are_null_are_no_limit_and_the_snapshot_is_not_asked(self):
        case = changed(DECIDE, "resolution.run.enrollment_start", None)
        case = changed(case, "resolution.run.enrollment_end", None)
        assert got(changed(case, "resolution.run.is_enrollable", False))["rule"] == "D17"

    def test_dates_that_are_absent_leave_the_snapshot(self):
        assert got(changed(DECIDE, "resolution.run.is_enrollable", False))["reason"] == "enrollment_closed"

    def test_an_instant_without_zone_is_utc_and_any_zone_is_the_instant(self):
        case = changed(DECIDE, "resolution.run.end", "2026-11-21T13:00:00+01:00")
        assert got(case)["rule"] == "D17"
        assert got(changed(case, "now", "2026-11-21T12:00:01"))["reason"] == "run_ended"

    def test_a_run_intention_is_read(self):
        case = changed(
            DECIDE, "intention", {"content_type": "course_run", "content_key": "COURSE-V1:EDX+DEMOX+2026_T1"}
        )
        case = changed(case, "enrollments", [{**ENROLLMENT, "is_active": True}])
        assert got(case)["rule"] == "D1"

    def test_cover_and_override_are_read(self):
        assert got(changed(DECIDE, "planned_for_same_course", True))["rule"] == "D6"
        case = changed(DECIDE, "enrollments", [{**ENROLLMENT, "is_active": False}])
        assert got(changed(case, "override", True))["rule"] == "D17"

    def test_invitation_only_is_read(self):
        assert got(changed(DECIDE, "resolution.run.invitation_only", True))["rule"] == "D13"

    @pytest.mark.parametrize("run", [None, {"invitation_only": True}])
    def test_an_unresolved_case_needs_no_run(self, run):
        resolution = {"status": "unresolved", "reason": "no_advertised_run", "run": run}
        assert got(changed(DECIDE, "resolution", resolution))["reason"] == "no_advertised_run"

    def test_licenses_that_are_null_could_not_be_asked_for(self):
        assert got(changed(CHOOSE_PAYER, "licenses", None))["reason"] == "license_manager_unavailable"

    def test_an_unheard_of_license_status_is_no_license(self):
        assert got(changed(CHOOSE_PAYER, "licenses.0.status", "lent"))["reason"] == "no_license"

    def test_only_what_is_expected_is_compared(self):
        [result] = evaluate(decide=[changed(DECIDE, "expected", {"rule": "D17"})])
        assert isinstance(result, Evaluated)
        assert result.is_as_wanted

    @pytest.mark.parametrize(
        ("path", "value", "why"),
        [
            ("id", 7, "id is not a text"),
            ("now", "noon", "now is not an instant"),
            ("now", None, "now is not a text"),
            ("learner", [], "learner is not an object"),
            ("learner.linked", None, "learner.linked is neither true nor false"),
            ("learner.linked", "yes", "learner.linked is neither true nor false"),
            ("intention.content_type", "program", "intention.content_type is none of course, course_run"),
            ("resolution.status", "maybe", "resolution.status is neither resolved nor unresolved"),
            ("resolution", {"status": "unresolved", "reason": "bad luck"}, "resolution.reason is none of"),
            ("resolution.run.key", 1, "resolution.run.key is not a text"),
            ("resolution.run.upgrade_deadlines", {"verified": 3}, "upgrade_deadlines.verified is not a text"),
            ("catalogs", ["x"], "catalogs[0] is not a uuid"),
            ("catalogs", "x", "catalogs is not a list"),
            ("modes", [], "modes is not an object"),
            ("enrollments", [7], "enrollments[0] is not an object"),
            ("enrollments", [{}], "enrollments[0] has no course_run_key"),
            ("enrollments", [{**ENROLLMENT, "is_active": 1}], "enrollments[0].is_active is neither true nor false"),
            ("realizations", [{"course_run_key": "x", "left_reason": "tired"}], "left_reason is none of"),
            ("override", "no", "override is neither true nor false"),
            ("expected", {}, "expected is empty"),
            ("expected", None, "expected is not an object"),
        ],
    )
    def test_a_case_that_cannot_be_read_says_which_member(self, path, value, why):
        [result] = evaluate(decide=[changed(DECIDE, path, value)])
        assert isinstance(result, UnreadableCase)
        assert why in result.why

    @pytest.mark.parametrize(
        "path",
        ["now", "learner", "learner.linked", "intention.content_key", "resolution", "resolution.run", "expected"],
    )
    def test_a_member_that_has_to_be_there_is_named(self, path):
        [result] = evaluate(decide=[without(DECIDE, path)])
        assert isinstance(result, UnreadableCase)
        assert f"has no {path.split('.')[-1]}" in result.why
        assert "(one)" in result.where

    @pytest.mark.parametrize(
        ("path", "value", "why"),
        [
            ("catalogs", None, "catalogs is not a list"),
            ("licenses.0.uuid", None, "licenses[0].uuid is not a text"),
            ("licenses.0.plan", 5, "licenses[0].plan is not an object"),
            ("licenses.0.plan.is_current", None, "licenses[0].plan.is_current is neither true nor false"),
            ("licenses.0.plan.expires", "soon", "licenses[0].plan.expires is not an instant"),
            ("expected.license", "mine", "expected.license is not a uuid"),
        ],
    )
    def test_a_payer_case_that_cannot_be_read_says_which_member(self, path, value, why):
        [result] = evaluate(choose_payer=[changed(CHOOSE_PAYER, path, value)])
        assert isinstance(result, UnreadableCase)
        assert why in result.why

    def test_a_case_that_is_no_object_is_named_by_its_position(self):
        [_, result] = evaluate(decide=[DECIDE, "nonsense"])
        assert isinstance(result, UnreadableCase)
        assert (result.where, result.why) == ("decide[1]", "the case is not an object.")

    def test_one_unreadable_case_does_not_hide_the_others(self):
        results = evaluate(decide=[{}, DECIDE])
        assert [type(result) for result in results] == [UnreadableCase, Evaluated]

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", "{}", "null", '{"decide": {}}', '{"choose_payer": null}', "\ud800"]
    )
    def test_a_file_without_cases_is_refused(self, tmp_path, content):
        path = tmp_path / "cases.json"
        path.write_text(content, encoding="utf-8", errors="surrogatepass")
        with pytest.raises(UnreadableFileError):
            list(evaluate_file(path))

    def test_a_file_of_one_function_is_enough(self, tmp_path):
        path = tmp_path / "cases.json"
        path.write_text(json.dumps({"choose_payer": [CHOOSE_PAYER]}))
        [result] = evaluate_file(path)
        assert isinstance(result, Evaluated)


class TestCommand:
    """`manage.py decision_oracle FILE`."""

    def write(self, folder: Path, content: Any) -> str:
        path = folder / "cases.json"
        path.write_text(json.dumps(content))
        return str(path)

    def test_all_as_expected(self, capsys):
        call_command("decision_oracle", str(CASES))
        assert (
            capsys.readouterr().out
            == f"{len(EVALUATED)} cases: {len(EVALUATED)} as expected, 0 differ, 0 unreadable.\n"
        )

    def test_one_that_differs_is_shown_and_exits_1(self, tmp_path, capsys):
        broken = changed(DECIDE, "expected.reason", "needs_upgrade")
        path = self.write(tmp_path, {"decide": [broken], "choose_payer": [CHOOSE_PAYER]})
        with pytest.raises(SystemExit) as caught:
            call_command("decision_oracle", path)
        assert caught.value.code == 1
        head, expected, got_, closing = capsys.readouterr().out.splitlines()
        assert head == "one differs"
        assert '"needs_upgrade"' in expected
        assert '"needs_enrollment"' in got_
        assert closing == "2 cases: 1 as expected, 1 differ, 0 unreadable."

    def test_a_payer_that_differs_is_shown_and_exits_1(self, tmp_path, capsys):
        broken = changed(CHOOSE_PAYER, "expected", {"license": None, "reason": "no_license"})
        with pytest.raises(SystemExit) as caught:
            call_command("decision_oracle", self.write(tmp_path, {"choose_payer": [broken]}))
        assert caught.value.code == 1
        assert "two differs" in capsys.readouterr().out

    def test_an_unreadable_case_is_named_and_exits_2(self, tmp_path, capsys):
        path = self.write(tmp_path, {"decide": [changed(DECIDE, "now", "noon"), DECIDE]})
        with pytest.raises(SystemExit) as caught:
            call_command("decision_oracle", path)
        assert caught.value.code == 2
        streams = capsys.readouterr()
        assert "decide[0] (one) cannot be read: now is not an instant" in streams.err
        assert "2 cases: 1 as expected, 0 differ, 1 unreadable." in streams.out

    def test_a_missing_file_exits_2(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read") as caught:
            call_command("decision_oracle", str(tmp_path / "nowhere.json"))
        assert caught.value.returncode == 2

    def test_a_file_that_is_not_json_exits_2(self, tmp_path):
        path = tmp_path / "cases.json"
        path.write_text("cases: none")
        with pytest.raises(CommandError, match="not JSON") as caught:
            call_command("decision_oracle", str(path))
        assert caught.value.returncode == 2

    def test_a_file_without_cases_exits_2(self, tmp_path):
        with pytest.raises(CommandError, match="decide, choose_payer") as caught:
            call_command("decision_oracle", self.write(tmp_path, {"cases": []}))
        assert caught.value.returncode == 2
