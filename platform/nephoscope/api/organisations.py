"""Organisations and their members over the API."""

from __future__ import annotations

from typing import Any, ClassVar

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account, AccountGroup
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import groups_seen_by, patience
from nephoscope.api.kit.fields import RowField, Text, Whole, rows
from nephoscope.api.kit.filters import IdFilter
from nephoscope.api.kit.serializers import Body, Named, Nothing, SetupTemplateSerializer
from nephoscope.api.kit.views import Models
from nephoscope.connections.entered import shown
from nephoscope.organisations import services
from nephoscope.organisations.models import Member, Organisation, Standing
from nephoscope.organisations.queries import counted


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    account = serializers.SerializerMethodField(help_text="What it is read through; null unless you may see it.")
    groups = Named(many=True, read_only=True)
    include = serializers.SerializerMethodField(help_text="Units by path; empty for those who may not connect.")
    exclude = serializers.SerializerMethodField(help_text="Units by path; empty for those who may not connect.")
    regions = serializers.ListField(child=serializers.CharField(), read_only=True)
    policies = serializers.ListField(child=serializers.CharField(), read_only=True)
    settings = serializers.SerializerMethodField(
        help_text="How the members are reached, as its provider describes it, without secrets; "
        "empty for those who may not connect."
    )
    problem = serializers.SerializerMethodField(help_text="Why the last sync failed, for those who may connect.")
    syncing = serializers.BooleanField(read_only=True)
    members = serializers.SerializerMethodField(help_text="How many that you may see stand where.")

    class Meta:
        model = Organisation
        fields = [
            "id",
            "name",
            "account",
            "settings",
            "include",
            "exclude",
            "regions",
            "policies",
            "scan_every",
            "groups",
            "members",
            "problem",
            "syncing",
            "synced_at",
            "next_sync_at",
            "created_at",
        ]
        read_only_fields = fields

    @property
    def _user(self) -> Any:
        return self.context["request"].user

    @extend_schema_field(Named(allow_null=True))
    def get_account(self, organisation: Organisation) -> Any:
        account = Account.objects.visible_to(self._user).filter(pk=organisation.account_id).first()
        return Named(account).data if account else None

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_settings(self, organisation: Organisation) -> Any:
        if not may(self._user, "connect"):
            return {}
        return shown(organisation, services.organisations_of(organisation.account).fields)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_include(self, organisation: Organisation) -> list[str]:
        return organisation.include if may(self._user, "connect") else []

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_exclude(self, organisation: Organisation) -> list[str]:
        return organisation.exclude if may(self._user, "connect") else []

    def get_problem(self, organisation: Organisation) -> str:
        return organisation.problem if may(self._user, "connect") else ""

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_members(self, organisation: Organisation) -> Any:
        return counted(organisation, self._user)


class OrganisationChanges(Body):
    name = Text(max_length=100, required=False)
    settings = serializers.DictField(
        child=Text(allow_blank=True),
        required=False,
        help_text="The provider's settings of an organisation, see /api/v1/providers; what is left out stays.",
    )
    include = serializers.ListField(
        child=Text(), required=False, help_text="Units by path, as Workloads/Production; empty: all."
    )
    exclude = serializers.ListField(child=Text(), required=False, help_text="Units that are left out.")
    regions = serializers.ListField(
        child=Text(), required=False, help_text="Of new members; empty: those that each has enabled."
    )
    policies = serializers.ListField(
        child=Text(), required=False, help_text="Of new members; empty: those that are so by default."
    )
    groups = rows(AccountGroup.objects.all(), required=False)
    scan_every = Whole(
        min_value=0,
        max_value=24 * 31,
        required=False,
        help_text="Hours between two scans of a new member, the first at once; 0: only when started.",
    )


class NewOrganisation(OrganisationChanges):
    name = Text(max_length=100)
    account = RowField(
        queryset=Account.objects.present(), help_text="The connected account that may list the organisation."
    )


class Organisations(Models):
    """Organisations: those with an account that you may see, for administrators all."""

    noun = "organisation"
    queryset = Organisation.objects.all()
    serializer_class = OrganisationSerializer
    ordering_fields = ["name", "synced_at"]
    acts: ClassVar[dict[str, str]] = {
        "create": "connect",
        "partial_update": "connect",
        "destroy": "connect",
        "sync": "connect",
        "setup_templates": "connect",
    }

    def get_queryset(self) -> Any:
        return super().get_queryset().prefetch_related(groups_seen_by(self.request.user))

    @extend_schema(request=NewOrganisation, responses={201: OrganisationSerializer})
    def create(self, request: Request) -> Response:
        """Connect an organisation; its members come with the first sync."""
        organisation = services.create_organisation(self.actor, **self.body(NewOrganisation))
        return self.shown(organisation, status.HTTP_201_CREATED)

    @extend_schema(request=OrganisationChanges, responses=OrganisationSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change how members are connected from now on."""
        changes = self.body(OrganisationChanges)
        return self.shown(services.configure_organisation(self.actor, self.get_object(), **changes))

    def destroy(self, request: Request, id: str) -> Response:
        """Forget an organisation; the accounts of its members stay."""
        services.remove_organisation(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=Nothing, responses={202: OrganisationSerializer})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, id: str) -> Response:
        """Have a worker list the members and connect the new ones now; it also happens by itself every hour."""
        self.body(Nothing)
        organisation = self.get_object()
        services.request_sync(self.actor, organisation)
        return self.shown(organisation, status.HTTP_202_ACCEPTED)

    @extend_schema(responses={200: SetupTemplateSerializer(many=True), 409: None})
    @action(detail=True, pagination_class=None, url_path="setup-templates")
    def setup_templates(self, request: Request, id: str) -> Response:
        """The setup templates that give access to all members."""
        found = services.setup_templates(self.get_object(), patience())
        return Response(SetupTemplateSerializer(found, many=True).data)


class MemberSerializer(serializers.ModelSerializer[Member]):
    organisation = Named(read_only=True)
    account = Named(read_only=True, allow_null=True)
    tags = serializers.DictField(child=serializers.CharField(), read_only=True)
    state = serializers.CharField(read_only=True, help_text="In the cloud.")
    standing = serializers.CharField(read_only=True, help_text=f"Here: {', '.join(Standing.values)}.")

    class Meta:
        model = Member
        fields = [
            "id",
            "organisation",
            "number",
            "name",
            "path",
            "tags",
            "management",
            "state",
            "standing",
            "since",
            "left_at",
            "account",
            "problem",
            "seen_at",
            "tried_at",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Member) -> dict[str, Any]:
        shown = super().to_representation(instance)
        removed = instance.account is not None and instance.account.removed_at is not None
        return {**shown, "account": None} if removed else shown


class MemberFilter(filters.FilterSet):
    organisation = IdFilter(field_name="organisation_id")
    account = IdFilter(field_name="account_id")
    standing = filters.ChoiceFilter(choices=Standing.choices)
    number = filters.CharFilter()
    path = filters.CharFilter()
    q = filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")


class Members(Models):
    """Accounts of organisations as those list them: the ones that you may see, for administrators all."""

    noun = "member"
    queryset = Member.objects.select_related("organisation", "account")
    serializer_class = MemberSerializer
    filterset_class = MemberFilter
    ordering_fields = ["name", "number", "path", "since"]

    def get_queryset(self) -> Any:
        return super().get_queryset().with_standing()
