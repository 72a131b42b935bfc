"""Accounts over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import groups_seen_by, patience, provider_of
from nephoscope.api.events import EventActs
from nephoscope.api.kit.conditions import ConditionSerializer, conditions_of
from nephoscope.api.kit.fields import Switch, Text, Whole, rows
from nephoscope.api.kit.filters import IdFilter
from nephoscope.api.kit.parameters import SwitchParameter
from nephoscope.api.kit.patterns import ANY_TEXT
from nephoscope.api.kit.serializers import Body, Named, Nothing, SetupTemplateSerializer
from nephoscope.api.scans import ScanDetailSerializer
from nephoscope.connections import services
from nephoscope.connections.conditions import condition
from nephoscope.connections.entered import shown
from nephoscope.connections.fix_access import group_access
from nephoscope.plugins import registry
from nephoscope.scans import removing
from nephoscope.scans.services import start_scan


class CheckSerializer(serializers.Serializer[Any]):
    permission = serializers.CharField()
    allowed = serializers.BooleanField(allow_null=True, help_text="Null when it could not be found out.")
    detail = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    principal = serializers.CharField(help_text="Who Nephoscope is in the account.")
    checks = CheckSerializer(many=True)


class VerificationSerializer(serializers.Serializer[Any]):
    reading = VerifiedSerializer(required=False)
    writing = VerifiedSerializer(required=False)


class GroupAccessSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="group.id", help_text="The group's name in the access for fixes.")
    title = serializers.CharField(source="group.title")
    permissions = serializers.ListField(child=serializers.CharField(), source="group.permissions")
    allowed = serializers.BooleanField(allow_null=True, help_text="By the last verification; null when not known.")


class AccountSerializer(serializers.ModelSerializer[Account]):
    groups = Named(many=True, read_only=True)
    regions = serializers.ListField(child=serializers.CharField(), read_only=True)
    services = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The services that are scanned; empty: all."
    )
    policies = serializers.ListField(child=serializers.CharField(), read_only=True)
    tags = serializers.DictField(child=serializers.CharField(), read_only=True)
    verification = serializers.SerializerMethodField()
    fix_access = serializers.SerializerMethodField(help_text="What the access for fixes allows, by groups of fixes.")
    condition = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField(
        help_text="How the account is reached, external ids included and secrets not; "
        "empty for those who may not connect accounts."
    )

    class Meta:
        model = Account
        fields = [
            "id",
            "name",
            "provider",
            "number",
            "groups",
            "regions",
            "services",
            "policies",
            "tags",
            "settings",
            "verification",
            "fix_access",
            "condition",
            "scan_every",
            "next_scan_at",
            "verified_at",
            "writing_verified_at",
            "created_at",
            "removed_at",
        ]
        read_only_fields = fields

    @extend_schema_field(VerificationSerializer)
    def get_verification(self, account: Account) -> Any:
        return account.verification

    @extend_schema_field(GroupAccessSerializer(many=True))
    def get_fix_access(self, account: Account) -> Any:
        return GroupAccessSerializer(group_access(account), many=True).data if account.writing_verified_at else []

    @extend_schema_field(ConditionSerializer)
    def get_condition(self, account: Account) -> Any:
        found = conditions_of(self.context["request"]).get(account.pk)
        return ConditionSerializer(found or condition(account)).data

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_settings(self, account: Account) -> Any:
        if not may(self.context["request"].user, "connect"):
            return {}
        provider = registry().providers.get(account.provider)
        return shown(account, provider.fields if provider else ())


class NewAccount(Body):
    name = Text(max_length=100)
    provider = Text(max_length=30, allow_blank=True, default="", help_text="Needed only where several are enabled.")
    settings = serializers.DictField(
        child=Text(allow_blank=True),
        default=dict,
        help_text="The provider's settings, see /api/v1/providers; they can also be given to verify.",
    )


class AccountChanges(Body):
    name = Text(max_length=100, required=False)
    regions = serializers.ListField(child=Text(), required=False)
    services = serializers.ListField(child=Text(), required=False, help_text="The services to scan; none: all.")
    policies = serializers.ListField(child=Text(), required=False)
    groups = rows(AccountGroup.objects.all(), required=False)
    tags = serializers.DictField(
        child=Text(allow_blank=True),
        required=False,
        help_text="All of the account's tags; policies can apply to accounts by them.",
    )
    scan_every = Whole(
        min_value=0, max_value=24 * 31, required=False, help_text="Hours between two scans; 0: only when started."
    )


class Connecting(serializers.Serializer[Any]):
    """The provider's settings by name (see /api/v1/providers), to try.

    Those that are left out stay as they are, and so do secrets that are empty.
    """

    writing = Switch(default=False, help_text="Verify the access for fixes.")
    own_credentials = Switch(
        default=False, help_text="Connect as Nephoscope's own credentials: empties the settings for reading."
    )

    def to_internal_value(self, data: Any) -> Any:
        """The provider says which settings there are, so what is unknown here is for it to judge."""
        checked: dict[str, Any] = super().to_internal_value(data)
        return checked | {"settings": {name: value for name, value in data.items() if name not in self.fields}}


class ConnectingSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # it registers its subclasses
    """Describes the body by the fields of the enabled providers."""

    target_class = Connecting

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        described: dict[str, Any] = auto_schema._map_basic_serializer(self.target, direction)
        settings: dict[str, list[str]] = {}
        for provider in registry().providers.values():
            for field in provider.fields:
                settings.setdefault(field.name, []).append(f"{provider.name}: {field.label}. {field.help}".strip())
        said = {
            name: {"type": "string", "pattern": ANY_TEXT, "description": "\n\n".join(each)}
            for name, each in settings.items()
        }
        properties = {**said, **described["properties"]}
        return {**described, "properties": properties, "additionalProperties": False}


class Removing(Body):
    permanently = SwitchParameter(default=False, help_text="Delete a removed account for good.")
    name = Text(
        allow_blank=True,
        trim_whitespace=False,
        default="",
        help_text="With permanently: the account's name, to confirm.",
    )


class Reaching(Body):
    writing = SwitchParameter(default=False, help_text="The access for fixes.")


class ScanRequest(Body):
    services = serializers.ListField(child=Text(), default=list, help_text="All of the account's unless named.")
    regions = serializers.ListField(child=Text(), default=list, help_text="All of the account's unless named.")


class RegionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    enabled = serializers.BooleanField()


class AccountFilter(filters.FilterSet):
    organisation = IdFilter(field_name="memberships__organisation_id", distinct=True)
    provider = filters.CharFilter()
    number = filters.CharFilter()
    name = filters.CharFilter()


class Accounts(EventActs):
    """Connected accounts: only those of the user's groups, for administrators all."""

    noun = "account"
    queryset = Account.objects.all()
    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    ordering_fields = ["name", "created_at", "verified_at"]
    acts: ClassVar[dict[str, str]] = {
        "create": "connect",
        "partial_update": "connect",
        "destroy": "connect",
        "restore": "connect",
        "removed": "connect",
        "verify": "connect",
        "regions": "connect",
        "setup_templates": "connect",
        "scan": "scan",
        "events_on": "connect",
        "events_off": "connect",
        "events_rotate": "connect",
        "events_setup_templates": "connect",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().prefetch_related(groups_seen_by(self.request.user))

    @extend_schema(request=NewAccount, responses={201: AccountSerializer})
    def create(self, request: Request) -> Response:
        """Begin to connect an account; it stays pending until it is verified."""
        account = services.create_account(self.actor, **self.body(NewAccount))
        return self.shown(account, status.HTTP_201_CREATED)

    @extend_schema(request=AccountChanges, responses=AccountSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change the name, the regions, services and policies to scan, or the groups that see the account."""
        changes = {**self.body(AccountChanges), "deadline": patience()}
        return self.shown(services.configure_account(self.actor, self.get_object(), **changes))

    @extend_schema(parameters=[Removing])
    def destroy(self, request: Request, id: str) -> Response:
        """Remove an account: it is not scanned any more and appears nowhere. All that is in it is kept.

        With `permanently`, delete one that was removed, with all that is in it; the audit log stays.
        """
        asked = self.parameters(Removing)
        if asked["permanently"]:
            removing.delete_account(self.actor, self._removed(), name=asked["name"])
        else:
            removing.remove_account(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=Nothing, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, id: str) -> Response:
        """Bring a removed account back, with all that is in it."""
        self.body(Nothing)
        account = self._removed()
        removing.restore_account(self.actor, account)
        return self.shown(account)

    @extend_schema(responses=AccountSerializer(many=True))
    @action(detail=False, filterset_class=None)
    def removed(self, request: Request) -> Response:
        """The accounts that were removed, the last one first; for those who may connect accounts."""
        found = self.filter_queryset(Account.objects.removed().prefetch_related("groups"))
        rows = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def _removed(self) -> Account:
        account: Account = self.one_of(Account.objects.removed())
        return account

    @extend_schema(request=Connecting, responses=AccountSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, id: str) -> Response:
        """Reach the cloud, say which permissions are missing, and save the settings if that works."""
        account, asked = self.get_object(), self.body(Connecting)
        settings = asked["settings"]
        if asked["own_credentials"]:
            settings = _own_credentials(account, settings)
        services.verify_account(self.actor, account, settings, writing=asked["writing"], deadline=patience())
        return self.shown(account)

    @extend_schema(request=ScanRequest, responses={201: ScanDetailSerializer})
    @action(detail=True, methods=["post"])
    def scan(self, request: Request, id: str) -> Response:
        """Start a scan; follow it at /api/v1/scans/{id}."""
        scan = start_scan(self.actor, self.get_object(), **self.body(ScanRequest))
        return Response(ScanDetailSerializer(scan).data, status.HTTP_201_CREATED)

    @extend_schema(responses={200: RegionSerializer(many=True), 409: None})
    @action(detail=True, pagination_class=None, filterset_class=None)
    def regions(self, request: Request, id: str) -> Response:
        """Ask the cloud which regions can be chosen."""
        return Response(RegionSerializer(services.available_regions(self.get_object(), patience()), many=True).data)

    @extend_schema(parameters=[Reaching], responses={200: SetupTemplateSerializer(many=True), 409: None})
    @action(detail=True, pagination_class=None, filterset_class=None, url_path="setup-templates")
    def setup_templates(self, request: Request, id: str) -> Response:
        """The setup templates that give access to the account."""
        asked = self.parameters(Reaching)
        found = services.setup_templates(self.get_object(), writing=asked["writing"], deadline=patience())
        return Response(SetupTemplateSerializer(found, many=True).data)


def _own_credentials(account: Account, settings: Mapping[str, Any]) -> dict[str, Any]:
    provider = provider_of(account)
    if not (provider.onboarding and provider.onboarding.own_credentials):
        message = _("%(provider)s is not connected this way; enter its settings.") % {"provider": provider.name}
        raise ValidationError({"own_credentials": [message]})
    own = [each.name for each in provider.fields if not (each.generated or each.for_writing)]
    if both := [name for name in own if settings.get(name)]:
        raise ValidationError({name: [_("Leave this out to use own_credentials.")] for name in both})
    return {**settings, **dict.fromkeys(own, "")}
