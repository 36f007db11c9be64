from django.apps import AppConfig


class SubsidyAccessPoliciesConfig(AppConfig):
    name = "enterprise_access.apps.subsidy_access_policies"
    verbose_name = "Learner credit budgets"
    admin_order = 30

    def ready(self) -> None:
        """Register this app's events, mails and metrics."""
        from enterprise_access.apps.subsidy_access_policies.selectors import activity, state  # needs the models
        from enterprise_access.apps.subsidy_access_policies.services import (
            DEPOSITS,
            announcing,  # noqa: F401 (registers)
            reminders,
        )
        from enterprise_access.lib import activity as done
        from enterprise_access.lib.state import register
        from enterprise_access.lib.work.watching import watch

        watch(DEPOSITS)
        reminders.connect()
        done.register(
            "budgets", activity.list_budget_changes, permission="subsidy_access_policies.view_subsidyaccesspolicy"
        )
        register("budgets", state.read_budgets, seconds=60)
