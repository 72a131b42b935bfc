"""The catalogue of fixes over the API, and what changes need a second approver for."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import SeverityChoice
from nephoscope.api.catalogue import SettingSerializer
from nephoscope.api.kit.errors import Conflict
from nephoscope.api.kit.fields import Choice, IdField, Text
from nephoscope.api.kit.serializers import Body, Named
from nephoscope.api.kit.views import Endpoint, Models
from nephoscope.changes import approvals
from nephoscope.changes.catalogue import Listed, listed, narrowed
from nephoscope.changes.models import Change, ChangeState, SecondApproval


class ResultSerializer(serializers.ModelSerializer[Change]):
    reference = serializers.CharField(source="__str__", read_only=True)
    state = serializers.ChoiceField(choices=ChangeState.choices, read_only=True)

    class Meta:
        model = Change
        fields = ["id", "reference", "state", "outcome", "finished_at", "undone_at"]
        read_only_fields = fields


class FixSerializer(serializers.Serializer[Listed]):
    id = serializers.CharField(source="fix.id")
    title = serializers.CharField(source="fix.title")
    summary = serializers.CharField(source="fix.summary")
    breaks = serializers.CharField(source="fix.breaks", help_text="What may stop working.")
    loses = serializers.CharField(
        source="fix.loses",
        allow_null=True,
        help_text="What an undo may not bring back. Empty where it restores everything; null where each plan says.",
    )
    provider = serializers.CharField(source="fix.provider")
    group = serializers.CharField(source="fix.group", help_text="Under what the access for fixes allows it.")
    types = serializers.ListField(child=serializers.CharField(), source="fix.on")
    services = serializers.SerializerMethodField(help_text="The ids of the provider's services that have these types.")
    inputs = SettingSerializer(many=True, source="fix.inputs", help_text="What is asked for when it is planned.")
    reads = serializers.ListField(
        child=serializers.CharField(), source="fix.reads", help_text="Permissions to plan and to verify."
    )
    writes = serializers.ListField(
        child=serializers.CharField(), source="fix.writes", help_text="Permissions to apply and to undo."
    )
    rules = serializers.SerializerMethodField(help_text="The ids of the rules that offer it.")
    second_approver = serializers.SerializerMethodField(
        help_text="Whether each change of it needs two approvers; see /api/v1/second-approvers."
    )
    changes = serializers.IntegerField(help_text="How many there are in the accounts that you see.")
    last_result = ResultSerializer(
        source="last", allow_null=True, help_text="The newest change that a worker took; null when there is none."
    )

    def get_services(self, each: Listed) -> list[str]:
        return [service.id for service in each.services]

    def get_rules(self, each: Listed) -> list[str]:
        return [rule.id for rule in each.rules]

    def get_second_approver(self, each: Listed) -> bool:
        return each.second is not None


class FixParameters(Body):
    q = Text(max_length=1000, required=False, help_text="Words of the fix, its rules, services or permissions.")
    provider = Text(max_length=100, required=False, help_text="Of one provider, by its id.")
    group = Text(max_length=200, required=False, help_text="Of one group.")
    service = Text(max_length=100, required=False, help_text="Of one service, by its id.")


_ID = [OpenApiParameter("id", str, OpenApiParameter.PATH)]


@extend_schema_view(list=extend_schema(parameters=[FixParameters]), retrieve=extend_schema(parameters=_ID))
class Fixes(Endpoint):
    """All fixes: what each does, needs and may break, whether it can be undone, and what became of it here."""

    noun = "fix"
    serializer_class = FixSerializer
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    filter_backends = []

    def get_queryset(self) -> Any:
        return listed(self.request.user)

    def list(self, request: Request) -> Response:
        found = narrowed(self.get_queryset(), **self.parameters(FixParameters))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(found), many=True).data)

    def retrieve(self, request: Request, id: str) -> Response:
        found = next((each for each in self.get_queryset() if each.fix.id == id), None)
        if found is None:
            raise self.missing()
        return Response(self.get_serializer(found).data)


class SecondApproverSerializer(serializers.ModelSerializer[SecondApproval]):
    fix = serializers.CharField(source="remediation", read_only=True, help_text="The id of the fix, or empty.")
    account = Named(read_only=True, allow_null=True)
    severity = serializers.CharField(read_only=True, help_text="The severity of alerts, or empty.")
    set_by = serializers.CharField(source="set_by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = SecondApproval
        fields = ["id", "fix", "account", "severity", "set_by", "set_at"]
        read_only_fields = fields


class NewSecondApprover(Body):
    """Just one of them."""

    fix = Text(max_length=200, required=False, help_text="For this fix, by its id.")
    account = IdField(required=False, help_text="For this account.")
    severity = Choice(SeverityChoice.choices, required=False, help_text="For alerts of this severity.")


class SecondApprovers(Models):
    """What changes need a second approver for: a fix, an account, or a severity of alerts."""

    noun = "requirement of a second approver"
    queryset = SecondApproval.objects.select_related("account", "set_by")
    serializer_class = SecondApproverSerializer
    ordering_fields = ["set_at"]
    acts: ClassVar[dict[str, str]] = {"create": "administer", "destroy": "administer"}

    @extend_schema(request=NewSecondApprover, responses={201: SecondApproverSerializer})
    def create(self, request: Request) -> Response:
        """Require a second approver for a fix, for an account or for a severity."""
        asked = self.body(NewSecondApprover)
        account = self._account(asked["account"]) if "account" in asked else None
        row = approvals.require_second_approver(
            self.actor, remediation=asked.get("fix", ""), account=account, severity=asked.get("severity", "")
        )
        return self.shown(row, status.HTTP_201_CREATED)

    def _account(self, pk: int) -> Account:
        account: Account | None = Account.objects.visible_to(self.request.user).filter(pk=pk).first()
        if account is None:
            raise Conflict({"account": [_("There is no account %(id)s.") % {"id": pk}]})
        return account

    def destroy(self, request: Request, id: str) -> Response:
        """Require none for it any more; changes that wait for a second approval go on waiting."""
        approvals.drop_second_approver(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
