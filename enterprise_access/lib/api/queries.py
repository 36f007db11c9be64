"""Query parameters, taken strictly: what is misspelled, repeated or makes no sense is refused, never ignored.

A filter that were ignored would answer with everything, which a client takes for what it asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request

from enterprise_access.lib.drf import Pagination
from enterprise_access.lib.errors import Invalid

# The largest id that every database can hold.
MAX_ID: Final = 2**63 - 1
MAX_PAGE: Final = 2**31 - 1

# What clients of the LMS's own endpoints know.
BAD_UUID: Final = "query parameter is not a valid UUID."
MISSING: Final = "is a required query parameter."

# A raw plus sign in an address arrives as a space; the offset of an instant has one.
PLUS_HINT: Final = " (A plus sign in an address is written %2B.)"


class LmsUserIdField(serializers.IntegerField):
    """An LMS user id in plain digits."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """Refuse what int() takes and no one means: signs, spaces, the digits of other scripts, truth values."""
        is_text = isinstance(data, str) and data.isascii() and data.isdigit()
        if not is_text and (not isinstance(data, int) or isinstance(data, bool)):
            self.fail("invalid")
        value: int = super().to_internal_value(data)
        return value


def customer_field(**about: Any) -> serializers.UUIDField:
    """Return the parameter that names a customer."""
    return serializers.UUIDField(error_messages={"invalid": BAD_UUID, "required": MISSING}, **about)


class NoQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Nothing is to be said."""


class CustomerQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Whose objects are meant."""

    enterprise_customer_uuid = customer_field()


class OptionalCustomerQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Whose object it has to be, if given."""

    enterprise_customer_uuid = customer_field(
        required=False,
        help_text="Sent by clients of the LMS's own endpoint. If given, the object has to belong to this customer.",
    )


class PageQuery(serializers.Serializer):  # type: ignore[type-arg]
    """Which page of a list."""

    page = serializers.IntegerField(required=False, min_value=1, max_value=MAX_PAGE, help_text="Counted from 1.")
    page_size = serializers.IntegerField(required=False, min_value=1, max_value=Pagination.max_page_size)


def parse_query(query: "type[serializers.Serializer[Any]]", request: Request) -> dict[str, Any]:
    """Return the query parameters as values. Raises Invalid, which names the parameter and says what it takes."""
    return parse_parameters(query, dict(request.query_params.lists()))


def parse_parameters(
    query: "type[serializers.Serializer[Any]]", parameters: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return these parameters as values, as `parse_query` does. Each comes with everything that is given for it."""
    given = query(data={name: values[-1] for name, values in parameters.items()})
    fields = given.fields
    for name, values in parameters.items():
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise _invalid(name, f"There is no query parameter {name!r} here; there are {known}.")
        if len(values) > 1:
            raise _invalid(name, f"{name} is given more than once.")
    if not given.is_valid():
        name, complaints = next(iter(given.errors.items()))
        is_instant = isinstance(fields[name], serializers.DateTimeField)
        hint = PLUS_HINT if is_instant and " " in parameters[name][-1] else ""
        raise _invalid(name, f"{name} {_inside_a_sentence(str(complaints[0]))}{hint}", *map(str, complaints))
    parsed: dict[str, Any] = given.validated_data
    return parsed


def _invalid(name: str, detail: str, *complaints: str) -> Invalid:
    """Return the error about one parameter, which is named among the fields as the members of a body are."""
    return Invalid(detail, extra={"fields": {name: list(complaints) or [detail]}})


def _inside_a_sentence(complaint: str) -> str:
    """Let the framework's own complaints follow the parameter's name."""
    return complaint if complaint[:1].islower() else f"query parameter: {complaint}"
