"""Taking a person out of the records of requests."""

from django.db import transaction

from enterprise_access.apps.subsidy_requests.models import Configuration, SubsidyRequest, SubsidyRequestAction


def forget_learner(*, lms_user_id: int) -> dict[str, int]:
    """Remove a person: their own requests go, histories included; what they decided on loses their name.

    Return how many rows changed, by table.
    """
    with transaction.atomic():
        own = SubsidyRequest.objects.filter(lms_user_id=lms_user_id)
        gone = {"subsidy requests": own.count()}
        own.delete()
        histories = SubsidyRequest.history.filter(lms_user_id=lms_user_id)
        gone["history of subsidy requests"] = histories.delete()[0]
        for rows in (SubsidyRequest.objects.all(), SubsidyRequest.history.all()):
            rows.filter(reviewer_lms_user_id=lms_user_id).update(reviewer_lms_user_id=None)
        SubsidyRequestAction.objects.filter(actor_lms_user_id=lms_user_id).update(actor_lms_user_id=None)
        for configurations in (Configuration.objects.all(), Configuration.history.all()):
            configurations.filter(changed_by_lms_user_id=lms_user_id).update(changed_by_lms_user_id=None)
        return gone
