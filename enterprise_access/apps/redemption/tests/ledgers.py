"""A budget of Acme, an account at the simulator's ledger, and redemptions from it, for tests."""

from typing import Any
from uuid import uuid4

from enterprise_access.apps.customers.services import fetch_customer, refresh_learners
from enterprise_access.apps.redemption.models import RedemptionAttempt
from enterprise_access.apps.redemption.services.intending import Order, intend
from enterprise_access.apps.subsidy_access_policies.models import Subsidy, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import list_differences
from enterprise_access.apps.subsidy_access_policies.tests.ledger import make_budget
from enterprise_access.lib import clock
from simulator import ledger
from simulator.ledger_rows import LedgerTransaction, TransactionState
from simulator.seed import ACME, ACME_CREDIT
from simulator.world import World

ADA, BEN = 1001, 1002
RUN = "course-v1:edX+DemoX+2026_T1"
PRICE = 14_900
BALANCE = 500_000


def make_policy(**about: Any) -> SubsidyAccessPolicy:
    """Make a budget of Acme on its open catalog, with a name of its own."""
    return make_budget(**{"display_name": str(uuid4()), **about})


def know_learners(*lms_user_ids: int) -> None:
    """Let the service know these learners of Acme, as the facts of a redemption would."""
    fetch_customer(customer_uuid=ACME)
    refresh_learners(customer_uuid=ACME, lms_user_ids=lms_user_ids or (ADA,))


def order(
    policy: SubsidyAccessPolicy, *, learner: int = ADA, run: str = RUN, cents: int = PRICE, **about: Any
) -> Order:
    return Order(
        policy_uuid=policy.pk,
        subsidy_uuid=policy.subsidy_id,
        customer_uuid=policy.customer_uuid,
        lms_user_id=learner,
        run_key=run,
        amount_cents=cents,
        **about,
    )


def begin(policy: SubsidyAccessPolicy, **about: Any) -> RedemptionAttempt:
    return intend(order(policy, **about), now=clock.now())


def charged(world: World) -> int:
    """Return what the ledger has taken out of the account."""
    return BALANCE - ledger.balance_of(world, ACME_CREDIT)


def transactions(world: World) -> list[LedgerTransaction]:
    return [row for row in ledger.transactions_of(world, ACME_CREDIT) if row.quantity <= 0]


def states(world: World) -> list[TransactionState]:
    return [row.state for row in transactions(world)]


def is_enrolled(world: World, username: str = "ada", run: str = RUN) -> bool:
    row = world.enrollment(username, run)
    return row is not None and row.is_active and row.mode == "verified"


def assert_totals_agree() -> None:
    assert [one for subsidy in Subsidy.objects.all() for one in list_differences(subsidy)] == []
