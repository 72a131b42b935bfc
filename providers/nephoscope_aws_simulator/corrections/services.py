"""What people set up in GuardDuty, Security Hub and Macie, how Macie is suspended, and that AWS Config delivers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace


def apply() -> None:
    """moto lacks most of these operations."""
    _config()
    _guardduty()
    _securityhub()
    _macie()


def _config() -> None:
    """The first delivery takes minutes; here it is made at once. The service-linked role has a name of its own.

    https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationRecorderStatus.html,
    https://docs.aws.amazon.com/config/latest/developerguide/using-service-linked-roles.html
    """
    from moto.config.models import ConfigRecorderStatus
    from moto.iam.models import SERVICE_NAME_CONVERSION

    SERVICE_NAME_CONVERSION["config"] = "Config"

    @extend(ConfigRecorderStatus, "start")
    def start(moto: Any, self: Any) -> None:
        moto(self)
        self.last_status = "SUCCESS"


def _guardduty() -> None:
    """https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFilters.html and its neighbours"""
    from moto.guardduty.responses import GuardDutyResponse
    from moto.guardduty.urls import url_paths

    for path in ("member", "publishingDestination"):
        url_paths[f"{{0}}/detector/(?P<detector_id>[^/]+)/{path}$"] = GuardDutyResponse.dispatch

    @replace(GuardDutyResponse, "list_filters")
    def list_filters(self: Any) -> str:
        detector = self.guardduty_backend.get_detector(self.path.split("/")[-2])
        return json.dumps({"filterNames": list(detector.filters)})

    replace(GuardDutyResponse, "list_members")(_nothing("members"))
    replace(GuardDutyResponse, "list_publishing_destinations")(_nothing("destinations"))


def _securityhub() -> None:
    """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_GetEnabledStandards.html and its neighbours"""
    from moto.securityhub.responses import SecurityHubResponse
    from moto.securityhub.urls import url_paths

    for path in ("standards/get", "automationrules/list"):
        url_paths[f"{{0}}/{path}$"] = SecurityHubResponse.dispatch
    replace(SecurityHubResponse, "get_enabled_standards")(_nothing("StandardsSubscriptions"))
    replace(SecurityHubResponse, "list_automation_rules")(_nothing("AutomationRulesMetadata"))


def _macie() -> None:
    """https://docs.aws.amazon.com/macie/latest/APIReference/macie.html and its neighbours"""
    from moto.macie2.responses import MacieResponse
    from moto.macie2.urls import url_paths

    for path in ("jobs", "custom-data-identifiers"):
        url_paths[f"{{0}}/{path}/list$"] = MacieResponse.dispatch
    replace(MacieResponse, "list_classification_jobs")(_nothing("items"))
    replace(MacieResponse, "list_custom_data_identifiers")(_nothing("items"))

    @replace(MacieResponse, "update_macie_session")
    def update_macie_session(self: Any) -> str:
        given = json.loads(self.body)
        self.macie_backend.macie_session |= {key: given[key] for key in given}
        return "{}"


def _nothing(name: str) -> Callable[[Any], str]:
    """Nobody can make any of these here."""
    return lambda self: json.dumps({name: []})
