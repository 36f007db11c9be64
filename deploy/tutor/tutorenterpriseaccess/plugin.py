"""What the plugin adds to Tutor: settings, services, jobs. The texts are in `patches` and `templates`."""

from importlib import resources

from tutor import hooks

ROOT = resources.files("tutorenterpriseaccess")

# Names that the LMS's settings and the consumers share (docs/how-to/event-bus.rst).
TOPICS = {
    "logins": ("org.openedx.learning.auth.session.login.completed.v1", "learning-session-login", "user.id"),
    "registrations": (
        "org.openedx.learning.student.registration.completed.v1",
        "learning-student-registration",
        "user.id",
    ),
    "enrollments": (
        "org.openedx.learning.course.enrollment.changed.v1",
        "learning-course-enrollment-changed",
        "enrollment.user.id",
    ),
    "unenrollments": (
        "org.openedx.learning.course.unenrollment.completed.v1",
        "learning-course-unenrollment",
        "enrollment.user.id",
    ),
}

# What is listened to, by the name of the consumer: of the ledger only where enterprise-subsidy is installed.
CONSUMED = {name: topic for name, (_, topic, _) in TOPICS.items()} | {
    "transactions": "enterprise-subsidies-transaction-lifecycle"
}

DEFAULTS = {
    "DOCKER_IMAGE": "{{ DOCKER_REGISTRY }}enterprise-access:latest",
    "HOST": "enterprise-access.{{ LMS_HOST }}",
    "LMS_URL": "http://lms:8000",
    "CATALOG_URL": "http://enterprise-catalog:8160",
    "LICENSE_MANAGER_URL": "http://license-manager:8170",
    # Optional: only types of courses are read there. Of Tutor's own plugin for course-discovery, where that is enabled.
    "LEARNER_PORTAL_URL": "",
    "ADMIN_PORTAL_URL": "",
    "DISCOVERY_URL": "{% if DISCOVERY_HOST is defined %}http://discovery:8000{% endif %}",
    # Optional: without any, no customer can be provisioned.
    "PROVISIONING_CATALOG_QUERIES": "",
    # Optional: without it, learner credit is off.
    "SUBSIDY_URL": "",
    "SUPPORT_LICENSE_MANAGER_URL": "",
    # Origins of the pages that call the API from a browser, as the learner portal does; separated by commas.
    "CORS_ORIGINS": "{% if ENABLE_HTTPS %}https{% else %}http{% endif %}://apps.{{ LMS_HOST }}",
    "MYSQL_DATABASE": "enterprise_access",
    "MYSQL_USERNAME": "enterprise_access",
    "REDIS_BROKER_DB": 10,
    "REDIS_CACHE_DB": 11,
    # The event bus of the whole installation. Streams are kept for a while, so it is not the cache's.
    "REDIS_EVENT_BUS_DB": 0,
    "EVENT_BUS_PREFIX": "{{ K8S_NAMESPACE }}",
    "EVENT_BUS_STREAM_MAX_LEN": 1000000,
    "SERVICE_USERNAME": "enterprise_access_worker",
    "OAUTH2_KEY": "enterprise-access-backend-service",
    "OAUTH2_KEY_SSO": "enterprise-access-sso",
    # The LMS user id that the job prints; see README.rst. Empty: only the worker's token proves its rights.
    "CANARY_USER_ID": "",
    "WEB_CONCURRENCY": 2,
    "WORKER_CONCURRENCY": 2,
    "WEB_REPLICAS": 2,
    "WORKER_REPLICAS": 2,
    "LOG_LEVEL": "INFO",
    # Who gets the daily mail about intentions that need somebody; separated by commas.
    "DIGEST_RECIPIENTS": "",
    # What a scraper of /metrics sends. Empty: there is no such page. Workers and consumers tell theirs on the port.
    "METRICS_CREDENTIALS": "",
    "METRICS_PORT": 9100,
    # Any other setting of docs/reference/settings, by its name.
    "EXTRA_ENVIRONMENT": {},
}
UNIQUE = {
    "SECRET_KEY": "{{ 50|random_string }}",
    "MYSQL_PASSWORD": "{{ 16|random_string }}",
    "OAUTH2_SECRET": "{{ 32|random_string }}",
    "OAUTH2_SECRET_SSO": "{{ 32|random_string }}",
}
# Service that runs the job, and its script. In this order.
INIT_TASKS = (
    ("mysql", "mysql.sh"),
    ("lms", "lms.sh"),
    ("enterprise-access", "migrate.sh"),
    ("enterprise-access", "check.sh"),
)


def named(values: dict[str, object]) -> list[tuple[str, object]]:
    """Return the settings under the plugin's prefix."""
    return [(f"ENTERPRISE_ACCESS_{name}", value) for name, value in values.items()]


hooks.Filters.CONFIG_DEFAULTS.add_items(named(DEFAULTS))
hooks.Filters.CONFIG_UNIQUE.add_items(named(UNIQUE))
hooks.Filters.ENV_TEMPLATE_ROOTS.add_item(str(ROOT / "templates"))
hooks.Filters.ENV_TEMPLATE_TARGETS.add_item(("enterprise-access/apps", "plugins"))
hooks.Filters.ENV_TEMPLATE_VARIABLES.add_item(("ENTERPRISE_ACCESS_TOPICS", TOPICS))
hooks.Filters.ENV_TEMPLATE_VARIABLES.add_item(("ENTERPRISE_ACCESS_CONSUMED", CONSUMED))
hooks.Filters.IMAGES_PULL.add_item(("enterprise-access", "{{ ENTERPRISE_ACCESS_DOCKER_IMAGE }}"))
hooks.Filters.IMAGES_PUSH.add_item(("enterprise-access", "{{ ENTERPRISE_ACCESS_DOCKER_IMAGE }}"))
for patch in sorted((ROOT / "patches").iterdir(), key=lambda path: path.name):
    hooks.Filters.ENV_PATCHES.add_item((patch.name, patch.read_text(encoding="utf-8")))
for service, script in INIT_TASKS:
    path = ROOT / "templates" / "enterprise-access" / "tasks" / script
    hooks.Filters.CLI_DO_INIT_TASKS.add_item((service, path.read_text(encoding="utf-8")))


@hooks.Filters.APP_PUBLIC_HOSTS.add()
def add_public_host(hosts: list[str], name: str) -> list[str]:
    """Tell `tutor local start` where the service is reached."""
    if name == "local":
        hosts.append("{{ ENTERPRISE_ACCESS_HOST }}")
    return hosts
