"""`manage.py export_course_types`."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from enterprise_access.apps.course_types.services.exporting import COLUMNS

pytestmark = pytest.mark.django_db


def export(capsys, *arguments):
    call_command("export_course_types", *arguments)
    return capsys.readouterr().out


def test_csv_has_a_row_for_each_track_with_headings(capsys):
    table = list(csv.DictReader(io.StringIO(export(capsys))))
    assert tuple(table[0]) == COLUMNS
    masters = [row for row in table if row["course_type"] == "masters"]
    assert [(row["mode"], row["seat_type"], row["payee"], row["paid_to_partner"]) for row in masters] == [
        ("masters", "", "organization", "true")
    ]


def test_json_has_the_same_rows(capsys):
    rows = json.loads(export(capsys, "--format", "json"))
    table = list(csv.DictReader(io.StringIO(export(capsys))))
    assert [row["lms_mode"] or "" for row in rows] == [row["lms_mode"] for row in table]
    assert [row["is_audit"] for row in rows if row["course_type"] == "verified-audit"] == [True, True, False]
