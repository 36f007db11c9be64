"""What the activity of a customer tells of assignments."""

from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.selectors.activity import list_actions, list_allocations
from enterprise_access.apps.notifications import services as notifications

from .addresses import admin_url, post
from .scene import allocate as allocate_to
from .scene import make_assigned_budget

pytestmark = pytest.mark.django_db

CUSTOMER, BATCH = UUID(int=1), UUID(int=2)


def allocate(number: int) -> LearnerContentAssignment:
    now = timezone.now()
    return LearnerContentAssignment.objects.create(
        policy_uuid=uuid4(),
        customer_uuid=CUSTOMER,
        learner_email=f"learner{number}@example.com",
        content_key="edX+DemoX",
        content_title="Demonstration",
        content_quantity=-100,
        state=AssignmentState.ALLOCATED.value,
        allocated_at=now,
        expires_at=now,
        recent_action_at=now,
        allocation_batch_id=BATCH,
        admin_lms_user_id=7,
    )


def test_an_allocation_is_one_event_however_many_people_it_was_for():
    for number in range(3):
        allocate(number)
    (done,) = list_allocations(CUSTOMER, None, 10)
    assert (done.what, done.who) == ("Assigned Demonstration to 3 people", "LMS user 7")
    assert [one.key for one in list_allocations(CUSTOMER, done.at, 10)] == [str(BATCH)]
    assert list(list_allocations(uuid4(), None, 10)) == []


@pytest.mark.usefixtures("world")
def test_who_reminded_and_who_cancelled_is_told_whoever_of_the_two_did_it_where(api_as, staff, mailoutbox):
    policy = make_assigned_budget()
    rows = allocate_to(policy, ["ada@example.com", "ben@example.com"]).created
    uuids = {"assignment_uuids": [str(row.pk) for row in rows]}
    assert post(api_as("amy_admin"), admin_url(policy, "remind/"), uuids).status_code == 200
    notifications.send_due()
    get_user_model().objects.filter(username="root").update(lms_user_id=77)
    page = reverse("admin:content_assignments_learnercontentassignment_changelist")
    for action in ("remind", "cancel"):
        staff.post(page, {"action": action, "_selected_action": uuids["assignment_uuids"]})
    told = [(done.who, done.what) for done in list_actions(policy.customer_uuid, None, 10)]
    assert told == [
        ("LMS user 77", "Cancelled 2 assignments"),
        ("LMS user 77", "Sent reminders for 2 assignments"),
        ("LMS user 5", "Sent reminders for 2 assignments"),
    ]
    (shown, _) = api_as("amy_admin").get(admin_url(policy)).json()["results"]
    assert {action["action_type"] for action in shown["actions"]} == {"notified", "reminded", "cancelled"}


def test_what_a_person_did_at_one_time_is_one_event_and_what_the_service_did_is_none():
    now = timezone.now()
    for number in range(3):
        row = allocate(number)
        for actor in (9, None):
            LearnerContentAssignmentAction.objects.create(
                assignment=row, action_type="cancelled", created=now, modified=now, actor_lms_user_id=actor
            )
    (done,) = list_actions(CUSTOMER, None, 10)
    assert (done.what, done.who, done.at) == ("Cancelled 3 assignments", "LMS user 9", now)
    assert list(list_actions(CUSTOMER, now, 10)) == [done]
