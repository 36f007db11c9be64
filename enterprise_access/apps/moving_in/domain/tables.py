"""The tables of openedx/enterprise-access that are read, by the names that its database and `dumpdata` give them."""

from typing import Final

from attrs import frozen


@frozen(kw_only=True)
class Table:
    """A table of the source. `model`: as `dumpdata` names it. A reference is a column that ends in `_id` in a database.

    `ignored`: columns that are known, and not taken over.
    """

    model: str
    kind: str
    columns: tuple[str, ...]
    references: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    key: str = "uuid"

    @property
    def name(self) -> str:
        """The table's name in a database."""
        return self.model.replace(".", "_")

    @property
    def all_columns(self) -> tuple[str, ...]:
        """What is read, by the names of a database."""
        return (self.key, *self.columns, *(f"{name}_id" for name in self.references), *self.optional)

    @property
    def needed(self) -> tuple[str, ...]:
        """What has to be there."""
        return tuple(name for name in self.all_columns if name not in self.optional)

    def column_of(self, name: str) -> str:
        """Return the database's name of a member that `dumpdata` writes."""
        return f"{name}_id" if name in self.references else name


_TIMES: Final = ("created", "modified")
_REQUEST: Final = (
    *_TIMES,
    "is_removed",
    "course_id",
    "course_title",
    "course_partners",
    "enterprise_customer_uuid",
    "state",
    "reviewed_at",
    "decline_reason",
)

USERS: Final = Table(
    model="core.user",
    kind="user",
    key="id",
    columns=("email", "lms_user_id"),
    ignored=(
        "password",
        "last_login",
        "is_superuser",
        "username",
        "first_name",
        "last_name",
        "is_staff",
        "is_active",
        "date_joined",
        "full_name",
        "groups",
        "user_permissions",
    ),
)
POLICIES: Final = Table(
    model="subsidy_access_policy.subsidyaccesspolicy",
    kind="budget",
    columns=(
        *_TIMES,
        "policy_type",
        "enterprise_customer_uuid",
        "display_name",
        "description",
        "active",
        "retired",
        "catalog_uuid",
        "subsidy_uuid",
        "access_method",
        "spend_limit",
        "per_learner_spend_limit",
        "per_learner_enrollment_limit",
    ),
    references=("assignment_configuration", "learner_credit_request_config"),
    # Added by later releases.
    optional=("retired_at", "late_redemption_allowed_until"),
)
ASSOCIATIONS: Final = Table(
    model="subsidy_access_policy.policygroupassociation",
    kind="group of a budget",
    key="id",
    columns=(*_TIMES, "enterprise_group_uuid"),
    references=("subsidy_access_policy",),
)
FORCED_REDEMPTIONS: Final = Table(
    model="subsidy_access_policy.forcedpolicyredemption",
    kind="forced redemption",
    columns=(
        *_TIMES,
        "lms_user_id",
        "course_run_key",
        "content_price_cents",
        "redeemed_at",
        "errored_at",
        "transaction_uuid",
    ),
    references=("subsidy_access_policy",),
    ignored=("wait_to_redeem", "traceback"),
)
ASSIGNMENTS: Final = Table(
    model="content_assignments.learnercontentassignment",
    kind="assignment",
    columns=(
        *_TIMES,
        "learner_email",
        "lms_user_id",
        "content_key",
        "content_title",
        "content_quantity",
        "state",
        "allocated_at",
        "accepted_at",
        "cancelled_at",
        "expired_at",
        "errored_at",
        "transaction_uuid",
        "allocation_batch_id",
    ),
    references=("assignment_configuration",),
    optional=(
        "reversed_at",
        "parent_content_key",
        "is_assigned_course_run",
        "preferred_course_run_key",
        "admin_lms_user_id",
    ),
)
ASSIGNMENT_ACTIONS: Final = Table(
    model="content_assignments.learnercontentassignmentaction",
    kind="action of an assignment",
    columns=(*_TIMES, "action_type", "completed_at", "error_reason"),
    references=("assignment",),
    ignored=("traceback",),
)
REQUEST_CONFIGURATIONS: Final = Table(
    model="subsidy_request.subsidyrequestcustomerconfiguration",
    kind="configuration of requests",
    key="enterprise_customer_uuid",
    columns=(*_TIMES, "subsidy_requests_enabled", "subsidy_type"),
    references=("changed_by",),
    ignored=("last_remind_date",),
)
LICENSE_REQUESTS: Final = Table(
    model="subsidy_request.licenserequest",
    kind="license request",
    columns=(*_REQUEST, "subscription_plan_uuid", "license_uuid"),
    references=("user", "reviewer"),
)
COUPON_REQUESTS: Final = Table(
    model="subsidy_request.couponcoderequest",
    kind="coupon code request",
    columns=(*_REQUEST, "coupon_id", "coupon_code"),
    references=("user", "reviewer"),
)
CREDIT_CONFIGURATIONS: Final = Table(
    model="subsidy_request.learnercreditrequestconfiguration",
    kind="learner credit request configuration",
    columns=("active",),
    ignored=_TIMES,
)
CREDIT_REQUESTS: Final = Table(
    model="subsidy_request.learnercreditrequest",
    kind="learner credit request",
    columns=(*_REQUEST, "course_price"),
    references=("user", "reviewer", "assignment", "learner_credit_request_config"),
)
CREDIT_REQUEST_ACTIONS: Final = Table(
    model="subsidy_request.learnercreditrequestactions",
    kind="action of a learner credit request",
    columns=("created", "recent_action", "error_reason"),
    references=("learner_credit_request",),
    ignored=("modified", "status", "traceback"),
)

TABLES: Final = (
    USERS,
    POLICIES,
    ASSOCIATIONS,
    FORCED_REDEMPTIONS,
    ASSIGNMENTS,
    ASSIGNMENT_ACTIONS,
    REQUEST_CONFIGURATIONS,
    LICENSE_REQUESTS,
    COUPON_REQUESTS,
    CREDIT_CONFIGURATIONS,
    CREDIT_REQUESTS,
    CREDIT_REQUEST_ACTIONS,
)
