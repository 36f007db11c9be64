"""The one shape of an error in the API document."""

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """An error."""

    code = serializers.CharField(help_text="Stable, for programs.")
    detail = serializers.CharField(help_text="For people.")
    extra = serializers.DictField(help_text="Further facts about the error.")
    request_id = serializers.CharField(help_text="Also in the header X-Request-ID, and in the logs.")
