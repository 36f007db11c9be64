from django.apps import AppConfig


class DefaultEnrollmentsConfig(AppConfig):
    name = "enterprise_access.apps.default_enrollments"
    verbose_name = "Default enrollments"
    admin_order = 20

    def ready(self) -> None:
        """Register this app's jobs, events, queues and metrics. Costly metrics are read less often."""
        from enterprise_access.apps.customers.services.signals import learner_seen
        from enterprise_access.apps.default_enrollments.selectors import activity, state, timeline  # needs the models
        from enterprise_access.apps.default_enrollments.services import (
            after_approval,
            event_schemas,  # noqa: F401 (registers)
        )
        from enterprise_access.apps.default_enrollments.services.moving_in import importing
        from enterprise_access.apps.default_enrollments.services.realizing.redeeming import note_redemption
        from enterprise_access.apps.default_enrollments.services.requests import logins, sweeping
        from enterprise_access.apps.default_enrollments.services.requests.work_items import QUEUE, exclude_paused
        from enterprise_access.apps.redemption.services import attempt_ended
        from enterprise_access.apps.subsidy_requests.services import auto_enrolling
        from enterprise_access.jobs import kinds
        from enterprise_access.lib import activity as done
        from enterprise_access.lib import timeline as learners_timeline
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import watch

        learner_seen.connect(logins.request_for_seen, dispatch_uid="default_enrollments.learner_seen")
        attempt_ended.connect(note_redemption, dispatch_uid="default_enrollments")
        attempt_ended.connect(after_approval.note_redemption, dispatch_uid="default_enrollments.after_approval")
        auto_enrolling.register(after_approval.AfterApproval())
        register("work", state.read_work)
        watch(QUEUE, workable=exclude_paused)
        learners_timeline.register("default enrollments", timeline.list_past_events)
        may_see = "default_enrollments.view_{}".format
        intention, override = may_see("defaultenterpriseenrollmentintention"), may_see("realizationoverride")
        done.register("default enrollments", activity.list_intention_changes, permission=intention)
        done.register("overrides", activity.list_overrides_given, permission=override)
        done.register("cancelled overrides", activity.list_overrides_cancelled, permission=override)
        done.register("pauses and checks", activity.list_pauses_and_checks, permission=intention)
        done.register("backfills", activity.list_backfills, permission=intention)
        register("intentions", state.read_intentions)
        register("realizations", state.read_realizations, seconds=60)
        for kind in (importing.IMPORT_CSV, importing.IMPORT_LMS, sweeping.CHECK_ALL, sweeping.BACKFILL):
            kinds.register(kind)
