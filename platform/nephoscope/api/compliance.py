"""Compliance over the API: how each account stands by each policy, and the same as files."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account
from nephoscope.api.kit.conditions import ConditionSerializer
from nephoscope.api.kit.fields import Text
from nephoscope.api.kit.parameters import IdParameter
from nephoscope.api.kit.serializers import Body, Named
from nephoscope.api.kit.views import Endpoint
from nephoscope.compliance import queries as compliance
from nephoscope.compliance.report import FORMS, file_name
from nephoscope.compliance.standings import Compliance
from nephoscope.compliance.states import ControlState
from nephoscope.policies.queries import catalogue, policies_for


class Asked(Body):
    account = IdParameter(required=False, help_text="Only this account.")
    policy = Text(required=False, help_text="Only this policy, by its id.")


class AskedFile(Body):
    account = IdParameter()
    policy = Text(help_text="The policy's id.")


class PolicyNameSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class ControlCountsSerializer(serializers.Serializer[Any]):
    """Controls by state."""

    def get_fields(self) -> dict[str, Any]:
        return {state: serializers.IntegerField() for state in ControlState.values}


class ComplianceSerializer(serializers.Serializer[Compliance]):
    account = Named()
    policy = PolicyNameSerializer()
    chosen = serializers.BooleanField(help_text="The policy is chosen for the account.")
    judged_at = serializers.DateTimeField(allow_null=True)
    not_checked_because = serializers.CharField(source="why_not", help_text="Empty when it is checked.")
    score = serializers.IntegerField(
        allow_null=True, help_text="Percent of the controls that pass, of those that pass or fail; null without any."
    )
    controls = serializers.SerializerMethodField(help_text="How many there are in each state.")
    accepted = serializers.IntegerField(help_text="Failures that were suppressed; they fail no control.")
    condition = ConditionSerializer()
    unread = serializers.ListField(child=serializers.CharField(), help_text="Parts that could not be read.")

    @extend_schema_field(ControlCountsSerializer)
    def get_controls(self, found: Compliance) -> dict[str, int]:
        return found.counts


class Compliances(Endpoint):
    """How accounts stand by policies."""

    noun = "account"
    lookup_url_kwarg = "id"
    serializer_class = ComplianceSerializer
    filter_backends = []

    def get_queryset(self) -> Any:
        return Account.objects.visible_to(self.request.user)

    @extend_schema(parameters=[Asked])
    def list(self, request: Request) -> Response:
        """The score of each account by each policy that can be chosen for it, and its controls by state."""
        asked = self.parameters(Asked)
        accounts = self.get_queryset().filter(**({"pk": asked["account"]} if "account" in asked else {}))
        policies = [each for each in catalogue().policies.values() if asked.get("policy", each.id) == each.id]
        page = self.paginate_queryset(compliance.matrix(accounts, policies))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        parameters=[AskedFile],
        responses={
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/csv"): str,
            (200, "application/pdf"): bytes,
        },
    )
    @action(detail=False, url_path=f"export/(?P<form>{'|'.join(FORMS)})", pagination_class=None)
    def export(self, request: Request, form: str) -> HttpResponse:
        """Controls, rules and first resources of an account by a policy, as CSV, JSON or PDF."""
        asked = self.parameters(AskedFile)
        account = self.get_queryset().filter(pk=asked["account"]).first()
        if account is None:
            raise NotFound(_("There is no account %(id)s.") % {"id": asked["account"]})
        policy = next((each for each in policies_for(account) if each.id == asked["policy"]), None)
        if policy is None:
            raise NotFound(_("There is no policy %(id)s.") % {"id": asked["policy"]})
        return download(compliance.detail(account, policy), form)


def download(found: Compliance, form: str) -> HttpResponse:
    """Answer with the file."""
    type, make = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="{file_name(found, form)}"'}
    return HttpResponse(make(found), content_type=type, headers=headers)
