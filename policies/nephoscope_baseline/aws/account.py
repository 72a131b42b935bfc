"""Rules on whom AWS can reach about the account."""

from __future__ import annotations

from nephoscope.domain import Severity, View, rule

CONTACT = "AWS::Account::AlternateContact"


@rule(
    "aws.account.security_contact",
    on=CONTACT,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. Sign in to the console, open the menu of the account and choose Account.
        2. Under Alternate contacts choose Edit and fill in the security contact; best is a shared mailbox that is read
           every day.
        3. By command line: aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME
           --title TITLE --email-address ADDRESS --phone-number NUMBER
        4. In an organization the management account can do so for its members, with --account-id.
        """,
    link="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",
    good=[
        {"AlternateContactType": "SECURITY", "EmailAddress": "security@example.com"},
        {"AlternateContactType": "BILLING", "EmailAddress": None},
    ],
    bad=[
        {"AlternateContactType": "SECURITY", "EmailAddress": None},
        {"AlternateContactType": "SECURITY", "EmailAddress": ""},
        {"AlternateContactType": "SECURITY"},
    ],
)
def security_contact(contact: View) -> bool | None:
    """No security contact is registered.

    When AWS sees abuse or leaked keys of the account, it writes to the security contact. Without one the warning goes
    to the address of the root user, which is often read by nobody.
    """
    if contact["AlternateContactType"] != "SECURITY":
        return None
    return bool(contact["EmailAddress"])
