"""API tokens: signing in for one, and one's own."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.models import ApiToken, User
from nephoscope.accounts.permissions import Scope
from nephoscope.api.kit.fields import Choice, Text
from nephoscope.api.kit.serializers import Body, Nothing
from nephoscope.api.kit.views import Endpoint
from nephoscope.audit.services import Actor
from nephoscope.people import tokens
from nephoscope.people.door import note_success


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    # Describes ours as it does knox's own.
    target_class = "nephoscope.api.kit.authentication.ScopedTokenAuthentication"


class SignIn(Body):
    username = Text(max_length=150)
    password = Text(max_length=4096, trim_whitespace=False, write_only=True)
    name = Text(max_length=100, default="API sign-in", help_text="What the token is for.")
    scope = Choice(Scope.choices, required=False, help_text="How much of the role the token may use; without it, all.")
    days = Choice(
        tokens.DAYS_CHOICES,
        default=tokens.DEFAULT_DAYS,
        allow_null=True,
        help_text="How long it is valid: 7, 30, 90 or 365 days; null: until it is revoked.",
    )


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    key = serializers.CharField(source="auth.token_key", read_only=True, help_text="How the token begins; names it.")
    created = serializers.DateTimeField(source="auth.created", read_only=True)
    expiry = serializers.DateTimeField(
        source="auth.expiry", read_only=True, allow_null=True, help_text="Null: valid until it is revoked."
    )
    last_used = serializers.DateTimeField(source="used_at", read_only=True, allow_null=True, help_text="To the minute.")

    class Meta:
        model = ApiToken
        fields = ["key", "name", "scope", "created", "expiry", "last_used"]
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
    queryset = ApiToken.objects.all()
    serializer_class = TokenSerializer
    lookup_url_kwarg = "key"
    lookup_value_regex = "[^/]+"
    filter_backends = []
    # A token may revoke itself, whatever its scope; the service refuses the rest.
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

    def get_queryset(self) -> Any:
        return tokens.tokens_of(self.request.user)

    def list(self, request: Request) -> Response:
        self.parameters(Nothing)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=SignIn, responses={201: NewTokenSerializer}, auth=[])
    def create(self, request: Request) -> Response:
        """Trade a user name and password for a token."""
        given = self.body(SignIn)
        who = {name: given.pop(name) for name in ("username", "password")}
        user = authenticate(request._request, **who)
        if not isinstance(user, User):
            raise AuthenticationFailed(_("Incorrect user name or password."))
        address = request.META.get("REMOTE_ADDR") or ""
        note_success(user.get_username(), address)
        token, text = tokens.issue_token(Actor.of(user, address or None), **given)
        return Response(TokenSerializer(token).data | {"token": text}, status.HTTP_201_CREATED)

    def destroy(self, request: Request, key: str) -> Response:
        """Revoke a token; it may be the one that this request was made with."""
        token = tokens.find_token(request.user, key)
        if token is None:
            raise self.missing()
        tokens.revoke_token(self.actor, token)
        return Response(status=status.HTTP_204_NO_CONTENT)
