"""The list and the page of budgets: limits in dollars, what is spent and left, and what was done to them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from enterprise_access.apps.subsidy_access_policies.admin.dollars import as_dollars
from enterprise_access.apps.subsidy_access_policies.admin.forms import AddPolicyForm, ChangePolicyForm
from enterprise_access.apps.subsidy_access_policies.models import PolicyGroupAssociation, SubsidyAccessPolicy
from enterprise_access.apps.subsidy_access_policies.selectors import totals_of
from enterprise_access.apps.subsidy_access_policies.selectors.budget_page import BudgetPage, Month, get_budget_page
from enterprise_access.lib import clock
from enterprise_access.lib.admin import BoundedActionsAdmin, ReadOnlyHistoryAdmin, SectionedAdmin
from enterprise_access.lib.csv_files import write_table

_WHO = ["customer_uuid", "subsidy_uuid", "catalog_uuid", "policy_type", "access_method"]
_LIMITS = ["spend_limit", "per_learner_spend_limit", "per_learner_enrollment_limit"]
_CSV_COLUMNS = [
    "uuid",
    "customer",
    "display name",
    "type",
    "active",
    "retired",
    "spend limit",
    "spent",
    "held",
    "allocated",
    "free",
    "expires",
]


class GroupsInline(admin.TabularInline):
    """The groups that may use a budget."""

    model = PolicyGroupAssociation
    extra = 0
    can_delete = False
    readonly_fields = ["group_uuid"]
    fields = ["group_uuid"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SubsidyAccessPolicy)
class PolicyAdmin(BoundedActionsAdmin, SectionedAdmin, ReadOnlyHistoryAdmin):
    """Budgets. A budget is never deleted: it is retired or deactivated."""

    list_display = ["name", "customer_uuid", "policy_type", "active", "retired", "spent", "promised", "free", "limit"]
    list_filter = ["active", "retired", "policy_type", "pays_for_default_enrollments"]
    list_select_related = ["subsidy__totals", "totals"]
    search_fields = ["display_name", "=uuid", "=customer_uuid", "=subsidy__uuid"]
    list_per_page = 50
    actions = ["export_csv"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections.append(lambda request, policy: money_section(request, policy))

    # --- the list ----------------------------------------------------------------------------------------------------

    @admin.display(description="name", ordering="display_name")
    def name(self, policy: SubsidyAccessPolicy) -> str:
        return str(policy)

    @admin.display(description="spent")
    def spent(self, policy: SubsidyAccessPolicy) -> str:
        totals = getattr(policy, "totals", None)
        return as_dollars(totals.spent if totals else 0)

    @admin.display(description="held and allocated")
    def promised(self, policy: SubsidyAccessPolicy) -> str:
        totals = getattr(policy, "totals", None)
        return as_dollars(totals.held + totals.allocated if totals else 0)

    @admin.display(description="free in the account")
    def free(self, policy: SubsidyAccessPolicy) -> str:
        account, balance = getattr(policy.subsidy, "totals", None), policy.subsidy.balance
        return as_dollars(None if balance is None else balance - (account.promised if account else 0))

    @admin.display(description="limit", ordering="spend_limit")
    def limit(self, policy: SubsidyAccessPolicy) -> str:
        return as_dollars(policy.spend_limit, none="none")

    @admin.action(permissions=["view"], description="Export CSV")
    def export_csv(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        policies = list(queryset.select_related("subsidy").order_by("created", "uuid"))
        answer = HttpResponse(write_table(_CSV_COLUMNS, _csv_rows(policies)), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="budgets.csv"'
        return answer

    # --- the page ----------------------------------------------------------------------------------------------------

    @method_decorator(csrf_protect)
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show and save without Django's transaction around the page: saving may ask an upstream service."""
        return self._changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        base = AddPolicyForm if obj is None else ChangePolicyForm
        if obj is None or self.has_change_permission(request, obj):
            return type(base.__name__, (base,), {"user": request.user})
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": [*_WHO, "display_name", "description"]}), ("Limits", {"fields": _LIMITS})]
        states = ["active", "retired", "late_redemption_allowed_until", "pays_for_default_enrollments"]
        states.append("bnr_enabled")
        fieldsets = [
            (None, {"fields": ["uuid", *_shown(_WHO), "display_name", "description"]}),
            ("Limits", {"fields": _LIMITS}),
            ("State", {"fields": states}),
        ]
        if self.has_change_permission(request, obj):
            fieldsets.append(("This change", {"fields": ["reason", "force"]}))
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else ["uuid", *_shown(_WHO)]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [] if obj is None else [GroupsInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Do nothing: the form has written it, through the service."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _shown(names: list[str]) -> list[str]:
    return ["subsidy" if name == "subsidy_uuid" else name for name in names]


def _csv_rows(policies: list[SubsidyAccessPolicy]) -> list[list[str]]:
    uses = totals_of(policies)
    rows = []
    for policy in policies:
        use = uses[policy.pk]
        amounts = [policy.spend_limit, use.spent_cents, use.held_cents, use.allocated_cents, use.available_cents]
        about = [
            policy.pk,
            policy.customer_uuid,
            policy.display_name,
            policy.policy_type,
            policy.active,
            policy.retired,
        ]
        rows.append(
            [
                *map(str, about),
                *("" if cents is None else f"{cents // 100}.{cents % 100:02}" for cents in amounts),
                use.expires_at.strftime("%Y-%m-%d %H:%M UTC") if use.expires_at else "",
            ]
        )
    return rows


def money_section(request: HttpRequest, policy: SubsidyAccessPolicy) -> str:
    """Return what the page shows of the money of a budget."""
    page = get_budget_page(policy, now=clock.now())
    return render_to_string(
        "subsidy_access_policies/money.html",
        {
            "policy": policy,
            "page": page,
            "may_add_group": request.user.has_perm("subsidy_access_policies.change_subsidyaccesspolicy"),
            "may_deposit": request.user.has_perm("subsidy_access_policies.add_deposit"),
            "amounts": _amounts(page),
            "chart": _chart(page.months, policy.spend_limit),
            "months": [_in_dollars(month, policy.spend_limit) for month in page.months],
            "transactions": [(row, as_dollars(-row.quantity)) for row in page.transactions],
            "limited": [(row, as_dollars(row.spent + row.held)) for row in page.limited_learners],
        },
    )


def _amounts(page: BudgetPage) -> list[tuple[str, str]]:
    use = page.use
    return [
        ("Spent", as_dollars(use.spent_cents)),
        ("Held for redemptions under way", as_dollars(use.held_cents)),
        ("Allocated to assignments", as_dollars(use.allocated_cents)),
        ("Left below the spend limit", as_dollars(use.policy_cents, none="no limit")),
        ("Left in the account", as_dollars(use.subsidy_cents)),
        ("Free", as_dollars(use.available_cents)),
        ("Deposits of the account", as_dollars(use.total_deposits_cents)),
        ("Spend limits of its active budgets", as_dollars(use.total_spend_limits_cents)),
    ]


def _in_dollars(month: Month, limit: int | None) -> tuple[date, str, str, str]:
    left = None if limit is None else limit - month.spent_cents - month.promised_cents
    return (
        month.start,
        as_dollars(month.spent_cents),
        as_dollars(month.promised_cents),
        as_dollars(left, none="no limit"),
    )


def _chart(months: tuple[Month, ...], limit: int | None) -> dict[str, str] | None:
    """Return the corners of the lines in a picture of 100 by 100, from the upper left; None: nothing was ever used."""
    spent = [month.spent_cents for month in months]
    used = [month.spent_cents + month.promised_cents for month in months]
    if not any(used):
        return None
    top = max(*used, limit or 0)
    lines = {"spent": _points(spent, top), "used": _points(used, top), "top": as_dollars(top)}
    return lines if limit is None else {**lines, "limit": _points([limit] * len(months), top)}


def _points(values: Sequence[int], top: int) -> str:
    step = 100 / (len(values) - 1)
    return " ".join(f"{number * step:.2f},{100 - 100 * value / top:.2f}" for number, value in enumerate(values))
