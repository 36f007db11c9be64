"""The history of an intention over the wire."""

from typing import Any

from rest_framework import serializers

from enterprise_access.lib.api.pages import ListPageSerializer


class FieldChangeSerializer(serializers.Serializer):
    """One field before and after."""

    field = serializers.ChoiceField(choices=["content_key", "deleted_at"])
    old = serializers.CharField(allow_null=True)
    new = serializers.CharField(allow_null=True)


class HistoryEntrySerializer(serializers.Serializer):
    """One change of an intention."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(choices=["added", "key_changed", "deleted", "restored", "saved"])
    by = serializers.CharField(
        allow_null=True, help_text="The username, for operators. Null for others, and when no account did it."
    )
    changes = FieldChangeSerializer(many=True)


class HistoryPageSerializer(ListPageSerializer):
    """A page of changes, newest first."""

    results = HistoryEntrySerializer(many=True)


def render_change(row: Any, *, with_names: bool) -> dict[str, Any]:
    """Return one row of an intention's history as plain data; whose doing it was only `with_names`."""
    user = row.history_user
    return {
        "id": row.history_id,
        "at": row.history_date,
        "action": _action(row),
        "by": user.username if with_names and user else None,
        "changes": [
            {"field": field, "old": old, "new": getattr(row, field)}
            for field, old in (("content_key", row.previous_content_key), ("deleted_at", row.previous_deleted_at))
            if old != getattr(row, field)
        ],
    }


def _action(row: Any) -> str:
    if row.history_type == "+":
        return "added"
    if row.content_key != row.previous_content_key:
        return "key_changed"
    if (row.deleted_at is None) == (row.previous_deleted_at is None):
        return "saved"
    return "restored" if row.deleted_at is None else "deleted"
