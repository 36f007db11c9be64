"""A second import: rows that make room for others, people who were forgotten here, groups that were removed there."""

from uuid import UUID

import pytest

from enterprise_access.apps.content_assignments.models import LearnerContentAssignment
from enterprise_access.apps.content_assignments.services.people import forget_learner as forget_in_assignments
from enterprise_access.apps.moving_in.tests import peer
from enterprise_access.apps.moving_in.tests.test_import import everything
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation
from enterprise_access.apps.subsidy_requests.models import SubsidyRequest
from enterprise_access.apps.subsidy_requests.services.people import forget_learner as forget_in_requests
from enterprise_access.lib import clock

pytestmark = pytest.mark.django_db

FIRST, LAST = UUID(int=1), UUID(int=500)
RETIRED = "retired_user7@retired.invalid"


def with_group_ended():
    return [row for row in peer.whole() if row["model"] != peer.association()["model"]]


# What has changed in the source since, and a new row that could not have been there before: by rising key before and
# after the row that stood in its way.
FREED = [
    (peer.license_request(state="declined"), peer.license_request(FIRST)),
    (peer.license_request(state="declined"), peer.license_request(LAST)),
    (peer.credit_request(state="declined", assignment=None), peer.credit_request(LAST)),
    (
        peer.assignment(state="expired", expired_at=peer.DAY_2, learner_email=RETIRED),
        peer.assignment(FIRST, learner_email="Learner-30@Example.com"),
    ),
    (
        peer.policy(active=False),
        peer.policy(FIRST, display_name="Budget 10", assignment_configuration=LAST),
    ),
]


@pytest.mark.parametrize(("changed", "new"), FREED)
@pytest.mark.parametrize("commit", [True, False])
def test_a_row_is_taken_over_with_the_change_that_makes_room_for_it(take_over, changed, new, commit):
    take_over(peer.whole())
    before = everything()
    printed = take_over([*peer.with_row(peer.whole(), changed), new], commit=commit)
    assert "added: 1, changed: 1" in printed
    assert "error" not in printed
    assert (everything() == before) is not commit


def test_an_admin_who_was_forgotten_here_is_not_brought_back_by_a_row_that_changed(take_over):
    take_over(peer.whole())
    forget_in_assignments(lms_user_id=peer.ADMIN, now=clock.now())
    forget_in_requests(lms_user_id=peer.ADMIN)
    rows = peer.with_row(peer.whole(), peer.assignment(state="cancelled", cancelled_at=peer.DAY_2))
    assert ": changed" in take_over(peer.with_row(rows, peer.coupon_request(coupon_code="OTHER")))
    assert LearnerContentAssignment.objects.get(pk=peer.WAITING).admin_lms_user_id is None
    assert SubsidyRequest.objects.get(pk=peer.COUPON_REQUEST).reviewer_lms_user_id is None


def test_an_admin_who_decided_since_is_taken_over(take_over):
    take_over(peer.whole())
    decided = peer.license_request(state="declined", reviewer=6, reviewed_at=peer.DAY_2)
    take_over(peer.with_row(peer.whole(), decided))
    assert SubsidyRequest.objects.get(pk=peer.LICENSE_REQUEST).reviewer_lms_user_id == peer.ADMIN


def test_a_group_that_is_only_here_is_reported_and_stays(take_over):
    take_over(peer.whole())
    printed = take_over(with_group_ended())
    assert f"group of a budget {peer.GROUP} of budget {peer.OPEN}: conflict: The budget is limited" in printed
    assert PolicyGroupAssociation.objects.count() == 1
    # A file without budgets says nothing about their groups.
    assert "conflict" not in take_over([peer.user()])
