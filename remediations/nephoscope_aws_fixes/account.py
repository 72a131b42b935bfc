"""Fixes for what belongs to an AWS account itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nephoscope.domain import Field, FixRequest, LiveSession, PlanProblem, Resource
from nephoscope_aws_fixes.setting import Setting, Target, operation

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"[\s0-9()+-]{1,25}")
"""https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html"""


class SetSecurityContact(Setting):
    """https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html"""

    id = "aws.account.set_security_contact"
    title = "Set the account’s security contact"
    summary = "Sets whom AWS writes to about abuse and leaked keys. The other contacts stay as they are."
    breaks = "Nothing stops working. AWS writes to this address instead of the root user’s."
    group = "Account contacts"
    on = ("AWS::Account::AlternateContact",)
    keys = ("AlternateContactType",)
    getter = operation("account", "get_alternate_contact", "account:GetAlternateContact")
    setter = operation("account", "put_alternate_contact", "account:PutAlternateContact")
    remover = operation("account", "delete_alternate_contact", "account:DeleteAlternateContact")
    inputs = (
        Field("email", "Email address", "A shared mailbox that is read every day."),
        Field("name", "Name", "Of the contact.", default="Security"),
        Field("title", "Title", "Of the contact.", default="Security contact"),
        Field("phone", "Phone number", "With the country code, as +1 206 555 0100."),
    )

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"AlternateContactType": "SECURITY"}

    def arn(self, resource: Resource) -> str:
        return f"arn:aws:account::{resource.account}:account"

    def asked(self, target: Target) -> Mapping[str, Any]:
        return {"AlternateContactType": "SECURITY"}

    def found(self, answer: Mapping[str, Any]) -> Any:
        contact = answer["AlternateContact"]
        return {name: contact.get(name) for name in ("EmailAddress", "Name", "PhoneNumber", "Title")}

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        if before is not None:
            return before
        given = request.inputs
        if not _EMAIL.fullmatch(given["email"]):
            raise PlanProblem("it needs an email address: enter one.")
        if not _PHONE.fullmatch(given["phone"]):
            raise PlanProblem("it needs a phone number, of digits, spaces and + ( ) -: enter one.")
        return {
            "EmailAddress": given["email"],
            "Name": given["name"],
            "PhoneNumber": given["phone"],
            "Title": given["title"],
        }

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties["EmailAddress"] = state["EmailAddress"]
