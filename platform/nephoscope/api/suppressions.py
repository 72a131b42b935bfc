"""The register of suppressions over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.alerts import exports as outputs
from nephoscope.alerts import register
from nephoscope.alerts.models import Suppression, SuppressionState
from nephoscope.api.kit.conditions import KnownAccount
from nephoscope.api.kit.downloads import download
from nephoscope.api.kit.filters import Choices, IdFilter, Ids, SwitchFilter
from nephoscope.api.kit.serializers import Nothing
from nephoscope.api.kit.views import Models
from nephoscope.changes import suppressing


class SuppressionSerializer(serializers.ModelSerializer[Suppression]):
    alert = serializers.IntegerField(source="alert_id", read_only=True)
    title = serializers.CharField(source="alert.title", read_only=True, help_text="The alert's.")
    rule = serializers.CharField(source="alert.key", read_only=True)
    account = KnownAccount(source="alert.account", read_only=True)
    author = serializers.CharField(source="author.username", read_only=True, default=None, allow_null=True)
    state = serializers.ChoiceField(choices=SuppressionState.choices, read_only=True)

    class Meta:
        model = Suppression
        fields = [
            "id",
            "alert",
            "title",
            "rule",
            "account",
            "resource_id",
            "resource_name",
            "reason",
            "author",
            "state",
            "created_at",
            "expires_at",
            "lifted_at",
        ]
        read_only_fields = fields


ENDS = rf"^([0-9]{{1,5}}|{register.NO_END})$"


@extend_schema_field(
    {
        "type": "string",
        "pattern": ENDS,
        "description": f"In force and ending in the next so many days, or without an end: “{register.NO_END}”.",
    }
)
class EndsFilter(filters.CharFilter):
    """A number of days from now, or no end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, validators=[RegexValidator(ENDS)], **kwargs)


class SuppressionFilter(filters.FilterSet):
    """The console's filters, under the same names."""

    state = Choices(choices=SuppressionState.choices, method="listed", help_text="All unless given.")
    account = Ids(method="listed")
    alert = IdFilter(field_name="alert_id")
    author = filters.CharFilter(method="shared", label="The user name of who suppressed")
    until = EndsFilter(method="shared")
    standing = SwitchFilter(method="of_standing", label="Neither lifted nor expired")
    q = filters.CharFilter(method="shared", label="Words in the resource's name or id, or in the reason")

    def listed(self, queryset: QuerySet[Any], name: str, value: list[Any]) -> QuerySet[Any]:
        return register.FILTERS[name](queryset, ",".join(str(part) for part in value))

    def shared(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return register.FILTERS[name](queryset, value)

    def of_standing(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        standing = {"state": SuppressionState.IN_FORCE}
        return queryset.filter(**standing) if value else queryset.exclude(**standing)


class Suppressions(Models):
    """Decisions to ignore a resource of an alert, those that were lifted or are over included."""

    noun = "suppression"
    queryset = Suppression.objects.select_related("alert__account", "author")
    serializer_class = SuppressionSerializer
    filterset_class = SuppressionFilter
    ordering_fields = ["created_at", "expires_at"]
    acts: ClassVar[dict[str, str]] = {"unsuppress": "suppress"}

    def get_queryset(self) -> Any:
        return super().get_queryset().with_state()

    @extend_schema(responses={(200, "text/csv"): str})
    @action(detail=False, url_path="export/csv", pagination_class=None)
    def csv(self, request: Request) -> StreamingHttpResponse:
        """The same suppressions as the list, all of them, as CSV."""
        rows = self.filter_queryset(self.get_queryset()).iterator(chunk_size=500)
        return download(outputs.suppressions_as_csv(rows), "text/csv; charset=utf-8", "suppressions.csv")

    @extend_schema(request=Nothing, responses=SuppressionSerializer)
    @action(detail=True, methods=["post"])
    def unsuppress(self, request: Request, id: str) -> Response:
        """Take the suppression back; its resource counts again at once.

        What was archived in the cloud with it is unarchived there by whoever has the role Remediator, as the undo of
        that change; it stays archived for others.
        """
        self.body(Nothing)
        suppression = self.get_object()
        suppressing.end_suppression(self.actor, suppression)
        return self.shown(suppression)
