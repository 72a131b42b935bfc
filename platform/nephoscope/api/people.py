"""Oneself and one's tokens; and, for administrators, users and groups of accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, SimpleRateThrottle

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.accounts.permissions import ACTS, Role, may
from nephoscope.api.kit.serializers import Body, Named
from nephoscope.api.kit.views import Endpoint, Models
from nephoscope.audit.services import Actor
from nephoscope.people import services as people


class SignInThrottle(SimpleRateThrottle):
    """Bounds guesses from one address: the one that the web server saw, not one that the caller claims."""

    scope = "login"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle-login-{request.META.get('REMOTE_ADDR', '')}"


class SignIn(Body):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)


class TokenSerializer(serializers.ModelSerializer[AuthToken]):
    key = serializers.CharField(source="token_key", read_only=True, help_text="How the token begins; names it.")

    class Meta:
        model = AuthToken
        fields = ["key", "created", "expiry"]
        read_only_fields = fields


class NewTokenSerializer(TokenSerializer):
    token = serializers.CharField(read_only=True, help_text="Shown this once. Send it as: Authorization: Token …")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


@extend_schema_view(destroy=extend_schema(parameters=[OpenApiParameter("key", str, OpenApiParameter.PATH)]))
class Tokens(Endpoint):
    """One's own API tokens."""

    noun = "token"
    queryset = AuthToken.objects.order_by("-created")
    serializer_class = TokenSerializer
    lookup_url_kwarg = "key"
    lookup_value_regex = "[^/]+"
    filter_backends = []
    acts: ClassVar[dict[str, str]] = {"destroy": "view"}

    def _signing_in(self) -> bool:
        return bool(self.request) and self.request.method == "POST"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Signing in needs nothing but the password; a stale token or cookie must not stand in its way."""
        return [] if self._signing_in() else super().get_authenticators()

    def get_authenticate_header(self, request: Request) -> str:
        return "Token"

    def get_permissions(self) -> Any:
        return [AllowAny()] if self._signing_in() else super().get_permissions()

    def get_throttles(self) -> list[BaseThrottle]:
        return [SignInThrottle()] if self._signing_in() else []

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(user=self.request.user.pk)

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=SignIn, responses={201: NewTokenSerializer}, auth=[])
    def create(self, request: Request) -> Response:
        """Trade a user name and password for a token that lasts until it is revoked."""
        user = authenticate(request._request, **self.body(SignIn))
        if not isinstance(user, User):
            raise AuthenticationFailed(_("Incorrect user name or password."))
        token, text = people.issue_token(Actor.of(user, request.META.get("REMOTE_ADDR") or None), user)
        return Response(TokenSerializer(token).data | {"token": text}, status.HTTP_201_CREATED)

    def destroy(self, request: Request, key: str) -> Response:
        """Revoke a token; it may be the one that this request was made with."""
        token = self.get_queryset().filter(token_key=key).first()
        if token is None:
            raise self.missing()
        people.revoke_token(self.actor, token)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeSerializer(serializers.ModelSerializer[User]):
    may = serializers.SerializerMethodField(help_text="The acts that the role includes.")
    account_groups = Named(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "first_name", "last_name", "email", "role", "may", "account_groups", "time_zone"]
        read_only_fields = fields

    def get_may(self, user: User) -> list[str]:
        return [act for act in ACTS if may(user, act)]


class Me(Endpoint):
    """Who one is, and what one may do."""

    serializer_class = MeSerializer
    queryset = User.objects.all()
    filter_backends = []
    pagination_class = None

    @extend_schema(responses=MeSerializer)
    def show(self, request: Request) -> Response:
        return Response(self.get_serializer(request.user).data)


class UserSerializer(serializers.ModelSerializer[User]):
    account_groups = Named(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", *people.PROFILE, "account_groups", "date_joined", "last_login"]
        read_only_fields = fields


class UserChanges(Body):
    username = serializers.CharField(max_length=150, required=False)
    password = serializers.CharField(
        max_length=4096,
        required=False,
        write_only=True,
        trim_whitespace=False,
        help_text="A new one revokes the user's tokens.",
    )
    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    email = serializers.EmailField(allow_blank=True, required=False)
    role = serializers.ChoiceField(Role.choices, required=False)
    time_zone = serializers.CharField(max_length=60, required=False)
    is_active = serializers.BooleanField(required=False)
    is_staff = serializers.BooleanField(required=False, help_text="May sign in to the console.")
    account_groups = serializers.PrimaryKeyRelatedField(queryset=AccountGroup.objects.all(), many=True, required=False)


class NewUser(UserChanges):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=4096, write_only=True, trim_whitespace=False)


class Administered(Models):
    """What only administrators see and change."""

    acts: ClassVar[dict[str, str]] = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy"), "administer"
    )

    def get_queryset(self) -> Any:
        return super(Models, self).get_queryset()


class UserFilter(filters.FilterSet):
    class Meta:
        model = User
        fields = ["username", "role", "is_active", "account_groups"]


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


class GroupSerializer(serializers.ModelSerializer[AccountGroup]):
    class Meta:
        model = AccountGroup
        fields = ["id", "name", "description"]
        read_only_fields = fields


class GroupChanges(Body):
    name = serializers.CharField(max_length=100, required=False)
    description = serializers.CharField(max_length=300, allow_blank=True, required=False)


class NewGroup(GroupChanges):
    name = serializers.CharField(max_length=100)


class Groups(Administered):
    """Groups of accounts that users are granted together."""

    noun = "group"
    queryset = AccountGroup.objects.all()
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
