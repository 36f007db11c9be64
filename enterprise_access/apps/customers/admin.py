"""Customers and their learners in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from enterprise_access.apps.customers.models import EnterpriseCustomer, EnterpriseLearner
from enterprise_access.apps.customers.services import find_customer
from enterprise_access.lib.admin import AsksBeforeAddingAdmin, LearnerRowsAdmin, SectionedAdmin
from enterprise_access.lib.admin_filters import RowFilter
from enterprise_access.lib.errors import ServiceError


class AddCustomerForm(forms.ModelForm):
    """A customer is not typed in: it is named, and fetched from the LMS."""

    name_or_uuid = forms.CharField(
        label="Slug or UUID", help_text="As in the LMS. The rest is fetched from there.", max_length=255
    )

    class Meta:
        model = EnterpriseCustomer
        fields: tuple[str, ...] = ()

    def clean_name_or_uuid(self) -> str:
        """Fetch the customer; what the LMS says against it is shown at the field."""
        value: str = self.cleaned_data["name_or_uuid"].strip()
        try:
            self.instance = find_customer(slug_or_uuid=value)
        except ServiceError as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        return value


_FIRST = ("name", "slug", "is_active", "fetched_at")
_SHOWN = ("name", "slug", "uuid", "is_active", "primary_color", "language", "fetched_at")


@admin.register(EnterpriseCustomer)
class EnterpriseCustomerAdmin(SectionedAdmin, AsksBeforeAddingAdmin):
    """Customers that are known here. The LMS decides what they are; what can be done here has a button of its own."""

    list_display = ["name", "slug", "is_active", "enrolling", "fetched_at"]
    list_filter = ["is_active", "realization_paused"]
    search_fields = ["name", "slug", "uuid"]
    search_help_text = "A part of the name or slug, or the UUID."

    @admin.display(description="enrolling", ordering="realization_paused")
    def enrolling(self, customer: EnterpriseCustomer) -> str:
        return "Paused" if customer.realization_paused else "Running"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = AddCustomerForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return ["name_or_uuid"] if obj is None else [*_SHOWN]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        folded = [name for name in _SHOWN if name not in _FIRST]
        return [(None, {"fields": list(_FIRST)}), ("All columns", {"fields": folded, "classes": ["collapse"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [] if obj is None else self.get_fields(request, obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        nothing_to_save = dict.fromkeys(("show_save", "show_save_and_continue", "show_save_and_add_another"), False)
        return super().change_view(request, object_id, form_url, {**nothing_to_save, **(extra_context or {})})

    def response_add(self, request: HttpRequest, obj: EnterpriseCustomer, post_url_continue: str | None = None) -> Any:
        """Lead to the customer's page, where its default enrollments are added."""
        answer = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST or "_popup" in request.POST:
            return answer
        return HttpResponseRedirect(reverse("admin:customers_enterprisecustomer_change", args=[obj.pk]))

    def save_model(self, request: HttpRequest, obj: EnterpriseCustomer, form: Any, change: bool) -> None:
        """Leave the row as it is: a service has stored what is added, and a page that is sent again changes nothing."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CustomerFilter(RowFilter):
    """By the customer of a row."""

    title = "customer"
    parameter_name = "customer"
    model = EnterpriseCustomer
    path = "customer"
    names = ("slug", "name")


@admin.register(EnterpriseLearner)
class EnterpriseLearnerAdmin(LearnerRowsAdmin):
    """Learners as the LMS links them."""

    list_display = ["lms_user_id", "customer", "is_linked", "is_active_link", "last_login_at", "fetched_at"]
    list_filter = ["is_linked", CustomerFilter]
    list_select_related = ["customer"]
    ordering = ["-pk"]
    search_fields = ["customer__slug", "customer__name", "username"]
    search_help_text = "LMS user ids, usernames, or a customer's UUID, name or slug."
    uuid_paths = ("customer_id",)
