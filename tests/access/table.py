"""Who gets which answer where: one row for each route and method. `test_table.py` holds the service to it.

To add a route, add a `Row` to `ROWS`; the test fails until there is one, and as long as there is one too many.

* `path` is the address that is called, and `body` what is sent. In both, `{customer}`, `{learner}`, `{intention}`,
  `{deleted_intention}`, `{realization}`, `{attempt}`, `{override}`, `{budget}`, `{configuration}` and `{assignment}`
  stand for those of the scene in `scene.py`; all belong to the customer Acme, and what belongs to a learner belongs to
  Ada. `{policy}`, `{credit_policy}`, `{subsidy}` and `{catalog}` are Acme's, too. `{course}`, `{run}`,
  `{course_type}`: global.
* `answers` are the statuses, by who calls (`callers.Who`). Whoever is left out gets what `_ALWAYS` says: nobody comes
  in without a token that is good for this service, and without a role for anything.
"""

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

from enterprise_access.apps.provisioning.tests.bodies import body_of

from .callers import Who

_ALWAYS: Mapping[Who, int] = {
    Who.ANONYMOUS: 401,
    Who.EXPIRED: 401,
    Who.FORGED: 401,
    Who.NOBODY: 403,
    Who.RESTRICTED: 403,
    Who.STAFF_SESSION: 403,
}


@frozen(kw_only=True)
class Row:
    """One route and method, and the status of the answer by who calls."""

    method: str
    path: str
    answers: Mapping[Who, int]
    body: Mapping[str, Any] = Factory(dict)
    always: Mapping[Who, int] = _ALWAYS

    def answer_for(self, who: Who) -> int:
        return self.answers[who] if who in self.answers else self.always[who]

    @property
    def always_for_nobody(self) -> int:
        """The status for somebody who came in, and holds no role."""
        return self.answer_for(Who.NOBODY)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def customers_own(status: int, *, learner: int, other_learner: int, admin: int, foreign: int) -> dict[Who, int]:
    """Return the statuses where operators get `status`, and `foreign` is for who belongs to another customer."""
    return {
        Who.LEARNER: learner,
        Who.OTHER_LEARNER: other_learner,
        Who.FOREIGN_LEARNER: foreign,
        Who.ADMIN: admin,
        Who.FOREIGN_ADMIN: foreign,
        Who.OPERATOR: status,
    }


def the_same_for_all(status: int) -> dict[Who, int]:
    return dict.fromkeys(Who, status)


def anybody_with_a_role(status: int, *, writing: int) -> dict[Who, int]:
    """Return the statuses where operators get `status`, and everybody else who has a role `writing`."""
    return customers_own(status, learner=writing, other_learner=writing, admin=writing, foreign=writing)


_NOT_SIGNED_IN = {Who.ANONYMOUS: 401, Who.EXPIRED: 401, Who.FORGED: 401, Who.RESTRICTED: 403}
OPEN = {**the_same_for_all(200), Who.EXPIRED: 401, Who.FORGED: 401}
INTENTIONS = "/api/v1/default-enterprise-enrollment-intentions/"
REALIZATIONS = "/api/v1/default-enterprise-enrollment-realizations/"
ATTEMPTS = "/api/v1/default-enterprise-enrollment-attempts/"
OVERRIDES = "/api/v1/default-enterprise-enrollment-overrides/"
PAUSES = "/api/v1/default-enterprise-enrollment-pauses/"
REQUESTS = "/api/v1/default-enterprise-enrollment-requests/"
CREDIT = "/api/v1/policy-redemption/"
RUN_IN_ADDRESS = "course-v1:edX%2BDemoX%2B2026_T1"
CONFIGURATIONS = "/api/v1/assignment-configurations/"
POLICIES = "/api/v1/subsidy-access-policies/"
CREDIT_REQUESTS = "/api/v1/learner-credit-requests/"
TYPES = "/api/v1/course-types/"
TYPED_COURSES = "/api/v1/typed-courses/"


def _or_absent(status: int, **about: int) -> dict[Who, int]:
    """Return the statuses where a thing does not exist for those without a role."""
    return {**customers_own(status, **about), Who.NOBODY: 404, Who.STAFF_SESSION: 404}


# By address of a kind of requests: which one is Ada's, and what approving names.
_REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "license-requests/": {"own": "{license_request}", "from_what": {"subscription_plan_uuid": "{plan}"}},
    "coupon-code-requests/": {"own": "{coupon_request}", "from_what": {"coupon_id": 1}},
}


def _rows_of_requests(path: str, *, own: str, from_what: Mapping[str, Any]) -> list[Row]:
    address = f"/api/v1/{path}"
    decision = {"enterprise_customer_uuid": "{customer}", "subsidy_request_uuids": [own]}
    admins = customers_own(200, learner=403, other_learner=403, admin=200, foreign=403)
    return [
        Row(
            method="POST",
            path=address,
            body={"enterprise_customer_uuid": "{customer}", "course_id": "{course}"},
            # The customer takes requests for coupon codes, and Ada has one open.
            answers=customers_own(403, learner=200, other_learner=201, admin=403, foreign=403)
            if "coupon" in path
            else customers_own(403, learner=422, other_learner=422, admin=403, foreign=403),
        ),
        Row(
            method="GET",
            path=address + own + "/",
            answers=_or_absent(200, learner=200, other_learner=404, admin=200, foreign=404),
        ),
        Row(
            method="DELETE",
            path=address + own + "/",
            answers=_or_absent(404, learner=204, other_learner=404, admin=404, foreign=404),
        ),
        Row(method="GET", path=address + "overview/?enterprise_customer_uuid={customer}", answers=admins),
        Row(method="POST", path=address + "approve/", body={**decision, **from_what}, answers=admins),
        Row(method="POST", path=address + "decline/", body=decision, answers=admins),
    ]


PROVISIONED = body_of("Omega")

ROWS: list[Row] = [
    # --- Open to everybody ---
    Row(method="GET", path="/", answers=the_same_for_all(302)),
    Row(method="GET", path="/health/live/", answers=the_same_for_all(200)),
    Row(method="GET", path="/health/ready/", answers=the_same_for_all(200)),
    # Has credentials of its own; without any in the settings there is no such page.
    Row(method="GET", path="/metrics", answers=the_same_for_all(404)),
    Row(method="GET", path="/csrf/api/v1/token", answers=OPEN),
    Row(method="GET", path="/api/schema/", answers=OPEN),
    Row(method="GET", path="/api/docs/", answers=OPEN),
    Row(method="GET", path="/api/redoc/", answers=OPEN),
    # --- Default enrollments ---
    Row(
        method="GET",
        path=INTENTIONS + "learner-status/?enterprise_customer_uuid={customer}&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=INTENTIONS + "explain/?enterprise_customer_uuid={customer}&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="POST",
        path=INTENTIONS + "realize/",
        body={"enterprise_customer_uuid": "{customer}", "lms_user_id": "{learner}"},
        answers=customers_own(200, learner=200, other_learner=403, admin=403, foreign=403),
    ),
    Row(
        method="POST",
        path="/api/v1/learners/find/",
        body={"learner": "{learner}", "enterprise_customer_uuid": "{customer}"},
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    # --- Learner credit ---
    Row(
        method="GET",
        path=CREDIT + "enterprise-customer/{customer}/can-redeem/?lms_user_id={learner}&content_key=" + RUN_IN_ADDRESS,
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=CREDIT + "enterprise-customer/{customer}/can-request/?content_key=edX%2BDemoX&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=CREDIT + "credits_available/?enterprise_customer_uuid={customer}&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=CREDIT + "enterprise-customer/{customer}/explain/?lms_user_id={learner}&content_key=" + RUN_IN_ADDRESS,
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="POST",
        path=CREDIT + "{credit_policy}/redeem/",
        body={"lms_user_id": "{learner}", "content_key": "{run}"},
        answers=customers_own(200, learner=200, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="GET",
        path=CREDIT + "redemption-attempts/{redemption}/",
        # To all others there is no such attempt.
        answers=customers_own(200, learner=200, other_learner=404, admin=200, foreign=404),
    ),
    # --- Intentions ---
    Row(
        method="GET",
        path=INTENTIONS + "?enterprise_customer_uuid={customer}",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=403),
    ),
    Row(
        method="POST",
        path=INTENTIONS,
        body={"enterprise_customer_uuid": "{customer}", "content_key": "AdelaideX+Project101x"},
        answers=customers_own(201, learner=403, other_learner=403, admin=403, foreign=403),
    ),
    Row(
        method="GET",
        path=INTENTIONS + "{intention}/",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    Row(
        method="PATCH",
        path=INTENTIONS + "{intention}/",
        body={"content_key": "edX+DemoX"},
        answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="DELETE",
        path=INTENTIONS + "{intention}/",
        answers=customers_own(204, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="POST",
        path=INTENTIONS + "{deleted_intention}/restore/",
        # A deleted intention is nothing that learners know of.
        answers=customers_own(200, learner=404, other_learner=404, admin=403, foreign=404),
    ),
    Row(
        method="GET",
        path=INTENTIONS + "{intention}/history/",
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=404),
    ),
    Row(
        method="GET",
        path=INTENTIONS + "preview/?enterprise_customer_uuid={customer}&content_key=edX%2BDemoX",
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=INTENTIONS + "health/?enterprise_customer_uuid={customer}",
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="POST",
        path=INTENTIONS + "bulk/",
        body={"enterprise_customer_uuid": "{customer}", "content_keys": ["AdelaideX+Project101x"], "dry_run": True},
        answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=403),
    ),
    Row(
        method="POST",
        path=INTENTIONS + "{intention}/check/",
        answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    # --- What operators do at support ---
    Row(
        method="GET",
        path=OVERRIDES + "?enterprise_customer_uuid={customer}",
        answers=anybody_with_a_role(200, writing=403),
    ),
    Row(
        method="POST",
        path=OVERRIDES,
        # Ada has not left the course, so there is nothing to override.
        body={"intention": "{intention}", "lms_user_id": "{learner}", "reason": "Ticket 1"},
        answers=customers_own(409, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="POST",
        path=OVERRIDES + "{override}/cancel/",
        body={"reason": "Ticket 1"},
        answers=customers_own(200, learner=404, other_learner=404, admin=404, foreign=404),
    ),
    *(
        Row(
            method="POST",
            path=PAUSES + path,
            body={"enterprise_customer_uuid": "{customer}", **more},
            answers=anybody_with_a_role(200, writing=403),
        )
        for path, more in (("pause/", {"reason": "Ticket 1"}), ("resume/", {}))
    ),
    Row(
        method="GET",
        path=REQUESTS + "?enterprise_customer_uuid={customer}",
        answers=anybody_with_a_role(200, writing=403),
    ),
    Row(
        method="GET",
        path="/api/v1/enterprise-customers/?search=acme",
        answers=anybody_with_a_role(200, writing=403),
    ),
    # --- Types of courses, which concern every customer ---
    *(
        Row(method="GET", path=path, answers=anybody_with_a_role(200, writing=200))
        for path in (
            TYPES,
            TYPES + "flat/",
            TYPES + "{course_type}/",
            TYPED_COURSES + "{course}/",
            TYPED_COURSES + "{course}/products/",
        )
    ),
    Row(
        method="POST",
        path=TYPES + "check-transition/",
        body={"level": "course", "new": "{course_type}"},
        answers=anybody_with_a_role(200, writing=200),
    ),
    Row(
        method="PUT",
        path=TYPED_COURSES + "{course}/",
        body={"course_type": "{course_type}"},
        answers=anybody_with_a_role(200, writing=403),
    ),
    Row(
        method="PUT",
        path=TYPED_COURSES + "{course}/runs/{run}/",
        body={"course_run_type": "{course_type}"},
        answers=anybody_with_a_role(200, writing=403),
    ),
    # --- Budgets: those of another customer are not there ---
    Row(
        method="GET",
        path=POLICIES + "?enterprise_customer_uuid={customer}",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    Row(
        method="POST",
        path=POLICIES,
        body={
            "enterprise_customer_uuid": "{customer}",
            "subsidy_uuid": "{subsidy}",
            "catalog_uuid": "{catalog}",
            "policy_type": "PerLearnerSpendCreditAccessPolicy",
            "access_method": "direct",
            "display_name": "Another budget",
        },
        answers=customers_own(201, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="GET",
        path=POLICIES + "{policy}/",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    *(
        Row(
            method=method,
            path=POLICIES + "{policy}/",
            body={"reason": "No longer needed."},
            answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=404),
        )
        for method in ("PATCH", "PUT", "DELETE")
    ),
    Row(
        method="GET",
        path=POLICIES + "{policy}/group-members?page=1",
        # It is not restricted to any group.
        answers=customers_own(404, learner=403, other_learner=403, admin=404, foreign=404),
    ),
    Row(
        method="GET",
        path=POLICIES + "{policy}/group-associations/",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    Row(
        method="POST",
        path=POLICIES + "{policy}/group-associations/",
        # The customer has no such group.
        body={"group_uuid": "{policy}"},
        answers=customers_own(400, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="DELETE",
        path=POLICIES + "{policy}/group-associations/{policy}/",
        answers=customers_own(204, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    Row(
        method="DELETE",
        path="/api/v1/{customer}/delete-group-association/{policy}",
        answers=customers_own(204, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    # --- Realizations and attempts ---
    Row(
        method="GET",
        path=REALIZATIONS + "?enterprise_customer_uuid={customer}&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=REALIZATIONS + "{realization}/",
        answers=customers_own(200, learner=200, other_learner=404, admin=200, foreign=404),
    ),
    Row(
        method="GET",
        path=ATTEMPTS + "?enterprise_customer_uuid={customer}&lms_user_id={learner}",
        answers=customers_own(200, learner=200, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path=ATTEMPTS + "{attempt}/",
        answers=customers_own(200, learner=200, other_learner=404, admin=200, foreign=404),
    ),
    # --- Subsidy requests: everyone who has signed in may list, and sees what is theirs ---
    *(
        Row(
            method="GET",
            path=f"/api/v1/{path}?enterprise_customer_uuid={{customer}}&user__email=ada%40example.com&state=requested",
            answers={**the_same_for_all(200), **_NOT_SIGNED_IN},
        )
        for path in ("license-requests/", "coupon-code-requests/", "learner-credit-requests/")
    ),
    *(row for path, more in _REQUESTS.items() for row in _rows_of_requests(path, **more)),
    Row(
        method="POST",
        path=CREDIT_REQUESTS,
        body={"enterprise_customer_uuid": "{customer}", "policy_uuid": "{asked_budget}", "course_id": "{course}"},
        answers=customers_own(403, learner=200, other_learner=201, admin=403, foreign=403),
    ),
    Row(
        method="GET",
        path=CREDIT_REQUESTS + "{credit_request}/",
        answers=_or_absent(200, learner=200, other_learner=404, admin=200, foreign=404),
    ),
    Row(
        method="DELETE",
        path=CREDIT_REQUESTS + "{credit_request}/",
        answers=_or_absent(404, learner=204, other_learner=404, admin=404, foreign=404),
    ),
    Row(
        method="GET",
        path=CREDIT_REQUESTS + "overview/?enterprise_customer_uuid={customer}&policy_uuid={asked_budget}",
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    *(
        Row(
            method="POST",
            path=f"{CREDIT_REQUESTS}{verb}/",
            body={"enterprise_customer_uuid": "{customer}", **more},
            answers=customers_own(status, learner=403, other_learner=403, admin=status, foreign=403),
        )
        for verb, status, more in (
            (
                "approve",
                200,
                {"policy_uuid": "{asked_budget}", "learner_credit_request_uuids": ["{credit_request}"]},
            ),
            ("approve-all", 202, {"policy_uuid": "{asked_budget}"}),
            ("decline-all", 202, {"policy_uuid": "{asked_budget}"}),
            ("decline", 200, {"subsidy_request_uuid": "{credit_request}"}),
            # Nothing is approved yet.
            ("cancel", 422, {"request_uuid": "{credit_request}"}),
            ("remind", 422, {"learner_credit_request_uuid": "{credit_request}"}),
        )
    ),
    Row(
        method="GET",
        path="/api/v1/customer-configurations/?enterprise_customer_uuid={customer}",
        answers={**the_same_for_all(200), **_NOT_SIGNED_IN},
    ),
    Row(
        method="POST",
        path="/api/v1/customer-configurations/",
        body={"enterprise_customer_uuid": "{customer}"},
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    Row(
        method="GET",
        path="/api/v1/customer-configurations/{customer}/",
        answers=_or_absent(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    Row(
        method="PATCH",
        path="/api/v1/customer-configurations/{customer}/",
        body={"subsidy_requests_enabled": False},
        answers=_or_absent(200, learner=403, other_learner=403, admin=200, foreign=404),
    ),
    # --- Assignments: admins give, learners take ---
    Row(
        method="POST",
        path="/api/v1/policy-allocation/{budget}/allocate/",
        body={"learner_emails": ["ada@example.com"], "content_key": "edX+DemoX", "content_price_cents": "14900"},
        answers=customers_own(202, learner=403, other_learner=403, admin=202, foreign=404),
    ),
    Row(
        method="GET",
        path=CONFIGURATIONS + "?enterprise_customer_uuid={customer}",
        answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=403),
    ),
    *(
        Row(
            method="GET",
            path=CONFIGURATIONS + path,
            answers=customers_own(200, learner=403, other_learner=403, admin=200, foreign=404),
        )
        for path in (
            "{configuration}/",
            "{configuration}/admin/assignments/",
            "{configuration}/admin/assignments/{assignment}/",
        )
    ),
    Row(
        method="POST",
        path=CONFIGURATIONS,
        body={"enterprise_customer_uuid": "{customer}", "subsidy_access_policy": "{budget}"},
        answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=404),
    ),
    *(
        Row(
            method=method,
            path=CONFIGURATIONS + "{configuration}/",
            body=body,
            answers=customers_own(200, learner=403, other_learner=403, admin=403, foreign=404),
        )
        for method, body in (
            ("PATCH", {"active": True}),
            ("PUT", {"active": True}),
            # Money of this budget is promised.
            ("DELETE", {"force": True}),
        )
    ),
    Row(
        method="GET",
        path=CONFIGURATIONS + "{configuration}/assignments/",
        answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=404),
    ),
    Row(
        method="GET",
        path=CONFIGURATIONS + "{configuration}/assignments/{assignment}/",
        answers=customers_own(404, learner=200, other_learner=404, admin=404, foreign=404),
    ),
    Row(
        method="POST",
        path=CONFIGURATIONS + "{configuration}/acknowledge-assignments/",
        body={"assignment_uuids": ["{assignment}"]},
        answers=customers_own(400, learner=200, other_learner=400, admin=400, foreign=404),
    ),
    *(
        Row(
            method="POST",
            path=CONFIGURATIONS + f"{{configuration}}/admin/assignments/{action}/",
            body=body,
            answers=customers_own(status, learner=403, other_learner=403, admin=status, foreign=404),
        )
        for action, body, status in (
            ("nudge", {"assignment_uuids": ["{assignment}"], "days_before_course_start_date": "14"}, 422),
            ("remind", {"assignment_uuids": ["{assignment}"]}, 200),
            ("remind-all", {}, 404),
            ("cancel", {"assignment_uuids": ["{assignment}"]}, 200),
            ("cancel-all", {}, 202),
        )
    ),
    # --- Provisioning: operators and provisioning admins of every customer, by the token alone ---
    Row(
        method="POST",
        path="/api/v1/provisioning",
        body=PROVISIONED,
        answers=anybody_with_a_role(201, writing=403),
    ),
    Row(
        method="POST",
        path="/api/v1/provisioning/subscription-plan-oli-update",
        body={"salesforce_opportunity_line_item": "00k000000000009AAA", "workflow_uuid": "{workflow}"},
        # It has created no plan yet.
        answers=anybody_with_a_role(404, writing=403),
    ),
    Row(
        method="GET",
        path="/api/v1/provisioning/workflows/{workflow}/",
        answers=anybody_with_a_role(200, writing=403),
    ),
    Row(
        method="POST",
        path="/api/v1/provisioning/workflows/{workflow}/retry/",
        # It has not failed.
        answers=anybody_with_a_role(409, writing=403),
    ),
    # --- Pages of the learner portal: each learner's own ---
    *(
        Row(
            method="POST",
            path=f"/api/v1/bffs/learner/{page}/",
            body={"enterprise_customer_uuid": "{customer}"},
            answers=customers_own(200, learner=200, other_learner=200, admin=200, foreign=403),
        )
        for page in ("dashboard", "search", "academy", "skills-quiz")
    ),
]
