from django.apps import AppConfig


class ContentAssignmentsConfig(AppConfig):
    name = "enterprise_access.apps.content_assignments"
    verbose_name = "Assignments"
    admin_order = 50

    def ready(self) -> None:
        """Register the kinds of mail, and hear how mails ended and which money the ledger gave back."""
        from enterprise_access.apps.content_assignments.selectors import activity, learner_timeline
        from enterprise_access.apps.content_assignments.services import mails, reversing  # needs the models
        from enterprise_access.apps.content_assignments.services.linking import QUEUE
        from enterprise_access.lib import activity as done
        from enterprise_access.lib import timeline
        from enterprise_access.lib.work.watching import watch

        watch(QUEUE)
        mails.connect()
        reversing.connect()
        may_see = "content_assignments.view_learnercontentassignment"
        done.register("assignments", activity.list_allocations, permission=may_see)
        done.register("actions on assignments", activity.list_actions, permission=may_see)
        timeline.register("assignments", learner_timeline.list_past_events)
