"""The REST API and its document."""

from enterprise_access.settings.reading import Environment

env = Environment()

# --- The REST API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "enterprise_access.apps.core.api.authentication.LmsTokenAuthentication",
        "edx_rest_framework_extensions.auth.session.authentication.SessionAuthenticationAllowInactiveUser",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        # An application that may act within scopes only: we have none.
        "edx_rest_framework_extensions.permissions.NotJwtRestrictedApplication",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "enterprise_access.lib.throttling.UserThrottle",
        "enterprise_access.lib.throttling.ScopeThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        # Limit of all calls of one user (`120/min`; empty: no limit).
        "user": env.str("THROTTLE_USER", default="1200/min"),
        # Limit of reads that have no limit of their own.
        "read": env.str("THROTTLE_READ", default="600/min"),
        # Limit of writes that have no limit of their own.
        "write": env.str("THROTTLE_WRITE", default="120/min"),
        # Limit of `realize/`, which queues a learner for evaluation.
        "realize": env.str("THROTTLE_REALIZE", default="120/min"),
        # Limit of pages of the learner portal.
        "portal": env.str("THROTTLE_PORTAL", default="240/min"),
        # Limit of `explain/`.
        "explain": env.str("THROTTLE_EXPLAIN", default="120/min"),
    },
    # How many proxies in front add to `X-Forwarded-For`. 0: none, and the header is ignored; behind a proxy, all
    # callers without a user then count as one.
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    # The only format is JSON; a parameter of that name is the caller's mistake, and no 404.
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["enterprise_access.lib.parsing.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "enterprise_access.lib.drf.exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "enterprise-access",
    "DESCRIPTION": "Default enrollments and learner credit of Open edX enterprise customers.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    # Every operation has the first step of its path as its tag (lib/openapi).
    "TAGS": [
        {"name": name, "description": description}
        for name, description in {
            "default-enterprise-enrollment-intentions": "The courses that a customer enrolls its learners in by "
            "default: add, change, preview, check and explain them, and realize them for a learner.",
            "default-enterprise-enrollment-realizations": "Default enrollments that were made.",
            "default-enterprise-enrollment-attempts": "Evaluations of learners, with their outcome.",
            "default-enterprise-enrollment-overrides": "One-time permissions to re-enroll a learner who left.",
            "default-enterprise-enrollment-pauses": "Pausing and resuming the enrolling, of one customer or of all.",
            "default-enterprise-enrollment-requests": "The queue: learners whose evaluation is pending.",
            "enterprise-customers": "The customers that are known here.",
            "bffs": "Data of the learner portal's pages.",
            "subsidy-access-policies": "Budgets: who may spend how much of a customer's learner credit on what.",
            "policy-redemption": "Redeeming learner credit: what a learner can redeem, and why not.",
            "policy-allocation": "Assigning content to learners from a budget.",
            "assignment-configurations": "Assignments of content to learners, for admins and for the learners.",
            "learner-credit-requests": "Learners' requests for learner credit, and the decisions of admins.",
            "license-requests": "Learners' requests for a license, and the decisions of admins.",
            "coupon-code-requests": "Learners' requests for a coupon code, and the decisions of admins.",
            "customer-configurations": "What the learners of a customer can request.",
            "learners": "Finding a learner by LMS user id, username or email address.",
            "provisioning": "Workflows that set up a customer, its subsidy and its budgets.",
            "course-types": "Course types, their run types, modes and tracks.",
            "typed-courses": "Which type a course has, and the products that follow from it.",
            "csrf": "The CSRF token for writes with cookies.",
        }.items()
    ],
    "ENUM_NAME_OVERRIDES": {
        "ReasonEnum": "enterprise_access.apps.default_enrollments.api.serializers.choices.REASONS",
        "RuleEnum": "enterprise_access.apps.default_enrollments.api.serializers.choices.RULES",
        "EnrollmentStatusEnum": "enterprise_access.apps.default_enrollments.api.serializers.choices.STATES",
        "OutcomeEnum": "enterprise_access.apps.default_enrollments.api.serializers.choices.OUTCOMES",
        "OverrideStateEnum": "enterprise_access.apps.default_enrollments.api.serializers.operations.OVERRIDE_STATES",
        "RequestStateEnum": "enterprise_access.apps.default_enrollments.api.serializers.operations.REQUEST_STATES",
        "BulkOutcomeEnum": "enterprise_access.apps.default_enrollments.api.serializers.operations.ROW_OUTCOMES",
        "SubsidyRequestStateEnum": "enterprise_access.apps.subsidy_requests.api.serializers.STATES",
        "SubsidyRequestActionEnum": "enterprise_access.apps.subsidy_requests.api.serializers.ACTIONS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "enterprise_access.lib.openapi.add_common_answers",
    ],
    # Served by ourselves: the page works without any other host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
