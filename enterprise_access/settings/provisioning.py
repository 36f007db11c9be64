"""What only provisioning uses."""

from enterprise_access.settings.beat import SWEEP_SECONDS, every
from enterprise_access.settings.reading import Environment, integers_from

env = Environment()

# --- Provisioning ------------------------------------------------------------------------------------------------

# How long a request that provisions a customer waits for the workflow, which then continues in the background. Keep it
# below the timeout of the web server.
PROVISIONING_BUDGET_SECONDS = env.float("PROVISIONING_BUDGET_SECONDS", default=25)
# Which catalog query of the LMS (second) belongs to which product of license-manager (first): `1=1,3=2`. Only these
# products and queries are accepted; without any, no customer can be provisioned.
PROVISIONING_CATALOG_QUERIES = integers_from(env.str("PROVISIONING_CATALOG_QUERIES", default=""))
# Domain of the LMS site of new customers. Empty: the one in LMS_BASE_URL.
PROVISIONING_SITE_DOMAIN = env.str("PROVISIONING_SITE_DOMAIN", default="")
# Whether license-manager marks provisioned plans as internal, which keeps them out of its reports.
PROVISIONING_PLANS_FOR_INTERNAL_USE = env.bool("PROVISIONING_PLANS_FOR_INTERNAL_USE", default=True)
# How long the email addresses of admins are kept in a workflow that is not done, or whose mails were not sent.
PROVISIONING_PEOPLE_KEPT_DAYS = env.int("PROVISIONING_PEOPLE_KEPT_DAYS", default=30)

# Whether people who were made admins of a new customer are told by mail.
PROVISIONING_MAILS_ADMINS = env.bool("PROVISIONING_MAILS_ADMINS", default=True)
# Where admins work: the address of the admin portal, before the customer's slug. Empty: mails have no link.
ADMIN_PORTAL_URL = env.str("ADMIN_PORTAL_URL", default="")

PROVISIONING_SCHEDULE = {
    # Finds workflows that were left behind by a lost message, or by a worker that ended.
    "sweep workflows": every(SWEEP_SECONDS, "provisioning.sweep"),
    "forget addresses of workflows": every(24 * 60 * 60, "provisioning.prune", expires=None),
}
PROVISIONING_INTERACTIVE = ("provisioning.run_due",)
