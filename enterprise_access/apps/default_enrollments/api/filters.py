"""Query parameters, taken strictly: what is misspelled, repeated or makes no sense is refused, never ignored.

A filter that were ignored would answer with everything, which a client takes for what it asked for.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from enterprise_access.apps.content_metadata.domain import MAX_KEY_LENGTH, ContentType
from enterprise_access.apps.default_enrollments.models import Outcome
from enterprise_access.apps.default_enrollments.selectors.intentions import HealthState, State
from enterprise_access.apps.default_enrollments.selectors.records import RealizationState
from enterprise_access.lib.drf import Pagination
from enterprise_access.lib.errors import Invalid

# The largest id that every database can hold.
MAX_ID = 2**63 - 1
MAX_PAGE = 2**31 - 1

# What clients of the LMS's own endpoints know.
BAD_UUID = "query parameter is not a valid UUID."
MISSING = "is a required query parameter."

Row = TypeVar("Row")


class LmsUserIdField(serializers.IntegerField):
    """An LMS user id in plain digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what int() takes and nobody means: signs, spaces, the digits of other scripts."""
        if isinstance(data, str) and not (data.isascii() and data.isdigit()):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


def _customer(**about: Any) -> serializers.UUIDField:
    return serializers.UUIDField(error_messages={"invalid": BAD_UUID, "required": MISSING}, **about)


class NoQuery(serializers.Serializer):
    """Nothing is to be said."""


class CustomerQuery(serializers.Serializer):
    """Whose objects are meant."""

    enterprise_customer_uuid = _customer()


class OptionalCustomerQuery(serializers.Serializer):
    """Whose object it has to be, if given."""

    enterprise_customer_uuid = _customer(
        required=False, help_text="Clients of the LMS's own endpoint send it. If given, the object has to be of it."
    )


class PageQuery(serializers.Serializer):
    """Which page of a list."""

    page = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, help_text="Counted from 1.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=Pagination.max_page_size)


class IntentionsQuery(CustomerQuery, PageQuery):
    """Which intentions of a customer."""

    content_key = serializers.CharField(
        required=False, max_length=MAX_KEY_LENGTH, help_text="As it was configured; case does not matter."
    )
    content_type = serializers.ChoiceField(required=False, choices=[kind.value for kind in ContentType])
    state = serializers.ChoiceField(
        required=False,
        choices=[state.value for state in State],
        default=State.LIVING.value,
        help_text="Deleted ones are shown to admins and operators.",
    )


class PreviewQuery(CustomerQuery):
    """Which key, for whom."""

    content_key = serializers.CharField(
        max_length=MAX_KEY_LENGTH,
        error_messages={"required": MISSING},
        help_text="A course key (edX+DemoX) or a run key (course-v1:edX+DemoX+2026_T1).",
    )


class HealthQuery(CustomerQuery, PageQuery):
    """Whose intentions, and in which health."""

    state = serializers.ChoiceField(required=False, choices=[state.value for state in HealthState])


class RecordsQuery(PageQuery):
    """Which realizations or attempts; what is left out does not matter."""

    enterprise_customer_uuid = _customer(required=False)
    lms_user_id = LmsUserIdField(required=False, help_text="The learner.")
    intention = serializers.UUIDField(required=False, error_messages={"invalid": BAD_UUID})
    reason = serializers.RegexField(
        r"^[a-z0-9_]+$",
        required=False,
        max_length=50,
        error_messages={"invalid": "is a code such as enrollment_closed."},
    )
    since = serializers.DateTimeField(required=False, help_text="This instant or later. Without an offset: UTC.")
    until = serializers.DateTimeField(required=False, help_text="This instant or earlier. Without an offset: UTC.")


class RealizationsQuery(RecordsQuery):
    """Which realizations. `reason` is why the learner left, `since` and `until` when it was realized."""

    state = serializers.ChoiceField(required=False, choices=[state.value for state in RealizationState])


class AttemptsQuery(RecordsQuery):
    """Which attempts. `since` and `until` are when it was last seen."""

    outcome = serializers.ChoiceField(required=False, choices=[(value, value) for value in Outcome.values])


def parse_query(query: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    """Return the query parameters as values. Raises Invalid, which names the parameter and says what it takes."""
    fields = query().fields
    for name, values in request.query_params.lists():
        if name not in fields:
            raise Invalid(f"There is no query parameter {name!r} here; there are {', '.join(fields) or 'none'}.")
        if len(values) > 1:
            raise Invalid(f"{name} is given more than once.")
    given = query(data=request.query_params.dict())
    if not given.is_valid():
        name, complaints = next(iter(given.errors.items()))
        raise Invalid(f"{name} {_inside_a_sentence(str(complaints[0]))}")
    parsed: dict[str, Any] = given.validated_data
    return parsed


def _inside_a_sentence(complaint: str) -> str:
    """Let the framework's own complaints follow the parameter's name."""
    return complaint if complaint[:1].islower() else f"query parameter: {complaint}"


def paginated(view: APIView, rows: QuerySet[Any], render: Callable[[list[Any]], list[dict[str, Any]]]) -> Response:
    """Answer with the page that the request asks for."""
    pages = Pagination()
    page = pages.paginate_queryset(rows, view.request, view=view) or []
    return pages.get_paginated_response(render(page))
