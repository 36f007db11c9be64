"""The envelope of every list."""

from rest_framework import serializers


class ListPageSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """One page of a list; a subclass says of what (`results`)."""

    next = serializers.URLField(allow_null=True, help_text="The address of the next page.")
    previous = serializers.URLField(allow_null=True, help_text="The address of the previous page.")
    count = serializers.IntegerField(help_text="Of all pages together.")
    num_pages = serializers.IntegerField()
    current_page = serializers.IntegerField(help_text="Counted from 1.")
    start = serializers.IntegerField(help_text="How many come before this page.")
