"""Resources over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from nephoscope.api.kit.conditions import KnownAccount
from nephoscope.api.kit.filters import IdFilter, SwitchFilter
from nephoscope.api.kit.pagination import KnownPages
from nephoscope.api.kit.views import Models
from nephoscope.inventory.models import Resource
from nephoscope.inventory.queries import matching


class ResourceSerializer(serializers.ModelSerializer[Resource]):
    account = KnownAccount(read_only=True)
    tags = serializers.DictField(child=serializers.CharField(), read_only=True)
    readable = serializers.SerializerMethodField(
        help_text="False for what stands for all resources of a type that could not be listed."
    )

    class Meta:
        model = Resource
        fields = [
            "id",
            "account",
            "service",
            "type",
            "resource_id",
            "name",
            "region",
            "tags",
            "readable",
            "first_seen",
            "changed_at",
            "gone_at",
        ]
        read_only_fields = fields

    def get_readable(self, row: Resource) -> bool:
        return not row.unlisted


class ResourceDetailSerializer(ResourceSerializer):
    properties = serializers.JSONField(read_only=True, help_text="In the cloud's own published schema.")

    class Meta(ResourceSerializer.Meta):
        fields = [*ResourceSerializer.Meta.fields, "properties"]
        read_only_fields = fields


class ResourceFilter(filters.FilterSet):
    account = IdFilter(field_name="account_id")
    service = filters.CharFilter()
    type = filters.CharFilter()
    region = filters.CharFilter()
    resource_id = filters.CharFilter()
    q = filters.CharFilter(
        method="of_text", label="Words of the name, id, type or tags; `key=value` is a tag with exactly this value"
    )
    gone = SwitchFilter(method="of_presence", label="Those that are no longer there, instead of the others")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data["gone"] else queryset.filter(gone_at=None)

    def of_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return matching(queryset, value)

    def of_presence(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset.exclude(gone_at=None) if value else queryset


class Resources(Models):
    """What was found in the accounts, as it was last read; those that are gone only on request."""

    noun = "resource"
    pagination_class = KnownPages
    queryset = Resource.objects.select_related("account")
    serializer_class = ResourceSerializer
    detail_class = ResourceDetailSerializer
    filterset_class = ResourceFilter
    ordering_fields = ["type", "name", "region", "first_seen", "changed_at"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.defer("properties") if self.action == "list" else rows
