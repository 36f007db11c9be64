"""Filters of the lists of intentions, and of what became of them."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html

from enterprise_access.apps.customers.admin import CustomerFilter
from enterprise_access.apps.default_enrollments.domain.values import Reason
from enterprise_access.apps.default_enrollments.models import RealizationOverride
from enterprise_access.apps.default_enrollments.selectors.drift import IN_ANOTHER_MODE
from enterprise_access.lib import clock
from enterprise_access.lib.admin_filters import SelectFilter
from enterprise_access.lib.wording import in_words


class CustomerOfIntentionFilter(CustomerFilter):
    """By the customer of a row's intention."""

    path = "intention__customer"


class StateFilter(admin.SimpleListFilter):
    """Active intentions unless asked otherwise."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("deleted", "Deleted"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Active"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "deleted":
                return queryset.exclude(deleted_at=None)
            case "all":
                return queryset
            case _:
                return queryset.filter(deleted_at=None)


class HealthFilter(admin.SimpleListFilter):
    """By what the last check of an intention said."""

    title = "last check"
    parameter_name = "health"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("well", "Healthy"),
            ("unwell", "Needs attention"),
            ("unknown", "Not checked"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "well":
                return queryset.filter(health__is_healthy=True)
            case "unwell":
                return queryset.filter(health__is_healthy=False)
            case "unknown":
                return queryset.filter(health=None)
        return queryset


class ReasonFilter(SelectFilter):
    """By reason, in words. (All that there are: the database would look at every row to say which occur.)"""

    title = "reason"
    parameter_name = "reason"
    field = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason.value, in_words(reason.value)) for reason in sorted(Reason)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(**{self.field: self.value()}) if self.value() else queryset


class WaitingForFilter(ReasonFilter):
    """By what a request waits for."""

    title = "what is waited for"
    field = "waiting_for"


class LeftFilter(admin.SimpleListFilter):
    """By whether the learner is still there."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("there", "In the course"),
            ("left", "Left the course"),
            ("downgraded", "Back in audit"),
            ("another_mode", "In another mode than expected"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "there":
                return queryset.filter(left_at=None)
            case "left":
                return queryset.filter(left_at__isnull=False)
            case "downgraded":
                return queryset.filter(left_at=None, downgraded_at__isnull=False)
            case "another_mode":
                return queryset.filter(IN_ANOTHER_MODE)
        return queryset


class RequestStateFilter(admin.SimpleListFilter):
    """By what happens to a request next."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("due", "Due now"),
            ("later", "Checked again later"),
            ("busy", "A worker is evaluating it"),
            ("settled", "Nothing is pending"),
            ("dead", "Failed: needs attention"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = clock.now()
        match self.value():
            case "due":
                return queryset.due(now)
            case "later":
                return queryset.filter(due_at__gt=now, failed_at=None)
            case "busy":
                return queryset.filter(leased_until__gte=now)
            case "settled":
                return queryset.filter(due_at=None, failed_at=None).filter(
                    Q(leased_until=None) | Q(leased_until__lt=now)
                )
            case "dead":
                return queryset.filter(failed_at__isnull=False)
        return queryset


class UsedFilter(admin.SimpleListFilter):
    """By where an override stands."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(RealizationOverride.State.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        match self.value():
            case "active":
                return queryset.active(clock.now())
            case "expired":
                return queryset.filter(used_at=None, withdrawn_at=None, cancelled_at=None).exclude(
                    pk__in=queryset.active(clock.now()).values("pk")
                )
            case "used" | "withdrawn" | "cancelled":
                return queryset.filter(**{f"{self.value()}_at__isnull": False})
        return queryset


def sentence(text: str, code: str) -> str:
    """Return a sentence with its code for a column of a list, wide enough to be read."""
    return format_html('<div style="min-width: 18em">{} <span class="quiet">({})</span></div>', text, code)


def reason_in_words(text: str, code: str) -> str:
    """Return a reason in a word or two, with its sentence and code on hover, for a column of a list."""
    return format_html('<span title="{} ({})">{}</span>', text, code, in_words(code))
