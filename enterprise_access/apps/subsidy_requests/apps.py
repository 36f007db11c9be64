from django.apps import AppConfig


class SubsidyRequestsConfig(AppConfig):
    name = "enterprise_access.apps.subsidy_requests"
    verbose_name = "Subsidy requests"
    admin_order = 60

    def ready(self) -> None:
        """Register mails, events and metrics, and let requests follow their assignments."""
        from enterprise_access.apps.subsidy_access_policies.services.policies import taking_requests
        from enterprise_access.apps.subsidy_requests.selectors import activity, timeline
        from enterprise_access.apps.subsidy_requests.services import (  # needs the models
            auto_enrolling,
            configurations,
            digests,
            event_schemas,  # noqa: F401 (registers)
            following,
            mails,
            unlinking,
            watching,
        )
        from enterprise_access.apps.subsidy_requests.services.granting import QUEUE
        from enterprise_access.lib import activity as done
        from enterprise_access.lib import state
        from enterprise_access.lib import timeline as learners_timeline
        from enterprise_access.lib.work.watching import watch

        watch(QUEUE)
        watch(auto_enrolling.QUEUE)
        watch(unlinking.QUEUE)
        taking_requests.register("subsidy requests", configurations.why_not_take_requests)
        following.connect()
        mails.connect()
        digests.connect()
        done.register("subsidy requests", activity.list_decisions, permission="subsidy_requests.view_subsidyrequest")
        learners_timeline.register("subsidy requests", timeline.list_past_events)
        state.register("subsidy requests", watching.read_failed, seconds=60)
