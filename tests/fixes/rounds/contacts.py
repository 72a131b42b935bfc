"""The account's contacts."""

from __future__ import annotations

from typing import Any

from tests.fixes.rounds.round import Made, goes_round

from nephoscope_aws_simulator.testing import Cloud

CONTACT = "AWS::Account::AlternateContact"


@goes_round(
    "aws.account.set_security_contact",
    "aws.account.security_contact",
    inputs={"email": "security@example.com", "phone": "+1 206 555 0100"},
)
def no_contact(cloud: Cloud) -> Made:
    client = cloud.client("account")
    client.put_alternate_contact(
        AlternateContactType="BILLING", EmailAddress="bills@example.com", Name="Bo", PhoneNumber="1", Title="clerk"
    )

    def now(kind: str) -> Any:
        try:
            return client.get_alternate_contact(AlternateContactType=kind)["AlternateContact"]
        except client.exceptions.ResourceNotFoundException:
            return None

    name = "Security contact"
    return Made(CONTACT, f"{CONTACT}:SECURITY", name, lambda: now("SECURITY"), lambda: now("BILLING"), region="global")
