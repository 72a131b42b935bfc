"""Whether work gets done, over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.api.kit.views import Endpoint
from nephoscope.scans.health import Health, health


class HealthSerializer(serializers.Serializer[Health]):
    working = serializers.BooleanField(help_text="A worker runs. Without one, scans and fixes wait.")
    worker_seen_at = serializers.DateTimeField(
        source="seen", allow_null=True, help_text="When a worker last finished a task."
    )
    waiting = serializers.IntegerField(allow_null=True, help_text="Tasks in the queue; null when it cannot be asked.")
    database = serializers.CharField()
    database_bytes = serializers.IntegerField()


class HealthView(Endpoint):
    """The parts of Nephoscope that work while nobody looks."""

    noun = "health"
    serializer_class = HealthSerializer
    filter_backends = []

    def get_queryset(self) -> Any:
        return None

    @extend_schema(responses=HealthSerializer)
    def show(self, request: Request) -> Response:
        """When a worker was last seen, what waits for one, and the database."""
        return Response(self.get_serializer(health()).data)
