"""The event bus."""

from enterprise_access.settings.beat import every
from enterprise_access.settings.reading import Environment

env = Environment()

# --- The event bus (docs/how-to/event-bus.rst) --------------------------------------------------------------------

# Address of the event bus: `redis://...`. Empty: there is no bus; no events are received or sent.
EVENT_BUS_REDIS_CONNECTION_URL = env.str("EVENT_BUS_REDIS_CONNECTION_URL", default="") or None
# How long pages of the portal, which never wait for a read of the platform, show stored enrollments without marking
# them as stale while events keep them up to date. Without an event bus it is ENROLLMENTS_FRESH_SECONDS.
ENROLLMENTS_SHOWN_SECONDS = env.int("ENROLLMENTS_SHOWN_SECONDS", default=15 * 60)
# Prefix of the names of topics, as in the LMS.
EVENT_BUS_TOPIC_PREFIX = env.str("EVENT_BUS_TOPIC_PREFIX", default="")
EVENT_BUS_CONSUMER = "enterprise_access.events.consumer.DurableRedisConsumer"
EVENT_BUS_PRODUCER = EVENT_BUS_REDIS_CONNECTION_URL and "enterprise_access.events.producer.create_producer"
EVENTS_SERVICE_NAME = "enterprise-access"
# The consumer group; all consumers of one installation share it.
EVENT_BUS_GROUP = env.str("EVENT_BUS_GROUP", default="enterprise-access")
# Topic of this service's events: one topic, so that the events of one learner stay in order.
EVENT_BUS_OWN_TOPIC = env.str("EVENT_BUS_OWN_TOPIC", default="enterprise-default-enrollments")
# Topics that consumers run for, so that /metrics can show how far they are behind.
EVENT_BUS_TOPICS: list[str] = env.list(
    "EVENT_BUS_TOPICS",
    default=[
        "learning-session-login",
        "learning-student-registration",
        "learning-course-enrollment-changed",
        "learning-course-unenrollment",
        "enterprise-subsidies-transaction-lifecycle",
    ],
)
# How many messages are read, handled and acknowledged together.
EVENT_BUS_BATCH = env.int("EVENT_BUS_BATCH", default=200)
# How often a failing event is tried before it is set aside.
EVENT_BUS_TRIES = env.int("EVENT_BUS_TRIES", default=5)
# When a consumer takes over messages that another one has read and not acknowledged.
EVENT_BUS_CLAIM_AFTER_SECONDS = env.int("EVENT_BUS_CLAIM_AFTER_SECONDS", default=60)
# How long a consumer waits for an unreachable Redis or database before it exits to be restarted.
EVENT_BUS_GIVE_UP_SECONDS = env.int("EVENT_BUS_GIVE_UP_SECONDS", default=120)
# Timeout to connect to Redis.
EVENT_BUS_CONNECT_TIMEOUT_SECONDS = env.float("EVENT_BUS_CONNECT_TIMEOUT_SECONDS", default=2)
# How long Redis may take to answer.
EVENT_BUS_READ_TIMEOUT_SECONDS = env.float("EVENT_BUS_READ_TIMEOUT_SECONDS", default=5)
# A longer stream loses its oldest messages. The LMS has a setting of the same name for its own topics.
EVENT_BUS_REDIS_STREAM_MAX_LEN = env.int("EVENT_BUS_REDIS_STREAM_MAX_LEN", default=1_000_000)
# How often beat looks for login records whose customer is not known yet.
RESOLVE_SIGHTINGS_SECONDS = env.int("RESOLVE_SIGHTINGS_SECONDS", default=10)
# How often beat looks for events that have not been sent.
RELAY_SECONDS = env.int("RELAY_SECONDS", default=10)

# What beat sends where there is an event bus.
BUS_SCHEDULE = {
    # Finds learners who were seen and whose link is still to be found.
    "resolve logins": every(RESOLVE_SIGHTINGS_SECONDS, "customers.resolve_logins"),
    "prune sightings": every(60 * 60, "customers.prune_sightings", expires=None),
    # Sends what is in the outbox.
    "relay events": every(RELAY_SECONDS, "events.relay"),
    "prune messages set aside": every(24 * 60 * 60, "events.prune_set_aside", expires=None),
}
