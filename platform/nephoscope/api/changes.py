"""Changes over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.api.kit.downloads import download
from nephoscope.api.kit.fields import Text
from nephoscope.api.kit.filters import Choices, DaysFilter, IdFilter, Ids, MomentFilter
from nephoscope.api.kit.serializers import Body, Named, Nothing, ReasonField
from nephoscope.api.kit.views import Models
from nephoscope.changes import approvals, giving_up, ledger, services
from nephoscope.changes.models import Change, ChangeState, ChangeStep
from nephoscope.changes.stored import undo_digest


class PermissionSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    resource = serializers.CharField()


class CallSerializer(serializers.Serializer[Any]):
    label = serializers.CharField()  # type: ignore[assignment]  # DRF names an argument of its own so
    body = serializers.JSONField(help_text="What is sent, in the provider's own form.")
    permissions = PermissionSerializer(many=True)


class WaitSerializer(serializers.Serializer[Any]):
    read = CallSerializer()
    path = serializers.CharField(help_text="Where in the answer the state is.")
    until = serializers.ListField(child=serializers.CharField())
    timeout = serializers.IntegerField(help_text="Seconds after which the step has failed.")
    every = serializers.IntegerField(help_text="Seconds between two readings.")
    failed = serializers.ListField(
        child=serializers.CharField(), default=[], help_text="States in which the step has failed."
    )


class StepSerializer(serializers.ModelSerializer[ChangeStep]):
    call = CallSerializer(read_only=True)
    inverse = CallSerializer(read_only=True, allow_null=True, help_text="What undoes it; null when nothing does.")
    before = serializers.JSONField(read_only=True)
    after = serializers.JSONField(read_only=True)
    wait = WaitSerializer(read_only=True, allow_null=True, help_text="What is waited for after the call.")
    loses = serializers.CharField(read_only=True, help_text="What an undo does not bring back; mostly empty.")

    class Meta:
        model = ChangeStep
        fields = [
            "position",
            "resource_id",
            "resource_name",
            "title",
            "call",
            "inverse",
            "before",
            "after",
            "wait",
            "state",
            "error",
            "loses",
        ]
        read_only_fields = fields


class ClosedSerializer(serializers.Serializer[Any]):
    alert = serializers.IntegerField(allow_null=True)
    rule = serializers.CharField()
    title = serializers.CharField()
    resource = serializers.CharField(help_text="The resource's name.")


class ChangeSerializer(serializers.ModelSerializer[Change]):
    reference = serializers.CharField(source="__str__", read_only=True)
    account = Named(read_only=True)
    alert = serializers.IntegerField(source="alert_id", read_only=True)
    rule = serializers.CharField(
        source="alert.key", read_only=True, help_text="The rule's id; of a detection the detector's key."
    )
    planned_by = serializers.CharField(source="planned_by.username", read_only=True, default=None, allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", read_only=True, default=None, allow_null=True)
    expires_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="When a plan can be approved no more, or an approved change applied no more; else null.",
    )
    first_by = serializers.CharField(
        source="first_by.username",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="Who approved it first, where it needs a second approver.",
    )
    undo_by = serializers.CharField(source="undo_by.username", read_only=True, default=None, allow_null=True)
    change_set = serializers.IntegerField(
        source="change_set_id", read_only=True, allow_null=True, help_text="The bulk change that it is part of."
    )
    automatic_fix = serializers.IntegerField(
        source="automatic_id", read_only=True, allow_null=True, help_text="Of the automatic fix that approved it."
    )

    class Meta:
        model = Change
        fields = [
            "id",
            "reference",
            "account",
            "alert",
            "rule",
            "change_set",
            "remediation",
            "title",
            "state",
            "reason",
            "outcome",
            "planned_by",
            "planned_at",
            "expires_at",
            "first_by",
            "first_at",
            "first_reason",
            "approved_by",
            "approved_at",
            "finished_at",
            "undo_by",
            "undo_requested_at",
            "undo_reason",
            "undone_at",
            "automatic_fix",
        ]
        read_only_fields = fields


class ChangeDetailSerializer(ChangeSerializer):
    digest = serializers.CharField(read_only=True, help_text="What is approved: send it back to apply exactly this.")
    inputs = serializers.DictField(child=serializers.CharField(), read_only=True, help_text="What the fix asked for.")
    warnings = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="First what may stop working, then what is left out, and what may undo the change.",
    )
    permissions = PermissionSerializer(many=True, read_only=True)
    proven = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Actions that the cloud granted in a dry run."
    )
    uses = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Who uses what is changed, where that can be read."
    )
    closes = ClosedSerializer(many=True, read_only=True, help_text="Findings of other rules that it resolves as well.")
    steps = StepSerializer(many=True, read_only=True)
    undo_digest = serializers.SerializerMethodField(
        help_text="Of the calls that would undo it: send it back with undo."
    )

    class Meta(ChangeSerializer.Meta):
        fields = [
            *ChangeSerializer.Meta.fields,
            "digest",
            "inputs",
            "warnings",
            "permissions",
            "proven",
            "uses",
            "closes",
            "steps",
            "undo_digest",
        ]
        read_only_fields = fields

    def get_undo_digest(self, change: Change) -> str:
        return undo_digest(change.steps.all())


class Approval(Body):
    digest = Text(max_length=64, help_text="The digest of the plan that was read.")
    reason = ReasonField()
    irreversible = serializers.BooleanField(
        default=False,
        help_text="Confirms that an undo does not bring back everything, where a step has no inverse or `loses`.",
    )


class Undoing(Body):
    reason = ReasonField()
    digest = Text(
        max_length=64, required=False, help_text="The `undo_digest` that was read; without it, what can be undone now."
    )


class ChangeFilter(filters.FilterSet):
    """The console's filters, under the same names."""

    state = Choices(choices=ChangeState.choices, method="listed")
    account = Ids(method="listed")
    alert = IdFilter(field_name="alert_id")
    change_set = IdFilter(field_name="change_set_id")
    fix = filters.CharFilter(method="shared", label="The id of the fix")
    rule = filters.CharFilter(method="shared", label="The id of the rule that the fix is for")
    user = filters.CharFilter(method="shared", label="The name of who planned it, approved it or asked for its undo")
    since = DaysFilter(method="shared", label="Planned, finished or undone in the last so many days")
    planned_after = MomentFilter(field_name="planned_at", lookup_expr="gte")
    planned_before = MomentFilter(field_name="planned_at", lookup_expr="lt")
    resource = IdFilter(method="shared", label="The id of a resource that it is about")
    q = filters.CharFilter(
        method="shared", label="Words of the title, the alert's title, the reasons, or a resource's name or id"
    )

    def listed(self, queryset: QuerySet[Any], name: str, value: list[Any]) -> QuerySet[Any]:
        return ledger.FILTERS[name](queryset, ",".join(str(part) for part in value))

    def shared(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return ledger.FILTERS[name](queryset, str(value))


class Changes(Models):
    """Plans of fixes and what became of them. A new one is made at /api/v1/alerts/{id}/plan."""

    noun = "change"
    queryset = Change.objects.select_related("account", "alert", "planned_by", "first_by", "approved_by", "undo_by")
    serializer_class = ChangeSerializer
    detail_class = ChangeDetailSerializer
    filterset_class = ChangeFilter
    ordering_fields = ["planned_at", "finished_at"]
    acts: ClassVar[dict[str, str]] = {"apply": "change", "discard": "change", "undo": "change"}

    @extend_schema(responses={(200, "text/csv"): str})
    @action(detail=False, url_path="export/csv", pagination_class=None)
    def csv(self, request: Request) -> StreamingHttpResponse:
        """The same changes as the list, all of them, as CSV: a row for each step, with what was called and its undo."""
        rows = self.filter_queryset(self.get_queryset())
        return download(ledger.as_csv(rows), "text/csv; charset=utf-8", "changes.csv")

    @extend_schema(request=Approval, responses={202: ChangeDetailSerializer})
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, id: str) -> Response:
        """Approve exactly the plan with this digest, for a worker to apply and verify.

        Where a second approver is asked for, the change is *half_approved* after the first approval, and somebody else,
        who did not plan it, approves it again.

        Look at the change again to see how far it is: *approved* while it is queued, then *applying*, *waiting* while
        what was applied does not show yet, and at the end
        *verified*, *applied* (the resources still fail), *failed*, or *refused*, which means that what it was
        planned or approved for no longer holds: the cloud changed, a finding was suppressed or closed, the rule is off,
        in no policy of the account or set otherwise, or the approver may no longer apply it. Nothing was written then,
        and the outcome says why. A plan expires after 7 days, and an approval that no worker has taken after 24 hours.
        """
        change, asked = self.get_object(), self.body(Approval)
        return self.shown(approvals.approve_change(self.actor, change, **asked), status.HTTP_202_ACCEPTED)

    @extend_schema(request=Nothing, responses=ChangeDetailSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, id: str) -> Response:
        """Throw away a plan that nobody approved. One that nobody approves in 7 days expires by itself."""
        self.body(Nothing)
        return self.shown(giving_up.discard_plan(self.actor, self.get_object()))

    @extend_schema(request=Undoing, responses={202: ChangeDetailSerializer})
    @action(detail=True, methods=["post"])
    def undo(self, request: Request, id: str) -> Response:
        """Have a worker put back what was before the change; one that is still queued is withdrawn.

        While a worker is at it, this is refused, with the time after which a worker that has not been heard of counts
        as stopped; then it can be undone. It is *undo_queued*, then *undoing*, and at the end *undone*, or *failed*.
        When nothing could be undone, it goes back to the state that it had, and its outcome says why.
        """
        change, asked = self.get_object(), self.body(Undoing)
        return self.shown(services.request_undo(self.actor, change, **asked), status.HTTP_202_ACCEPTED)
