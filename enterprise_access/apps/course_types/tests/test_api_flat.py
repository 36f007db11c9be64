"""GET course-types/flat/."""

import csv
import io

import pytest
from rest_framework.test import APIClient

from enterprise_access.apps.course_types.models import CourseType
from enterprise_access.apps.course_types.services.exporting import COLUMNS

pytestmark = pytest.mark.django_db

FLAT = "/api/v1/course-types/flat/"


def test_without_a_token_nothing_is_told():
    assert APIClient().get(FLAT).status_code == 401


def test_each_track_of_each_run_type_of_each_course_type_is_a_row(api_as):
    rows = api_as("ada").get(FLAT).json()
    assert all(tuple(row) == COLUMNS for row in rows)
    mva = [
        (row["course_run_type"], row["mode"], row["seat_type"], row["payee"], row["paid_to_partner"])
        for row in rows
        if row["course_type"] == "masters-verified-audit"
    ]
    assert mva == [
        ("masters-verified-audit", "masters", None, "organization", True),
        ("masters-verified-audit", "verified", "verified", "platform", False),
        ("masters-verified-audit", "audit", "audit", None, False),
        ("verified-audit", "audit", "audit", None, False),
        ("verified-audit", "verified", "verified", "platform", False),
        ("audit", "audit", "audit", None, False),
        ("masters", "masters", None, "organization", True),
    ]


def test_a_type_without_run_types_is_one_row_all_the_same(api_as):
    (row,) = [row for row in api_as("ada").get(FLAT).json() if row["course_type"] == "empty"]
    assert (row["course_run_type"], row["mode"], row["paid_to_partner"]) == (None, None, None)


def test_with_accept_it_is_csv_with_the_same_rows(api_as):
    client = api_as("ada")
    answer = client.get(FLAT, headers={"accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    table = list(csv.reader(io.StringIO(answer.content.decode())))
    assert tuple(table[0]) == COLUMNS
    rows = client.get(FLAT).json()
    told = {True: "true", False: "false", None: ""}
    assert table[1:] == [[str(told.get(value, value)) for value in row.values()] for row in rows]


def test_a_name_that_a_spreadsheet_would_calculate_is_made_harmless(api_as):
    CourseType.objects.filter(slug="audit").update(name="=1+1")
    answer = api_as("ada").get(FLAT, headers={"accept": "text/csv"})
    assert "audit,'=1+1,false" in answer.content.decode()


def test_an_error_is_json_whatever_was_asked_for():
    answer = APIClient().get(FLAT, headers={"accept": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_no_other_form_is_to_be_had(api_as):
    assert api_as("ada").get(FLAT, headers={"accept": "text/html"}).status_code == 406
