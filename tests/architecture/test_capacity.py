"""The capacity formula: its arithmetic by hand, its constants by the settings, and its table."""

import json
import sys
from pathlib import Path

import pytest
from attrs import evolve
from django.conf import settings

from enterprise_access.apps.customers.services import platform_reads
from enterprise_access.apps.licenses.services import lookup

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
    assert lookup.CALLS_AT_ONCE + capacity.LICENSE_READS_PER_MINUTE < 360


def test_the_table_is_the_one_of_what_was_measured():
    """`make capacity-page` writes it again."""
    assert capacity.table(json.loads(capacity.MEASURED.read_text())) == capacity.TABLE.read_text()


def test_the_command_names_the_first_limit(capsys):
    assert capacity.main(["--workers", "1"]) == 0
    assert "first limit: worker processes" in capsys.readouterr().out
