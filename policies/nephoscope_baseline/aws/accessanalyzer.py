"""Rules on IAM Access Analyzer."""

from __future__ import annotations

from nephoscope.domain import Fail, NotKnown, Severity, Unknown, View, rule

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
        1. In the IAM console, choose Access Analyzer, Analyzer settings, select the region, then choose Create
           analyzer.
        2. Select Resource analysis - External access, and the account or the organization as the zone of trust.
        3. Repeat for every region: an analyzer only covers the resources in its own region.
    """,
    commands="""
        aws accessanalyzer create-analyzer --region={region} --analyzer-name=external-access --type=ACCOUNT
    """,
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-create-external.html",
    remediations=("aws.accessanalyzer.enable",),
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
    """No active IAM Access Analyzer for external access.

    Policies on buckets, keys, roles and queues can grant access to people outside your organization. The analyzer finds
    every such grant, at no charge.
    """
    status = [
        (each["AnalyzerName"], each["Observed.Status"])
        for each in settings.objects("Analyzers")
        if each["Type"] in EXTERNAL
    ]
    states = {state for _, state in status}
    if "ACTIVE" in states:
        return True
    if "CREATING" in states:
        raise NotKnown("Analyzers", Unknown("the analyzer is still being created"))
    said = "; ".join(f"Analyzer '{name}' has status {state}" for name, state in status)
    return Fail(said or "No analyzer for external access in this region", "Analyzers")
