"""Tokens: who they act for, and within what scope."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from nephoscope.accounts.models import ApiToken, User
from nephoscope.people.tokens import note_use


class ScopedTokenAuthentication(TokenAuthentication):
    """Gives the request's user the token that is used, so that its scope holds wherever a right is asked for."""

    def validate_user(self, auth_token: Any) -> tuple[User, AuthToken]:
        user, auth = super().validate_user(auth_token)
        token = ApiToken.objects.filter(auth=auth).first()
        if token is None:
            raise AuthenticationFailed(_("Invalid token."))
        user.used_token = token
        note_use(token)
        return user, auth
