"""The admin list of a queue: the state of each row, and a guarded action that retries what failed."""

from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest

from enterprise_access.lib import clock
from enterprise_access.lib.admin import BoundedActionsAdmin, BoundedPaginator, ReadOnlyAdmin
from enterprise_access.lib.work.asking import retry
from enterprise_access.lib.work.models import WorkItem
from enterprise_access.lib.work.queues import Queue

# More rows than that are for a command.
MAX_CHOSEN: Final = 1000


def chosen(request: HttpRequest, queryset: Any, *, limit: int = MAX_CHOSEN) -> list[Any] | None:
    """Return the rows that an action is for; None, with a message, when there are more than `limit`.

    No more are read: "select all" can stand for millions of rows, and the page counts only some of them.
    """
    rows = list(queryset[: limit + 1])
    if len(rows) <= limit:
        return rows
    messages.error(request, f"That is more than {limit} rows; nothing was changed. Filter the list, or use a command.")
    return None


class WorkAdmin(BoundedActionsAdmin, ReadOnlyAdmin):
    """A list of pending work. Set `queue`, and add `state` to `list_display` and `retry` to `actions`."""

    queue: ClassVar[Queue[Any]]
    paginator = BoundedPaginator
    show_full_result_count = False

    @admin.display(description="state")
    def state(self, row: WorkItem) -> str:
        now = clock.now()
        if row.failed_at is not None:
            return "Failed"
        if row.leased_until is not None and row.leased_until >= now:
            return "In progress"
        if row.due_at is None:
            return "Up to date"
        return "Due now" if row.due_at <= now else "Scheduled"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    @admin.action(permissions=["retry"], description="Retry (those that failed)")
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        rows = chosen(request, queryset.filter(failed_at__isnull=False))
        if rows is None:
            return
        count = self.retry_rows(rows)
        if not count:
            messages.info(request, "None of these had failed; nothing was changed.")
            return
        LogEntry.objects.log_actions(
            user_id=request.user.pk or 0, queryset=rows, action_flag=CHANGE, change_message="Retried."
        )
        messages.success(request, f"{count} {'row' if count == 1 else 'rows'} will be retried in a moment.")

    def retry_rows(self, rows: list[Any]) -> int:
        """Make the rows due now; return how many."""
        return retry(self.queue, [row.pk for row in rows])
