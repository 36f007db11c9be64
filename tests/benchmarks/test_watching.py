"""Where the time of a request goes."""

import json

from benchmarks.reporting import ROOT, as_cell, list_table, percentiles
from benchmarks.watching import Call, package_of, profile_of, rounds_of


def test_calls_at_the_same_time_are_one_round():
    assert rounds_of([Call("a", 0.0, 1.0), Call("b", 0.5, 1.5), Call("c", 0.9, 1.1)]) == 1


def test_calls_that_wait_for_one_another_are_rounds():
    assert rounds_of([Call("b", 1.0, 2.0), Call("a", 0.0, 1.0), Call("c", 0.5, 2.5), Call("d", 2.0, 3.0)]) == 3


def test_time_is_told_by_package():
    assert (
        package_of(str(ROOT / "enterprise_access/apps/licenses/services/lookup.py"))
        == "enterprise_access.apps.licenses"
    )
    assert package_of(str(ROOT / "enterprise_access/lib/drf.py")) == "enterprise_access.lib.drf"
    assert package_of("/somewhere/lib/python3.11/site-packages/django/db/models/query.py") == "django"
    assert package_of(json.__file__) == "python"


def test_a_profile_names_what_takes_the_time_and_nothing_of_this_machine():
    text = json.dumps(list(range(20_000)))
    profile = profile_of(lambda: json.loads(text), repeat=3)
    assert profile["packages"]["python"] > 0.5 * profile["ms"] > 0
    assert any("json/decoder.py" in row["function"] for row in profile["by_own_time"])
    assert str(ROOT) not in json.dumps(profile)
    assert "site-packages" not in json.dumps(profile)


def test_percentiles():
    assert percentiles([float(number) for number in range(100, 0, -1)]) == {"p50": 50.5, "p95": 95.0}


def test_cells_have_no_more_digits_than_were_measured():
    assert [as_cell(value) for value in (None, 12345, 1.50, 100000.0, "text")] == [
        "",
        "12,345",
        "1.5",
        "100,000",
        "text",
    ]


def test_a_table_has_a_line_for_every_cell():
    assert list_table(["a", "b"], [[1, None]]) == [
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - a",
        "     - b",
        "   * - 1",
        "     -",
        "",
    ]
