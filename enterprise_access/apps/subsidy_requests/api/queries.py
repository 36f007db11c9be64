"""What can be asked of lists of requests. States that no request can have match nothing: the portals send some."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from enterprise_access.apps.subsidy_requests.domain.states import RequestState, SubsidyType
from enterprise_access.apps.subsidy_requests.selectors.requests import RequestFilters
from enterprise_access.lib.api import CustomerQuery, PageQuery, customer_field

_MAX_TEXT = 255


def text_field(**about: Any) -> serializers.CharField:
    """Return a parameter that may be left empty, which is the same as leaving it out."""
    return serializers.CharField(required=False, allow_blank=True, max_length=_MAX_TEXT, **about)


def list_field(help_text: str) -> serializers.CharField:
    """Return a parameter with several values, separated by commas."""
    return text_field(help_text=f"{help_text} Several are separated by commas.")


class FilterQuery(serializers.Serializer):
    """Which requests."""

    uuid = serializers.UUIDField(required=False)
    user__email = text_field(help_text="The learner's address, in any letter case.")
    course_id = text_field(help_text="The course, in any letter case.")
    state = list_field("The state. errored is another word for error.")
    search = text_field(help_text="A part of the learner's address, of the course's title or key.")


class RequestsQuery(FilterQuery, PageQuery):
    """A page of requests."""

    enterprise_customer_uuid = customer_field(required=False)
    ordering = text_field(help_text="For example -created. Unknown names are ignored.")


class OverviewQuery(FilterQuery, CustomerQuery):
    """Whose requests are counted."""


class CreditFilterQuery(serializers.Serializer):
    """Which requests for learner credit."""

    policy_uuid = serializers.UUIDField(required=False, help_text="The budget.")
    learner_request_state = list_field("As the list shows it.")
    learner_request_state__in = list_field("As the list shows it.")
    latest_action_status = list_field("What happened last.")
    latest_action_status__in = list_field("What happened last.")


class CreditRequestsQuery(CreditFilterQuery, RequestsQuery):
    """A page of requests for learner credit."""


class CreditOverviewQuery(CreditFilterQuery, OverviewQuery):
    """Whose requests for learner credit are counted."""


class ConfigurationsQuery(PageQuery):
    """Which configurations."""

    enterprise_customer_uuid = customer_field(required=False)
    subsidy_type = serializers.ChoiceField(required=False, choices=[kind.value for kind in SubsidyType])
    subsidy_requests_enabled = serializers.BooleanField(required=False, default=None, allow_null=True)
    ordering = text_field(help_text="enterprise_customer_uuid or -enterprise_customer_uuid.")


def wanted(query: dict[str, Any]) -> RequestFilters:
    """Return the filters that a query names."""
    return RequestFilters(
        customer_uuid=query.get("enterprise_customer_uuid"),
        uuid=query.get("uuid"),
        policy_uuid=query.get("policy_uuid"),
        email=query.get("user__email", ""),
        course_id=query.get("course_id", ""),
        search=query.get("search", ""),
        states=_states(query),
        learner_states=_values(query, "learner_request_state", "learner_request_state__in"),
        action_states=_values(query, "latest_action_status", "latest_action_status__in"),
        ordering=_values(query, "ordering") or (),
    )


def _states(query: dict[str, Any]) -> Sequence[str] | None:
    """Return the states that are named. The admin portal asks for failed requests as `errored`."""
    found = _values(query, "state")
    return None if found is None else [RequestState.ERROR.value if state == "errored" else state for state in found]


def _values(query: dict[str, Any], *names: str) -> Sequence[str] | None:
    """Return the values that are named, those of the last name that names any; None: whatever value."""
    found = None
    for name in names:
        values = [value.strip() for value in query.get(name, "").split(",") if value.strip()]
        found = values or found
    return found
