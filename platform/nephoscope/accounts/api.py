"""Accounts over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope import domain
from nephoscope.accounts import services
from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import may
from nephoscope.api.serializers import Body, Named
from nephoscope.api.views import Models
from nephoscope.inventory.api import ScanDetailSerializer
from nephoscope.inventory.scans import start_scan


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


class AccountSerializer(serializers.ModelSerializer[Account]):
    groups = Named(many=True, read_only=True)
    regions = serializers.ListField(child=serializers.CharField(), read_only=True)
    policies = serializers.ListField(child=serializers.CharField(), read_only=True)
    verification = serializers.SerializerMethodField()
    settings = serializers.SerializerMethodField(
        help_text="How the account is reached, external ids included; empty for those who may not connect accounts."
    )

    class Meta:
        model = Account
        fields = [
            "id", "name", "provider", "number", "groups", "regions", "policies", "settings", "verification",
            "verified_at", "writing_verified_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(VerificationSerializer)
    def get_verification(self, account: Account) -> dict[str, Any]:
        return account.verification

    def get_settings(self, account: Account) -> dict[str, str]:
        return account.settings if may(self.context["request"].user, "connect") else {}


class NewAccount(Body):
    name = serializers.CharField(max_length=100)
    provider = serializers.CharField(max_length=30, default="aws")
    settings = serializers.DictField(
        child=serializers.CharField(allow_blank=True), default=dict,
        help_text="The provider's settings, see /api/v1/providers; they can also be given to verify.",
    )  # fmt: skip


class AccountChanges(Body):
    name = serializers.CharField(max_length=100, required=False)
    regions = serializers.ListField(child=serializers.CharField(), required=False)
    policies = serializers.ListField(child=serializers.CharField(), required=False)
    groups = serializers.PrimaryKeyRelatedField(queryset=AccountGroup.objects.all(), many=True, required=False)


class Connecting(Body):
    """Which settings to try; those that are left out stay as they are."""

    role_arn = serializers.CharField(required=False, allow_blank=True)
    external_id = serializers.CharField(required=False, allow_blank=True)
    profile = serializers.CharField(required=False, allow_blank=True)
    write_role_arn = serializers.CharField(required=False, allow_blank=True)
    write_external_id = serializers.CharField(required=False, allow_blank=True)
    own_credentials = serializers.BooleanField(default=False)
    writing = serializers.BooleanField(default=False)


class ScanRequest(Body):
    services = serializers.ListField(child=serializers.CharField(), default=list, help_text="All unless named.")
    regions = serializers.ListField(child=serializers.CharField(), default=list, help_text="All unless named.")


class RegionSerializer(serializers.Serializer[domain.Region]):
    id = serializers.CharField()
    enabled = serializers.BooleanField()


class KitSerializer(serializers.Serializer[domain.Kit]):
    id = serializers.CharField()
    title = serializers.CharField()
    filename = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    howto = serializers.CharField()
