"""Our copies of the ledger's transactions: read for one learner, and recorded from wherever news comes."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from attrs import frozen

from enterprise_access.apps.subsidy_access_policies.domain.ledger import TransactionState
from enterprise_access.apps.subsidy_access_policies.models import SubsidyAccessPolicy, SubsidyTransaction
from enterprise_access.apps.subsidy_access_policies.services.asking import start_each
from enterprise_access.apps.subsidy_access_policies.services.budget import LedgerNews, record_all_news
from enterprise_access.lib import clock, shared_cache
from enterprise_access.lib.rows import Rows
from enterprise_access.upstream.subsidy.types import LedgerTransaction

log = logging.getLogger(__name__)

ANSWER: Final = "answer"
EVENT: Final = "event"
RECONCILIATION: Final = "reconciliation"

# How long it is remembered when a learner's transactions were read; callers ask for much younger reads.
_READ_KEPT_SECONDS: Final = 3600


def begin_to_refresh_transactions(
    lms_user_ids: Collection[int], *, subsidy_uuids: Collection[UUID], since: datetime
) -> Callable[[], dict[int, frozenset[UUID]]]:
    """Begin to ask for what our copies are too old for; return a function that waits, and does the same for learners.

    What it returns is by learner: the accounts whose transactions since `since` are known. An account that could not
    be asked, or one of whose rows could not be read, is missing. The news of one account are recorded together.
    """
    pairs = sorted((learner, uuid) for learner in set(lms_user_ids) for uuid in set(subsidy_uuids))
    addresses = {_address(*pair): pair for pair in pairs}
    read_at = shared_cache.get_many(addresses)
    young = {pair for address, pair in addresses.items() if address in read_at and read_at[address] >= since}
    started_at = clock.now()
    asked = start_each(
        [pair for pair in pairs if pair not in young],
        lambda client, pair: client.list_transactions(subsidy_uuid=pair[1], lms_user_id=pair[0]),
    )

    def finish() -> dict[int, frozenset[UUID]]:
        told = _record_answers(asked())
        if told:
            shared_cache.set_many({_address(*pair): started_at for pair in told}, seconds=_READ_KEPT_SECONDS)
        known = young | told
        return {learner: frozenset(uuid for one, uuid in known if one == learner) for learner in lms_user_ids}

    return finish


def _record_answers(answers: Mapping[tuple[int, UUID], Rows[LedgerTransaction]]) -> set[tuple[int, UUID]]:
    """Record what was answered for learners and accounts; return those of whom every row could be read."""
    news = {pair: list(as_news(rows, subsidy_uuid=pair[1], source=ANSWER)) for pair, rows in answers.items()}
    for subsidy_uuid in sorted({uuid for _, uuid in news}):
        of_account = [one for (_, uuid), told in news.items() if uuid == subsidy_uuid for one in told]
        if of_account:
            record_all_news(subsidy_uuid=subsidy_uuid, news=of_account, now=clock.now())
    return {pair for pair, rows in answers.items() if _is_whole(rows, news[pair])}


def _is_whole(rows: Rows[LedgerTransaction], news: Sequence[LedgerNews]) -> bool:
    return not rows.unreadable and len(news) == len(rows)


def _address(lms_user_id: int, subsidy_uuid: UUID) -> str:
    return shared_cache.address_of(
        kind="learner transactions", version=1, learner=lms_user_id, subsidy=str(subsidy_uuid)
    )


def record_rows(rows: Rows[LedgerTransaction], *, subsidy_uuid: UUID, source: str) -> bool:
    """Record rows of one account; say whether every one of them could be read."""
    news = list(as_news(rows, subsidy_uuid=subsidy_uuid, source=source))
    if news:
        record_all_news(subsidy_uuid=subsidy_uuid, news=news, now=clock.now())
    return _is_whole(rows, news)


def as_news(rows: Iterable[LedgerTransaction], *, subsidy_uuid: UUID, source: str) -> Iterator[LedgerNews]:
    """Yield what rows of the ledger say. A row in a state that we do not know is left out."""
    for row in rows:
        told = ToldTransaction(
            uuid=row.uuid,
            policy_uuid=row.policy_uuid,
            lms_user_id=row.lms_user_id,
            content_key=row.content_key,
            quantity_cents=row.quantity_cents,
            state=row.state,
            reversal_state=row.reversal.state if row.reversal else None,
            idempotency_key=row.idempotency_key,
            created=row.created,
            modified=row.modified,
        )
        if told.is_known:
            yield told.as_news(subsidy_uuid=subsidy_uuid, source=source)


@frozen(kw_only=True)
class ToldTransaction:
    """A transaction as the ledger tells of it, in its own words. `quantity_cents` is negative for spending."""

    uuid: UUID
    policy_uuid: UUID | None
    lms_user_id: int | None
    content_key: str | None
    quantity_cents: int
    state: str
    reversal_state: str | None
    idempotency_key: str
    created: datetime
    modified: datetime

    @property
    def is_known(self) -> bool:
        """Whether we know the state that it is in."""
        return self.state in set(TransactionState)

    def as_news(self, *, subsidy_uuid: UUID, source: str) -> LedgerNews:
        """Return what it says of our copy."""
        return LedgerNews(
            uuid=self.uuid,
            subsidy_uuid=subsidy_uuid,
            policy_uuid=self.policy_uuid,
            lms_user_id=self.lms_user_id,
            content_key=self.content_key,
            quantity_cents=self.quantity_cents,
            state=TransactionState(self.state),
            is_reversed=self.reversal_state == TransactionState.COMMITTED,
            created=self.created,
            modified=self.modified,
            source=source,
            attempt_uuid=attempt_of_key(self.idempotency_key),
        )


def record_told(told: Sequence[ToldTransaction]) -> int:
    """Record transactions that events told of; return how many concern our budgets.

    An event names the ledger and not the account, so the account is that of the budget or of the copy that we have.
    """
    subsidies = _subsidies_of(told)
    by_subsidy: dict[UUID, list[LedgerNews]] = defaultdict(list)
    for one in told:
        if not one.is_known:
            log.warning("An event told of a transaction in an unknown state. transaction=%s", one.uuid)
        elif one.uuid in subsidies:
            uuid = subsidies[one.uuid]
            by_subsidy[uuid].append(one.as_news(subsidy_uuid=uuid, source=EVENT))
    # In one order, because each account is locked.
    for uuid in sorted(by_subsidy):
        record_all_news(subsidy_uuid=uuid, news=by_subsidy[uuid], now=clock.now())
    return sum(len(news) for news in by_subsidy.values())


def _subsidies_of(told: Sequence[ToldTransaction]) -> dict[UUID, UUID]:
    """Return the account of each transaction that is ours, by transaction."""
    named = {one.policy_uuid for one in told if one.policy_uuid}
    by_policy = dict(SubsidyAccessPolicy.objects.filter(pk__in=named).values_list("pk", "subsidy_id"))
    found = {one.uuid: by_policy[one.policy_uuid] for one in told if one.policy_uuid in by_policy}
    copies = SubsidyTransaction.objects.filter(pk__in=[one.uuid for one in told if one.uuid not in found])
    return found | dict(copies.values_list("pk", "subsidy_id"))


def attempt_of_key(idempotency_key: str) -> UUID | None:
    """Return the attempt whose uuid is the key; None for a key of another tool."""
    try:
        return UUID(idempotency_key)
    except ValueError:
        return None
