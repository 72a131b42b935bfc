"""What AWS Config records in a region.

Calls per region: 1, and 1 more where there is a recorder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nephoscope_aws.api import Api
from nephoscope_aws.collectors.region_settings import collector
from nephoscope_aws.collectors.shape import PROBLEMS, hidden, part

SETTINGS = "AWS::Config::RegionSettings"

READS = {
    ("config", "describe_configuration_recorders"): "config:DescribeConfigurationRecorders",
    ("config", "describe_configuration_recorder_status"): "config:DescribeConfigurationRecorderStatus",
}

SYNTHETIC = {SETTINGS: ("ConfigurationRecorders",)}
"""A list of AWS::Config::ConfigurationRecorder: Name, RecordingGroup, and under Observed what its status says."""

Item = dict[str, Any]


def _read(api: Api, region: str) -> Item:
    recorders = api.call("config", "describe_configuration_recorders", region=region)["ConfigurationRecorders"]
    if not recorders:
        return {"ConfigurationRecorders": []}
    observed = _observed(api, region)
    return {"ConfigurationRecorders": [_recorder(each, part(partial(observed, each["name"]))) for each in recorders]}


def _observed(api: Api, region: str) -> Callable[[str], Item]:
    """Return what gives a recorder's status by its name, or what stands for it."""
    try:
        answer = api.call("config", "describe_configuration_recorder_status", region=region)
    except PROBLEMS as problem:
        why = hidden(problem)
        return lambda name: why
    statuses = answer["ConfigurationRecordersStatus"]

    def observed(name: str) -> Item:
        status = next((each for each in statuses if each["name"] == name), None)
        if status is None:
            return {"Recording": False, "LastStatus": None}
        return {"Recording": status["recording"], "LastStatus": status.get("lastStatus")}

    return observed


def _recorder(recorder: Mapping[str, Any], observed: Item) -> Item:
    group = recorder.get("recordingGroup", {})
    return {
        "Name": recorder["name"],
        "RecordingGroup": {
            "AllSupported": group.get("allSupported", False),
            "IncludeGlobalResourceTypes": group.get("includeGlobalResourceTypes", False),
        },
        "Observed": observed,
    }


COLLECTOR = collector("config", "AWS Config", SETTINGS, READS, _read)
