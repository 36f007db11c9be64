"""One random day of learner credit: learners, admins, staff, other tools, outages and crashes."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import time_machine

from enterprise_access.apps.redemption.domain.transactions import AttemptState
from enterprise_access.apps.redemption.errors import EvidenceAgainst, RedemptionAttemptUnknown
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.advancing import work_on_attempts
from enterprise_access.apps.redemption.services.assignments import note_learner
from enterprise_access.apps.redemption.services.deciding import settle_as_not_paid, settle_as_paid, try_again
from enterprise_access.apps.redemption.services.forcing import force_redemption
from enterprise_access.apps.redemption.services.redeeming import RedemptionOrder, redeem
from enterprise_access.apps.redemption.services.signals import attempt_ended
from enterprise_access.apps.redemption.tests.credit_admins import Admins
from enterprise_access.apps.redemption.tests.credit_seen import Seen
from enterprise_access.apps.redemption.tests.ledgers import (
    ADA,
    BEN,
    PRICE,
    begin,
    is_enrolled,
    know_learners,
    make_policy,
    transactions,
)
from enterprise_access.apps.subsidy_access_policies.errors import BudgetRefused
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import get_policy
from enterprise_access.apps.subsidy_access_policies.services import (
    ToldTransaction,
    begin_to_refresh_transactions,
    record_told,
    refresh_accounts,
)
from enterprise_access.apps.subsidy_access_policies.services.reconciling import reconcile_all, reconcile_new
from enterprise_access.apps.subsidy_access_policies.tests.ledger import redeemed
from enterprise_access.lib import breaker, clock
from simulator import ledger
from simulator.ledger_rows import LedgerTransaction, TransactionState
from simulator.seed import ACME_CREDIT

LEARNERS = {ADA: "ada", BEN: "ben"}
EMAILS = {learner: f"{name}@example.com" for learner, name in LEARNERS.items()}
COURSES = [f"Model+C{number}" for number in range(12)]
# One assignment of a course could pay for either of its runs.
RUNS = [f"course-v1:{course}+2026_T{term}" for course in COURSES for term in (1, 2)]
ANYTHING = [(learner, run) for learner in LEARNERS for run in RUNS]
LIMIT = 9 * PRICE
WIRE = ("drop", "unreachable", "cut_off", "malformed_json", "hang")
LMS = ("ok", "slow", "lost", "500", "409", "stuck", "stuck_created")


def forget_outages() -> None:
    """Let no outage of an earlier step keep a call from being made."""
    breaker._breaker_of.cache_clear()


def as_told(row: LedgerTransaction) -> ToldTransaction:
    """Return what an event tells of a state of a transaction."""
    return ToldTransaction(
        uuid=row.uuid,
        policy_uuid=row.policy_uuid,
        lms_user_id=row.lms_user_id,
        content_key=row.content_key,
        quantity_cents=row.quantity,
        state=row.state.value,
        reversal_state=None if row.reversal is None else row.reversal.state.value,
        idempotency_key=row.idempotency_key,
        created=row.created_at,
        modified=row.modified_at,
    )


class Sending:
    """The wire, which the day may cut after a call. `after` is called with each request that was answered."""

    after: Callable[[Any], None] = staticmethod(lambda _request: None)


class Killed(BaseException):
    """The worker is gone, without a word."""


class Day:
    """The service, the ledger and the LMS on one random day."""

    def __init__(self, simulator: Any, send: Sending, seed: int) -> None:
        self.simulator, self.world = simulator, simulator.world
        self.random = random.Random(seed)
        self.kill_after_send = False
        self.kill_while_recording = False
        # What staff decided is not paid, though the learner may be enrolled.
        self.given_away: set[tuple[int | None, str]] = set()
        self.now: datetime = clock.now()
        send.after = self._sent
        attempt_ended.connect(self._recording)
        for course in COURSES:
            self.world.add_course(key=course)
        for key in RUNS:
            self.world.add_run(key=key)
        catalog = self.world.add_catalog(customer="acme", title="Model", courses=COURSES).uuid
        know_learners(*LEARNERS)
        self.policies = [make_policy(spend_limit=limit, catalog_uuid=catalog) for limit in (LIMIT, None)]
        self.group = self.world.add_group(customer="acme", name="Model").uuid
        self.of_group = make_policy(spend_limit=LIMIT, catalog_uuid=catalog)
        PolicyGroupAssociation.objects.create(policy=self.of_group, group_uuid=self.group)
        self.admins = Admins(self.random, emails=EMAILS, courses=COURSES, limit=LIMIT, catalog_uuid=catalog)
        self.seen = Seen()

    @property
    def budgets(self) -> list[SubsidyAccessPolicy]:
        return [*self.policies, self.of_group, self.admins.assigned, self.admins.asked]

    def _sent(self, request: Any) -> None:
        if self.kill_after_send and request.method == "POST" and "transactions" in request.url:
            self.kill_after_send = False
            raise Killed

    def _recording(self, **_: Any) -> None:
        if self.kill_while_recording:
            self.kill_while_recording = False
            raise Killed

    def steps(self) -> list[tuple[int, Callable[[], object]]]:
        return [
            *self.admins.steps(),
            (6, self.redeem),
            (5, self.redeem_through_the_door),
            (2, self.force),
            (14, self.work),
            (2, self.break_wire),
            (3, self.let_lms_misbehave),
            (1, self.lock_ledger),
            (1, self.hide_list),
            (1, self.hide_platform),
            (1, self.redeem_elsewhere),
            (2, self.reverse),
            (1, self.leave),
            (2, self.hear_news),
            (2, self.hear_events),
            (1, self.reconcile),
            (1, self.kill_sending),
            (1, self.kill_recording),
            (1, self.heal),
            (1, self.decide_dead),
            (1, self.switch_policy),
            (1, self.change_group),
        ]

    def step(self) -> str:
        """Let one thing happen, some time later; return what."""
        weights, steps = zip(*self.steps(), strict=True)
        self.now += timedelta(seconds=self.random.choice([1, 5, 60, 400]))
        with time_machine.travel(self.now, tick=False):
            (chosen,) = self.random.choices(steps, weights)
            with suppress(Killed):
                chosen()
            forget_outages()
        return chosen.__name__

    def redeem(self) -> None:
        policy, learner = self.random.choice(self.policies), self.random.choice(list(LEARNERS))
        run = self.random.choice(RUNS)
        if any(self.paid(learner, run)):
            # What exists is answered before anything is begun.
            return
        before = is_enrolled(self.world, LEARNERS[learner], run)
        if before and not RedemptionAttempt.objects.open().of_run(lms_user_id=learner, run_key=run).exists():
            return
        try:
            begin(policy, learner=learner, run=run, was_enrolled=before)
        except BudgetRefused:
            return

    def redeem_through_the_door(self) -> None:
        """Redeem as a learner does: with everything that the rules ask for first."""
        policy = self.some_budget()
        learner, run = self.random.choice(self.wanted_of(policy))
        note_learner(lms_user_id=learner, email=EMAILS[learner], now=clock.now())
        # The portal has a button for each run of a course.
        runs = [one for one in RUNS if one[:-1] == run[:-1]] if self.random.random() < 0.3 else [run]
        for one in runs:
            redeem(RedemptionOrder(policy=get_policy(policy.pk), lms_user_id=learner, run_key=one))

    def force(self) -> None:
        """Redeem as staff do, for a learner who has an assignment, or for any."""
        policy = self.some_budget()
        learner, run = self.random.choice([self.wanted_of(policy), ANYTHING][self.random.randrange(2)])
        with suppress(RedemptionAttemptUnknown):
            force_redemption(policy_uuid=policy.pk, lms_user_id=learner, run_key=run)

    def some_budget(self) -> SubsidyAccessPolicy:
        assigned = [self.admins.assigned, self.admins.asked]
        return self.random.choice([*self.policies, self.of_group, *assigned, *assigned])

    def wanted_of(self, policy: SubsidyAccessPolicy) -> list[tuple[int, str]]:
        """Return who may want what of a budget: of one that is spent by assigning, what is assigned."""
        rows = self.admins.wanted_of(policy)
        return [
            (learner, f"course-v1:{course}+2026_T{term}") for learner, course in rows for term in (1, 2)
        ] or ANYTHING

    def switch_policy(self) -> None:
        """Staff take a budget out of use, or back into it."""
        policy = self.policies[1]
        policy.active = not policy.active
        policy.save()

    def change_group(self) -> None:
        """Let a learner come into the group, or leave it."""
        name = self.random.choice(list(LEARNERS.values()))
        self.world.set_member(
            group_uuid=self.group, username=name, status=self.random.choice(["accepted", "removed", "pending"])
        )

    def paid(self, learner: int, run: str) -> Iterator[Any]:
        for row in transactions(self.world):
            is_paid = row.state is TransactionState.COMMITTED and not row.is_reversed
            if is_paid and (row.lms_user_id, row.content_key) == (learner, run):
                yield row

    def work(self) -> None:
        work_on_attempts()

    def break_wire(self) -> None:
        self.simulator.faults.add(self.random.choice(WIRE), "subsidy.redeem", times=1)

    def let_lms_misbehave(self) -> None:
        self.world.quirks.ledger_lms_answers.append(self.random.choice(LMS))

    def lock_ledger(self) -> None:
        self.world.quirks.ledger_locks += self.random.randint(1, 3)

    def hide_list(self) -> None:
        self.simulator.faults.add("status", "subsidy.admin_transactions", status=503, times=3)

    def hide_platform(self) -> None:
        self.simulator.faults.add("status", "lms.*", status=503, times=3)

    def redeem_elsewhere(self) -> None:
        learner, run = self.random.choice(list(LEARNERS)), self.random.choice(RUNS)
        if any(self.paid(learner, run)):
            return
        redeemed(self.world, None, key=f"tool {self.now}", learner=learner, run=run, lms="ok")

    def reverse(self) -> None:
        """Give money back, most often because the learner left."""
        rows = [row for row in transactions(self.world) if row.state is TransactionState.COMMITTED]
        paying = [row for row in rows if not row.is_reversed]
        if not paying:
            return
        row = self.random.choice(paying)
        name, run = LEARNERS[row.lms_user_id or 0], row.content_key or ""
        if is_enrolled(self.world, name, run) and self.random.random() < 0.8:
            self.world.leave(username=name, run_key=run)
        ledger.reverse(self.world, row)

    def leave(self) -> None:
        """Let a learner leave a run that is not paid for any more."""
        left = [
            (LEARNERS[learner], run)
            for learner, run in ANYTHING
            if is_enrolled(self.world, LEARNERS[learner], run) and not any(self.paid(learner, run))
        ]
        if left:
            name, run = self.random.choice(left)
            self.world.leave(username=name, run_key=run)

    def hear_news(self) -> None:
        for learner in LEARNERS:
            begin_to_refresh_transactions([learner], subsidy_uuids=[ACME_CREDIT], since=clock.now())()

    def hear_events(self) -> None:
        """Hear what happened at any time, in any order, and again."""
        rows = [change.row for change in self.world.journal.changes(table="ledger_transactions")]
        news = [as_told(row) for row in rows if row.quantity < 0]
        record_told(self.random.choices(news, k=min(3, len(news))))

    def reconcile(self) -> None:
        self.random.choice([reconcile_new, reconcile_all])()

    def kill_sending(self) -> None:
        self.kill_after_send = True

    def kill_recording(self) -> None:
        self.kill_while_recording = True

    def heal(self) -> None:
        self.simulator.faults.clear()

    def decide_dead(self) -> None:
        for attempt in RedemptionAttempt.objects.filter(state=AttemptState.DEAD.value):
            with suppress(EvidenceAgainst):
                decide = self.random.choice([try_again, settle_as_paid, settle_as_not_paid])
                decide(attempt_uuid=attempt.pk)
                if decide is settle_as_not_paid:
                    self.given_away.add((attempt.lms_user_id, attempt.content_key))

    def retry_dead(self) -> None:
        for attempt in RedemptionAttempt.objects.filter(state=AttemptState.DEAD.value):
            try_again(attempt_uuid=attempt.pk)

    def settle(self) -> None:
        self.kill_after_send = self.kill_while_recording = False
        self.simulator.faults.clear()
        self.world.quirks.ledger_lms_answers.clear()
        self.world.quirks.ledger_locks = 0
        ours = {str(pk) for pk in RedemptionAttempt.objects.values_list("pk", flat=True)}
        for row in transactions(self.world):
            if row.idempotency_key not in ours and row.state in ("created", "pending"):
                # Until the other tool has come to an end, our attempt waits.
                ledger.put_state(self.world, row, TransactionState.FAILED)
        for _ in range(40):
            self.now += timedelta(minutes=8)
            with time_machine.travel(self.now, tick=False):
                forget_outages()
                self.retry_dead()
                self.work()
                self.hear_news()
        with time_machine.travel(self.now, tick=False):
            reconcile_all()
            refresh_accounts([ACME_CREDIT], max_age=timedelta(0), now=clock.now())
