"""The doors of the service behind which neighbours are asked, and what is said there, in words that can be compared."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen
from django.test import Client
from rest_framework.test import APIClient

from enterprise_access.apps.bff.selectors.remembered import note_in_vain
from enterprise_access.apps.bff.tests.pages import make_opener
from enterprise_access.apps.default_enrollments.models import Outcome
from enterprise_access.apps.default_enrollments.tests.stories import (
    ADA,
    API,
    DEMO,
    LINUX,
    PROJECT,
    attempts_of,
    realizations_of,
    request_of,
    visit,
)
from enterprise_access.apps.subsidy_requests.domain.states import RequestState
from enterprise_access.apps.subsidy_requests.models import AutoEnrollment
from enterprise_access.apps.subsidy_requests.services.auto_enrolling import (
    enroll_due,
    plan_enrollments,
    start_enrollments,
)
from enterprise_access.apps.subsidy_requests.tests.made import made, takes
from enterprise_access.lib import clock
from simulator.app import Simulator
from simulator.seed import ACME

OPERATOR = "enterprise_access_worker"
ADD = "/admin/default_enrollments/defaultenterpriseenrollmentintention/add/"
CUSTOMER = {"enterprise_customer_uuid": str(ACME)}
UPSTREAM = {"upstream_unavailable", "upstream_refused", "upstream_changed"}


@frozen
class Said:
    """What was said behind a door: each thing (`told`), and the reason that was given with it (`reasons`), by name.

    `missing` are the neighbours that are said to be the reason why there was no answer at all, or why a part of it is
    missing; empty if nothing is.
    """

    told: Mapping[str, Any] = field(factory=dict)
    reasons: Mapping[str, str] = field(factory=dict)
    missing: frozenset[str] = frozenset()


@frozen
class Caller:
    """Who goes through the doors: people of the simulated world, and somebody of staff."""

    simulator: Simulator
    staff: Client

    def api(self, username: str) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"JWT {self.simulator.tokens.token_for(username)}")
        return client


def _failed(answer: Any) -> Said | None:
    """Return what a 503 says; None for an answer. Anything else fails the test."""
    assert answer.status_code in {200, 201, 503}, (answer.status_code, answer.content)
    if answer.status_code != 503:
        return None
    body = answer.json()
    assert body["code"] in UPSTREAM, body
    assert body["extra"]["reason"], body
    return Said(missing=frozenset({body["extra"]["service"]}))


def learner_status(caller: Caller) -> Said:
    answer = caller.api("ada").get(f"{API}/learner-status/", CUSTOMER)
    if failed := _failed(answer):
        return failed
    statuses = answer.json()["enrollment_statuses"]
    buckets = {**statuses["needs_enrollment"], "already_enrolled": statuses["already_enrolled"]}
    items = [(name, item) for name, found in buckets.items() for item in found]
    return Said(
        {item["content_key"]: (name, item["course_run_key"], item["reason"]) for name, item in items},
        {item["content_key"]: item["reason"] for _, item in items},
    )


def explain(caller: Caller) -> Said:
    answer = caller.api("ada").get(f"{API}/explain/", CUSTOMER)
    if failed := _failed(answer):
        return failed
    entries = {entry["content_key"]: entry for entry in answer.json()["intentions"]}
    reasons = {key: entry["reason"]["code"] for key, entry in entries.items()}
    return Said({key: (entry["verdict"], reasons[key]) for key, entry in entries.items()}, reasons)


def preview(caller: Caller) -> Said:
    answer = caller.api(OPERATOR).get(f"{API}/preview/", {**CUSTOMER, "content_key": DEMO})
    return _failed(answer) or _previewed(answer.json())


def add_over_rest(caller: Caller) -> Said:
    answer = caller.api(OPERATOR).post(f"{API}/", {**CUSTOMER, "content_key": PROJECT}, format="json")
    return _failed(answer) or _previewed(answer.json())


def _previewed(body: Mapping[str, Any]) -> Said:
    reasons = [warning["reason"] for warning in body["warnings"]]
    return Said({"it": (body["course_run_key"], body["is_checked"], reasons)}, {"it": ",".join(reasons)})


def add_in_the_admin(caller: Caller) -> Said:
    form = caller.staff.post(ADD, {"customer": str(ACME), "content_key": PROJECT}).context["form"]
    codes = [error.code for found in form.errors.as_data().values() for error in found]
    # The page is shown all the same, with the reason on it.
    assert codes == []
    reasons = [reason.value for reason in form.preview.description.warnings]
    return Said({"it": (form.preview.description.content.resolution, reasons)}, {"it": ",".join(reasons)})


def dashboard(caller: Caller) -> Said:
    """What a page lacks because of which call is told in apps/bff/tests/test_every_fault.py; here: that it says so."""
    # No worker looks while the page is loaded: it knows, and does not wait for one.
    note_in_vain(lms_user_id=ADA, customer_uuid=ACME)
    opened = make_opener(caller.api)("ada")
    assert opened.status in {200, 503}
    if opened.missing:
        # "... could not be loaded: lms timeout"
        return Said(missing=frozenset(message.rpartition(": ")[2].split()[0] for message in opened.missing))
    statuses = (opened.body["default_enterprise_enrollment_intentions"] or {}).get("enrollment_statuses", {})
    buckets = {**statuses.get("needs_enrollment", {}), "already_enrolled": statuses.get("already_enrolled", [])}
    items = [(name, item) for name, found in buckets.items() for item in found]
    return Said(
        {
            "page": (opened.slug, opened.license_statuses, opened.runs),
            **{item["content_key"]: (name, item["course_run_key"], item["reason"]) for name, item in items},
        },
        {item["content_key"]: item["reason"] for _, item in items},
    )


def worker(caller: Caller) -> Said:
    """Let a worker look at Ada."""
    visit(ADA)
    last = dict(attempts_of(ADA))
    reason = last.get(Outcome.BLOCKED, last.get(Outcome.IN_DOUBT, request_of(ADA).waiting_for))
    return Said({"realized": sorted(realizations_of(ADA))}, {"realized": reason})


def after_an_approval(caller: Caller) -> Said:
    """Let a worker enroll Ada, who has accepted her license, after an approval."""
    approve_for_ada(caller.simulator)
    enroll_due()
    row = AutoEnrollment.objects.get()
    return Said({"it": row.state}, {"it": row.reason or row.waiting_for})


def approve_for_ada(simulator: Simulator) -> None:
    """Approve Ada's request with the license that she holds; her customer wants approvals to enroll."""
    takes(attempt_auto_enrollment=True)
    (held,) = simulator.world.licenses_of("ada")
    row = made(ADA, state=RequestState.APPROVED, email="ada@example.com", license_uuid=held.uuid)
    plan_enrollments([row], now=clock.now())
    start_enrollments([row], now=clock.now())


DOORS: Mapping[str, Callable[[Caller], Said]] = {
    "learner-status": learner_status,
    "explain": explain,
    "preview": preview,
    "adding over REST": add_over_rest,
    "adding in the admin": add_in_the_admin,
    "dashboard": dashboard,
    "worker": worker,
    "after an approval": after_an_approval,
}
INTENDED = (DEMO, LINUX)
