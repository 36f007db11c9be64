"""Who gets which answer where: one row for each route and method. `test_table.py` holds the service to it.

To add a route, add a `Row` to `ROWS`; the test fails until there is one, and as long as there is one too many.

* `path` is the address that is called, and `body` what is sent. In both, `{customer}`, `{learner}`, `{intention}`,
  `{deleted_intention}`, `{realization}` and `{attempt}` stand for those of the scene in `scene.py`; all belong to the
  customer Acme, and what belongs to a learner belongs to Ada. `{course}`, `{run}` and `{course_type}` are nobody's own.
* `answers` are the statuses, by who calls (`callers.Who`). Whoever is left out gets what `_ALWAYS` says: nobody comes
  in without a token that is good for this service, and without a role for anything.
"""

from collections.abc import Mapping
from typing import Any

from attrs import Factory, frozen

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
TYPES = "/api/v1/course-types/"
TYPED_COURSES = "/api/v1/typed-courses/"

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
    # --- What the learner portal asks of families that are not here yet: the same for whoever has signed in ---
    *(
        Row(
            method="GET",
            path=f"/api/v1/{path}?enterprise_customer_uuid={{customer}}&user__email=ada%40example.com&state=requested",
            answers={**the_same_for_all(status), **_NOT_SIGNED_IN},
        )
        for path, status in (
            ("learner-credit-requests/", 200),
            ("license-requests/", 200),
            ("coupon-code-requests/", 200),
            ("customer-configurations/{customer}/", 404),
            ("policy-redemption/credits_available/", 404),
        )
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
