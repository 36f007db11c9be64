"""What budgets, redemption, groups, assignments, subsidy requests and their mails use."""

from enterprise_access.settings.beat import SWEEP_SECONDS, every
from enterprise_access.settings.reading import Environment

env = Environment()

# --- Learner credit ----------------------------------------------------------------------------------------------

# How long a reader waits for accounts of learner credit, or for a learner's transactions, in total.
CREDIT_BUDGET_SECONDS = env.float("CREDIT_BUDGET_SECONDS", default=3)
# How long a request to redeem waits for its outcome before it answers "pending".
REDEEM_WAIT_SECONDS = env.float("REDEEM_WAIT_SECONDS", default=8)
# After this time, a transaction that is still created or pending in the ledger is requested again, with the same key.
REDEEM_RUNNING_LIMIT_SECONDS = env.float("REDEEM_RUNNING_LIMIT_SECONDS", default=90)
# How often new transactions of learner credit are read from enterprise-subsidy.
RECONCILE_LEDGER_SECONDS = env.int("RECONCILE_LEDGER_SECONDS", default=5 * 60)
# How far each reading goes back before the start of the previous one, because redemptions change while they are in
# progress.
LEDGER_OVERLAP_SECONDS = env.int("LEDGER_OVERLAP_SECONDS", default=60 * 60)
# After how many days an assignment expires that was not redeemed.
ASSIGNMENT_DAYS = env.int("ASSIGNMENT_DAYS", default=90)
# How many days after the last email about it the address of an ended assignment is cleared.
ASSIGNMENT_EMAIL_DAYS = env.int("ASSIGNMENT_EMAIL_DAYS", default=90)
# How many assignments one call of cancel-all or remind-all takes. Redemptions of the account wait for its transaction.
ASSIGNMENTS_AT_ONCE = env.int("ASSIGNMENTS_AT_ONCE", default=5_000)
# Lowest price that an admin may agree to, as a ratio of the catalog's price.
ALLOCATION_PRICE_LOWER = env.float("ALLOCATION_PRICE_LOWER", default=0.95)
# Highest price that an admin may agree to, as a ratio of the catalog's price.
ALLOCATION_PRICE_UPPER = env.float("ALLOCATION_PRICE_UPPER", default=1.05)
# How often beat looks for assignments that expire, and for addresses to clear.
EXPIRE_ASSIGNMENTS_SECONDS = env.int("EXPIRE_ASSIGNMENTS_SECONDS", default=60 * 60)
# After an approval, learners of customers who want that are enrolled in a run that starts within so many days.
AUTO_ENROLLMENT_STARTS_WITHIN_DAYS = env.int("AUTO_ENROLLMENT_STARTS_WITHIN_DAYS", default=30)
# How many days such an enrollment waits for the learner to accept the license, or for an upstream service.
AUTO_ENROLLMENT_WAIT_DAYS = env.int("AUTO_ENROLLMENT_WAIT_DAYS", default=14)
# How long sent notifications are kept.
NOTIFICATIONS_KEPT_DAYS = env.int("NOTIFICATIONS_KEPT_DAYS", default=180)
# Address of the learner portal, without the customer's slug, for links in emails. Empty: emails have no link.
LEARNER_PORTAL_URL = env.str("LEARNER_PORTAL_URL", default="")

_DAILY = 24 * 60 * 60

LEARNER_CREDIT_SCHEDULE = {
    # Finds money that other tools moved, and what no event told.
    "reconcile new credit transactions": every(RECONCILE_LEDGER_SECONDS, "subsidy_access_policies.reconcile_new"),
    # Finds late changes of old transactions, and totals that have drifted.
    "reconcile all credit transactions": every(_DAILY, "subsidy_access_policies.reconcile_all"),
    # The sweeps find what a lost message left behind, and what is to be tried again.
    "sweep deposits": every(SWEEP_SECONDS, "subsidy_access_policies.sweep_deposits"),
    "sweep redemptions": every(SWEEP_SECONDS, "redemption.sweep"),
    "sweep subsidy requests": every(SWEEP_SECONDS, "subsidy_requests.sweep"),
    "fill titles of requests": every(SWEEP_SECONDS, "subsidy_requests.fill_titles"),
    # Hourly, so that a customer whose admins could not be asked for is tried again. Each has its own cadence.
    "send digests of requests": every(60 * 60, "subsidy_requests.ask_for_digests"),
    "link learners of assignments": every(SWEEP_SECONDS, "content_assignments.link_due"),
    "expire assignments": every(EXPIRE_ASSIGNMENTS_SECONDS, "content_assignments.expire_due"),
    "clear addresses of assignments": every(EXPIRE_ASSIGNMENTS_SECONDS, "content_assignments.clear_due_emails"),
    # A reminder that is missed is found for three more days.
    "remind invited members of groups": every(_DAILY, "subsidy_access_policies.remind_groups", expires=None),
    "send mails": every(SWEEP_SECONDS, "notifications.send_due"),
    "prune notifications": every(_DAILY, "notifications.prune", expires=None),
    "prune refusals of credit": every(_DAILY, "redemption.prune_refusals", expires=None),
    "prune memberships": every(60 * 60, "groups.prune_memberships", expires=None),
}
LEARNER_CREDIT_INTERACTIVE = ("redemption.redeem_due", "redemption.sweep")
