"""The fix that has AWS Config record everything in a region.

A region has one recorder and one delivery channel at most. What is there is kept and only what is missing is made.
https://docs.aws.amazon.com/config/latest/developerguide/stop-start-recorder.html
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from nephoscope.domain import (
    Call,
    Field,
    FixRequest,
    LiveSession,
    Permission,
    PlanProblem,
    Remediation,
    Resource,
    Step,
    Wait,
)
from nephoscope_aws.call import AwsCall, aws_call
from nephoscope_aws_fixes.setting import Operation, Target, at, operation, unless_hidden
from nephoscope_aws_fixes.switching import Place

NAME = "default"
"""What a recorder and a delivery channel are called that nobody has named."""

ROLE = "AWSServiceRoleForConfig"

State = dict[str, Any]


def _op(name: str, action: str) -> Operation:
    """An operation on recorders or channels; a recorder has an ARN, but no one knows it before it is made."""
    return operation("config", name, f"config:{action}", anywhere=True)


_RECORDERS = _op("describe_configuration_recorders", "DescribeConfigurationRecorders")
_STATUS = _op("describe_configuration_recorder_status", "DescribeConfigurationRecorderStatus")
_CHANNELS = _op("describe_delivery_channels", "DescribeDeliveryChannels")
_RULES = _op("describe_config_rules", "DescribeConfigRules")
_PUT = _op("put_configuration_recorder", "PutConfigurationRecorder")
_DELETE = _op("delete_configuration_recorder", "DeleteConfigurationRecorder")
_PUT_CHANNEL = _op("put_delivery_channel", "PutDeliveryChannel")
_DELETE_CHANNEL = _op("delete_delivery_channel", "DeleteDeliveryChannel")
_START = _op("start_configuration_recorder", "StartConfigurationRecorder")
_STOP = _op("stop_configuration_recorder", "StopConfigurationRecorder")

_EVERY_READ, _EVERY_WRITE = (
    (_RECORDERS, _STATUS, _CHANNELS, _RULES),
    (_PUT, _DELETE, _PUT_CHANNEL, _DELETE_CHANNEL, _START, _STOP),
)


class RecordEverything(Remediation):
    id = "aws.config.record_everything"
    title = "Record all resources with AWS Config in the region"
    summary = "Makes what is missing of a recorder of all resource types and its delivery channel, and starts it."
    breaks = (
        "Nothing stops working. AWS Config is charged by the changes that it records. The policy of the bucket has to "
        "let config.amazonaws.com write to it, or the delivery fails."
    )
    provider = "aws"
    group = "Security services"
    loses = ""
    on = ("AWS::Config::RegionSettings",)
    reads = (*(action for each in _EVERY_READ for action in each.actions), "iam:GetRole")
    writes = (*(action for each in _EVERY_WRITE for action in each.actions), "iam:PassRole")
    inputs = (Field("bucket", "S3 bucket", "Where AWS Config delivers to, where the region has no delivery channel."),)
    settles = 900

    def plan(self, request: FixRequest, session: LiveSession) -> list[Step]:
        place = Place(request.resource.region, request.resource.account)
        with unless_hidden():
            steps = list(_steps(request, place, session))
        if not steps:
            raise PlanProblem("it records everything; why it does not deliver, its status in the console says.")
        return steps

    def state(self, step: Step, session: LiveSession) -> Any:
        asked = AwsCall.of(step.call)
        return _STATES[asked.operation](asked.region, session)

    def project(self, resource: Resource, steps: Sequence[Step]) -> Resource | None:
        group = {"AllSupported": True, "IncludeGlobalResourceTypes": False}
        works = {"Recording": True, "LastStatus": "SUCCESS"}
        recorder = {"Name": NAME, "RecordingGroup": group, "Observed": works}
        return replace(resource, properties={**resource.properties, "ConfigurationRecorders": [recorder]})


def _steps(request: FixRequest, place: Place, session: LiveSession) -> Iterator[Step]:
    resource, target = request.resource.id, place.target()
    recorder, channel = _recorder(place.region, session), _channel(place.region, session)
    name = recorder["name"] if recorder else NAME
    if recorder is None or not _records_all(recorder):
        after = _everything(recorder or {"name": NAME, "roleARN": _role(session)})
        inverse = _put(recorder, place) if recorder else _DELETE.on(target, _named(name))
        yield Step(resource, "Record all resource types", _put(after, place), inverse, recorder, after)
    if channel is None:
        if not (bucket := request.inputs.get("bucket")):
            raise PlanProblem("it has no delivery channel: enter the bucket to deliver to.")
        made = {"name": NAME, "s3BucketName": bucket}
        call = _PUT_CHANNEL.on(target, {"DeliveryChannel": made})
        inverse = _DELETE_CHANNEL.on(target, {"DeliveryChannelName": NAME})
        yield Step(resource, f"Deliver to {bucket}", call, inverse, None, made)
    running = _running(place.region, session)
    if not running["recording"]:
        start, stop = _START.on(target, _named(name)), _STOP.on(target, _named(name))
        read = _STATUS.on(target, {"ConfigurationRecorderNames": [name]})
        delivers = Wait(read, "ConfigurationRecordersStatus.0.lastStatus", ("SUCCESS", "Success"), 900, 15)
        yield Step(resource, "Start recording", start, stop, running, {**running, "recording": True}, delivers)


def _named(name: str) -> dict[str, str]:
    return {"ConfigurationRecorderName": name}


def _records_all(recorder: State) -> bool:
    return bool(at(recorder, ("recordingGroup", "allSupported")))


def _everything(recorder: State) -> State:
    worldwide = bool(at(recorder, ("recordingGroup", "includeGlobalResourceTypes")))
    group = {"allSupported": True, "includeGlobalResourceTypes": worldwide}
    return {**copy.deepcopy(recorder), "recordingGroup": group | {"recordingStrategy": _ALL}}


_USUAL_MODE = {"recordingFrequency": "CONTINUOUS"}
"""https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingMode.html"""

_ALL = {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}


def _put(recorder: State, place: Place) -> Call:
    """Return the call that makes or changes a recorder, which hands the recorder its role."""
    call = _PUT.on(place.target(), {"ConfigurationRecorder": recorder})
    return replace(call, permissions=(*call.permissions, Permission("iam:PassRole", recorder["roleARN"])))


def _role(session: LiveSession) -> str:
    """Return the service-linked role of AWS Config, which there is once for the account."""
    read = aws_call("iam", "get_role", {"RoleName": ROLE}, Permission("iam:GetRole"))
    arn = at(session.read(read), ("Role", "Arn"))
    if not arn:
        raise PlanProblem(
            f"the account has no role {ROLE} yet: run aws iam create-service-linked-role "
            "--aws-service-name=config.amazonaws.com first."
        )
    return str(arn)


# -- what is there -------------------------------------------------------------------------------------


def _recorder(region: str, session: LiveSession) -> State | None:
    """Return the recorder as it is put, without what says nothing: empty lists, and the mode that it has anyway."""
    answer = session.read(_RECORDERS.on(Target({}, "*", region), {}))
    found = at(answer, ("ConfigurationRecorders", 0))
    if found is None:
        return None
    group = {key: value for key, value in found.get("recordingGroup", {}).items() if not _is_empty(value)}
    kept = {"name": found["name"], "roleARN": found["roleARN"], "recordingGroup": group}
    mode = {key: value for key, value in found.get("recordingMode", {}).items() if not _is_empty(value)}
    return kept if mode in ({}, _USUAL_MODE) else {**kept, "recordingMode": mode}


def _is_empty(value: Any) -> bool:
    return value in ([], {}, {"resourceTypes": []})


def _channel(region: str, session: LiveSession) -> State | None:
    answer = session.read(_CHANNELS.on(Target({}, "*", region), {}))
    found: State | None = at(answer, ("DeliveryChannels", 0))
    return found


def _running(region: str, session: LiveSession) -> State:
    """Return whether it records, and how many rules use what it records: stopping it stops them."""
    where = Target({}, "*", region)
    status = at(session.read(_STATUS.on(where, {})), ("ConfigurationRecordersStatus", 0)) or {}
    rules = at(session.read(_RULES.on(where, {})), ("ConfigRules",))
    return {"recording": bool(status.get("recording")), "rules": len(rules or ())}


_STATES: Mapping[str, Any] = {
    _PUT.name: _recorder,
    _PUT_CHANNEL.name: _channel,
    _START.name: _running,
}
"""What reads the state that an operation changes."""
