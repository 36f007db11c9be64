"""enterprise-subsidy: accounts, transactions, redeeming. Contract: recordings/enterprise-subsidy."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from enterprise_access.lib.errors import UpstreamChanged
from enterprise_access.lib.http import Answer, Transport
from enterprise_access.lib.rows import Rows
from enterprise_access.lib.structure import reader
from enterprise_access.upstream.asking import ServiceClient
from enterprise_access.upstream.paging import Page, all_rows, numbered_pages, page_of
from enterprise_access.upstream.rights import need_operator
from enterprise_access.upstream.subsidy.types import (
    DepositRecord,
    LedgerTransaction,
    RedeemAnswer,
    SubsidyRecord,
    read_code,
)

_STATES: Final = frozenset({"created", "pending", "committed", "failed"})
_UNPROCESSABLE: Final = 422
_PAGE_SIZE: Final = ("page_size", "100")
_MAX_KEY_LENGTH: Final = 255


class SubsidyClient(ServiceClient):
    """Asks enterprise-subsidy as our worker account, which has to be an operator.

    Every method raises UpstreamUnavailable (time-out, 5xx, ledger locked: later), UpstreamRefused (4xx, or malformed
    input that was not sent) or UpstreamChanged (unknown shape: alert). Unknown accounts are refused as forbidden.
    """

    def __init__(self, transport: Transport, *, redeem_read_seconds: float = 45) -> None:
        super().__init__(transport)
        self._redeem_read_seconds = redeem_read_seconds

    def list_subsidies(self, *, customer_uuid: UUID) -> Rows[SubsidyRecord]:
        """Return the accounts of a customer, expired and future ones included."""
        params = [("enterprise_customer_uuid", self._checked.uuid(customer_uuid, "customer_uuid")), _PAGE_SIZE]
        return all_rows(
            numbered_pages(self._ask("/api/v1/subsidies/", need=need_operator), params, page_of(SubsidyRecord))
        )

    def get_subsidy(self, *, subsidy_uuid: UUID) -> SubsidyRecord:
        """Return one account. Its balance is that of an instant after the call began."""
        answer = self.transport.get("/api/v1/subsidies/{}/", self._checked.uuid(subsidy_uuid, "subsidy_uuid"))
        return answer.read(reader(SubsidyRecord))

    def list_transactions(
        self, *, subsidy_uuid: UUID, lms_user_id: int | None = None, content_key: str | None = None, **filters: Any
    ) -> Rows[LedgerTransaction]:
        """Return the transactions of an account, of all pages; the filters are those of `iterate_transactions`."""
        pages = self.iterate_transactions(
            subsidy_uuid=subsidy_uuid, lms_user_id=lms_user_id, content_key=content_key, **filters
        )
        return all_rows(pages)

    def iterate_transactions(
        self,
        *,
        subsidy_uuid: UUID,
        lms_user_id: int | None = None,
        content_key: str | None = None,
        policy_uuid: UUID | None = None,
        states: Sequence[str] = (),
    ) -> Iterator[Page[LedgerTransaction]]:
        """Yield pages of the transactions of an account, newest first: all of them, or those of a filter.

        Deposits and failed ones are among them unless `states` says otherwise. The ledger compares `content_key`
        literally: give it as it was written.
        """
        params = [_PAGE_SIZE]
        if lms_user_id is not None:
            params.append(("lms_user_id", str(self._checked.positive(lms_user_id, "lms_user_id"))))
        if content_key is not None:
            params.append(("content_key", self._checked.content_key(content_key)))
        if policy_uuid is not None:
            params.append(("subsidy_access_policy_uuid", self._checked.uuid(policy_uuid, "policy_uuid")))
        if not _STATES.issuperset(states):
            raise self.transport.refusal("states has one that no transaction can have")
        params += [("state", state) for state in states]
        path = "/api/v2/subsidies/{}/admin/transactions/"
        ask = self._ask(path, self._checked.uuid(subsidy_uuid, "subsidy_uuid"), need=need_operator)
        return numbered_pages(ask, params, page_of(LedgerTransaction))

    def redeem(
        self,
        *,
        subsidy_uuid: UUID,
        policy_uuid: UUID,
        lms_user_id: int,
        content_key: str,
        idempotency_key: str,
        requested_price_cents: int | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> RedeemAnswer:
        """Ask for a redemption, once. The answer may be of another key, or a refusal that proves nothing.

        `requested_price_cents` of 0 is ignored by the ledger, and the full price is charged.
        """
        if not isinstance(idempotency_key, str) or not 0 < len(idempotency_key) <= _MAX_KEY_LENGTH:
            raise self.transport.refusal("idempotency_key is empty or too long")
        body: dict[str, object] = {
            "lms_user_id": self._checked.positive(lms_user_id, "lms_user_id"),
            "content_key": self._checked.run_key(content_key, "content_key"),
            "subsidy_access_policy_uuid": self._checked.uuid(policy_uuid, "policy_uuid"),
            "metadata": None if metadata is None else dict(metadata),
            "idempotency_key": idempotency_key,
        }
        if requested_price_cents is not None:
            body["requested_price_cents"] = self._cents(requested_price_cents, "requested_price_cents")
        answer = self.transport.post(
            "/api/v2/subsidies/{}/admin/transactions/",
            self._checked.uuid(subsidy_uuid, "subsidy_uuid"),
            json=body,
            expect=(200, 201, _UNPROCESSABLE),
            read_seconds=self._redeem_read_seconds,
        )
        if answer.status == _UNPROCESSABLE:
            return RedeemAnswer(status=answer.status, code=self._code(answer))
        return RedeemAnswer(status=answer.status, transaction=answer.read(reader(LedgerTransaction)))

    def deposit(
        self,
        *,
        subsidy_uuid: UUID,
        quantity_cents: int,
        idempotency_key: str,
        sales_contract_reference_id: str,
        sales_contract_reference_provider: str,
    ) -> DepositRecord:
        """Add money to an account, once. The ledger does not repeat it: an unknown outcome is settled by listing."""
        answer = self.transport.post(
            "/api/v2/subsidies/{}/admin/deposits/",
            self._checked.uuid(subsidy_uuid, "subsidy_uuid"),
            json={
                "desired_deposit_quantity": self._checked.positive(quantity_cents, "quantity_cents"),
                "sales_contract_reference_id": sales_contract_reference_id,
                "sales_contract_reference_provider": sales_contract_reference_provider,
                "idempotency_key": idempotency_key,
            },
            expect=(200, 201),
        )
        return answer.read(reader(DepositRecord))

    def _cents(self, value: object, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.transport.refusal(f"{name} is not a number of cents")
        return value

    def _code(self, answer: Answer) -> str:
        """Return the code of a refusal. Without one it is of a proxy, say, and raised as the failure that it is."""
        try:
            code = answer.read(read_code)
        except UpstreamChanged:
            code = None
        if not code:
            raise answer.failure()
        return code
