"""Choosing a customer, and a learner of it, by what people know of them."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from enterprise_access.apps.customers.models import EnterpriseCustomer
from enterprise_access.lib.admin_filters import MOST_SUGGESTIONS

# So many slugs are named where several customers match.
MOST_NAMED: Final = 5


class CustomerWidget(forms.TextInput):
    """A line to type in. It suggests customers while one types; without JavaScript, it suggests the first ones.

    However many customers there are, the page names only some. The rest is looked up by what was typed, with the view
    of Django's own autocompletion.
    """

    def format_value(self, value: Any) -> Any:
        """Return the slug where a link gives the UUID of a customer that is known."""
        if isinstance(value, EnterpriseCustomer):
            return value.slug
        try:
            known = EnterpriseCustomer.objects.filter(pk=UUID(str(value))).first()
        except ValueError:
            known = None
        return known.slug if known else super().format_value(value)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        line = super().render(name, value, {**(attrs or {}), "list": f"{name}-suggestions"}, renderer)
        rows = EnterpriseCustomer.objects.values_list("slug", "name")[:MOST_SUGGESTIONS]
        options = format_html_join("", '<option value="{}">{}</option>', rows)
        asked = {"app_label": "customers", "model_name": "enterpriselearner", "field_name": "customer"}
        url = f"{reverse('admin:autocomplete')}?{urlencode(asked)}"
        return format_html(
            '{}<datalist id="{}-suggestions" data-url="{}">{}</datalist>{}', line, name, url, options, _SCRIPT
        )


# What was typed is asked for a moment later; its answer replaces the suggestions, unless more was typed meanwhile.
_SCRIPT: Final = mark_safe("""<script>
(() => {
  const list = document.currentScript.previousElementSibling, line = document.querySelector(`[list="${list.id}"]`);
  let waiting = 0;
  line.addEventListener("input", () => {
    clearTimeout(waiting);
    const term = line.value.trim();
    if (term.length < 2) return;
    waiting = setTimeout(async () => {
      const answer = await fetch(`${list.dataset.url}&term=${encodeURIComponent(term)}`, {credentials: "same-origin"});
      if (!answer.ok || line.value.trim() !== term) return;
      const {results} = await answer.json();
      list.replaceChildren(...results.map(({text}) => Object.assign(document.createElement("option"), {value: text})));
    }, 250);
  });
})();
</script>""")


class CustomerField(forms.CharField):
    """A customer that is known here, by UUID, slug or name, or by a part of its slug or name that no other has."""

    widget = CustomerWidget(attrs={"autocomplete": "off", "size": 28})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": "Customer", "max_length": 255, **kwargs})

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value)).strip()
        if not text:
            return None
        found = _customers_named(text) or _customers_with(text)
        if not found:
            raise forms.ValidationError(
                "No customer with that in its name, slug or UUID is known here. It may have to be added."
            )
        if len(found) > 1:
            slugs = ", ".join(customer.slug for customer in found[:MOST_NAMED])
            more = " and others" if len(found) > MOST_NAMED else ""
            raise forms.ValidationError(f"Several customers match: {slugs}{more}. Give the slug or the UUID.")
        return found[0]


class CustomerForm(forms.Form):
    """A customer that is known here."""

    customer = CustomerField()


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
