"""Accounts, transactions and promises: to look at."""

from typing import Any

from django.contrib import admin

from enterprise_access.apps.subsidy_access_policies.admin.dollars import as_dollars
from enterprise_access.apps.subsidy_access_policies.models import Reservation, Subsidy, SubsidyTransaction
from enterprise_access.lib.admin import BoundedPaginator, LearnerRowsAdmin, ReadOnlyAdmin


@admin.register(Subsidy)
class SubsidyAdmin(ReadOnlyAdmin):
    """Accounts, as enterprise-subsidy showed them last."""

    list_display = ["title", "customer_uuid", "dollars", "difference", "expires_at", "fetched_at", "reconciled_at"]
    search_fields = ["title", "=uuid", "=customer_uuid"]
    show_full_result_count = False
    paginator = BoundedPaginator

    @admin.display(description="balance", ordering="balance")
    def dollars(self, subsidy: Subsidy) -> str:
        return as_dollars(subsidy.balance)

    @admin.display(description="unlike our copies by", ordering="ledger_difference")
    def difference(self, subsidy: Subsidy) -> str:
        return as_dollars(subsidy.ledger_difference, none="not compared yet")


@admin.register(SubsidyTransaction)
class TransactionAdmin(LearnerRowsAdmin):
    """Our copies of the ledger's transactions."""

    list_display = ["uuid", "dollars", "state", "is_reversed", "lms_user_id", "content_key", "created", "source"]
    list_filter = ["state", "is_reversed", "source"]
    search_fields = ["content_key_folded__startswith"]
    uuid_paths = ("uuid", "policy_uuid", "subsidy__uuid")

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

    @admin.display(description="amount", ordering="amount")
    def dollars(self, row: Any) -> str:
        return as_dollars(row.amount)
