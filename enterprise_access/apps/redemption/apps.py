from django.apps import AppConfig


class RedemptionConfig(AppConfig):
    name = "enterprise_access.apps.redemption"
    verbose_name = "Redemption"
    admin_order = 40

    def ready(self) -> None:
        """Register what operators see of redemptions."""
        from enterprise_access.apps.content_assignments.selectors import timeline as assignment_timeline
        from enterprise_access.apps.redemption import selectors  # needs the models
        from enterprise_access.apps.redemption.services import QUEUE
        from enterprise_access.lib import health, timeline
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import watch

        watch(QUEUE)
        register("redemptions", selectors.read_redemptions)
        assignment_timeline.register(selectors.list_of_assignment)
        timeline.register("redemptions", selectors.list_past_events)
        health.register("redemptions", selectors.look_at_redemptions)
