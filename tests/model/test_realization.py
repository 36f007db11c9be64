"""Learners, staff, neighbours and accidents do as they like; what must always hold, holds.

A hypothesis state machine over the real services, the real clients and the simulated neighbours. It runs a few hundred
steps with the suite, and as many as MODEL_STEPS says with `make test-model`.
"""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
import time_machine
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseEnrollment, LearnerEnrollment
from enterprise_access.apps.customers.services import fetch_customer_by_slug
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    IntentionHealth,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.health import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions import (
    add_intention,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.services.realizing import realize_due
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.services.requests import request_realization
from enterprise_access.lib.errors import ServiceError
from simulator.app import create_app, simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import OPERATOR, WORKER_KEY, WORKER_SECRET
from simulator.tokens import throwaway_jwk
from simulator.values import LicenseStatus
from simulator.world import World

STEPS = int(os.environ.get("MODEL_STEPS", "300"))
STEPS_AN_EXAMPLE = 50
JWK = throwaway_jwk()

CUSTOMERS = ["one", "two"]
# carl is linked to both customers.
LEARNERS = {"ann": 11, "bob": 12, "carl": 13}
COURSES = {"X+A": ["course-v1:X+A+1", "course-v1:X+A+2"], "X+B": ["course-v1:X+B+1"], "X+C": ["course-v1:X+C+1"]}
RUNS = [run for runs in COURSES.values() for run in runs]
KEYS = [*COURSES, "course-v1:X+A+1"]
ENROLL = "/enroll_learners_in_courses/"

customers = st.sampled_from(CUSTOMERS)
learners = st.sampled_from(list(LEARNERS))
keys = st.sampled_from(KEYS)
runs = st.sampled_from(RUNS)


def course_of(run: str) -> str:
    return next(course for course, its_runs in COURSES.items() if run in its_runs)


class WorkerDied(BaseException):
    """What happens to a worker in the middle of its work."""


def make_world() -> World:
    world = World()
    for slug in CUSTOMERS:
        world.add_customer(slug=slug, name=slug)
    world.add_user(id=2, username="worker", is_staff=True, extra_roles=(OPERATOR,))
    world.add_client(client_id=WORKER_KEY, client_secret=WORKER_SECRET, username="worker")
    for course, its_runs in COURSES.items():
        world.add_course(key=course, title=course)
        for run in its_runs:
            world.add_run(course_key=course, key=run, seats=("audit",) if course == "X+B" else ("audit", "verified"))
        world.advertise(course_key=course, run_key=its_runs[0])
    plans = {}
    for slug in CUSTOMERS:
        catalog = world.add_catalog(customer=slug, title=slug, courses=list(COURSES))
        world.add_agreement(customer=slug)
        plans[slug] = world.add_plan(customer=slug, catalog_uuid=catalog.uuid, title=slug)
    for username, number in LEARNERS.items():
        world.add_learner(id=number, username=username, customer="one")
        world.add_license(plan_uuid=plans["one"].uuid, username=username)
    world.link(username="carl", customer="two")
    world.add_license(plan_uuid=plans["two"].uuid, username="carl")
    return world


class DefaultEnrollments(RuleBasedStateMachine):
    """The world, and what we know of it by watching every call that enrolls."""

    @initialize(intended=st.lists(st.tuples(customers, keys), min_size=1, max_size=5))
    def begin(self, intended: list[tuple[str, str]]) -> None:
        forget_everything()
        self.accident: str | None = None
        self.travel = time_machine.travel(timezone.now(), tick=False)
        self.clock = self.travel.start()
        self.world = make_world()
        app = create_app(self.world, signing_key=JWK)
        self.simulator, self.adapter = simulator_of(app), SimulatorAdapter(app)
        self.uuids = {slug: fetch_uuid(self, slug) for slug in CUSTOMERS}
        # Which runs our calls enrolled whom in, by customer; and which courses were left after that.
        self.enrolled_by_us: set[tuple[str, str, str]] = set()
        self.left: set[tuple[str, str]] = set()
        self.with_run_intention: set[tuple[str, str]] = set()
        for slug, key in intended:
            self.staff_intend(slug, key)

    def teardown(self) -> None:
        try:
            if hasattr(self, "enrolled_by_us"):
                self.let_everything_settle()
        finally:
            if hasattr(self, "travel"):
                self.travel.stop()

    # --- what is sent, as the neighbours see it ------------------------------------------------------------------

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if ENROLL not in str(request.url):
            return self.adapter.send(request, **options)
        accident, self.accident = self.accident, None
        if accident == "dies before":
            raise WorkerDied
        before = self.active()
        try:
            answer = self.adapter.send(request, **options)
        finally:
            self.watch(str(request.url), self.active() - before)
        if accident == "dies after":
            raise WorkerDied
        if accident == "answer lost":
            raise requests.ConnectionError("the answer got lost")
        return answer

    def active(self) -> set[tuple[str, str]]:
        rows = ((name, row) for name in LEARNERS for row in self.world.enrollments_of(name))
        return {(name, row.run_key) for name, row in rows if row.is_active}

    def watch(self, url: str, new: set[tuple[str, str]]) -> None:
        """Judge every enrollment in the moment in which it is made."""
        slug = next(slug for slug, uuid in self.uuids.items() if str(uuid) in url)
        for username, run in new:
            course = course_of(run)
            assert (username, course) not in self.left, f"{username} left {course}, and was enrolled in {run} again"
            earlier = {
                made for made in self.enrolled_by_us if made[:2] == (slug, username) and course_of(made[2]) == course
            }
            if earlier and (slug, course) not in self.with_run_intention:
                raise AssertionError(f"{username} was enrolled twice in {course}: {earlier}, {run}")
            self.enrolled_by_us.add((slug, username, run))

    # --- what people do ------------------------------------------------------------------------------------------

    @rule(slug=customers, key=keys)
    def staff_intend(self, slug: str, key: str) -> None:
        if key.startswith("course-v1:"):
            self.with_run_intention.add((slug, course_of(key)))
        twin = DefaultEnterpriseEnrollmentIntention.objects.filter(
            customer_id=self.uuids[slug], content_key_folded=key.lower()
        ).first()
        if twin is None:
            add_intention(customer_uuid=self.uuids[slug], content_key=key)
        elif twin.is_deleted:
            restore_intention(twin)

    @rule(slug=customers, key=keys)
    def staff_change_their_mind(self, slug: str, key: str) -> None:
        for intention in DefaultEnterpriseEnrollmentIntention.objects.living().filter(
            customer_id=self.uuids[slug], content_key_folded=key.lower()
        ):
            delete_intention(intention)

    @rule(slug=customers, username=learners, times=st.integers(1, 3))
    def learner_signs_in(self, slug: str, username: str, times: int) -> None:
        for _ in range(times):
            request_realization(
                customer_uuid=self.uuids[slug],
                lms_user_ids=[LEARNERS[username]],
                trigger=Trigger.LOGIN,
                now=timezone.now(),
            )

    @rule(slug=customers, username=learners)
    def learner_visits_and_worker_works(self, slug: str, username: str) -> None:
        self.learner_signs_in(slug, username, 1)
        self.worker_works(slug)

    @precondition(lambda self: self.enrolled_by_us)
    @rule(data=st.data(), comes_back=st.booleans())
    def learner_leaves_what_we_realized(self, data: st.DataObject, comes_back: bool) -> None:
        slug, username, run = data.draw(st.sampled_from(sorted(self.enrolled_by_us)))
        self.learner_leaves(username, run)
        if comes_back:
            self.learner_visits_and_worker_works(slug, username)

    @rule(username=learners, run=runs)
    def learner_leaves(self, username: str, run: str) -> None:
        row = self.world.enrollment(username, run)
        if row is None or not row.is_active:
            return
        self.world.leave(username=username, run_key=run)
        if any(made[1:] == (username, run) for made in self.enrolled_by_us):
            self.left.add((username, course_of(run)))

    @rule(username=learners, run=runs)
    def learner_audits_by_choice(self, username: str, run: str) -> None:
        if self.world.enrollment(username, run) is None:
            self.world.enroll(username=username, run_key=run)

    # --- what happens around them --------------------------------------------------------------------------------

    @rule(run=runs)
    def another_run_is_advertised(self, run: str) -> None:
        self.world.advertise(course_key=course_of(run), run_key=run)

    @rule(slug=customers, username=learners)
    def license_is_revoked(self, slug: str, username: str) -> None:
        for license_ in self.licenses(slug, username):
            self.world.revoke(license_uuid=license_.uuid)

    @rule(slug=customers, username=learners)
    def another_license_is_given(self, slug: str, username: str) -> None:
        if not self.licenses(slug, username):
            plan = next(plan for plan in self.world.tables.plans if plan.title == slug)
            self.world.add_license(plan_uuid=plan.uuid, username=username)

    def licenses(self, slug: str, username: str) -> list[Any]:
        plans = {plan.uuid for plan in self.world.tables.plans if plan.title == slug}
        return [
            row
            for row in self.world.licenses_of(username)
            if row.plan_uuid in plans and row.status is LicenseStatus.ACTIVATED
        ]

    @rule(slug=customers, username=learners)
    def learner_is_unlinked(self, slug: str, username: str) -> None:
        if any(link.is_linked for link in self.links(slug, username)):
            self.world.unlink(username=username, customer=slug)

    @rule(slug=customers, username=learners)
    def learner_is_linked(self, slug: str, username: str) -> None:
        self.world.link(username=username, customer=slug)

    def links(self, slug: str, username: str) -> list[Any]:
        return [link for link in self.world.links_of(username) if link.customer_uuid == self.uuids[slug]]

    @rule(minutes=st.sampled_from([1, 10, 60, 60 * 24]), flush=st.booleans())
    def time_passes(self, minutes: int, flush: bool) -> None:
        self.clock.shift(timedelta(minutes=minutes))
        if flush:
            cache.clear()

    @precondition(lambda self: self.accident is None)
    @rule(accident=st.sampled_from(["dies before", "dies after", "answer lost"]))
    def an_accident_is_waiting(self, accident: str) -> None:
        self.accident = accident

    @rule(endpoint=st.sampled_from(["lms.*", "platform.*", "catalog.*", "license_manager.*"]))
    def a_neighbour_fails_once(self, endpoint: str) -> None:
        self.simulator.faults.add("status", endpoint, times=1, status=503)

    # --- what we do ----------------------------------------------------------------------------------------------

    @rule(slug=customers)
    def worker_works(self, slug: str) -> None:
        try:
            realize_due(customer_uuid=self.uuids[slug], limit=10, now=timezone.now())
        except WorkerDied:
            return

    @rule(slug=customers)
    def content_is_swept(self, slug: str) -> None:
        try:
            check_intentions(customer_uuid=self.uuids[slug])
        except ServiceError:
            return

    @rule()
    def realizations_are_reconciled(self) -> None:
        try:
            reconcile(limit=10)
        except ServiceError:
            return

    # --- what must always hold -----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost(self) -> None:
        lost = RealizationRequest.objects.filter(due_at=None, settled_at=None, dead_at=None)
        assert not lost.exists(), list(lost.values())

    def let_everything_settle(self) -> None:
        """No more accidents: after some rounds everything is settled, and every enrollment of ours is on record."""
        self.accident = None
        self.simulator.faults.clear()
        for _ in range(8):
            self.clock.shift(timedelta(hours=2))
            for slug in CUSTOMERS:
                for username in LEARNERS:
                    self.learner_signs_in(slug, username, 1)
                self.worker_works(slug)
        open_attempts = RealizationAttempt.objects.unsettled().values_list("lms_user_id", "course_run_key", "outcome")
        assert not open_attempts.exists(), list(open_attempts)
        recorded = {
            (str(row.intention.customer.slug), row.lms_user_id, row.course_key)
            for row in DefaultEnterpriseEnrollmentRealization.objects.select_related("intention__customer")
        }
        made = {(slug, LEARNERS[username], course_of(run)) for slug, username, run in self.enrolled_by_us}
        assert made <= recorded, f"not on record: {made - recorded}"


def fetch_uuid(machine: DefaultEnrollments, slug: str) -> UUID:
    CURRENT.append(machine)
    return fetch_customer_by_slug(slug=slug).pk


def forget_everything() -> None:
    for model in (
        IntentionHealth,
        RealizationOverride,
        RealizationAttempt,
        RealizationRequest,
        DefaultEnterpriseEnrollmentRealization,
        DefaultEnterpriseEnrollmentIntention,
        EnterpriseEnrollment,
        LearnerEnrollment,
        EnterpriseCustomer,
    ):
        model._default_manager.all().delete()
    cache.clear()


CURRENT: list[DefaultEnrollments] = []


@pytest.fixture
def _watched(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    settings.OAUTH2_CLIENT_ID, settings.OAUTH2_CLIENT_SECRET = WORKER_KEY, WORKER_SECRET
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _, request, **options: CURRENT[-1].send(request, **options)
    )
    yield
    CURRENT.clear()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_watched")
def test_what_must_always_hold_holds():
    run_state_machine_as_test(
        DefaultEnrollments,
        settings=settings(
            max_examples=max(1, STEPS // STEPS_AN_EXAMPLE),
            stateful_step_count=STEPS_AN_EXAMPLE,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
