"""Learners, staff, neighbours and accidents do as they like; what must always hold, holds.

A hypothesis state machine over the real services, the real clients and the simulated neighbours. It runs a few hundred
steps with the suite, and as many as MODEL_STEPS says with `make test-model`.
"""

import contextlib
import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
import time_machine
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from enterprise_access.apps.content_metadata.selectors import content
from enterprise_access.apps.customers.models import (
    EnterpriseCustomer,
    EnterpriseEnrollment,
    LearnerEnrollment,
    LearnerSighting,
)
from enterprise_access.apps.customers.services import fetch_customer_by_slug, resolve_logins
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    IntentionHealth,
    RealizationAttempt,
    RealizationOverride,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.intentions.lifecycle import (
    add_intention,
    delete_intention,
    restore_intention,
)
from enterprise_access.apps.default_enrollments.services.moving_in.backfill import Scope, request_all
from enterprise_access.apps.default_enrollments.services.operations.pruning import prune_attempts
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything, resume_everything
from enterprise_access.apps.default_enrollments.services.overrides import cancel_override, grant_override
from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
from enterprise_access.apps.default_enrollments.services.reconciling import reconcile
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from enterprise_access.events.handling import Event, handle
from enterprise_access.events.tests.made import changed, login, unenrolled
from enterprise_access.lib.errors import ServiceError
from simulator.app import create_app, simulator_of
from simulator.in_process import SimulatorAdapter
from simulator.seed import OPERATOR, WORKER_KEY, WORKER_SECRET
from simulator.tokens import throwaway_jwk
from simulator.values import Enrollment, LicenseStatus
from simulator.world import World
from tests.tally import Tally

STEPS = int(os.environ.get("MODEL_STEPS", "300"))
STEPS_AN_EXAMPLE = 50
# Some examples end early: a third more of them, so that there are as many steps as were asked for.
EXAMPLES = max(1, STEPS * 4 // (3 * STEPS_AN_EXAMPLE))
# Looking for the shortest way to a failure takes much longer than finding one.
PHASES = [Phase.generate] if "MODEL_STOPS_AT_FIRST" in os.environ else list(Phase)
JWK = throwaway_jwk()

CUSTOMERS = ["one", "two"]
# carl is linked to both customers.
LEARNERS = {"ann": 11, "bob": 12, "carl": 13}
COURSES = {"X+A": ["course-v1:X+A+1", "course-v1:X+A+2"], "X+B": ["course-v1:X+B+1"], "X+C": ["course-v1:X+C+1"]}
RUNS = [run for runs in COURSES.values() for run in runs]
KEYS = [*COURSES, "course-v1:X+A+1"]
ENROLL = "/enroll_learners_in_courses/"
# The LMS carries out a call at most so long after it was sent.
LMS_LIMIT = timedelta(seconds=300)
# What is added to the key of a course that is renamed.
RENAMED = "-renamed"
# What is never so in this world (unless a course was renamed), whoever does not answer.
NEVER_SO = [
    Reason.CONTENT_NOT_FOUND,
    Reason.CONTENT_NOT_READY,
    Reason.NO_ADVERTISED_RUN,
    Reason.RUN_NOT_FOUND,
    Reason.NOT_IN_CUSTOMER_CATALOGS,
]
TRIED: Counter[str] = Counter()
# (Whatever fails is done again and again, to find the shortest way to it, and is counted each time.)
LOST = Counter(
    enrollments_made_twice=0,
    enrollments_against_the_learner=0,
    runs_paid_for_twice=0,
    enrollments_while_paused=0,
    enrollments_not_on_record=0,
    outcomes_unknown=0,
    requests_without_a_state=0,
    answers_missing=0,
    answers_that_were_not_so=0,
)

customers = st.sampled_from(CUSTOMERS)
learners = st.sampled_from(list(LEARNERS))
keys = st.sampled_from(KEYS)
runs = st.sampled_from(RUNS)


def course_of(run: str) -> str:
    """Return the course of a run, by the key that it had at first."""
    return next(course for course, its_runs in COURSES.items() if run in its_runs)


def step(rule_: Callable[..., None]) -> Callable[..., None]:
    """Count how often a rule is tried."""

    @functools.wraps(rule_)
    def counted(machine: "DefaultEnrollments", **drawn: Any) -> None:
        TRIED[rule_.__name__] += 1
        rule_(machine, **drawn)

    return counted


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
        self.wrong: list[object] = []
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
        # Whom staff have let in again, once, and until when, by customer, learner and course; what they have stopped.
        self.let_in: dict[tuple[str, str, str], datetime] = {}
        # What the LMS will carry out after we have given up: when it was sent, and who was let in then.
        self.late: list[tuple[datetime, requests.PreparedRequest, set[tuple[str, str, str]]]] = []
        self.renamed: set[str] = set()
        self.was_renamed = False
        self.paused: set[str] = set()
        # What was so at some time: it may be said of these later.
        self.was_unlinked = {("two", "ann"), ("two", "bob")}
        self.was_without_license = {("two", "ann"), ("two", "bob")}
        self.was_inactive: set[str] = set()
        # What the LMS has told of enrollments, and has not arrived yet.
        self.told: list[Event] = []
        self.world.listeners.append(self.tell)
        for slug, key in intended:
            self.intend(slug, key)

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
            if self.accident == "dies reading":
                self.accident = None
                raise WorkerDied
            return self.adapter.send(request, **options)
        accident, self.accident = self.accident, None
        if accident in ("dies reading", "dies before"):
            raise WorkerDied
        if accident == "carried out late":
            self.late.append((timezone.now(), request, self.let_in_now()))
            raise requests.ReadTimeout("no answer")
        answer = self.carry_out(request, self.let_in_now(), **options)
        if accident == "dies after":
            raise WorkerDied
        if accident == "answer lost":
            raise requests.ConnectionError("the answer got lost")
        return answer

    def carry_out(
        self,
        request: requests.PreparedRequest,
        let_in: set[tuple[str, str, str]],
        is_late: bool = False,
        **options: Any,
    ) -> requests.Response:
        before = self.active()
        try:
            return self.adapter.send(request, **options)
        finally:
            self.watch(str(request.url), self.active() - before, let_in, is_late)

    def let_in_now(self) -> set[tuple[str, str, str]]:
        return {whom for whom, until in self.let_in.items() if timezone.now() < until}

    def tell(self, _what: str, row: Any) -> None:
        """Let the LMS tell of an enrollment that changed, as it does on the event bus."""
        if isinstance(row, Enrollment):
            about: dict[str, Any] = {"mode": row.mode, "at": timezone.now()}
            self.told.append(changed(row.user_id, row.run_key, is_active=row.is_active, **about))
            if not row.is_active:
                self.told.append(unenrolled(row.user_id, row.run_key, **about))

    def active(self) -> set[tuple[str, str]]:
        rows = ((name, row) for name in LEARNERS for row in self.world.enrollments_of(name))
        return {(name, row.run_key) for name, row in rows if row.is_active}

    def watch(self, url: str, new: set[tuple[str, str]], let_in: set[tuple[str, str, str]], is_late: bool) -> None:
        """Judge every enrollment in the moment in which it is made.

        A call that is carried out late may come after the learner left, or enrolling was stopped: nobody can help it.
        """
        slug = next(slug for slug, uuid in self.uuids.items() if str(uuid) in url)
        for username, run in new:
            course = course_of(run)
            is_let_in = (slug, username, course) in let_in
            earlier = {
                made for made in self.enrolled_by_us if made[:2] == (slug, username) and course_of(made[2]) == course
            }
            self.expect(
                is_late or is_let_in or (username, course) not in self.left,
                "enrollments_against_the_learner",
                f"{username} left {course}, and was enrolled in {run} again",
            )
            self.expect(
                is_let_in or not earlier or (slug, course) in self.with_run_intention,
                "enrollments_made_twice",
                f"{username} was enrolled twice in {course}: {earlier}, {run}",
            )
            self.expect(
                is_late or not self.paused & {slug, "everything"},
                "enrollments_while_paused",
                f"{username} was enrolled in {run} while enrolling was stopped",
            )
            self.enrolled_by_us.add((slug, username, run))
            if is_let_in:
                self.let_in.pop((slug, username, course), None)
                self.left.discard((username, course))
        self.expect(not (twice := self.paid_for_twice()), "runs_paid_for_twice", twice)

    def paid_for_twice(self) -> list[tuple[str, str]]:
        """Return the learners and runs for which licenses of two customers are spent."""
        spent = Counter(
            (username, row.run_key)
            for username in LEARNERS
            for link in self.world.links_of(username)
            for row in self.world.tables.enterprise_enrollments.where(link=link.id)
            if row.license_uuid is not None and not row.is_revoked
        )
        return [what for what, times in spent.items() if times > 1]

    def expect(self, is_so: bool, loss: str, otherwise: object) -> None:
        """Count a loss, and end, unless it is so."""
        LOST[loss] += not is_so
        if not is_so:
            # The code that made the call may take it for an error of its own.
            self.wrong.append(otherwise)
        assert is_so, otherwise

    # --- what people do ------------------------------------------------------------------------------------------

    @rule(slug=customers, key=keys)
    @step
    def staff_intend(self, slug: str, key: str) -> None:
        self.intend(slug, key)

    def key_of(self, course: str) -> str:
        return course + RENAMED if course in self.renamed else course

    def intend(self, slug: str, key: str) -> None:
        if key.startswith("course-v1:"):
            self.with_run_intention.add((slug, course_of(key)))
        else:
            key = self.key_of(key)
        twin = DefaultEnterpriseEnrollmentIntention.objects.filter(
            customer_id=self.uuids[slug], content_key_folded=key.lower()
        ).first()
        if twin is None:
            # (The web asks about the key, and may die while it does.)
            with contextlib.suppress(WorkerDied):
                add_intention(customer_uuid=self.uuids[slug], content_key=key)
        elif twin.is_deleted:
            restore_intention(twin)

    @rule(slug=customers, key=keys)
    @step
    def staff_change_their_mind(self, slug: str, key: str) -> None:
        for intention in self.living(slug, key):
            delete_intention(intention)

    @rule(slug=customers, key=keys, username=learners)
    @step
    def staff_let_a_learner_in_again(self, slug: str, key: str, username: str) -> None:
        self.let_again(slug, key, username)

    def let_again(self, slug: str, key: str, username: str) -> None:
        for intention in self.living(slug, key):
            try:
                override = grant_override(
                    intention=intention,
                    lms_user_id=LEARNERS[username],
                    by="staff",
                    reason="asked for it",
                    now=timezone.now(),
                )
            except (ServiceError, WorkerDied):
                continue
            self.let_in[slug, username, course_of(key) if key in RUNS else key] = override.ends_at

    @rule(slug=customers, username=learners)
    @step
    def staff_cancel_what_they_allowed(self, slug: str, username: str) -> None:
        mine = RealizationOverride.objects.active(timezone.now()).filter(
            intention__customer_id=self.uuids[slug], lms_user_id=LEARNERS[username]
        )
        for override in mine.select_related("intention"):
            try:
                cancel_override(override=override, by="staff", reason="a mistake", now=timezone.now())
            except ServiceError:
                continue
            key = override.intention.content_key
            self.let_in.pop((slug, username, course_of(key) if key in RUNS else key.removesuffix(RENAMED)), None)

    def living(self, slug: str, key: str) -> list[DefaultEnterpriseEnrollmentIntention]:
        living = DefaultEnterpriseEnrollmentIntention.objects.living()
        keys = [key.lower(), (key + RENAMED).lower()]
        return list(living.filter(customer_id=self.uuids[slug], content_key_folded__in=keys))

    @rule(what=st.sampled_from([*CUSTOMERS, "everything"]), is_paused=st.booleans())
    @step
    def staff_stop_or_go_on(self, what: str, is_paused: bool) -> None:
        self.pause(what, is_paused)

    def pause(self, what: str, is_paused: bool) -> None:
        if what != "everything":
            EnterpriseCustomer.objects.filter(slug=what).update(realization_paused=is_paused)
        elif is_paused:
            pause_everything(by="staff", because="of a test")
        else:
            resume_everything(by="staff")
        self.paused = self.paused | {what} if is_paused else self.paused - {what}

    @rule(slug=customers)
    @step
    def staff_backfill(self, slug: str) -> None:
        try:
            list(request_all(Scope(customer_uuid=self.uuids[slug]), learners_per_minute=None))
        except (ServiceError, WorkerDied):
            return

    @rule(slug=customers, username=learners, times=st.integers(1, 3))
    @step
    def learner_visits(self, slug: str, username: str, times: int) -> None:
        self.visit(slug, username, times)

    def visit(self, slug: str, username: str, times: int = 1) -> None:
        for _ in range(times):
            request_realization(
                customer_uuid=self.uuids[slug],
                lms_user_ids=[LEARNERS[username]],
                trigger=Trigger.PORTAL,
                now=timezone.now(),
            )

    @rule(slug=customers, username=learners)
    @step
    def learner_visits_and_worker_works(self, slug: str, username: str) -> None:
        self.visit(slug, username)
        self.work(slug)

    @rule(username=learners, times=st.integers(1, 3))
    @step
    def learner_signs_in(self, username: str, times: int) -> None:
        """The same event may come more than once."""
        handle([login(LEARNERS[username], at=timezone.now())] * times)

    @precondition(lambda self: self.enrolled_by_us)
    @rule(data=st.data(), comes_back=st.booleans())
    @step
    def learner_leaves_what_we_realized(self, data: st.DataObject, comes_back: bool) -> None:
        slug, username, run = data.draw(st.sampled_from(sorted(self.enrolled_by_us)))
        self.leave(username, run)
        if comes_back:
            self.visit(slug, username)
            self.work(slug)

    @rule(username=learners, run=runs)
    @step
    def learner_leaves(self, username: str, run: str) -> None:
        self.leave(username, run)

    def leave(self, username: str, run: str) -> None:
        row = self.world.enrollment(username, run)
        if row is None or not row.is_active:
            return
        self.world.leave(username=username, run_key=run)
        if any(made[1:] == (username, run) for made in self.enrolled_by_us):
            self.left.add((username, course_of(run)))

    @rule(username=learners, run=runs)
    @step
    def learner_audits_by_choice(self, username: str, run: str) -> None:
        if self.world.enrollment(username, run) is None:
            self.world.enroll(username=username, run_key=run)

    # --- what happens around them --------------------------------------------------------------------------------

    @rule(run=runs)
    @step
    def another_run_is_advertised(self, run: str) -> None:
        self.world.advertise(course_key=self.key_of(course_of(run)), run_key=run)

    @rule(course=st.sampled_from(list(COURSES)), slug=customers)
    @step
    def a_course_is_renamed(self, course: str, slug: str) -> None:
        """And somebody intends it under its new key."""
        old = self.key_of(course)
        self.renamed ^= {course}
        self.was_renamed = True
        self.world.rename_course(course_key=old, new_key=self.key_of(course))
        cache.clear()
        content._cache._kept.clear()
        self.intend(slug, course)

    @precondition(lambda self: self.late)
    @rule()
    @step
    def the_lms_carries_out_a_late_call(self) -> None:
        self.carry_out_late_call()

    def carry_out_late_call(self) -> None:
        sent_at, request, let_in = self.late.pop()
        if timezone.now() <= sent_at + LMS_LIMIT:
            self.carry_out(request, let_in, is_late=True)

    @rule(slug=customers, username=learners)
    @step
    def license_is_revoked(self, slug: str, username: str) -> None:
        for license_ in self.licenses(slug, username):
            self.world.revoke(license_uuid=license_.uuid)
            self.was_without_license.add((slug, username))

    @rule(slug=customers, username=learners)
    @step
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
    @step
    def learner_is_unlinked(self, slug: str, username: str) -> None:
        if any(link.is_linked for link in self.links(slug, username)):
            self.world.unlink(username=username, customer=slug)
            self.was_unlinked.add((slug, username))

    @rule(slug=customers, username=learners)
    @step
    def learner_is_linked(self, slug: str, username: str) -> None:
        self.world.link(username=username, customer=slug)

    def links(self, slug: str, username: str) -> list[Any]:
        return [link for link in self.world.links_of(username) if link.customer_uuid == self.uuids[slug]]

    @rule(slug=customers, is_active=st.booleans())
    @step
    def customer_is_switched(self, slug: str, is_active: bool) -> None:
        self.world.change_customer(customer=slug, is_active=is_active)
        if not is_active:
            self.was_inactive.add(slug)

    @rule(run=runs, is_open=st.booleans())
    @step
    def run_is_closed_or_opened(self, run: str, is_open: bool) -> None:
        self.world.change_run(run_key=run, enrollment_end=None if is_open else timezone.now() - timedelta(seconds=1))

    @precondition(lambda self: self.told)
    @rule(data=st.data(), comes_again=st.booleans())
    @step
    def an_event_arrives(self, data: st.DataObject, comes_again: bool) -> None:
        """In any order, and maybe more than once."""
        number = data.draw(st.integers(0, len(self.told) - 1))
        handle([self.told[number]])
        if not comes_again:
            del self.told[number]

    @rule()
    @step
    def events_are_lost(self) -> None:
        self.told.clear()

    @rule(minutes=st.sampled_from([1, 3, 10, 60, 60 * 24, 60 * 24 * 31]), flush=st.booleans())
    @step
    def time_passes(self, minutes: int, flush: bool) -> None:
        while self.late and timedelta(minutes=minutes) > LMS_LIMIT:
            self.carry_out_late_call()
        self.clock.shift(timedelta(minutes=minutes))
        if flush:
            cache.clear()

    @precondition(lambda self: self.accident is None)
    @rule(accident=st.sampled_from(["dies reading", "dies before", "dies after", "answer lost", "carried out late"]))
    @step
    def an_accident_is_waiting(self, accident: str) -> None:
        self.accident = accident

    @rule(
        endpoint=st.sampled_from(["lms.*", "platform.*", "catalog.*", "license_manager.*"]),
        kind=st.sampled_from(["status", "drop", "hang", "malformed_json", "truncated_json", "unauthorized"]),
    )
    @step
    def a_neighbour_fails_once(self, endpoint: str, kind: str) -> None:
        self.simulator.faults.add(kind, endpoint, times=1, status=503)

    # Stories that steps drawn one by one seldom tell.

    @precondition(lambda self: self.accident is None)
    @rule(
        first=customers,
        key=keys,
        accident=st.sampled_from(["answer lost", "carried out late"]),
        leaves=st.booleans(),
    )
    @step
    def two_customers_want_the_same_and_a_call_has_no_answer(
        self, first: str, key: str, accident: str, leaves: bool
    ) -> None:
        second = next(slug for slug in CUSTOMERS if slug != first)
        for slug in (first, second):
            self.intend(slug, key)
        self.accident = accident
        self.visit(first, "carl")
        self.work(first)
        if leaves:
            self.leave_everything("carl")
        self.visit(second, "carl")
        self.work(second)
        while self.late:
            self.carry_out_late_call()

    @precondition(lambda self: self.accident is None)
    @rule(slug=customers, username=learners, key=keys, events_arrive=st.booleans())
    @step
    def a_learner_who_was_let_in_again_leaves_before_the_answer(
        self, slug: str, username: str, key: str, events_arrive: bool
    ) -> None:
        self.gets_and_leaves(slug, username, key)
        self.let_again(slug, key, username)
        self.accident = "answer lost"
        self.work(slug)
        self.leave_everything(username)
        if events_arrive:
            handle(self.told)
        self.visit(slug, username)
        self.work(slug)

    @rule(slug=customers, username=learners, course=st.sampled_from(list(COURSES)))
    @step
    def a_course_is_renamed_that_a_learner_left(self, slug: str, username: str, course: str) -> None:
        self.gets_and_leaves(slug, username, course)
        self.a_course_is_renamed(course=course, slug=slug)
        self.visit(slug, username)
        self.work(slug)

    def gets_and_leaves(self, slug: str, username: str, key: str) -> None:
        self.intend(slug, key)
        self.visit(slug, username)
        self.work(slug)
        self.leave_everything(username)
        self.visit(slug, username)
        self.work(slug)

    def leave_everything(self, username: str) -> None:
        self.clock.shift(timedelta(seconds=5))
        for run in RUNS:
            self.leave(username, run)
        self.clock.shift(timedelta(seconds=5))

    # --- what we do ----------------------------------------------------------------------------------------------

    @rule(slug=customers, seconds=st.sampled_from([0, -2, 2]))
    @step
    def worker_works(self, slug: str, seconds: int) -> None:
        """By a clock that may differ from everybody else's."""
        self.clock.shift(timedelta(seconds=seconds))
        self.work(slug)
        self.clock.shift(timedelta(seconds=-seconds))

    def work(self, slug: str) -> None:
        try:
            realize_due(customer_uuid=self.uuids[slug], limit=10, now=timezone.now())
        except WorkerDied:
            return

    @rule()
    @step
    def logins_are_looked_up(self) -> None:
        try:
            resolve_logins(limit=10, now=timezone.now())
        except WorkerDied:
            return

    @rule()
    @step
    def attempts_are_pruned(self) -> None:
        prune_attempts(older_than=timezone.now())

    @rule(slug=customers)
    @step
    def content_is_swept(self, slug: str) -> None:
        try:
            check_intentions(customer_uuid=self.uuids[slug])
        except (ServiceError, WorkerDied):
            return

    @rule()
    @step
    def realizations_are_reconciled(self) -> None:
        try:
            reconcile(limit=10)
        except (ServiceError, WorkerDied):
            return

    # --- what must always hold -----------------------------------------------------------------------------------

    @invariant()
    def nothing_was_wrong(self) -> None:
        assert not self.wrong

    @invariant()
    def nothing_is_lost(self) -> None:
        lost = RealizationRequest.objects.filter(due_at=None, settled_at=None, failed_at=None)
        self.expect(not lost.exists(), "requests_without_a_state", list(lost.values()))

    @invariant()
    def unknown_is_not_no(self) -> None:
        """Nothing is said of anybody that was never so, whoever did not answer."""
        may_be_said = {
            Reason.LEARNER_NOT_LINKED: lambda slug, who: (slug, who) in self.was_unlinked,
            Reason.NO_LICENSE: lambda slug, who: (slug, who) in self.was_without_license,
            Reason.CUSTOMER_INACTIVE: lambda slug, _: slug in self.was_inactive,
        }
        names = {number: username for username, number in LEARNERS.items()}
        said = RealizationAttempt.objects.filter(reason__in=[*NEVER_SO, *may_be_said]).values_list(
            "reason", "intention__customer__slug", "lms_user_id"
        )
        wrong = [
            (reason, slug, number)
            for reason, slug, number in said
            if (reason in NEVER_SO and not self.was_renamed)
            or (reason in may_be_said and not may_be_said[Reason(reason)](slug, names[number]))
        ]
        self.expect(not wrong, "answers_that_were_not_so", wrong)

    def let_everything_settle(self) -> None:
        """No more accidents: after some rounds everything is settled, on record, and there is an answer to "why?"."""
        self.accident = None
        self.simulator.faults.clear()
        while self.late:
            self.carry_out_late_call()
        for what in sorted(self.paused):
            self.pause(what, is_paused=False)
        for _ in range(8):
            self.clock.shift(timedelta(hours=2))
            resolve_logins(limit=10, now=timezone.now())
            for slug in CUSTOMERS:
                for username in LEARNERS:
                    self.visit(slug, username)
                self.work(slug)
        open_attempts = RealizationAttempt.objects.unsettled().values_list("lms_user_id", "course_run_key", "outcome")
        self.expect(not open_attempts.exists(), "outcomes_unknown", list(open_attempts))
        recorded = {
            (str(row.intention.customer.slug), row.lms_user_id, row.course_key.removesuffix(RENAMED))
            for row in DefaultEnterpriseEnrollmentRealization.objects.select_related("intention__customer")
        }
        made = {(slug, LEARNERS[username], course_of(run)) for slug, username, run in self.enrolled_by_us}
        self.expect(made <= recorded, "enrollments_not_on_record", f"not on record: {made - recorded}")
        answered = set(
            RealizationAttempt.objects.newest().exclude(rule="", reason="").values_list("intention_id", "lms_user_id")
        )
        living = DefaultEnterpriseEnrollmentIntention.objects.living()
        asked = {(intention.pk, number) for intention in living for number in LEARNERS.values()}
        self.expect(asked <= answered, "answers_missing", f"no answer: {asked - answered}")


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
        LearnerSighting,
        EnterpriseCustomer,
    ):
        model._default_manager.all().delete()
    resume_everything(by="staff")
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
def test_what_must_always_hold_holds(tally: Tally):
    lost_before = Counter(LOST)
    try:
        run_state_machine_as_test(
            DefaultEnrollments,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS_AN_EXAMPLE,
                deadline=None,
                phases=PHASES,
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        tally.of("test-model").add(steps=TRIED.total(), **dict(TRIED.most_common()))
        tally.lose(**{name: LOST[name] - lost_before[name] for name in LOST})


def the_same_in_two_customers() -> Iterator[Callable[[DefaultEnrollments], None]]:
    story = DefaultEnrollments.two_customers_want_the_same_and_a_call_has_no_answer
    for first, key, accident, leaves in itertools.product(
        CUSTOMERS, ["X+A", "X+B"], ["answer lost", "carried out late"], [True, False]
    ):
        yield functools.partial(story, first=first, key=key, accident=accident, leaves=leaves)


def let_in_again() -> Iterator[Callable[[DefaultEnrollments], None]]:
    story = DefaultEnrollments.a_learner_who_was_let_in_again_leaves_before_the_answer
    for slug, key, events_arrive in itertools.product(CUSTOMERS, ["X+A", "X+B"], [True, False]):
        yield functools.partial(story, slug=slug, username="carl", key=key, events_arrive=events_arrive)


def renamed() -> Iterator[Callable[[DefaultEnrollments], None]]:
    story = DefaultEnrollments.a_course_is_renamed_that_a_learner_left
    for slug, course in itertools.product(CUSTOMERS, COURSES):
        yield functools.partial(story, slug=slug, username="carl", course=course)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_watched")
@pytest.mark.parametrize("stories", [the_same_in_two_customers, let_in_again, renamed])
def test_each_story_alone_ends_well(
    stories: Callable[[], Iterator[Callable[[DefaultEnrollments], None]]], tally: Tally
) -> None:
    """Told on its own, with nothing before it: what a mend is for is found in seconds, and not by luck."""
    lost_before = Counter(LOST)
    try:
        for tell in stories():
            tally.of("test-model").add(stories=1)
            machine = DefaultEnrollments()
            machine.begin(intended=[])
            try:
                tell(machine)
                machine.nothing_was_wrong()
                machine.nothing_is_lost()
                machine.unknown_is_not_no()
            finally:
                machine.travel.stop()
    finally:
        tally.lose(**{name: LOST[name] - lost_before[name] for name in LOST})
