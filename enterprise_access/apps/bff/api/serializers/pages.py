"""What goes over the wire: the bodies of the learner portal's pages, complete whatever could not be loaded.

The same classes write the answers and the API document, so the two cannot differ. Names are those that the portal
knows; none may be left out. A part of the page (services/parts) adds its fields by a class of its own.
"""

from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.api.serializers.customers import CustomerSerializer, LinkedCustomerSerializer
from enterprise_access.apps.bff.api.serializers.default_enrollments import DefaultEnrollmentsFields
from enterprise_access.apps.bff.api.serializers.enrollments import EnrollmentsFields
from enterprise_access.apps.bff.api.serializers.search import SearchFields
from enterprise_access.apps.bff.api.serializers.subscriptions import SubsidiesFields
from enterprise_access.apps.bff.api.serializers.writing import written_by
from enterprise_access.apps.bff.services.page import PortalPage


class PageRequestSerializer(serializers.Serializer):
    """The customer of the page: one of the two; if both are given, the UUID counts."""

    enterprise_customer_slug = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=255,
        help_text="As in the page's address; a slash at its end is accepted.",
    )
    enterprise_customer_uuid = serializers.UUIDField(required=False, allow_null=True)


class TranslatedField(serializers.CharField):
    """A text that is said in the language of the person who asks."""

    def to_representation(self, value: str) -> str:
        return gettext(value) if value else value


class ProblemSerializer(serializers.Serializer):
    """An error. Neither text contains personal data."""

    developer_message = serializers.CharField()
    user_message = TranslatedField(help_text="For the learner, in the language of the request.")


class FrameSerializer(serializers.Serializer):
    """What a page says of the learner's customers, and of what could not be loaded."""

    enterprise_customer = CustomerSerializer(source="customer", allow_null=True)
    all_linked_enterprise_customer_users = LinkedCustomerSerializer(source="linked", many=True)
    active_enterprise_customer = CustomerSerializer(source="active", allow_null=True)
    staff_enterprise_customer = CustomerSerializer(source="staff", allow_null=True)
    should_update_active_enterprise_customer_user = serializers.BooleanField(source="should_switch")
    enterprise_features = serializers.DictField(source="features", child=serializers.BooleanField())
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]
    warnings = ProblemSerializer(many=True)

    @extend_schema_field(ProblemSerializer(many=True))
    def get_errors(self, page: PortalPage) -> Any:
        """Not a field of its own name: a serializer's `errors` are what is wrong with its input."""
        return [written_by(ProblemSerializer, problem) for problem in page.errors]


class PageSerializer(DefaultEnrollmentsFields, SubsidiesFields, SearchFields, FrameSerializer):
    """The data of every page of the learner portal. Parts that could not be loaded are empty and named in `errors`."""


class DashboardSerializer(EnrollmentsFields, PageSerializer):
    """The dashboard: what every page has, and the learner's courses."""

    has_bnr_enabled_policy = serializers.BooleanField(
        source="has_requestable_credit",
        help_text="Whether an active budget of the customer takes requests for courses.",
    )
