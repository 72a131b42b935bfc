"""Resources and scans over the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.api.kit.filters import IdFilter
from nephoscope.api.kit.serializers import Named, Nothing
from nephoscope.api.kit.views import Models
from nephoscope.inventory.models import Scan, ScanState, Shard
from nephoscope.scans.services import cancel_scan, progress


class GapSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    permission = serializers.CharField(help_text="The permission that was missing; empty for another cause.")
    reason = serializers.CharField()


class ShardSerializer(serializers.ModelSerializer[Shard]):
    gaps = GapSerializer(many=True, read_only=True, help_text="What could not be read.")

    class Meta:
        model = Shard
        fields = ["service", "region", "state", "attempts", "started_at", "finished_at", "resources", "gaps", "error"]
        read_only_fields = fields


class ProgressSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    finished = serializers.IntegerField()
    failed = serializers.IntegerField()
    percent = serializers.IntegerField()
    resources = serializers.IntegerField()
    phase = serializers.CharField()


class ScanSerializer(serializers.ModelSerializer[Scan]):
    account = Named(read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", read_only=True, default=None, allow_null=True)
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Scan
        fields = [
            "id",
            "account",
            "state",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
            "cancel_requested",
            "error",
            "progress",
        ]
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, scan: Scan) -> dict[str, Any]:
        return asdict(progress(scan))


class ScanDetailSerializer(ScanSerializer):
    shards = ShardSerializer(many=True, read_only=True)

    class Meta(ScanSerializer.Meta):
        fields = [*ScanSerializer.Meta.fields, "shards"]
        read_only_fields = fields


class ScanFilter(filters.FilterSet):
    account = IdFilter(field_name="account_id")
    state = filters.ChoiceFilter(choices=ScanState.choices)


class Scans(Models):
    """Readings of accounts. A new one is started at /api/v1/accounts/{id}/scan."""

    noun = "scan"
    queryset = Scan.objects.select_related("account", "requested_by").prefetch_related("shards")
    serializer_class = ScanSerializer
    detail_class = ScanDetailSerializer
    filterset_class = ScanFilter
    ordering_fields = ["created_at", "finished_at"]
    acts: ClassVar[dict[str, str]] = {"cancel": "scan"}

    @extend_schema(request=Nothing, responses=ScanDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, id: str) -> Response:
        """Stop a scan; what it has not finished reading stays as it was."""
        self.body(Nothing)
        return self.shown(cancel_scan(self.actor, self.get_object()))
