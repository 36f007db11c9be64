"""What lists and filters of the admin offer is in words: no code, no field name, acronyms in capitals."""

import re

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field

from enterprise_access.apps.licenses.models import LicenseClaim
from enterprise_access.lib.wording import in_words, named

pytestmark = pytest.mark.django_db

ADMINS = [pytest.param(each, id=each.opts.label) for each in admin.site._registry.values()]
LOWER_CASE_ACRONYM = re.compile(r"\b(api|csv|lms|url|uuid)\b", re.IGNORECASE)


def changelist(model_admin, rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    return model_admin.get_changelist_instance(request)


def is_readable(label):
    acronyms = [found[0] for found in LOWER_CASE_ACRONYM.finditer(label)]
    return label[:1] == label[:1].upper() and "_" not in label and all(each.isupper() for each in acronyms)


@pytest.mark.parametrize("model_admin", ADMINS)
def test_every_choice_of_every_filter_is_in_words(model_admin, rf, admin_user):
    listed = changelist(model_admin, rf, admin_user)
    offered = {str(choice["display"]) for spec in listed.filter_specs for choice in spec.choices(listed)}
    assert [label for label in offered if not is_readable(label)] == []


@pytest.mark.parametrize("model_admin", ADMINS)
def test_every_column_writes_acronyms_in_capitals(model_admin, rf, admin_user):
    listed = changelist(model_admin, rf, admin_user)
    labels = [str(label_for_field(each, model_admin.model, model_admin)) for each in listed.list_display]
    assert [label for label in labels if named(label) != label] == []


def test_codes_that_rows_have_are_offered_in_words(rf, admin_user):
    LicenseClaim.objects.create(
        customer_uuid="7c9f03d4-0d4a-4107-82e2-000000000001", lms_user_id=1, problem="lms_timeout"
    )
    listed = changelist(admin.site._registry[LicenseClaim], rf, admin_user)
    (spec,) = listed.filter_specs
    assert [choice["display"] for choice in spec.choices(listed)] == ["All", "LMS timeout"]


def test_pages_say_what_a_row_holds_in_words(client, admin_user):
    claim = LicenseClaim.objects.create(customer_uuid="7c9f03d4-0d4a-4107-82e2-000000000001", lms_user_id=1)
    client.force_login(admin_user)
    page = client.get(f"/admin/licenses/licenseclaim/{claim.pk}/change/").content.decode()
    assert "LMS user id:" in page
    assert "Customer UUID:" in page
    assert "Lms" not in page


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("lms_unavailable", "LMS unavailable"),
        ("ENROLLMENT_DATE_PASSED", "Enrollment date passed"),
        ("PerLearnerSpendCreditAccessPolicy", "Per learner spend credit access policy"),
        ("in_doubt", "Outcome unknown"),
        ("sent, no answer yet", "Sent, no answer yet"),
        ("Needs attention", "Needs attention"),
        ("", ""),
    ],
)
def test_a_code_in_words(code, words):
    assert in_words(code) == words
