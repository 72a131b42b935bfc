"""What fixes change: calls that moto lacks, takes no ARN for, or forgets a part of."""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """KMS keys named by ARN and their rotation period, trails by name, SSM's settings of a region."""
    _keys()
    _rotation()
    _trails()
    _service_settings()


def _keys() -> None:
    """Each call on a key takes its ARN: https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html"""
    from moto.kms.models import KmsBackend

    for name in ("schedule_key_deletion", "cancel_key_deletion", "enable_key", "disable_key"):

        @extend(KmsBackend, name)
        def by_arn(moto: Any, self: Any, key_id: str, *more: Any) -> Any:
            return moto(self, self.get_key_id(key_id), *more)


def _rotation() -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html"""
    from moto.kms.responses import KmsResponse

    @extend(KmsResponse, "enable_key_rotation")
    def enable_key_rotation(moto: Any, self: Any) -> str:
        answer = str(moto(self))
        key = self.kms_backend.keys[self.kms_backend.get_key_id(self._get_param("KeyId"))]
        key.rotation_period = self._get_param("RotationPeriodInDays") or 365
        return answer

    @extend(KmsResponse, "get_key_rotation_status")
    def get_key_rotation_status(moto: Any, self: Any) -> str:
        status = json.loads(moto(self))
        key = self.kms_backend.keys[self.kms_backend.get_key_id(self._get_param("KeyId"))]
        if status["KeyRotationEnabled"]:
            status["RotationPeriodInDays"] = vars(key).get("rotation_period", 365)
        return json.dumps(status)


def _trails() -> None:
    """DescribeTrails tells of those that are asked for, and an empty text takes away a key, log group or role.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-encryption-cli.html
    """
    from moto.cloudtrail.models import Trail
    from moto.cloudtrail.responses import CloudTrailResponse

    @extend(Trail, "update")
    def update(moto: Any, self: Any, **settings: Any) -> None:
        moto(self, **settings)
        for name in ("cw_log_group_arn", "cw_role_arn", "kms_key_id"):
            setattr(self, name, getattr(self, name) or None)

    @extend(CloudTrailResponse, "describe_trails")
    def describe_trails(moto: Any, self: Any) -> str:
        answer, asked = json.loads(moto(self)), self._get_param("trailNameList")
        if asked:
            answer["trailList"] = [
                each for each in answer["trailList"] if each["Name"] in asked or each["TrailARN"] in asked
            ]
        return json.dumps(answer)


_DEFAULTS = {"/ssm/documents/console/public-sharing-permission": "Enable"}


def _service_settings() -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetServiceSetting.html"""
    from moto.core.responses import ActionResult, EmptyResult
    from moto.ssm.responses import SimpleSystemManagerResponse as Response

    def settings(self: Any) -> dict[str, str]:
        held: dict[str, str] = vars(self.ssm_backend).setdefault("service_settings", {})
        return held

    @replace(Response, "get_service_setting")
    def get_service_setting(self: Any) -> Any:
        id = self._get_param("SettingId")
        value = settings(self).get(id, _DEFAULTS.get(id, ""))
        return ActionResult({"ServiceSetting": {"SettingId": id, "SettingValue": value}})

    @replace(Response, "update_service_setting")
    def update_service_setting(self: Any) -> Any:
        settings(self)[self._get_param("SettingId")] = self._get_param("SettingValue")
        return EmptyResult()
