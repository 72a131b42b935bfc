"""The fix of an account's password policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, Resource
from nephoscope_aws_fixes.setting import Setting, at, number, operation

KINDS = ("RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters")
STRONG = {"MinimumPasswordLength": 14, "PasswordReusePrevention": 24, **dict.fromkeys(KINDS, True)}
"""What an account gets that has no policy of its own: a policy that says less could be weaker than AWS's default."""


class StrengthenPasswords(Setting):
    """The state is the whole policy: what is left out of the call falls back to AWS's own values.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
    """

    id = "aws.iam.strengthen_passwords"
    title = "Strengthen the password policy"
    summary = (
        "Sets what the rule asks for and keeps all else in the password policy. Without one, a policy of 14 characters "
        "of all types and 24 remembered passwords is created."
    )
    breaks = "Nobody is signed out. IAM users have to follow the policy when they next change their password."
    group = "Password policy"
    on = ("AWS::::Account",)
    keys = ()
    getter = operation("iam", "get_account_password_policy", "iam:GetAccountPasswordPolicy")
    setter = operation("iam", "update_account_password_policy", "iam:UpdateAccountPasswordPolicy", anywhere=True)
    remover = operation("iam", "delete_account_password_policy", "iam:DeleteAccountPasswordPolicy", anywhere=True)

    def names(self, resource: Resource) -> dict[str, Any]:
        return {}

    def found(self, answer: Mapping[str, Any]) -> Any:
        """Return the policy as it can be set; ExpirePasswords only says that MaxPasswordAge is there."""
        return {name: value for name, value in answer["PasswordPolicy"].items() if name != "ExpirePasswords"}

    def same(self, one: Any, other: Any) -> bool:
        return _said(one) == _said(other)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        return {**(STRONG if before is None else before), **_asked_by(request, before or {})}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return _said(state) or {}

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["PasswordPolicy"] = state

    def uses(self, request: FixRequest, session: LiveSession) -> list[str]:
        users = at(request.resource.properties, ("AccountSummary", "Users"))
        return [f"The account has {users} IAM user{'' if users == 1 else 's'}."] if isinstance(users, int) else []


def _said(policy: Any) -> dict[str, Any] | None:
    """Return a policy without what is the same as left out: no age, none remembered, not required."""
    return None if policy is None else {name: value for name, value in policy.items() if value}


def _asked_by(request: FixRequest, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the rule asks for, by its parameters; never less than there is."""
    names = {"length": "MinimumPasswordLength", "passwords": "PasswordReusePrevention"}
    asked: dict[str, Any] = {
        name: max(number(request, parameter), before.get(name) or 0)
        for parameter, name in names.items()
        if parameter in request.parameters
    }
    return asked or dict.fromkeys(KINDS, True)
