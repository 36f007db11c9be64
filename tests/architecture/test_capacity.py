"""The capacity formula: its arithmetic by hand, its constants by the settings, and its table."""

import json
import sys
from pathlib import Path

import pytest
from attrs import evolve
from django.conf import settings

from enterprise_access.apps.customers.services import platform_reads
from enterprise_access.apps.licenses.services import lookup
from enterprise_access.apps.subsidy_requests.services import granting

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import capacity  # noqa: E402

ALONE = capacity.Installation(workers=2, web_threads=10, round_seconds=0.5, learners_per_round=1)


@pytest.mark.parametrize(
    ("limit", "allowed"),
    [
        ("platform reads (LMS)", 96 * 60 * 100),
        ("license-manager", 18_000),
        ("worker processes", 2 * 7200),
        ("web threads", 10 * 1800),
    ],
)
def test_every_limit_is_what_the_page_says_of_it(limit, allowed):
    assert capacity.limits(ALONE, page_seconds=2.0)[limit] == allowed


def test_the_smallest_limit_counts():
    assert capacity.newcomers_per_hour(ALONE, 2.0) == ("worker processes", 14_400)
    assert capacity.newcomers_per_hour(evolve(ALONE, workers=99, web_threads=999), 2.0)[0] == "license-manager"


def test_with_more_learners_in_a_round_an_installation_takes_more_than_40_000_newcomers_an_hour():
    assert capacity.newcomers_per_hour(capacity.Installation(learners_per_round=10), page_seconds=3.0)[1] > 40_000


def test_the_constants_are_those_of_the_service():
    assert capacity.FEW_LEARNERS == lookup.FEW_LEARNERS
    assert capacity.LEARNERS_PER_READ == platform_reads.LEARNERS_PER_READ
    assert settings.PLATFORM_READS_AT_ONCE + capacity.READS_PER_MINUTE < 120
    assert granting.AT_ONCE == capacity.LICENSES_PER_CALL
    assert lookup.CALLS_AT_ONCE + capacity.LICENSE_READS_PER_MINUTE < 360


def test_the_table_is_the_one_of_what_was_measured():
    """`make capacity-page` writes it again."""
    assert capacity.table(json.loads(capacity.MEASURED.read_text())) == capacity.TABLE.read_text()
    assert capacity.table_of_credit() == capacity.TABLE_OF_CREDIT.read_text()


def test_one_subsidy_is_served_by_one_call_at_a_time_and_all_of_them_by_every_worker(monkeypatch, tmp_path):
    for name, measured in {
        "redeeming": {"redeeming": {"paid": 150, "seconds": 75.0}},
        "redemption": {"results": [{"what": "redeem, a ledger that takes 400 ms", "p50_ms": 450.0}]},
        "budgets": {"results": [{"what": "promises on one budget by 8 processes", "per_second": 100}]},
        "assignments": {"about": {"people": 1000}, "results": [{"what": "allocate 1000 people", "p50_ms": 500.0}]},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(measured))
    monkeypatch.setattr(capacity, "BENCHMARKS", tmp_path)

    assert capacity.limits_of_credit(evolve(ALONE, workers=2)) == {
        "redemptions of one subsidy": 7_200,
        "redemptions of all subsidies": 16_000,
        "promises of one budget": 360_000,
        "assignments of one budget": 7_200_000,
        "licenses for approved requests": 1_800_000,
    }


def test_the_command_names_the_first_limit(capsys):
    assert capacity.main(["--workers", "1"]) == 0
    assert "first limit: worker processes" in capsys.readouterr().out
