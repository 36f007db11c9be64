"""Accounts, transactions and promises: to look at."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from enterprise_access.apps.subsidy_access_policies.admin.dollars import as_dollars
from enterprise_access.apps.subsidy_access_policies.models import Reservation, Subsidy, SubsidyTransaction
from enterprise_access.lib.admin import BoundedPaginator, LearnerRowsAdmin, ReadOnlyAdmin


@admin.register(Subsidy)
class SubsidyAdmin(ReadOnlyAdmin):
    """Accounts, as enterprise-subsidy showed them last."""

    list_display = ["title", "customer_uuid", "dollars", "difference", "expires_at", "fetched_at", "reconciled_at"]
    search_fields = ["title", "=uuid", "=customer_uuid"]
    search_help_text = "A part of the title, or the UUID of an account or customer."
    readonly_fields: ClassVar[list[str]] = [
        "uuid",
        "customer_uuid",
        "title",
        "starts_at",
        "expires_at",
        "dollars",
        "deposits",
        "fetched_at",
        "reconciled_at",
        "fully_reconciled_at",
        "difference",
    ]
    show_full_result_count = False
    paginator = BoundedPaginator

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields

    @admin.display(description="balance", ordering="balance")
    def dollars(self, subsidy: Subsidy) -> str:
        return as_dollars(subsidy.balance)

    @admin.display(description="total deposits")
    def deposits(self, subsidy: Subsidy) -> str:
        return as_dollars(subsidy.total_deposits)

    @admin.display(description="difference from our copies", ordering="ledger_difference")
    def difference(self, subsidy: Subsidy) -> str:
        return as_dollars(subsidy.ledger_difference, none="not compared yet")


@admin.register(SubsidyTransaction)
class TransactionAdmin(LearnerRowsAdmin):
    """Our copies of the ledger's transactions."""

    list_display = ["uuid", "dollars", "state", "is_reversed", "lms_user_id", "content_key", "created", "source"]
    list_filter = ["state", "is_reversed", "source"]
    search_fields = ["content_key_folded__startswith"]
    uuid_paths = ("uuid", "policy_uuid", "subsidy__uuid")
    readonly_fields = ["uuid", "dollars"]
    first_fields = [
        "uuid",
        "subsidy",
        "policy_uuid",
        "lms_user_id",
        "content_key",
        "dollars",
        "state",
        "is_reversed",
        "reversed_at",
        "created",
    ]
    exclude = ["quantity"]

    @admin.display(description="amount", ordering="quantity")
    def dollars(self, row: SubsidyTransaction) -> str:
        return as_dollars(row.quantity)


@admin.register(Reservation)
class ReservationAdmin(LearnerRowsAdmin):
    """Money that is promised, or was."""

    list_display = ["uuid", "dollars", "kind", "state", "lms_user_id", "content_key", "policy", "created"]
    list_filter = ["kind", "state"]
    list_select_related = ["policy"]
    search_fields = ["content_key__startswith"]
    uuid_paths = ("uuid", "policy__uuid", "assignment_uuid", "attempt_uuid", "transaction_uuid")
    readonly_fields = ["uuid", "dollars"]
    first_fields = ["uuid", "policy", "lms_user_id", "content_key", "dollars", "kind", "state"]
    exclude = ["amount"]

    @admin.display(description="amount", ordering="amount")
    def dollars(self, row: Any) -> str:
        return as_dollars(row.amount)
