"""What redemptions tell in the timelines of assignments and of learners."""

import pytest

from enterprise_access.apps.content_assignments.selectors.timeline import timeline_of
from enterprise_access.apps.content_assignments.services import see_learner
from enterprise_access.apps.content_assignments.tests.scene import allocated, make_assigned_budget
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.tests.ledgers import ADA, BEN, RUN, begin, know_learners
from enterprise_access.lib import clock
from enterprise_access.lib.timeline import get_timeline
from simulator.seed import ACME

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


def test_support_sees_what_was_tried_with_an_assignment(staff):
    know_learners()
    policy = make_assigned_budget()
    row = allocated(policy)
    see_learner(ADA, "ada@example.com", clock.now())
    row.refresh_from_db()
    attempt = begin(policy, assignment_uuid=row.pk)
    RedemptionAttempt.objects.update(state="refused", reason="price_changed")
    assert ("redemption: " + RUN, "refused price_changed") in [(one.what, one.outcome) for one in timeline_of(row)]
    page = staff.get(f"/admin/content_assignments/learnercontentassignment/{row.pk}/change/").content.decode()
    assert "refused price_changed" in page
    events = {event.kind: event for event in get_timeline(customer_uuid=ACME, lms_user_id=ADA).events}
    assert {"assignment_allocated", "mail", "redemption_refused"} <= events.keys()
    told = events["redemption_refused"]
    assert (told.reason, told.about["redemption"], told.about["assignment"]) == (
        "price_changed",
        str(attempt.pk),
        str(row.pk),
    )
    # The mail was asked for before it was known whose the address is.
    assert events["mail"].about["assignment"] == str(row.pk)
    assert get_timeline(customer_uuid=ACME, lms_user_id=BEN).events == ()
