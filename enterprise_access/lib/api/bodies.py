"""Bodies, taken strictly: a member that nobody knows is refused, never ignored."""

from typing import Any, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A body that holds nothing else: what is misspelled would otherwise be ignored in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse keys that nobody knows, together with what is wrong with the others."""
        unknown = sorted(map(str, data.keys() - self.fields.keys())) if isinstance(data, dict) else []
        if not unknown:
            return super().to_internal_value(data)
        known = ", ".join(self.fields) or "none"
        faults: dict[str, Any] = {name: [f"There is no such field here; there are {known}."] for name in unknown}
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            faults |= cast("dict[str, Any]", error.detail)
        raise serializers.ValidationError(faults)


class TextField(serializers.CharField):
    """Text, and nothing that merely can be written as text."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers, which the framework would take."""
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class FlagField(serializers.BooleanField):
    """True or false, and nothing that merely can be read as one of them."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse numbers and text."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class UuidTextField(serializers.UUIDField):
    """A uuid written as text; the framework would take a number for one, too."""

    def to_internal_value(self, data: Any) -> UUID:
        """Refuse numbers."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        value: UUID = super().to_internal_value(data)
        return value


def parse_body(body: "type[serializers.Serializer[Any]]", request: Request) -> dict[str, Any]:
    """Return the members of the body as values. Raises the framework's ValidationError."""
    given = body(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
