"""The search key, as the learner portal wants it."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from enterprise_access.apps.bff.api.serializers.writing import written_by
from enterprise_access.apps.bff.services.page import PortalPage


class AlgoliaSerializer(serializers.Serializer):
    """The learner's own key for the search engine, valid for more than a minute; nulls when there is none."""

    secured_algolia_api_key = serializers.CharField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class SearchFields(serializers.Serializer):
    """What SearchKeyPart adds to a page."""

    catalog_uuids_to_catalog_query_uuids = serializers.SerializerMethodField()
    algolia = serializers.SerializerMethodField()

    @extend_schema_field(serializers.DictField(child=serializers.UUIDField()))
    def get_catalog_uuids_to_catalog_query_uuids(self, page: PortalPage) -> dict[str, str]:
        return {str(catalog): str(query) for catalog, query in page.query_uuids_by_catalog.items()}

    @extend_schema_field(AlgoliaSerializer)
    def get_algolia(self, page: PortalPage) -> Any:
        key = page.search_key
        known = None if key is None else key.secured_api_key
        found = {"secured_algolia_api_key": known, "valid_until": None if key is None else key.valid_until}
        return written_by(AlgoliaSerializer, found)
