"""The words of the tests of budgets. enterprise-subsidy is the simulator, behind the real client."""

from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from enterprise_access.apps.subsidy_access_policies.domain.policies import AccessMethod, PolicyType
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.services import refresh_accounts
from enterprise_access.lib import clock
from simulator import ledger
from simulator.ledger_rows import LedgerTransaction
from simulator.seed import ACME, ACME_CREDIT, ACME_OPEN
from simulator.world import World

ADA, BEN = 1001, 1002
DEMO_RUN = "course-v1:edX+DemoX+2026_T1"
MINUTE = timedelta(minutes=1)


def known_account() -> Subsidy:
    """Return Acme's account as enterprise-subsidy shows it now."""
    return refresh_accounts([ACME_CREDIT], max_age=timedelta(0), now=clock.now())[ACME_CREDIT]


def make_budget(**about: Any) -> SubsidyAccessPolicy:
    """Return a budget of Acme's account on its open catalog; the account is read if it was not."""
    subsidy = Subsidy.objects.filter(pk=ACME_CREDIT).first() or known_account()
    defaults = {
        "customer_uuid": ACME,
        "subsidy": subsidy,
        "catalog_uuid": ACME_OPEN,
        "display_name": "Team North",
        "policy_type": PolicyType.PER_LEARNER_SPEND.value,
        "access_method": AccessMethod.DIRECT.value,
    }
    return SubsidyAccessPolicy.objects.create(**{**defaults, **about})


def redeemed(
    world: World,
    policy_uuid: UUID | None,
    *,
    key: str = "key",
    learner: int = ADA,
    run: str = DEMO_RUN,
    lms: str = "ok",
) -> LedgerTransaction:
    """Let another tool redeem; return the ledger's transaction. `lms`: how the LMS answers the ledger."""
    account = world.tables.subsidies.get(ACME_CREDIT)
    assert account is not None
    world.quirks.ledger_lms_answers.append(lms)
    asked = ledger.Request(
        lms_user_id=learner,
        content_key=run,
        policy_uuid=policy_uuid or UUID(int=9),
        metadata={},
        idempotency_key=key,
    )
    content = ledger.Content(course=world.course(world.run(run).course_key), run=world.run(run), price=14_900)
    enrolled = ledger.Enrolled(status=200, fulfillment=str(UUID(int=5)))
    with suppress(ledger.Refused, ledger.WorkerDied):
        ledger.redeem(world, account, request=asked, content=content, enroll=lambda _: enrolled)
    return ledger.transactions_of(world, ACME_CREDIT)[-1]


def calls(world: World) -> list[str]:
    """Return the endpoints of enterprise-subsidy that were called."""
    return [call.endpoint for call in world.journal.calls(service="subsidy")]
