"""What only default enrollments use. Another app with settings or tasks of its own gets a module like this."""

from enterprise_access.settings.beat import SWEEP_SECONDS, every
from enterprise_access.settings.reading import Environment

env = Environment()

# --- Default enrollments -----------------------------------------------------------------------------------------

# How long a caller of `realize/` may wait for the outcome.
REALIZE_WAIT_MAX_SECONDS = env.float("REALIZE_WAIT_MAX_SECONDS", default=3)
# How many callers of `realize/` and of portal pages may wait for enrollments simultaneously in each web process; each
# holds a thread. Further callers are answered immediately, and their learners are enrolled all the same. Each learner
# has one place.
REALIZE_WAITERS = env.int("REALIZE_WAITERS", default=16)
# How long the LMS may send no data in a bulk enrollment. It works through its items one by one.
ENROLL_READ_TIMEOUT_SECONDS = env.float("ENROLL_READ_TIMEOUT_SECONDS", default=30)
# How many learners of one customer a worker claims together.
REALIZE_BATCH = env.int("REALIZE_BATCH", default=100)
# How many enrollments one call to the LMS contains.
ENROLL_BATCH = env.int("ENROLL_BATCH", default=20)
# How long a worker's lease lasts without being renewed. Then another worker takes over.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=120)
# How often every intention is resolved and checked for whether it would enroll new learners.
CHECK_INTENTIONS_SECONDS = env.int("CHECK_INTENTIONS_SECONDS", default=15 * 60)
# How many learners' realizations one round compares with the platform, with one call to the LMS per hundred learners.
RECONCILE_LEARNERS = env.int("RECONCILE_LEARNERS", default=500)
# How often such a round runs.
RECONCILE_SECONDS = env.int("RECONCILE_SECONDS", default=10 * 60)
# Recipients of a daily email about intentions that would not enroll new learners. Empty: no email.
VALIDATION_DIGEST_RECIPIENTS: list[str] = env.list("VALIDATION_DIGEST_RECIPIENTS", default=[])
# After how many days a staff override expires that no enrollment has used.
OVERRIDE_VALID_DAYS = env.int("OVERRIDE_VALID_DAYS", default=30)
# How long attempts are kept that a later one has replaced.
ATTEMPTS_KEPT_DAYS = env.int("ATTEMPTS_KEPT_DAYS", default=90)

DEFAULT_ENROLLMENTS_SCHEDULE = {
    # Finds what a lost message left behind: the database, not the broker, knows what is pending.
    "sweep default enrollments": every(SWEEP_SECONDS, "default_enrollments.sweep"),
    # Notices when a course gets another run, a run closes, a catalog or a mode changes; wakes who waits for that.
    "check intentions": every(CHECK_INTENTIONS_SECONDS, "default_enrollments.check_all_intentions"),
    # Finds what nothing announces: learners who left, licenses that were revoked, modes that drifted.
    "reconcile realizations": every(RECONCILE_SECONDS, "default_enrollments.reconcile"),
    "prune attempts": every(24 * 60 * 60, "default_enrollments.prune_attempts", expires=None),
    # Mails staff, once a day each, which intentions need attention. Hourly, so that a mail that failed is tried again.
    "mail digest": every(60 * 60, "default_enrollments.mail_digest"),
}
DEFAULT_ENROLLMENTS_INTERACTIVE = ("default_enrollments.realize_due", "default_enrollments.sweep")
# What the admin's templates are offered on every page.
DEFAULT_ENROLLMENTS_CONTEXT = ("enterprise_access.apps.default_enrollments.admin.pauses.pauses",)
