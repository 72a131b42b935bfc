"""Rules on the account's alternate contacts."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

CONTACT = "AWS::Account::AlternateContact"


@rule(
    "aws.account.security_contact",
    on=CONTACT,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. Sign in to the console, open the account menu and choose Account.
        2. Under Alternate contacts, choose Edit and fill in the security contact, preferably a shared mailbox that is
           monitored every day.
        3. With the AWS CLI: aws account put-alternate-contact --alternate-contact-type SECURITY --name NAME --title
           TITLE --email-address ADDRESS --phone-number NUMBER
        4. In an organization, the management account can set it for member accounts with --account-id.
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
def security_contact(contact: View) -> bool | Fail | None:
    """Account has no security contact.

    AWS sends abuse reports and leaked-key warnings to the security contact. Without one they go to the root user's
    email address, which often nobody reads.
    """
    if contact["AlternateContactType"] != "SECURITY":
        return None
    return bool(contact["EmailAddress"]) or Fail("No email address for the security contact", "EmailAddress")
