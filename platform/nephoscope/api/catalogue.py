"""What can be chosen and is judged by: providers and rules; and the plugins that bring them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope import domain
from nephoscope.alerts.models import SeverityChoice
from nephoscope.api.kit.serializers import Nothing
from nephoscope.api.kit.views import Endpoint
from nephoscope.plugins import registry
from nephoscope.policies.queries import catalogue


class SettingSerializer(serializers.Serializer[domain.Field]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # an attribute of serializers too, unused in answers
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    generated = serializers.BooleanField()
    for_writing = serializers.BooleanField()
    secret = serializers.BooleanField(help_text="It is stored encrypted and never returned.")


class ServiceSerializer(serializers.Serializer[domain.Service]):
    id = serializers.CharField()
    name = serializers.CharField()
    types = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    regional = serializers.BooleanField()


class ProviderSerializer(serializers.Serializer[domain.Provider]):
    id = serializers.CharField()
    name = serializers.CharField()
    settings = SettingSerializer(many=True, source="fields")
    organisation_settings = SettingSerializer(
        many=True,
        source="organisations.fields",
        default=[],
        help_text="What is entered of an organisation; empty where the provider has none.",
    )
    services = ServiceSerializer(many=True)


class ControlSerializer(serializers.Serializer[domain.Control]):
    id = serializers.CharField()
    title = serializers.CharField()
    rules = serializers.ListField(child=serializers.CharField())
    manual = serializers.BooleanField(help_text="No rule answers it; a person has to look.")
    demands = serializers.DictField(
        child=serializers.DictField(child=serializers.JSONField()),
        help_text="The figures that it requires, by rule and parameter; for all others the rule's default counts.",
    )


class ParameterSerializer(serializers.Serializer[domain.Parameter]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # as above
    kind = serializers.CharField(help_text="days, number or ports.")
    default = serializers.JSONField(help_text="A whole number, or a list of ports.")
    stricter = serializers.CharField(help_text="What finds more: lower, higher; more or fewer ports.")
    least = serializers.IntegerField()
    most = serializers.IntegerField()


class TemplateSerializer(serializers.Serializer[domain.Commands]):
    templates = serializers.DictField(
        child=serializers.CharField(),
        help_text="By the type of resource; what stands in braces is filled in for each finding, see /api/v1/findings.",
    )
    inputs = serializers.DictField(child=serializers.CharField(), help_text="What you set first, each with what it is.")


class RuleSerializer(serializers.Serializer[domain.Rule]):
    id = serializers.CharField()
    title = serializers.CharField()
    severity = serializers.ChoiceField(SeverityChoice.choices)
    types = serializers.ListField(child=serializers.CharField(), source="on")
    why = serializers.CharField()
    fix = serializers.CharField(help_text="How to fix it manually.")
    commands = TemplateSerializer(allow_null=True, help_text="The same fix as commands; null where there are none.")
    link = serializers.CharField(help_text="The vendor's documentation.")
    remediations = serializers.ListField(child=serializers.CharField())
    live_only = serializers.BooleanField()
    parameters = ParameterSerializer(many=True, help_text="The thresholds that can be set, see /api/v1/rule-settings.")


class PluginSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    module = serializers.CharField()
    version = serializers.CharField()
    enabled = serializers.BooleanField()
    hooks = serializers.ListField(child=serializers.CharField())
    contributes = serializers.DictField(child=serializers.IntegerField())
    problem = serializers.CharField(help_text="Empty for a plugin that works.")


_ID = [OpenApiParameter("id", str, OpenApiParameter.PATH)]


@extend_schema_view(retrieve=extend_schema(parameters=_ID))
class Contributions(Endpoint):
    """Not rows but what plugins hold, by id."""

    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    filter_backends = []

    def things(self) -> Mapping[str, Any]:
        raise NotImplementedError

    def get_queryset(self) -> Any:
        return list(self.things().values())

    def list(self, request: Request) -> Response:
        self.parameters(Nothing)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, id: str) -> Response:
        things = self.things()
        if id not in things:
            raise self.missing()
        return Response(self.get_serializer(things[id]).data)


class Providers(Contributions):
    """Kinds of clouds that accounts can be connected to, with what a person enters to connect one."""

    noun = "provider"
    serializer_class = ProviderSerializer

    def things(self) -> Mapping[str, domain.Provider]:
        return registry().providers


class Rules(Contributions):
    """All rules."""

    noun = "rule"
    serializer_class = RuleSerializer

    def things(self) -> Mapping[str, domain.Rule]:
        return catalogue().rules


class Plugins(Contributions):
    """Installed plugins, enabled or not, and what is wrong with those that do not work."""

    noun = "plugin"
    serializer_class = PluginSerializer
    acts: ClassVar[dict[str, str]] = {"list": "administer", "retrieve": "administer"}

    def things(self) -> Mapping[str, Any]:
        return registry().load_all().infos
