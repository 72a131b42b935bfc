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
        3. In an organization, the management account can set it for member accounts.
    """,
    commands="""
        aws account put-alternate-contact --alternate-contact-type=SECURITY --name={CONTACT_NAME}
          --title={CONTACT_TITLE} --email-address={CONTACT_EMAIL} --phone-number={CONTACT_PHONE}
    """,
    inputs={
        "CONTACT_NAME": "the name of the security contact",
        "CONTACT_TITLE": "the title of the contact",
        "CONTACT_EMAIL": "a shared mailbox that is monitored every day",
        "CONTACT_PHONE": "the phone number",
    },
    link="https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html",
    remediations=("aws.account.set_security_contact",),
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
