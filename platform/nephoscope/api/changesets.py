"""Bulk changes over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.alerts.models import Finding
from nephoscope.alerts.queries import findings_matching
from nephoscope.api.changes import ClosedSerializer, Undoing
from nephoscope.api.kit.fields import IdsField, Text, Whole
from nephoscope.api.kit.filters import Choices, IdFilter
from nephoscope.api.kit.serializers import Body, Named, Nothing, ReasonField
from nephoscope.api.kit.views import Models
from nephoscope.changes import sets
from nephoscope.changes.models import ChangeSet, ChangeState, SetItem
from nephoscope.changes.set_queries import STAGES, left_out, progress, review, with_stage
from nephoscope.policies.queries import catalogue

ACTS = dict.fromkeys(("create", "approve", "stop", "discard", "undo"), "change")


class ToldSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    count = serializers.IntegerField(help_text="Of how many resources.")
    names = serializers.ListField(child=serializers.CharField(), help_text="The first of their names.")


class ChangeSetSerializer(serializers.ModelSerializer[ChangeSet]):
    reference = serializers.CharField(source="__str__", read_only=True, help_text="How people call it: B-000012.")
    state = serializers.ChoiceField(STAGES, source="stage", read_only=True)
    resources = serializers.IntegerField(read_only=True, help_text="How many it was planned for, those left out too.")
    planned_by = serializers.CharField(source="planned_by.username", read_only=True, default=None, allow_null=True)
    first_by = serializers.CharField(
        source="first_by.username",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Who approved it first, where it needs a second approver.",
    )
    approved_by = serializers.CharField(source="approved_by.username", read_only=True, default=None, allow_null=True)
    stopped_by = serializers.CharField(source="stopped_by.username", read_only=True, default=None, allow_null=True)
    expires_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When it can be approved no more; null once it is approved or over."
    )

    class Meta:
        model = ChangeSet
        fields = [
            "id",
            "reference",
            "rule",
            "remediation",
            "title",
            "state",
            "resources",
            "reason",
            "planned_by",
            "planned_at",
            "expires_at",
            "first_by",
            "first_at",
            "first_reason",
            "approved_by",
            "approved_at",
            "stopped_by",
            "stopped_at",
        ]
        read_only_fields = fields


class ChangeSetDetailSerializer(ChangeSetSerializer):
    digest = serializers.CharField(
        read_only=True, help_text="What is approved, over the digests of all plans; empty while it is planned."
    )
    inputs = serializers.DictField(child=serializers.CharField(), read_only=True, help_text="What the fix asked for.")
    progress = serializers.SerializerMethodField(help_text="How many of its changes are in each state.")
    to_confirm = serializers.SerializerMethodField(
        help_text="The number that an administrator sends as *confirmed* to approve it; null where it needs none."
    )
    warnings = serializers.SerializerMethodField()
    uses = serializers.SerializerMethodField(help_text="Who uses what is changed, where that can be read.")
    closes = serializers.SerializerMethodField(help_text="Findings of other rules that it resolves as well.")
    losses = serializers.SerializerMethodField(help_text="What an undo does not bring back.")
    irreversible = serializers.SerializerMethodField(help_text="How many of its changes cannot be undone.")
    left_out = serializers.SerializerMethodField(help_text="Why resources are left out.")

    class Meta(ChangeSetSerializer.Meta):
        fields = [
            *ChangeSetSerializer.Meta.fields,
            "digest",
            "inputs",
            "progress",
            "to_confirm",
            "warnings",
            "uses",
            "closes",
            "losses",
            "irreversible",
            "left_out",
        ]
        read_only_fields = fields

    def to_representation(self, instance: ChangeSet) -> Any:
        self.counted, self.reviewed = progress(instance), review(instance)
        return super().to_representation(instance)

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_progress(self, found: ChangeSet) -> dict[str, int]:
        return dict(self.counted.states)

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_to_confirm(self, found: ChangeSet) -> int | None:
        count = self.counted.of(ChangeState.PLANNED)
        return count if count > sets.most_at_once() else None

    @extend_schema_field(ToldSerializer(many=True))
    def get_warnings(self, found: ChangeSet) -> Any:
        return ToldSerializer(list(self.reviewed.warnings.values()), many=True).data

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_uses(self, found: ChangeSet) -> list[str]:
        return self.reviewed.uses

    @extend_schema_field(ClosedSerializer(many=True))
    def get_closes(self, found: ChangeSet) -> list[dict[str, Any]]:
        return self.reviewed.closed

    @extend_schema_field(ToldSerializer(many=True))
    def get_losses(self, found: ChangeSet) -> Any:
        return [{"text": text, "count": count, "names": []} for text, count in self.reviewed.losses]

    @extend_schema_field(serializers.IntegerField())
    def get_irreversible(self, found: ChangeSet) -> int:
        return self.reviewed.irreversible

    @extend_schema_field(ToldSerializer(many=True))
    def get_left_out(self, found: ChangeSet) -> Any:
        return ToldSerializer(left_out(found), many=True).data


class ItemSerializer(serializers.ModelSerializer[SetItem]):
    account = Named(read_only=True)
    finding = serializers.IntegerField(source="finding_id", read_only=True, allow_null=True)
    change = serializers.IntegerField(
        source="change_id", read_only=True, allow_null=True, help_text="Its plan, at /api/v1/changes/{id}."
    )
    state = serializers.CharField(
        source="change.state", read_only=True, default=None, allow_null=True, help_text="The state of its change."
    )
    outcome = serializers.CharField(source="change.outcome", read_only=True, default="")
    problem = serializers.CharField(read_only=True, help_text="Why it is left out; empty when it is not.")

    class Meta:
        model = SetItem
        fields = ["id", "account", "finding", "resource_name", "change", "state", "outcome", "problem"]
        read_only_fields = fields


class PlanningSet(Body):
    rule = Text(max_length=200)
    remediation = Text(max_length=200)
    findings = IdsField(required=False, help_text="Ids of the rule's findings.")
    accounts = IdsField(required=False, help_text="Ids of accounts; all that you see, unless given.")
    q = Text(max_length=200, required=False, help_text="Words of the resources’ names or ids.")
    inputs = serializers.DictField(
        child=Text(max_length=2000, allow_blank=True),
        required=False,
        help_text="What the remediation asks for, by the names of its inputs.",
    )
    together: ClassVar[dict[str, Any]] = {
        "not": {"anyOf": [{"required": ["findings", "accounts"]}, {"required": ["findings", "q"]}]}
    }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "findings" in attrs and ("accounts" in attrs or "q" in attrs):
            raise serializers.ValidationError({"findings": [_("Name findings, or accounts and words, not both.")]})
        return attrs


class Approving(Body):
    digest = Text(max_length=64, help_text="The digest of the bulk change that was read.")
    reason = ReasonField()
    confirmed = Whole(
        min_value=1,
        max_value=1_000_000,
        required=False,
        help_text="The number of resources, by an administrator, where *to_confirm* asks for it.",
    )
    irreversible = serializers.BooleanField(
        default=False, help_text="Confirms that an undo does not bring back everything, where there are *losses*."
    )


class ChangeSetFilter(filters.FilterSet):
    account = IdFilter(field_name="items__account_id", distinct=True)
    rule = filters.CharFilter(field_name="rule")
    state = Choices(choices=STAGES, field_name="stage", lookup_expr="in")


class ChangeSets(Models):
    """Bulk changes: one fix of one rule for many resources, planned each by itself, reviewed and approved as one."""

    noun = "change set"
    queryset = ChangeSet.objects.select_related("planned_by", "first_by", "approved_by", "stopped_by")
    serializer_class = ChangeSetSerializer
    detail_class = ChangeSetDetailSerializer
    filterset_class = ChangeSetFilter
    ordering_fields = ["planned_at", "approved_at"]
    acts: ClassVar[dict[str, str]] = ACTS

    def get_queryset(self) -> Any:
        return with_stage(super().get_queryset())

    @extend_schema(request=PlanningSet, responses={202: ChangeSetDetailSerializer})
    def create(self, request: Request) -> Response:
        """Have a worker plan a fix for many resources that fail a rule. Nothing changes until it is approved.

        All that you see are planned for unless findings, accounts or words choose among them. What cannot be planned
        for is left out, and *left_out* says why; so is what is in an account without a fix role. Look at it again until
        it is no longer *planning*.
        """
        asked = self.body(PlanningSet)
        found = sets.plan_set(self.actor, self._findings(asked), asked["remediation"], asked.get("inputs"))
        return self.shown(found, status.HTTP_202_ACCEPTED)

    def _findings(self, asked: dict[str, Any]) -> QuerySet[Finding]:
        if catalogue().rule(asked["rule"]) is None:
            raise ValidationError({"rule": [_("There is no rule %(rule)s.") % {"rule": asked["rule"]}]})
        rows: Any = Finding.objects.visible_to(self.request.user).filter(rule_id=asked["rule"])
        if "findings" in asked:
            return _among(sets.fixable(rows), "pk", asked, "findings")
        rows = findings_matching(rows, asked["q"]) if "q" in asked else rows
        return _among(sets.fixable(rows), "account_id", asked, "accounts") if "accounts" in asked else rows

    @extend_schema(responses=ItemSerializer(many=True), filters=False)
    @action(detail=True, serializer_class=ItemSerializer)
    def items(self, request: Request, id: str) -> Response:
        """Its resources, each with its change and how far that is, or why it is left out."""
        rows = self.get_object().items.filter(account__removed_at=None).select_related("account", "change")
        page = self.paginate_queryset(rows.order_by("pk"))
        return self.get_paginated_response(ItemSerializer(page, many=True).data)

    @extend_schema(request=Approving, responses={202: ChangeSetDetailSerializer})
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, id: str) -> Response:
        """Approve all plans, by the digest over theirs, for a worker to apply and verify each.

        More than 25 resources (or what the server is set to) take an administrator, who sends their number as
        *confirmed*. Where a second approver is asked for, the set is *half_approved* after the first approval, and
        somebody else, who did not plan it, approves it again. One change is taken out by discarding it, at
        /api/v1/changes/{id}/discard, which gives the set another digest.
        """
        found, asked = self.get_object(), self.body(Approving)
        return self.shown(sets.approve_set(self.actor, found, **asked), status.HTTP_202_ACCEPTED)

    @extend_schema(request=Nothing, responses=ChangeSetDetailSerializer)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, id: str) -> Response:
        """Withdraw what no worker has begun, or end the planning. What is under way is finished."""
        found = self.get_object()
        self.body(Nothing)
        sets.stop_set(self.actor, found)
        return self.shown(found)

    @extend_schema(request=Nothing, responses=ChangeSetDetailSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, id: str) -> Response:
        """Throw away all plans of a set that waits for approval."""
        found = self.get_object()
        self.body(Nothing)
        return self.shown(sets.discard_set(self.actor, found))

    @extend_schema(request=Undoing, responses={202: ChangeSetDetailSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, id: str) -> Response:
        """Have workers put back what was before, of all changes that can be undone. One alone: /changes/{id}/undo."""
        found, asked = self.get_object(), self.body(Undoing)
        sets.undo_set(self.actor, found, **asked)
        return self.shown(found, status.HTTP_202_ACCEPTED)


def _among(rows: QuerySet[Finding], column: str, asked: dict[str, Any], field: str) -> QuerySet[Finding]:
    """Return the findings that a body names by a column; raises ValidationError for names of none."""
    wanted = set(asked[field])
    found = rows.filter(**{f"{column}__in": wanted})
    if strange := sorted(wanted - set(found.order_by().values_list(column, flat=True))):
        named = ", ".join(map(str, strange[:10])) + (", …" if len(strange) > 10 else "")
        message = _("%(ids)s: nothing to fix by %(rule)s.") % {"ids": named, "rule": asked["rule"]}
        raise ValidationError({field: [message]})
    return found
