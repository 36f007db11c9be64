"""What the activity of a customer tells of budgets."""

from uuid import uuid4

import pytest
from django.utils import timezone

from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors.activity import list_budget_changes

pytestmark = pytest.mark.django_db


def test_changes_are_told_with_who_and_why_the_newest_first(django_user_model):
    customer, user = uuid4(), django_user_model.objects.create_user("sam")
    subsidy = Subsidy.objects.create(uuid=uuid4(), customer_uuid=customer, fetched_at=timezone.now())
    policy = SubsidyAccessPolicy(
        customer_uuid=customer,
        subsidy=subsidy,
        catalog_uuid=uuid4(),
        display_name="Engineers",
        policy_type="PerLearnerEnrollmentCreditAccessPolicy",
        access_method="direct",
    )
    policy.save()
    policy.spend_limit = 100_00
    policy._history_user, policy._change_reason = user, "More was asked for, SUP-14"
    policy.save()
    newest, first = list_budget_changes(customer, None, 10)
    assert (newest.what, newest.who, newest.why) == (
        "Changed the budget Engineers",
        "sam",
        "More was asked for, SUP-14",
    )
    assert first.what == "Created the budget Engineers"
    assert [done.what for done in list_budget_changes(customer, first.at, 10)] == [first.what]
    assert list(list_budget_changes(uuid4(), None, 10)) == []
