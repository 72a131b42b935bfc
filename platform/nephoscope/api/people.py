"""Oneself; and, for administrators, users with their tokens, and groups of accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import ACTS, Role, may
from nephoscope.api.kit.fields import Address, Choice, Switch, Text, rows
from nephoscope.api.kit.filters import IdFilter, SwitchFilter
from nephoscope.api.kit.serializers import Body, Named
from nephoscope.api.kit.views import Endpoint, Models
from nephoscope.api.tokens import TokenSerializer
from nephoscope.people import services as people
from nephoscope.people import tokens


class MeSerializer(serializers.ModelSerializer[User]):
    may = serializers.SerializerMethodField(help_text="The acts that the role includes.")
    email = Address(allow_blank=True, read_only=True)
    account_groups = Named(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", *people.OWN, "role", "may", "account_groups"]
        read_only_fields = fields

    def get_may(self, user: User) -> list[str]:
        return [act for act in ACTS if may(user, act)]


class OwnChanges(Body):
    first_name = Text(max_length=150, allow_blank=True, required=False)
    last_name = Text(max_length=150, allow_blank=True, required=False)
    email = Address(allow_blank=True, required=False)
    time_zone = Text(max_length=60, required=False)
    language = Text(max_length=10, allow_blank=True, required=False, help_text="Of the console; empty: the browser's.")


class Me(Endpoint):
    """Who one is, and what one may do."""

    acts: ClassVar[dict[str, str]] = {"change": "profile"}

    serializer_class = MeSerializer
    queryset = User.objects.all()
    filter_backends = []
    pagination_class = None

    @extend_schema(responses=MeSerializer)
    def show(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)

    @extend_schema(request=OwnChanges, responses=MeSerializer)
    def change(self, request: Request) -> Response:
        """Change one's own profile. Role, groups and user name are an administrator's to change."""
        people.change_own_profile(self.actor, **self.body(OwnChanges))
        self.actor.user.refresh_from_db()
        return self.show(request)


class UserSerializer(serializers.ModelSerializer[User]):
    email = Address(allow_blank=True, read_only=True)
    account_groups = Named(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", *people.PROFILE, "account_groups", "date_joined", "last_login"]
        read_only_fields = fields


class UserChanges(OwnChanges):
    username = Text(max_length=150, required=False)
    password = Text(
        max_length=4096,
        required=False,
        write_only=True,
        trim_whitespace=False,
        help_text="A new one revokes the user's tokens.",
    )
    role = Choice(Role.choices, required=False)
    is_active = Switch(required=False)
    is_staff = Switch(required=False, help_text="May sign in to the console.")
    account_groups = rows(AccountGroup.objects.all(), required=False)


class NewUser(UserChanges):
    username = Text(max_length=150)
    password = Text(max_length=4096, write_only=True, trim_whitespace=False)


class Administered(Models):
    """What only administrators see and change."""

    acts: ClassVar[dict[str, str]] = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "tokens", "revoke_token"), "administer"
    )

    def get_queryset(self) -> Any:
        return super(Models, self).get_queryset()


class UserFilter(filters.FilterSet):
    username = filters.CharFilter()
    role = filters.ChoiceFilter(choices=Role.choices)
    is_active = SwitchFilter()
    account_groups = IdFilter(field_name="account_groups", distinct=True)


class Users(Administered):
    """People and programs that may use Nephoscope."""

    noun = "user"
    queryset = User.objects.prefetch_related("account_groups").order_by("username")
    serializer_class = UserSerializer
    filterset_class = UserFilter
    ordering_fields = ["username", "role", "date_joined", "last_login"]

    @extend_schema(request=NewUser, responses={201: UserSerializer})
    def create(self, request: Request) -> Response:
        return self.shown(people.create_user(self.actor, **self.body(NewUser)), status.HTTP_201_CREATED)

    @extend_schema(request=UserChanges, responses=UserSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        return self.shown(people.configure_user(self.actor, self.get_object(), **self.body(UserChanges)))

    def destroy(self, request: Request, id: str) -> Response:
        """Remove a user; what they did stays in the audit log."""
        people.remove_user(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=TokenSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def tokens(self, request: Request, id: str) -> Response:
        """The user's API tokens, without their secrets."""
        return Response(TokenSerializer(tokens.tokens_of(self.get_object()), many=True).data)

    @extend_schema(parameters=[OpenApiParameter("key", str, OpenApiParameter.PATH)], responses={204: None})
    @action(detail=True, methods=["delete"], url_path="tokens/(?P<key>[^/]+)")
    def revoke_token(self, request: Request, id: str, key: str) -> Response:
        """Revoke one of the user's tokens."""
        token = tokens.find_token(self.get_object(), key)
        if token is None:
            raise NotFound(_("There is no %(noun)s %(id)s.") % {"noun": "token", "id": key})
        tokens.revoke_token(self.actor, token)
        return Response(status=status.HTTP_204_NO_CONTENT)


class NamedUser(serializers.Serializer[Any]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(source="username", read_only=True)


class GroupSerializer(serializers.ModelSerializer[AccountGroup]):
    accounts = Named(many=True, read_only=True)
    users = NamedUser(many=True, read_only=True)

    class Meta:
        model = AccountGroup
        fields = ["id", "name", "description", "accounts", "users"]
        read_only_fields = fields


class GroupChanges(Body):
    name = Text(max_length=100, required=False)
    description = Text(max_length=300, allow_blank=True, required=False)
    accounts = rows(Account.objects.present(), required=False, help_text="All that the group holds from now on.")
    users = rows(User.objects.all(), required=False, help_text="All who are granted the group from now on.")


class NewGroup(GroupChanges):
    name = Text(max_length=100)


class Groups(Administered):
    """Groups of accounts that users are granted together."""

    noun = "group"
    queryset = AccountGroup.objects.prefetch_related(Prefetch("accounts", Account.objects.present()), "users")
    serializer_class = GroupSerializer
    ordering_fields = ["name"]

    @extend_schema(request=NewGroup, responses={201: GroupSerializer})
    def create(self, request: Request) -> Response:
        group = people.save_group(self.actor, AccountGroup(), **self.body(NewGroup))
        return self.shown(group, status.HTTP_201_CREATED)

    @extend_schema(request=GroupChanges, responses=GroupSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        return self.shown(people.save_group(self.actor, self.get_object(), **self.body(GroupChanges)))

    def destroy(self, request: Request, id: str) -> Response:
        """Remove a group; its users no longer see its accounts."""
        people.remove_group(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
