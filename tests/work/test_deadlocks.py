"""A deadlock in any write of these use cases costs a repetition, and changes neither rows nor counts otherwise.

tests/architecture/test_write_transactions.py finds the writes that are not repeated; here some of them are.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from prometheus_client import REGISTRY

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner, LearnerEnrollment
from enterprise_access.apps.customers.services import (
    fetch_customer,
    note_visits,
    pause_customer,
    refresh_learners,
)
from enterprise_access.apps.customers.services.enrollments import refresh_enrollments
from enterprise_access.apps.default_enrollments.models import (
    DefaultEnterpriseEnrollmentIntention,
    DefaultEnterpriseEnrollmentRealization,
    IntentionHealth,
    Outcome,
    RealizationAttempt,
    RealizationRequest,
    Trigger,
)
from enterprise_access.apps.default_enrollments.services.health.verdicts import check_intentions
from enterprise_access.apps.default_enrollments.services.operations.steering import pause_everything
from enterprise_access.apps.default_enrollments.services.realizing.engine import realize_due
from enterprise_access.apps.default_enrollments.services.requests.work_items import request_realization
from simulator.seed import ACME, GLOBEX

ADA: Final = 1001
DEMO: Final = "edX+DemoX"
ATTEMPTS: Final = "enterprise_access_attempts_total"

pytestmark = pytest.mark.django_db(transaction=True)


class Deadlocks:
    """Fail every statement that writes the first time it is executed, as the database does to the victim."""

    def __init__(self) -> None:
        self.failed: set[str] = set()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        is_write = sql.split(" ", 1)[0] in ("INSERT", "UPDATE", "DELETE")
        if is_write and connection.in_atomic_block and sql not in self.failed:
            self.failed.add(sql)
            raise OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction")
        return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _no_naps(monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)


@pytest.fixture
def intention(world):
    fetch_customer(customer_uuid=ACME)
    refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA])
    return DefaultEnterpriseEnrollmentIntention.objects.create(customer_id=ACME, content_key=DEMO)


def deadlocked(action: Callable[[], object]) -> int:
    """Do it while every write is once the victim of a deadlock; return how many were."""
    deadlocks = Deadlocks()
    with connection.execute_wrapper(deadlocks):
        action()
    return len(deadlocks.failed)


def realize() -> None:
    request_realization(customer_uuid=ACME, lms_user_ids=[ADA], trigger=Trigger.LOGIN, now=timezone.now())
    realize_due(customer_uuid=ACME, limit=10, now=timezone.now())


def learners() -> list[Any]:
    return list(refresh_learners(customer_uuid=ACME, lms_user_ids=[ADA]).values())


CASES: Final = {
    "a new customer": (
        lambda: fetch_customer(customer_uuid=GLOBEX),
        lambda: EnterpriseCustomer.objects.filter(pk=GLOBEX).exists(),
    ),
    "a known customer": (
        lambda: (EnterpriseCustomer.objects.update(name="Old"), fetch_customer(customer_uuid=ACME)),
        lambda: not EnterpriseCustomer.objects.filter(name="Old").exists(),
    ),
    "links": (
        lambda: (EnterpriseLearner.objects.update(username="old"), learners()),
        lambda: EnterpriseLearner.objects.get().username == "ada",
    ),
    "enrollments": (
        lambda: refresh_enrollments(learners=learners()),
        lambda: EnterpriseLearner.objects.exclude(enrollments_fetched_at=None).exists(),
    ),
    "a visit": (
        lambda: note_visits(customer_uuid=ACME, lms_user_ids=[ADA], at=timezone.now()),
        lambda: EnterpriseLearner.objects.exclude(last_login_at=None).exists(),
    ),
    "a pause": (
        lambda: pause_customer(customer_uuid=ACME, by="Ann", because="x", now=timezone.now()),
        lambda: EnterpriseCustomer.objects.get(pk=ACME).pause_reason == "x",
    ),
    "a pause of everything": (
        lambda: pause_everything(by="Ann", because="x"),
        lambda: not pause_everything(by="Ann", because="y"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_deadlock_costs_a_repetition(intention, case):
    action, is_done = CASES[case]
    assert deadlocked(action) > 0
    assert is_done()


def test_a_verdict_is_stored_and_counted_once(intention):
    name, labels = "enterprise_access_intention_verdict_changes_total", {"reason": "needs_enrollment"}
    before = REGISTRY.get_sample_value(name, labels) or 0
    changed: list[Any] = []
    assert deadlocked(lambda: changed.extend(check_intentions(customer_uuid=ACME))) > 0
    assert changed == [intention]
    assert IntentionHealth.objects.get().reason == "needs_enrollment"
    assert REGISTRY.get_sample_value(name, labels) == before + 1


def test_a_learner_is_enrolled_and_counted_once(intention, world):
    labels = {"outcome": Outcome.REALIZED.value, "reason": "needs_enrollment"}
    before = REGISTRY.get_sample_value(ATTEMPTS, labels) or 0
    assert deadlocked(realize) > 5
    assert len(world.journal.calls(endpoint="lms.enroll_learners")) == 1
    assert DefaultEnterpriseEnrollmentRealization.objects.count() == RealizationAttempt.objects.count() == 1
    assert RealizationRequest.objects.get().failures == 0
    assert REGISTRY.get_sample_value(ATTEMPTS, labels) == before + 1


def test_that_a_learner_has_left_is_noticed(intention, world):
    realize()
    world.leave(username="ada", run_key=DefaultEnterpriseEnrollmentRealization.objects.get().course_run_key)
    LearnerEnrollment.objects.all().delete()
    assert deadlocked(realize) > 0
    assert DefaultEnterpriseEnrollmentRealization.objects.get().left_at is not None
