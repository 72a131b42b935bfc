"""Automatic fixes over the API, and what they are about to fix."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account
from nephoscope.api.kit.fields import IdsField, Text, Whole
from nephoscope.api.kit.filters import Choices, IdFilter, SwitchFilter
from nephoscope.api.kit.serializers import Body, Named, Nothing, ReasonField
from nephoscope.api.kit.views import Models
from nephoscope.changes import automatic
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice, NoticeState
from nephoscope.changes.automatic_preview import DAYS, preview


class AutomaticFixSerializer(serializers.ModelSerializer[AutomaticFix]):
    reference = serializers.CharField(source="__str__", read_only=True)
    accounts = Named(many=True, read_only=True)
    inputs = serializers.DictField(child=serializers.CharField(), read_only=True, help_text="What the fix asks for.")
    set_by = serializers.CharField(source="set_by.username", read_only=True, default=None, allow_null=True)
    off_by = serializers.CharField(source="off_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = AutomaticFix
        fields = [
            "id",
            "reference",
            "rule",
            "remediation",
            "title",
            "inputs",
            "accounts",
            "notice_days",
            "set_by",
            "set_at",
            "off_by",
            "off_at",
        ]
        read_only_fields = fields
        extra_kwargs = {"off_at": {"help_text": "When it was switched off; null while it is on."}}


class NewAutomaticFix(Body):
    rule = Text(max_length=200, help_text="The rule's id.")
    remediation = Text(max_length=200, help_text="The id of one of the rule's fixes.")
    accounts = IdsField(help_text="Those in which it fixes; each has a fix role.")
    notice_days = Whole(
        min_value=0, max_value=automatic.LONGEST_NOTICE, help_text="Days in which people can object; 0 fixes at once."
    )
    inputs = serializers.DictField(
        child=Text(max_length=2000, allow_blank=True), required=False, help_text="What the fix asks for, by name."
    )


class ForecastSerializer(serializers.Serializer[Any]):
    account = Named(source="alert.account", read_only=True)
    alert = serializers.IntegerField(source="alert.pk")
    resource = serializers.CharField(help_text="The resource's name; empty for several whose names are not kept.")
    count = serializers.IntegerField(help_text="Mostly 1; how many resources, where their names are not kept.")
    failing_since = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="When the notice ends, or would have ended.")
    fixed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it is, or would have been, fixed; null for one that is held back."
    )
    why = serializers.CharField(help_text="Why it is held back, or fixed later; empty for others.")


class PreviewSerializer(serializers.Serializer[Any]):
    now = ForecastSerializer(many=True, help_text="What fails now.")
    past = ForecastSerializer(many=True, help_text=f"What began to fail in the last {DAYS} days.")


class AutomaticFixFilter(filters.FilterSet):
    rule = filters.CharFilter()
    account = IdFilter(method="of_account")
    on = SwitchFilter(field_name="off_at", lookup_expr="isnull", label="Not switched off")

    def of_account(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(accounts=value)


class AutomaticFixes(Models):
    """Rules that are fixed without approval in chosen accounts, those that were switched off included."""

    noun = "automatic fix"
    queryset = AutomaticFix.objects.select_related("set_by", "off_by")
    serializer_class = AutomaticFixSerializer
    filterset_class = AutomaticFixFilter
    ordering_fields = ["set_at", "rule"]
    acts: ClassVar[dict[str, str]] = dict.fromkeys(("create", "preview", "off"), "administer")

    def get_queryset(self) -> Any:
        """Name an account only to who sees it."""
        accounts = Account.objects.visible_to(self.request.user)
        return super().get_queryset().prefetch_related(Prefetch("accounts", accounts))

    def _asked(self) -> dict[str, Any]:
        asked = self.body(NewAutomaticFix)
        rows = Account.objects.visible_to(self.request.user).filter(pk__in=asked["accounts"])
        if missing := set(asked["accounts"]) - {each.pk for each in rows}:
            raise ValidationError({"accounts": [_("There is no account %s.") % min(missing)]})
        return {"inputs": None, **asked, "accounts": list(rows)}

    @extend_schema(request=NewAutomaticFix, responses={201: AutomaticFixSerializer})
    def create(self, request: Request) -> Response:
        """Switch one on: it fixes from now on, what fails already included. Ask for the preview first.

        A plan that cannot be undone completely, or that needs a second approver, waits for approval. Resources that a
        stack or a tool manages, that someone objected to, or whose automatic fix someone undid, are never fixed.
        """
        return self.shown(automatic.switch_on(self.actor, **self._asked()), status.HTTP_201_CREATED)

    @extend_schema(request=NewAutomaticFix, responses=PreviewSerializer)
    @action(detail=False, methods=["post"], pagination_class=None, filter_backends=[])
    def preview(self, request: Request) -> Response:
        """Say what it would do now and would have done in the last days, from what is stored; switches nothing on."""
        asked = self._asked()
        rule, fix, _inputs = automatic.checked(self.actor, **asked)
        found = preview(rule, fix, asked["accounts"], asked["notice_days"])
        return Response(PreviewSerializer(found).data)

    @extend_schema(request=Nothing, responses=AutomaticFixSerializer)
    @action(detail=True, methods=["post"])
    def off(self, request: Request, id: str) -> Response:
        """Switch it off; changes that no worker has begun are withdrawn. Objections are kept."""
        self.body(Nothing)
        found = self.get_object()
        automatic.switch_off(self.actor, found)
        return self.shown(found)


class FixNoticeSerializer(serializers.ModelSerializer[FixNotice]):
    automatic_fix = serializers.IntegerField(source="automatic_id", read_only=True)
    rule = serializers.CharField(source="automatic.rule", read_only=True)
    account = Named(read_only=True)
    alert = serializers.IntegerField(source="alert_id", read_only=True)
    state = serializers.ChoiceField(choices=NoticeState.choices, read_only=True)
    objected_by = serializers.CharField(source="objected_by.username", read_only=True, default=None, allow_null=True)
    change = serializers.IntegerField(
        source="change_id", read_only=True, allow_null=True, help_text="Made for it, or waiting for approval."
    )
    problem = serializers.CharField(read_only=True, help_text="Why it is held back; mostly empty.")

    class Meta:
        model = FixNotice
        fields = [
            "id",
            "automatic_fix",
            "rule",
            "account",
            "alert",
            "resource_id",
            "resource_name",
            "state",
            "noticed_at",
            "due_at",
            "objected_by",
            "objected_at",
            "objection",
            "change",
            "problem",
        ]
        read_only_fields = fields


class FixNoticeFilter(filters.FilterSet):
    state = Choices(choices=NoticeState.choices, lookup_expr="in", help_text="All unless given.")
    account = IdFilter(field_name="account_id")
    alert = IdFilter(field_name="alert_id")
    rule = filters.CharFilter(field_name="automatic__rule")


class Objection(Body):
    reason = ReasonField()


class UpcomingFixes(Models):
    """Resources that are about to be fixed automatically, and what became of it."""

    noun = "upcoming fix"
    queryset = FixNotice.objects.select_related("automatic", "account", "objected_by")
    serializer_class = FixNoticeSerializer
    filterset_class = FixNoticeFilter
    ordering_fields = ["due_at"]
    acts: ClassVar[dict[str, str]] = {"object": "suppress", "withdraw": "suppress"}

    def get_queryset(self) -> Any:
        return super().get_queryset().with_state()

    @extend_schema(request=Objection, responses=FixNoticeSerializer)
    @action(detail=True, methods=["post"])
    def object(self, request: Request, id: str) -> Response:
        """Object: the resource is not fixed automatically until the objection is withdrawn."""
        return self.shown(automatic.object_to(self.actor, self.get_object(), **self.body(Objection)))

    @extend_schema(request=Nothing, responses=FixNoticeSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, id: str) -> Response:
        """Withdraw the objection: the resource is fixed after a whole period of notice, if it still fails."""
        self.body(Nothing)
        return self.shown(automatic.withdraw_objection(self.actor, self.get_object()))
