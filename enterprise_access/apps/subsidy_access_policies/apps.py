from django.apps import AppConfig


class SubsidyAccessPoliciesConfig(AppConfig):
    name = "enterprise_access.apps.subsidy_access_policies"
    verbose_name = "Learner credit budgets"
