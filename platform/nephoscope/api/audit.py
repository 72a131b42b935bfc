"""The audit log over the API: to read, never to write."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from nephoscope.api.kit.filters import IdFilter, MomentFilter
from nephoscope.api.kit.views import Models
from nephoscope.audit.models import Entry


class EntrySerializer(serializers.ModelSerializer[Entry]):
    summary = serializers.CharField(
        source="sentence", read_only=True, help_text="What was done, in your language; made of action and data."
    )
    sentence = serializers.CharField(source="__str__", read_only=True, help_text="Who did it, and the summary.")

    class Meta:
        model = Entry
        fields = [
            "id",
            "at",
            "actor",
            "action",
            "account_id",
            "target_type",
            "target_id",
            "target",
            "summary",
            "sentence",
            "data",
            "reason",
            "address",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "account_id": {"help_text": "Of an account that may since have been removed."},
            "data": {"help_text": "What the summary tells; null for entries of versions up to 0.1."},
        }


class EntryDetailSerializer(EntrySerializer):
    before = serializers.SerializerMethodField()
    after = serializers.SerializerMethodField()

    class Meta(EntrySerializer.Meta):
        fields = [*EntrySerializer.Meta.fields, "before", "after", "previous", "digest"]
        read_only_fields = fields

    @extend_schema_field(serializers.JSONField())
    def get_before(self, entry: Entry) -> Any:
        return entry.changed(self.context["request"].user)[0]

    @extend_schema_field(serializers.JSONField())
    def get_after(self, entry: Entry) -> Any:
        return entry.changed(self.context["request"].user)[1]


class EntryFilter(filters.FilterSet):
    actor = filters.CharFilter()
    action = filters.CharFilter()
    account = IdFilter(field_name="account_id")
    target_type = filters.CharFilter()
    target_id = filters.CharFilter()
    at_after = MomentFilter(field_name="at", lookup_expr="gte")
    at_before = MomentFilter(field_name="at", lookup_expr="lt")


class Entries(Models):
    """Who did what to what, when, from where and why."""

    noun = "audit entry"
    queryset = Entry.objects.all()
    serializer_class = EntrySerializer
    detail_class = EntryDetailSerializer
    filterset_class = EntryFilter
    ordering_fields = ["id"]
