"""Writing values by serializers."""

import functools
from typing import Any

from rest_framework import serializers


def written_by(serializer: type[serializers.Serializer], value: object) -> Any:
    """Return a value as a serializer writes it. (Making one copies each of its fields: more work than the writing.)"""
    return _made(serializer).to_representation(value)


@functools.cache
def _made(serializer: type[serializers.Serializer]) -> serializers.Serializer:
    return serializer()
