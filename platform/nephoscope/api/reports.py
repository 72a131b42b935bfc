"""Report schedules over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import groups_seen_by
from nephoscope.api.kit.fields import Address, Choice, IdField, Switch, Text, Whole
from nephoscope.api.kit.filters import SwitchFilter
from nephoscope.api.kit.serializers import Body, Named, Nothing
from nephoscope.api.kit.views import Models
from nephoscope.reports import services
from nephoscope.reports.models import Every, Form, ReportRun, ReportSchedule


class RunSerializer(serializers.ModelSerializer[ReportRun]):
    requested_by = serializers.CharField(source="requested_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = ReportRun
        fields = ["id", "state", "requested_by", "queued_at", "finished_at", "reports", "outcome"]
        read_only_fields = fields


class ScheduleSerializer(serializers.ModelSerializer[ReportSchedule]):
    owner = serializers.CharField(source="owner.username", read_only=True, default=None, allow_null=True)
    policies = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="Empty: all that were chosen for each account."
    )
    accounts = Named(many=True, read_only=True)
    groups = Named(many=True, read_only=True)
    everything = serializers.BooleanField(read_only=True, help_text="All accounts that the owner sees.")
    mail_to = serializers.ListField(child=serializers.EmailField(), read_only=True)

    class Meta:
        model = ReportSchedule
        fields = [
            "id",
            "name",
            "owner",
            "active",
            "form",
            "every",
            "hour",
            "policies",
            "accounts",
            "groups",
            "everything",
            "mail_to",
            "folder",
            "keep",
            "next_run_at",
        ]
        read_only_fields = fields


class ScheduleDetailSerializer(ScheduleSerializer):
    runs = serializers.SerializerMethodField(help_text="The newest first.")

    class Meta(ScheduleSerializer.Meta):
        fields = [*ScheduleSerializer.Meta.fields, "runs"]
        read_only_fields = fields

    @extend_schema_field(RunSerializer(many=True))
    def get_runs(self, schedule: ReportSchedule) -> list[dict[str, Any]]:
        rows = schedule.runs.select_related("requested_by")[: services.RUNS_KEPT]
        return list(RunSerializer(rows, many=True).data)


class ScheduleChanges(Body):
    name = Text(max_length=100, required=False)
    active = Switch(required=False)
    form = Choice(Form.choices, required=False)
    every = Choice(Every.choices, required=False, help_text="A week's report goes on Monday, a month's on the first.")
    hour = Whole(min_value=0, max_value=23, required=False, help_text="By the clock of the owner's time zone.")
    policies = serializers.ListField(
        child=Text(max_length=100),
        required=False,
        max_length=500,
        help_text="Ids; empty: all that were chosen for each account.",
    )
    accounts = serializers.ListField(
        child=IdField(),
        required=False,
        max_length=10_000,
        help_text="Of those that the owner sees. Neither accounts nor groups: all that the owner sees.",
    )
    groups = serializers.ListField(child=IdField(), required=False, max_length=10_000)
    mail_to = serializers.ListField(child=Address(), required=False, max_length=services.MOST_ADDRESSES)
    folder = Text(
        max_length=64, allow_blank=True, required=False, help_text="A name below the server's folder for reports."
    )
    keep = Whole(min_value=1, max_value=400, required=False, help_text="Runs whose files stay in the folder.")


class NewSchedule(ScheduleChanges):
    name = Text(max_length=100)


class ScheduleFilter(filters.FilterSet):
    active = SwitchFilter()
    form = filters.ChoiceFilter(choices=Form.choices)
    every = filters.ChoiceFilter(choices=Every.choices)


class ReportSchedules(Models):
    """Compliance reports that leave by themselves: one's own, and all for administrators."""

    noun = "report schedule"
    queryset = ReportSchedule.objects.select_related("owner")
    serializer_class = ScheduleSerializer
    detail_class = ScheduleDetailSerializer
    filterset_class = ScheduleFilter
    ordering_fields = ["name", "next_run_at"]
    acts: ClassVar[dict[str, str]] = dict.fromkeys(("create", "partial_update", "destroy", "send"), "schedule")

    def get_queryset(self) -> Any:
        """Name an account only to who sees it still."""
        accounts = Account.objects.visible_to(self.request.user)
        return (
            super().get_queryset().prefetch_related(Prefetch("accounts", accounts), groups_seen_by(self.request.user))
        )

    @extend_schema(request=NewSchedule, responses={201: ScheduleDetailSerializer})
    def create(self, request: Request) -> Response:
        """Add one, which is then one's own: it sends what oneself may see when it is sent."""
        saved = services.save_schedule(self.actor, ReportSchedule(), **self.body(NewSchedule))
        return self.shown(saved, status.HTTP_201_CREATED)

    @extend_schema(request=ScheduleChanges, responses=ScheduleDetailSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        return self.shown(services.save_schedule(self.actor, self.get_object(), **self.body(ScheduleChanges)))

    def destroy(self, request: Request, id: str) -> Response:
        """Remove it with its history; files in folders stay."""
        services.remove_schedule(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=Nothing, responses={202: ScheduleDetailSerializer})
    @action(detail=True, methods=["post"])
    def send(self, request: Request, id: str) -> Response:
        """Make and send its reports now. The answer comes at once; the newest of ``runs`` says how it went."""
        self.body(Nothing)
        schedule = self.get_object()
        services.send_now(self.actor, schedule)
        return self.shown(schedule, status.HTTP_202_ACCEPTED)
