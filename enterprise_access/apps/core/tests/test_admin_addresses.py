"""Addresses of the admin that lead nowhere are refused, whatever the database makes of them."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection

pytestmark = pytest.mark.django_db


def test_a_number_is_refused_where_the_database_cannot_look_for_it(staff):
    answer = staff.get(f"/admin/core/user/?pk__in={2**63}")
    assert answer.status_code == (400 if connection.vendor == "sqlite" else 200)


def test_a_nul_in_a_list_is_refused_where_the_database_takes_none(staff):
    answer = staff.get("/admin/course_types/typedcourse/?source__exact=%00")
    assert answer.status_code == (400 if connection.vendor == "postgresql" else 200)


@pytest.mark.parametrize("key", ["0", "no-uuid", "%00"])
def test_a_row_that_cannot_be_has_no_page(staff, key):
    kind = ContentType.objects.get(model="enterprisecustomer")
    assert staff.get(f"/admin/r/{kind.pk}/{key}/").status_code == 404
