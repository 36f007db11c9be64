"""Celery: its broker, queues and limits, and what runs on a schedule."""

from typing import Any

from kombu import Exchange, Queue

from enterprise_access.settings.beat import SWEEP_SECONDS, every
from enterprise_access.settings.default_enrollments import DEFAULT_ENROLLMENTS_INTERACTIVE, DEFAULT_ENROLLMENTS_SCHEDULE
from enterprise_access.settings.event_bus import BUS_SCHEDULE, EVENT_BUS_REDIS_CONNECTION_URL
from enterprise_access.settings.learner_credit import LEARNER_CREDIT_INTERACTIVE, LEARNER_CREDIT_SCHEDULE
from enterprise_access.settings.provisioning import PROVISIONING_INTERACTIVE, PROVISIONING_SCHEDULE
from enterprise_access.settings.reading import Environment

env = Environment()

# --- Background work ---------------------------------------------------------------------------------------------

# Address of the Celery broker: `redis://...` or another one that Celery supports. Losing its data only delays work.
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that is alive but read-only (a Redis that became a replica) is waited for, like one that is away.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# How long a sender waits for an unreachable broker. Messages are best-effort (lib/jobs.py).
CELERY_BROKER_CONNECTION_TIMEOUT = env.float("BROKER_CONNECT_TIMEOUT_SECONDS", default=2)
# How long Redis may take to answer as the broker. (Other brokers have no such option.)
BROKER_READ_TIMEOUT_SECONDS = env.float("BROKER_READ_TIMEOUT_SECONDS", default=1)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"max_retries": 0}
if CELERY_BROKER_URL.startswith(("redis", "sentinel")):
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "socket_connect_timeout": CELERY_BROKER_CONNECTION_TIMEOUT,
        "socket_timeout": BROKER_READ_TIMEOUT_SECONDS,
    }
# Somebody waits for what is in `interactive`; the rest can wait. Workers of their own keep them apart. `celery` is
# where the release before this one sends to.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("interactive", "background", "celery")]
CELERY_TASK_ROUTES = {
    **{
        task: {"queue": "interactive"}
        for task in (*DEFAULT_ENROLLMENTS_INTERACTIVE, *LEARNER_CREDIT_INTERACTIVE, *PROVISIONING_INTERACTIVE)
    },
    "customers.resolve_logins": {"queue": "interactive"},
    "events.relay": {"queue": "interactive"},
    "*": {"queue": "background"},
}
# A longer task is first asked to stop (soft limit), then killed. Another worker continues its work.
CELERY_TASK_SOFT_TIME_LIMIT = env.int("TASK_SOFT_TIME_LIMIT_SECONDS", default=600)
CELERY_TASK_TIME_LIMIT = CELERY_TASK_SOFT_TIME_LIMIT + 60
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# How many reads of platform enrollments all processes together make per minute, each of up to 100 learners. The LMS
# allows the service account 120. 0: no limit.
PLATFORM_READS_PER_MINUTE = env.int("PLATFORM_READS_PER_MINUTE", default=96)
# How many of these may follow each other immediately after a quiet time. The sum of this and PLATFORM_READS_PER_MINUTE
# has to be below 120.
PLATFORM_READS_AT_ONCE = env.int("PLATFORM_READS_AT_ONCE", default=16)
# How many calls all processes together make per minute to read licenses. license-manager allows the service account
# 360, of which other calls need some. 0: no limit.
LICENSE_READS_PER_MINUTE = env.int("LICENSE_READS_PER_MINUTE", default=300)
# How many reads of modes all processes together make per minute. The LMS allows 40 per minute and address.
MODES_PER_MINUTE = env.int("MODES_PER_MINUTE", default=38)
# How many of these are reserved for urgent reads (saving an intention, enrolling a learner), so that refreshing stored
# modes does not use them.
MODES_RESERVED_PER_MINUTE = env.int("MODES_RESERVED_PER_MINUTE", default=18)
# How often the permissions of the service account are checked, with one call to each of six endpoints.
CHECK_NEIGHBOURS_SECONDS = env.int("CHECK_NEIGHBOURS_SECONDS", default=15 * 60)
# How long finished jobs and their results are kept.
JOBS_KEPT_DAYS = env.int("JOBS_KEPT_DAYS", default=30)
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    **DEFAULT_ENROLLMENTS_SCHEDULE,
    **LEARNER_CREDIT_SCHEDULE,
    **PROVISIONING_SCHEDULE,
    **(BUS_SCHEDULE if EVENT_BUS_REDIS_CONNECTION_URL else {}),
    # Finds jobs that were left behind by a lost message, or by a worker that ended.
    "sweep jobs": every(SWEEP_SECONDS, "jobs.sweep"),
    "prune jobs": every(24 * 60 * 60, "jobs.prune", expires=None),
    # Notices when our account has lost a right at an upstream service, or got it back.
    "check neighbours": every(CHECK_NEIGHBOURS_SECONDS, "customers.check_neighbours"),
    # Sooner where the last check found a problem: what is mended is not shown as broken for long.
    "check neighbours again": every(60, "customers.check_neighbours_again", expires=60),
    # Keeps the modes of runs young, within what the LMS allows a minute.
    "refresh modes": every(60, "content_metadata.refresh_aging_modes"),
}
