"""Findings over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import Manager, QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from nephoscope.alerts import exports as outputs
from nephoscope.alerts.commands import commands_of
from nephoscope.alerts.models import Finding, VerdictChoice
from nephoscope.alerts.queries import findings_matching
from nephoscope.api.kit.conditions import state_of
from nephoscope.api.kit.downloads import download
from nephoscope.api.kit.filters import Choices, IdFilter, SwitchFilter
from nephoscope.api.kit.pagination import KnownPages
from nephoscope.api.kit.views import Models
from nephoscope.compliance.states import STANDING, Standing
from nephoscope.connections.conditions import ConditionState
from nephoscope.domain import Filled
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry


class AffectedSerializer(serializers.ModelSerializer[Resource]):
    class Meta:
        model = Resource
        fields = ["id", "type", "resource_id", "name", "region"]
        read_only_fields = fields


class EvidenceSerializer(serializers.Serializer[Any]):
    path = serializers.CharField(help_text="The property that was read.")
    value = serializers.JSONField()
    absent = serializers.BooleanField(help_text="It is not set; the value is what absence means.")
    resource = serializers.CharField(help_text="The neighbour that it was read of; empty for the resource itself.")


class CommandsSerializer(serializers.Serializer[Filled]):
    text = serializers.CharField(help_text="To be pasted into a shell: every value is quoted.")
    inputs = serializers.DictField(
        child=serializers.CharField(),
        help_text="The variables at its top that you set first, each with what it is. No command runs without them.",
    )


class FindingList(serializers.ListSerializer[Finding]):
    """Fills in the commands of all findings at once."""

    def to_representation(self, data: Any) -> Any:
        rows = list(data.all() if isinstance(data, Manager) else data)
        blocks = commands_of(rows)
        for each in rows:
            each.commands = blocks.get(each.pk)
        return super().to_representation(rows)


class FindingSerializer(serializers.ModelSerializer[Finding]):
    account = serializers.IntegerField(source="account_id", read_only=True)
    condition = serializers.SerializerMethodField(help_text="How well its account is known; see /api/v1/accounts.")
    alert = serializers.IntegerField(source="alert_id", read_only=True, allow_null=True)
    rule = serializers.CharField(source="rule_id", read_only=True)
    resource = AffectedSerializer(read_only=True)
    evidence = EvidenceSerializer(many=True, read_only=True)
    suppression = serializers.IntegerField(source="suppression_id", read_only=True, allow_null=True)
    commands = serializers.SerializerMethodField(
        help_text="The command lines that fix it, filled in for the resource; null where its rule has none."
    )

    class Meta:
        model = Finding
        list_serializer_class = FindingList
        fields = [
            "id",
            "account",
            "condition",
            "alert",
            "rule",
            "resource",
            "verdict",
            "message",
            "evidence",
            "permission",
            "changed_at",
            "failing_since",
            "suppression",
            "commands",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=ConditionState.choices))
    def get_condition(self, finding: Finding) -> str:
        return state_of(self.context["request"], finding.account_id)

    @extend_schema_field(CommandsSerializer(allow_null=True))
    def get_commands(self, finding: Any) -> Any:
        found = finding.commands if hasattr(finding, "commands") else commands_of([finding]).get(finding.pk)
        return {"text": found.text, "inputs": {**found.inputs, **found.missing}} if found else None


class FindingFilter(filters.FilterSet):
    account = IdFilter(field_name="account_id")
    alert = IdFilter(field_name="alert_id")
    resource = IdFilter(field_name="resource_id")
    rule = filters.CharFilter(field_name="rule_id")
    q = filters.CharFilter(method="of_text", label="Words of the resource's name or id, or of the rule's id or title")
    verdict = Choices(choices=VerdictChoice.choices, lookup_expr="in")
    failing = SwitchFilter(
        field_name="failing_since", lookup_expr="isnull", exclude=True, label="Failed and not found right since"
    )
    standing = filters.ChoiceFilter(
        choices=Standing.choices, method="of_standing", label="What it means for its controls; accepted: suppressed"
    )

    def of_standing(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = queryset.annotate(standing=STANDING).filter(standing=value)
        return found

    def of_text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return findings_matching(queryset, value)


ROWS = {"type": "array", "items": {"type": "object", "additionalProperties": {}}, "description": "A row for a finding."}


def export_types() -> list[str]:
    """Return the media types of the exports that there are."""
    return sorted({each.media_type for each in registry().exports.values()})


class Findings(Models):
    """The verdict of every rule on every resource that it applies to, with what was read to reach it."""

    noun = "finding"
    pagination_class = KnownPages
    queryset = Finding.objects.select_related("resource").defer("resource__properties")
    serializer_class = FindingSerializer
    filterset_class = FindingFilter
    ordering_fields = ["rule_id", "resource_id", "changed_at", "failing_since"]

    @extend_schema(
        parameters=[OpenApiParameter("form", str, OpenApiParameter.PATH, description="The id of an export.")],
        responses={(200, each): ROWS for each in export_types()},
    )
    @action(detail=False, url_path="export/(?P<form>[^/.]+)", pagination_class=None)
    def export(self, request: Request, form: str) -> StreamingHttpResponse:
        """The same findings as the list, all that the form fits: as OCSF, or in a form that a plugin brings."""
        export = registry().exports.get(form)
        if export is None:
            known = ", ".join(registry().exports)
            raise NotFound(_("There is no export %(form)s. Known: %(known)s.") % {"form": form, "known": known})
        rows = self.filter_queryset(self.get_queryset())
        return download(outputs.as_json(rows, export), export.media_type, f"findings{export.suffix}")
