"""The analyzers of IAM Access Analyzer in a region.

Calls per region: 1 (a page holds 1,000 analyzers).
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.api import Api
from nephoscope_aws.collectors.region_settings import collector
from nephoscope_aws.collectors.shape import part

SETTINGS = "AWS::AccessAnalyzer::RegionSettings"

READS = {("accessanalyzer", "list_analyzers"): "access-analyzer:ListAnalyzers"}

SYNTHETIC = {SETTINGS: ("Analyzers",)}
"""``Analyzers`` is a list of AWS::AccessAnalyzer::Analyzer: AnalyzerName, Type, and Status under Observed."""


def _read(api: Api, region: str) -> dict[str, Any]:
    listed = api.pages("accessanalyzer", "list_analyzers", "analyzers", region=region, maxResults=1000)
    analyzers = [
        {"AnalyzerName": each["name"], "Type": each["type"], "Observed": {"Status": each["status"]}} for each in listed
    ]
    return {"Analyzers": part(lambda: sorted(analyzers, key=lambda each: str(each["AnalyzerName"])))}


COLLECTOR = collector("accessanalyzer", "IAM Access Analyzer", SETTINGS, READS, _read)
