"""Policies and settings of rules over the API."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account
from nephoscope.alerts.models import SeverityChoice
from nephoscope.api.catalogue import Contributions, ControlSerializer
from nephoscope.api.kit.fields import Choice, IdField, Switch, Text, Whole
from nephoscope.api.kit.filters import IdFilter, SwitchFilter
from nephoscope.api.kit.serializers import Body, Named, ReasonField
from nephoscope.api.kit.views import Models
from nephoscope.audit.services import Actor
from nephoscope.domain import Framework
from nephoscope.policies import rule_settings, services
from nephoscope.policies.demands import Unmet, unmet
from nephoscope.policies.models import Policy, RuleSetting
from nephoscope.policies.queries import Catalogue, catalogue, scope_for
from nephoscope.policies.rule_settings import Place


class PolicySerializer(serializers.Serializer[Framework]):
    id = serializers.CharField()
    name = serializers.CharField()
    own = serializers.SerializerMethodField(help_text="Somebody's own, which can be changed.")
    description = serializers.SerializerMethodField()
    based_on = serializers.SerializerMethodField(help_text="The policy that an own one is a copy of; else empty.")
    provider = serializers.CharField()
    family = serializers.CharField(help_text="Under which heading it is offered.")
    link = serializers.CharField()
    tags = serializers.SerializerMethodField(help_text="It applies to accounts that have all of them; empty: to none.")
    controls = ControlSerializer(many=True)

    def _row(self, policy: Framework) -> Policy | None:
        rows: dict[str, Policy] = self.context["view"].own
        return rows.get(policy.id)

    def get_own(self, policy: Framework) -> bool:
        return self._row(policy) is not None

    def get_description(self, policy: Framework) -> str:
        row = self._row(policy)
        return row.description if row else ""

    def get_based_on(self, policy: Framework) -> str:
        row = self._row(policy)
        return row.based_on if row else ""

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_tags(self, policy: Framework) -> Any:
        return scope_for(self.context["request"].user, policy.id, self.context["view"].known.scopes)


class NewPolicy(Body):
    name = Text(max_length=100)
    description = Text(max_length=1000, allow_blank=True, default="")
    based_on = Text(
        max_length=100, allow_blank=True, default="", help_text="The id of the policy to copy; empty: no rules yet."
    )
    provider = Text(
        max_length=30,
        allow_blank=True,
        default="",
        help_text="Of a policy that is no copy; needed only where several are enabled.",
    )


class PolicyChanges(Body):
    name = Text(max_length=100, required=False, help_text="Of an own policy.")
    description = Text(max_length=1000, allow_blank=True, required=False, help_text="Of an own one.")
    tags = serializers.DictField(
        child=Text(allow_blank=True),
        required=False,
        help_text="Of any policy: it applies to accounts that have all of them; empty: to none by tag.",
    )


class AddedRule(Body):
    rule = Text(max_length=200)
    control = Text(
        max_length=100, allow_blank=True, default="", help_text="The control's id; empty: one for added rules."
    )


_ID = [OpenApiParameter("id", str, OpenApiParameter.PATH)]


@extend_schema_view(retrieve=extend_schema(parameters=_ID), destroy=extend_schema(parameters=_ID))
class Policies(Contributions):
    """Policies that can be chosen for an account, the plugins' and people's own, each control with its rules."""

    noun = "policy"
    serializer_class = PolicySerializer
    acts: ClassVar[dict[str, str]] = dict.fromkeys(
        ("create", "partial_update", "destroy", "add_rule", "remove_rule"), "set_policies"
    )

    @cached_property
    def known(self) -> Catalogue:
        return catalogue()

    @cached_property
    def own(self) -> dict[str, Policy]:
        return {row.key: row for row in Policy.objects.all()}

    def things(self) -> Any:
        return self.known.policies

    def _answer(self, id: str, status: int = status.HTTP_200_OK) -> Response:
        """The policy as it is after a change."""
        self.__dict__.pop("known", None)
        self.__dict__.pop("own", None)
        return Response(self.get_serializer(self.known.policies[id]).data, status)

    def _find(self, id: str) -> Policy:
        if id not in self.known.policies:
            raise self.missing()
        if id not in self.own:
            raise ValidationError(
                {"policy": [_("This policy comes from a plugin and is read-only. Clone it and change the clone.")]}
            )
        return self.own[id]

    @extend_schema(request=NewPolicy, responses={201: PolicySerializer})
    def create(self, request: Request) -> Response:
        """Make an own policy: a copy of another, or one without rules."""
        return self._answer(services.create_policy(self.actor, **self.body(NewPolicy)).key, status.HTTP_201_CREATED)

    @extend_schema(parameters=_ID, request=PolicyChanges, responses=PolicySerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change an own policy's name and description, or to which accounts any policy applies by tag."""
        asked = self.body(PolicyChanges)
        tags = asked.pop("tags", None)
        if id not in self.known.policies:
            raise self.missing()
        if asked:
            services.configure_policy(self.actor, self._find(id), **asked)
        if tags is not None:
            services.set_scope(self.actor, id, tags)
        return self._answer(id)

    def destroy(self, request: Request, id: str) -> Response:
        """Delete an own policy that applies to no account."""
        services.remove_policy(self.actor, self._find(id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(parameters=_ID, request=AddedRule, responses=PolicySerializer)
    @action(detail=True, methods=["post"], url_path="rules")
    def add_rule(self, request: Request, id: str) -> Response:
        """Add a rule to an own policy; accounts that it applies to are judged again, without a scan."""
        services.add_rule(self.actor, self._find(id), **self.body(AddedRule))
        return self._answer(id)

    @extend_schema(
        parameters=[*_ID, OpenApiParameter("rule", str, OpenApiParameter.PATH)],
        request=None,
        responses={200: PolicySerializer},
    )
    @action(detail=True, methods=["delete"], url_path="rules/(?P<rule>[^/]+)")
    def remove_rule(self, request: Request, id: str, rule: str) -> Response:
        """Take a rule out of all controls of an own policy; accounts that it applies to are judged again."""
        services.remove_rule(self.actor, self._find(id), rule)
        return self._answer(id)


class RuleSettingSerializer(serializers.ModelSerializer[RuleSetting]):
    rule = serializers.CharField(source="rule_id")
    account = Named(allow_null=True)
    policy = serializers.CharField(source="policy.key", default=None, allow_null=True)
    severity = serializers.CharField(help_text="Empty: not set here.")
    parameters = serializers.DictField(help_text="Those that are set here, by name.")

    class Meta:
        model = RuleSetting
        fields = ["id", "rule", "account", "policy", "off", "severity", "parameters", "reason", "set_by", "set_at"]
        read_only_fields = fields


class UnmetSerializer(serializers.Serializer[Unmet]):
    policy = serializers.CharField(source="policy.id")
    policy_name = serializers.CharField(source="policy.name")
    control = serializers.CharField(source="control.id")
    title = serializers.CharField(source="control.title")
    parameter = serializers.CharField(source="deviation.demand.parameter.name")
    in_force = serializers.JSONField(source="deviation.in_force")
    demanded = serializers.JSONField(source="deviation.demand.value")
    message = serializers.CharField(source="deviation")


class SavedRuleSettingSerializer(RuleSettingSerializer):
    unmet = serializers.SerializerMethodField(
        help_text="Controls that require a stricter value than is in force now, and do not pass by this rule."
    )

    class Meta(RuleSettingSerializer.Meta):
        fields = [*RuleSettingSerializer.Meta.fields, "unmet"]
        read_only_fields = fields

    @extend_schema_field(UnmetSerializer(many=True))
    def get_unmet(self, row: RuleSetting) -> Any:
        accounts = [row.account] if row.account else Account.objects.visible_to(self.context["request"].user)
        rule = catalogue().rule(row.rule_id)
        return [UnmetSerializer(each).data for each in unmet(rule, accounts)] if rule else []


LARGEST_NUMBER = 2**31 - 1
NUMBER = {"type": "integer", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}


@extend_schema_field({"oneOf": [NUMBER, {"type": "array", "items": NUMBER}]})
class ThresholdField(serializers.Field[Any, Any, Any, Any]):
    """A whole number, or a list of them; the rule says which, and which ones."""

    def to_internal_value(self, data: Any) -> Any:
        number = Whole(min_value=-LARGEST_NUMBER, max_value=LARGEST_NUMBER)
        if isinstance(data, list):
            return serializers.ListField(child=number).run_validation(data)
        return number.run_validation(data)

    def to_representation(self, value: Any) -> Any:
        return value


class NewRuleSetting(Body):
    """What is set of a rule in one place, all of it: what is left out is not set there."""

    rule = Text(max_length=200)
    account = IdField(required=False, allow_null=True, help_text="For this account; without a policy: everywhere.")
    policy = Text(max_length=100, required=False, allow_null=True, help_text="In this own policy, by its id.")
    off = Switch(default=False, help_text="Not for a policy: remove the rule from it instead.")
    severity = Choice(SeverityChoice.choices, allow_blank=True, default="", help_text="Empty: not set here.")
    parameters = serializers.DictField(
        child=ThresholdField(), default=dict, help_text="By name: a whole number, or a list of ports."
    )
    reason = ReasonField(default="", allow_blank=True)


class RuleSettingFilter(filters.FilterSet):
    rule = filters.CharFilter(field_name="rule_id")
    account = IdFilter(field_name="account_id")
    policy = filters.CharFilter(field_name="policy__key")
    off = SwitchFilter()


class RuleSettings(Models):
    """Rules that are off, or have another severity or other thresholds: everywhere, in an own policy, in an account."""

    noun = "rule setting"
    queryset = RuleSetting.objects.select_related("account", "policy")
    serializer_class = RuleSettingSerializer
    filterset_class = RuleSettingFilter
    ordering_fields = ["rule_id", "set_at"]
    acts: ClassVar[dict[str, str]] = {"create": "set_policies", "destroy": "set_policies"}

    @extend_schema(request=NewRuleSetting, responses={201: SavedRuleSettingSerializer, 204: None})
    def create(self, request: Request) -> Response:
        """Set a rule in one place to exactly this; setting nothing takes back what was set there (204)."""
        asked = self.body(NewRuleSetting)
        place = self._place(self.actor, asked.pop("account", None), asked.pop("policy", None))
        row = rule_settings.set_rule(self.actor, asked.pop("rule"), place, **asked)
        if row is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        saved = SavedRuleSettingSerializer(row, context=self.get_serializer_context())
        return Response(saved.data, status.HTTP_201_CREATED)

    def _place(self, actor: Actor, account: int | None, policy: str | None) -> Place:
        row = Account.objects.visible_to(actor.user).filter(pk=account).first() if account else None
        own = Policy.objects.filter(key=policy).first() if policy else None
        if account and row is None:
            raise ValidationError({"account": [_("There is no account %(id)s.") % {"id": account}]})
        if policy and own is None:
            raise ValidationError({"policy": [_("There is no custom policy %(id)s.") % {"id": policy}]})
        return Place(row, own)

    def destroy(self, request: Request, id: str) -> Response:
        """Take back what was set in one place."""
        rule_settings.lift(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
