"""Rules on IAM Access Analyzer."""

from __future__ import annotations

from nephoscope.domain import Fail, Severity, View, rule

SETTINGS = "AWS::AccessAnalyzer::RegionSettings"

EXTERNAL = {"ACCOUNT", "ORGANIZATION"}
"""The types of analyzers that find access from outside; the others find unused or internal access.
https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_AnalyzerSummary.html"""


def _analyzer(type: str, status: str, name: str = "main") -> dict[str, object]:
    """An example's analyzer."""
    return {"AnalyzerName": name, "Type": type, "Observed": {"Status": status}}


@rule(
    "aws.accessanalyzer.enabled",
    on=SETTINGS,
    severity=Severity.MEDIUM,
    live_only=True,
    fix="""
        1. In the IAM console choose Access Analyzer, Analyzer settings, the region, then Create analyzer.
        2. Choose Resource analysis - External access, and the account or the organization as its zone of trust.
        3. By command line: aws accessanalyzer create-analyzer --analyzer-name NAME --type ACCOUNT --region REGION
        4. Repeat this in every region: an analyzer sees the resources of its own region only.
        """,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-create-external.html",
    good=[
        {"Analyzers": [_analyzer("ACCOUNT", "ACTIVE")]},
        {"Analyzers": [_analyzer("ACCOUNT_UNUSED_ACCESS", "ACTIVE"), _analyzer("ORGANIZATION", "ACTIVE", "org")]},
    ],
    bad=[
        {"Analyzers": []},
        {"Analyzers": [_analyzer("ACCOUNT_UNUSED_ACCESS", "ACTIVE")]},
        {"Analyzers": [_analyzer("ACCOUNT", "FAILED"), _analyzer("ORGANIZATION", "DISABLED")]},
        {},
    ],
)
def enabled(settings: View) -> bool | Fail:
    """IAM Access Analyzer does not look for access from outside.

    Policies on buckets, keys, roles and queues can let strangers in, and reading them all by eye is hopeless. The
    analyzer works out who can reach what and reports each way in from outside, at no charge.
    """
    status = [
        (each["AnalyzerName"], each["Observed.Status"])
        for each in settings.get("Analyzers", ())
        if each["Type"] in EXTERNAL
    ]
    if any(state == "ACTIVE" for _, state in status):
        return True
    said = "; ".join(f"analyzer '{name}' has the status {state}" for name, state in status)
    return Fail(said or "There is no analyzer for external access", "Analyzers")
