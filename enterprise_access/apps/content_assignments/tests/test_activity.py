"""What the activity of a customer tells of assignments."""

from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from enterprise_access.apps.content_assignments.domain.states import AssignmentState
from enterprise_access.apps.content_assignments.models import LearnerContentAssignment, LearnerContentAssignmentAction
from enterprise_access.apps.content_assignments.selectors.activity import list_actions, list_allocations

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
