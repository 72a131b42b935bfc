"""Alerts, findings and suppressions over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope import domain
from nephoscope.alerts import exports as outputs
from nephoscope.alerts import queries
from nephoscope.alerts.models import (
    Alert,
    AlertState,
    Finding,
    KindChoice,
    SeverityChoice,
)
from nephoscope.api.audit import EntrySerializer
from nephoscope.api.catalogue import RuleSerializer
from nephoscope.api.changes import ChangeDetailSerializer
from nephoscope.api.findings import FindingSerializer
from nephoscope.api.kit.conditions import KnownAccount, in_view
from nephoscope.api.kit.downloads import download
from nephoscope.api.kit.fields import IdsField, Moment, Switch, Text
from nephoscope.api.kit.filters import Choices, DaysFilter, Ids, MomentFilter, SwitchFilter, Texts
from nephoscope.api.kit.pagination import KnownPages
from nephoscope.api.kit.serializers import Body, ReasonField
from nephoscope.api.kit.views import Models
from nephoscope.audit.models import Entry
from nephoscope.changes import suppressing
from nephoscope.changes.planning import plan_change
from nephoscope.changes.readiness import OfferedFix, readiness
from nephoscope.compliance.scores import answered
from nephoscope.compliance.states import ControlState
from nephoscope.judging.rechecks import Recheck, recheck

SHOWN = 100
"""Findings and events that an alert itself brings; all of them are at /api/v1/findings and /api/v1/audit."""


class AlertSerializer(serializers.ModelSerializer[Alert]):
    reference = serializers.CharField(source="__str__", read_only=True, help_text="How people call it: A-000042.")
    account = KnownAccount(read_only=True)
    source = serializers.CharField(read_only=True, help_text="The detector that raised it; empty where a rule did.")  # type: ignore[assignment]  # DRF names an argument of its own so
    rule = serializers.CharField(source="key", read_only=True)

    class Meta:
        model = Alert
        fields = [
            "id",
            "reference",
            "account",
            "kind",
            "source",
            "severity",
            "title",
            "rule",
            "state",
            "affected",
            "suppressed",
            "first_seen",
            "last_seen",
            "opened_at",
            "resolved_at",
        ]
        read_only_fields = fields


class AnswerSerializer(serializers.Serializer[Any]):
    policy = serializers.CharField()
    policy_name = serializers.CharField()
    control = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(ControlState.choices, help_text="How the control stands in the alert's account.")
    result = serializers.CharField(help_text="The same in words, with the failures that were accepted.")
    accepted = serializers.IntegerField(help_text="Failures of all its rules that were suppressed.")


class InputSerializer(serializers.Serializer[domain.Field]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF names arguments of its own so
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    default = serializers.CharField()


class RemediationSerializer(serializers.Serializer[OfferedFix]):
    id = serializers.CharField(source="remediation.id")
    title = serializers.CharField(source="remediation.title")
    summary = serializers.CharField(source="remediation.summary")
    group = serializers.CharField(source="remediation.group", help_text="Under what a fix role allows it.")
    breaks = serializers.CharField(
        source="remediation.breaks", help_text="What may stop working once it is applied; empty when nothing can."
    )
    inputs = InputSerializer(
        source="remediation.inputs", many=True, help_text="What it needs to be told when it is planned."
    )
    allowed = serializers.BooleanField(
        allow_null=True, help_text="Whether the account's fix role allows it; null when that is not known."
    )
    why = serializers.CharField(help_text="Why the fix role does not allow it; empty when it may.")
    command = serializers.CharField(
        help_text="What allows it, beside all that is allowed now, run with the account's setup template; or empty."
    )


class DetectionSerializer(serializers.Serializer[Any]):
    description = serializers.CharField(required=False)
    link = serializers.URLField(required=False, help_text="The detection in the vendor's console.")
    guide = serializers.URLField(required=False, help_text="The vendor's documentation of such detections.")
    count = serializers.IntegerField(required=False, help_text="How often it was seen.")
    facts = serializers.DictField(child=serializers.CharField(), required=False)
    resource_id = serializers.CharField(required=False)
    resource_type = serializers.CharField(required=False)


class ReadinessSerializer(serializers.Serializer[Any]):
    ready = serializers.BooleanField()
    why = serializers.CharField(help_text="Why it cannot be fixed from here by you; empty when it can.")
    remediations = RemediationSerializer(source="fixes", many=True)


class AlertDetailSerializer(AlertSerializer):
    about = serializers.SerializerMethodField(help_text="The rule; null when nothing brings it any more.")
    controls = serializers.SerializerMethodField()
    findings = serializers.SerializerMethodField(
        help_text=f"The first {SHOWN} affected resources, suppressed ones too; all at /api/v1/findings?alert=ID."
    )
    details = DetectionSerializer(read_only=True, help_text="Of what a cloud’s own detector raised; else empty.")
    fixing = serializers.SerializerMethodField()
    timeline = serializers.SerializerMethodField(
        help_text=f"The last {SHOWN} events, newest first; all at /api/v1/audit?target_type=alert&target_id=ID."
    )

    class Meta(AlertSerializer.Meta):
        fields = [*AlertSerializer.Meta.fields, "about", "details", "controls", "findings", "fixing", "timeline"]
        read_only_fields = fields

    @extend_schema_field(RuleSerializer(allow_null=True))
    def get_about(self, alert: Alert) -> Any:
        return RuleSerializer(alert.rule).data if alert.rule else None

    @extend_schema_field(AnswerSerializer(many=True))
    def get_controls(self, alert: Alert) -> list[dict[str, Any]]:
        return [
            {
                "policy": policy.id,
                "policy_name": policy.name,
                "control": each.control.id,
                "title": each.control.title,
                "state": each.state.value,
                "result": each.result,
                "accepted": each.accepted,
            }
            for policy, each in answered([alert.account], alert.key, alert.catalogue)
        ]

    @extend_schema_field(FindingSerializer(many=True))
    def get_findings(self, alert: Alert) -> Any:
        rows = alert.findings.filter(failing_since__isnull=False).select_related("resource")
        return FindingSerializer(rows.defer("resource__properties")[:SHOWN], many=True, context=self.context).data

    @extend_schema_field(ReadinessSerializer)
    def get_fixing(self, alert: Alert) -> Any:
        return ReadinessSerializer(readiness(self.context["request"].user, alert)).data

    @extend_schema_field(EntrySerializer(many=True))
    def get_timeline(self, alert: Alert) -> Any:
        entries = Entry.objects.visible_to(self.context["request"].user)
        return EntrySerializer(entries.filter(target_type="alert", target_id=str(alert.pk))[:SHOWN], many=True).data


class Selection(Body):
    findings = IdsField(required=False, help_text="Ids of the alert's findings.")
    resources = IdsField(required=False, help_text="Or the ids of the affected resources (as in /api/v1/resources).")
    together: ClassVar[dict[str, Any]] = {"oneOf": [{"required": ["findings"]}, {"required": ["resources"]}]}
    selection_required: ClassVar[bool] = True

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in ("findings", "resources") if name in attrs]
        if len(named) > 1:
            raise serializers.ValidationError({"resources": [_("Name findings or resources, not both.")]})
        if not named and self.selection_required:
            raise serializers.ValidationError({"findings": [_("Name the findings, or the resources.")]})
        return attrs


class Rechecking(Selection):
    """Without a selection, all affected resources are read again."""

    together: ClassVar[dict[str, Any]] = {"not": {"required": ["findings", "resources"]}}
    selection_required = False


class Suppressing(Selection):
    reason = ReasonField()
    expires_at = Moment(required=False, allow_null=True)
    archive = Switch(
        required=False,
        help_text="Archive a detection in its cloud as well: a change that is thereby approved. Needs the role"
        " Remediator, and an account with a fix role.",
    )


class Planning(Selection):
    remediation = Text(max_length=200)
    inputs = serializers.DictField(
        child=Text(max_length=2000, allow_blank=True),
        required=False,
        help_text="What the remediation asks for, by the names of its inputs.",
    )


class RecheckSerializer(serializers.Serializer[Recheck]):
    closed = serializers.IntegerField()
    still = serializers.IntegerField()
    gone = serializers.IntegerField()
    problems = serializers.ListField(child=serializers.CharField())


def selected(alert: Alert, asked: dict[str, Any]) -> list[Finding] | None:
    """Take the selection out of a body and return its findings; None when nothing was selected."""
    field = next((name for name in ("findings", "resources") if name in asked), None)
    if field is None:
        return None
    wanted, column = set(asked.pop(field)), "pk" if field == "findings" else "resource_id"
    found = list(alert.findings.filter(failing_since__isnull=False, **{f"{column}__in": wanted}))
    if strange := sorted(wanted - {getattr(row, column) for row in found}):
        ids = ", ".join(map(str, strange[:10])) + (", …" if len(strange) > 10 else "")
        message = _("%(ids)s: not affected by %(alert)s.") % {"ids": ids, "alert": alert}
        raise ValidationError({field: [message]})
    return found


class AlertFilter(filters.FilterSet):
    """The console's filters, under the same names; several values are separated by commas."""

    state = Choices(
        choices=[*AlertState.choices, (queries.ALL, queries.ALL)],
        method="shared",
        help_text="“open” unless given. “suppressed” finds each alert with a suppressed resource.",
    )
    suppressed = SwitchFilter(method="untouched", label="Suppressed ones as well")
    severity = Choices(choices=SeverityChoice.choices, method="shared")
    kind = Choices(choices=KindChoice.choices, method="shared")
    source = Texts(method="shared", help_text="Detectors by their names, whatever the case.")
    account = Ids(method="shared")
    region = Texts(method="shared", help_text="Regions of affected resources.")
    policy = Texts(method="shared", help_text="Ids of policies.")
    opened = DaysFilter(method="days")
    resolved = DaysFilter(method="days")
    since = MomentFilter(field_name="opened_at", lookup_expr="gte", label="Opened then or later")
    q = filters.CharFilter(method="text", label="Words in the title, rule, account or affected resources")

    def filter_queryset(self, queryset: QuerySet[Any]) -> Any:
        asked = self.form.cleaned_data
        if not asked["state"]:
            asked["state"] = [AlertState.OPEN]
        if asked["suppressed"]:
            asked["state"] = [*asked["state"], AlertState.SUPPRESSED]
        if queries.ALL in asked["state"]:
            asked["state"] = [queries.ALL]
        return super().filter_queryset(queryset)

    def shared(self, queryset: QuerySet[Any], name: str, value: list[Any]) -> QuerySet[Any]:
        return queries.FILTERS[name](queryset, ",".join(str(part) for part in value))

    def days(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queries.FILTERS[name](queryset, str(int(value)))

    def text(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queries.matching(queryset, value)

    def untouched(self, queryset: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        return queryset


class Alerts(Models):
    """What to work on: open alerts unless ``state`` or ``suppressed`` asks for others."""

    noun = "alert"
    pagination_class = KnownPages
    queryset = Alert.objects.select_related("account")
    serializer_class = AlertSerializer
    detail_class = AlertDetailSerializer
    filterset_class = AlertFilter
    ordering_fields = ["rank", "opened_at", "first_seen", "last_seen", "affected", "title"]
    acts: ClassVar[dict[str, str]] = {
        "suppress": "suppress",
        "unsuppress": "suppress",
        "recheck": "recheck",
        "plan": "change",
    }

    @extend_schema(responses={(200, "text/csv"): str})
    @action(detail=False, url_path="export/csv", pagination_class=None)
    def csv(self, request: Request) -> StreamingHttpResponse:
        """The same alerts as the list, all of them, as CSV."""
        rows = self.filter_queryset(self.get_queryset()).iterator(chunk_size=500)
        return download(outputs.as_csv(rows, in_view(request)), "text/csv; charset=utf-8", "alerts.csv")

    @extend_schema(request=Suppressing, responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def suppress(self, request: Request, id: str) -> Response:
        """Ignore some of the affected resources from now on, for a reason, perhaps until a time.

        With ``archive``, a detection is archived in its cloud too, by a change at /api/v1/changes; nothing is
        suppressed when that cannot be planned. It needs the role Remediator: without it, or without ``archive``, the
        detection is only suppressed here and stays as it is in its cloud. When the suppression ends, it is unarchived.
        """
        alert, asked = self.get_object(), self.body(Suppressing)
        suppressing.suppress(self.actor, alert, selected(alert, asked) or [], **asked)
        return self.shown(alert)

    @extend_schema(request=Selection, responses=AlertDetailSerializer)
    @action(detail=True, methods=["post"])
    def unsuppress(self, request: Request, id: str) -> Response:
        """Take suppressions back; the resources count again at once.

        What was archived in the cloud with the suppression is unarchived there by whoever has the role Remediator, as
        the undo of that change; it stays archived for others.
        """
        alert = self.get_object()
        suppressing.unsuppress(self.actor, alert, selected(alert, self.body(Selection)) or [])
        return self.shown(alert)

    @extend_schema(request=Rechecking, responses=RecheckSerializer)
    @action(detail=True, methods=["post"])
    def recheck(self, request: Request, id: str) -> Response:
        """Read the affected resources again and judge them now, without a scan."""
        alert = self.get_object()
        found = recheck(self.actor, alert, selected(alert, self.body(Rechecking)))
        return Response(RecheckSerializer(found).data)

    @extend_schema(request=Planning, responses={201: ChangeDetailSerializer})
    @action(detail=True, methods=["post"])
    def plan(self, request: Request, id: str) -> Response:
        """Plan a fix: the exact calls, before and after. Nothing changes until it is approved, at /api/v1/changes."""
        alert, asked = self.get_object(), self.body(Planning)
        findings = selected(alert, asked) or ()
        change = plan_change(self.actor, alert, findings, asked["remediation"], asked.get("inputs"))
        return Response(ChangeDetailSerializer(change).data, status.HTTP_201_CREATED)
