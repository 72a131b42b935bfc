"""The account's alternate contacts: whom AWS writes to about its security."""

from __future__ import annotations

from tests.truth.account import Truth, holds

CONTACT = "AWS::Account::AlternateContact:SECURITY"


def _contact(truth: Truth, *kinds: str) -> None:
    for kind in kinds:
        truth.client("account").put_alternate_contact(
            AlternateContactType=kind,
            EmailAddress=f"{kind.lower()}@example.com",
            Name="Zoë <b>Öl</b>",
            PhoneNumber="+49 30 1234567",
            Title="on call",
        )


@holds()
def all_contacts(truth: Truth) -> None:
    _contact(truth, "BILLING", "OPERATIONS", "SECURITY")
    truth.judged(CONTACT, passes="security_contact")


@holds()
def other_contacts(truth: Truth) -> None:
    _contact(truth, "BILLING", "OPERATIONS")
    truth.judged(CONTACT, fails="security_contact")


@holds()
def deleted_contact(truth: Truth) -> None:
    _contact(truth, "SECURITY")
    truth.client("account").delete_alternate_contact(AlternateContactType="SECURITY")
    truth.judged(CONTACT, fails="security_contact")


@holds()
def hidden_contact(truth: Truth) -> None:
    _contact(truth, "SECURITY")
    truth.cloud.control("deny", actions=["account:GetAlternateContact"])
    truth.judged("unlisted:AWS::Account::AlternateContact:global:0", unknown="security_contact")
