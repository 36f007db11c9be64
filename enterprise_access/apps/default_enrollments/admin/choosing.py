"""Choosing a customer, and a learner of it, by what people know of them."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.db.models import Q
from django.utils.html import format_html, format_html_join

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.admin import MOST_SUGGESTIONS

# So many slugs are named where several customers match.
MOST_NAMED: Final = 5


class WithSuggestions(forms.TextInput):
    """A line to type in, with some customers to choose from. However many there are, the page names only some."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        line = super().render(name, value, {**(attrs or {}), "list": f"{name}-suggestions"}, renderer)
        rows = EnterpriseCustomer.objects.values_list("slug", "name")[:MOST_SUGGESTIONS]
        options = format_html_join("", '<option value="{}">{}</option>', rows)
        return format_html('{}<datalist id="{}-suggestions">{}</datalist>', line, name, options)


class CustomerForm(forms.Form):
    """A customer that is known here, by UUID, slug or name, or by a part of its slug or name that no other has."""

    customer = forms.CharField(
        label="Customer", max_length=255, widget=WithSuggestions(attrs={"autocomplete": "off", "size": 28})
    )

    def clean_customer(self) -> EnterpriseCustomer:
        value = self.cleaned_data["customer"].strip()
        found = _customers_named(value) or _customers_with(value)
        if not found:
            raise forms.ValidationError(
                "No customer with that in its name, slug or UUID is known here. It may have to be added."
            )
        if len(found) > 1:
            slugs = ", ".join(customer.slug for customer in found[:MOST_NAMED])
            more = " and others" if len(found) > MOST_NAMED else ""
            raise forms.ValidationError(f"Several customers match: {slugs}{more}. Give the slug or the UUID.")
        return found[0]


def _customers_named(value: str) -> list[EnterpriseCustomer]:
    try:
        named = Q(pk=UUID(value))
    except ValueError:
        named = Q(slug__iexact=value) | Q(name__iexact=value)
    return list(EnterpriseCustomer.objects.filter(named)[: MOST_NAMED + 1])


def _customers_with(value: str) -> list[EnterpriseCustomer]:
    part = Q(slug__icontains=value) | Q(name__icontains=value)
    return list(EnterpriseCustomer.objects.filter(part)[: MOST_NAMED + 1])


class LearnerForm(CustomerForm):
    """A learner of a customer, linked or not."""

    lms_user_id = forms.IntegerField(
        label="LMS user id",
        min_value=1,
        max_value=2**63 - 1,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 12}),
    )
