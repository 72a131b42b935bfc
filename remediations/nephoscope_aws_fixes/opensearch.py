"""Fixes for Amazon OpenSearch Service domains.

A change of a domain takes minutes to hours, may replace all nodes, and no other can be made meanwhile.
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/managedomains-configuration-changes.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nephoscope.domain import FixRequest, LiveSession, PlanProblem, Resource, Wait
from nephoscope_aws_fixes.public_policy import ClosePolicy
from nephoscope_aws_fixes.setting import Setting, Target, at, operation

DOMAIN = "AWS::OpenSearchService::Domain"
POLICY = "Policy-Min-TLS-1-2-PFS-2023-10"
_SINCE_TLS_1_2 = re.compile(r"Policy-Min-TLS-1-[2-9]-.+")
_ELASTICSEARCH = re.compile(r"Elasticsearch_(\d+)\.(\d+)")

FIRST = (6, 7)
"""The first version of Elasticsearch with which a domain that exists can be encrypted; every OpenSearch can be.
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/encryption-at-rest.html"""


class DomainSetting(Setting):
    """A group of settings of a domain. https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_UpdateDomainConfig.html"""

    group = "OpenSearch"
    on = (DOMAIN,)
    keys = ("DomainName",)
    getter = operation("opensearch", "describe_domain", "es:DescribeDomain")
    setter = operation("opensearch", "update_domain_config", "es:UpdateDomainConfig")
    settles = 3600
    member: str
    """What the group is called."""

    def names(self, resource: Resource) -> dict[str, Any]:
        return {"DomainName": resource.name}

    def found(self, answer: Mapping[str, Any]) -> Any:
        return dict(at(answer, ("DomainStatus", self.member)) or {})

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        domain = self.at_rest(request.resource, session)
        return self.right(before, domain)

    def at_rest(self, resource: Resource, session: LiveSession) -> dict[str, Any]:
        """Return the domain. Raises PlanProblem if it is gone or is being changed."""
        target = self.target(resource)
        domain: dict[str, Any] | None = at(session.read(self.getter.on(target, target.names)), ("DomainStatus",))
        if domain is None:
            raise PlanProblem("it does not exist any more.")
        if domain.get("Processing") or domain.get("UpgradeProcessing"):
            raise PlanProblem("another change of it is under way; plan again when it is done.")
        return domain

    def right(self, before: dict[str, Any], domain: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that should be so, of a domain."""
        return {**before, "Enabled": True}

    def parameters(self, state: Any) -> Mapping[str, Any]:
        return {self.member: state}

    def wait(self, target: Target) -> Wait | None:
        return Wait(self.getter.on(target, target.names), "DomainStatus.Processing", ("False",), 7200, 30)

    def show(self, properties: dict[str, Any], state: Any) -> None:
        properties[self.member] = {**(properties.get(self.member) or {}), **state}


class RemovePublicAccess(DomainSetting, ClosePolicy):
    """https://docs.aws.amazon.com/opensearch-service/latest/developerguide/ac.html"""

    id = "aws.opensearch.remove_public_access"
    title = "Limit the domain’s access policy to its own account"
    summary = ClosePolicy.summary
    breaks = (
        "Whoever connects without signing their requests can no longer do so, browsers that open Dashboards included. "
        "Users and roles of the account then need an IAM policy that allows it."
    )
    member = "AccessPolicies"
    policy_at = ("DomainStatus", "AccessPolicies")
    shown_at = sent_as = "AccessPolicies"
    longest = 102_400

    def found(self, answer: Mapping[str, Any]) -> Any:
        return ClosePolicy.found(self, answer)

    def wanted(self, before: Any, request: FixRequest, session: LiveSession) -> Any:
        self.at_rest(request.resource, session)
        return ClosePolicy.wanted(self, before, request, session)

    def show(self, properties: dict[str, Any], state: Any) -> None:
        ClosePolicy.show(self, properties, state)


class RequireHttps(DomainSetting):
    id = "aws.opensearch.require_https"
    title = "Require HTTPS and TLS 1.2 at the domain"
    summary = f"Requires HTTPS for all traffic, and sets the TLS security policy {POLICY} if it allows older versions."
    breaks = "Clients that connect over HTTP, or with TLS before version 1.2, can no longer connect."
    member = "DomainEndpointOptions"

    def right(self, before: dict[str, Any], domain: Mapping[str, Any]) -> dict[str, Any]:
        policy = before.get("TLSSecurityPolicy") or ""
        kept = policy if _SINCE_TLS_1_2.fullmatch(policy) else POLICY
        return {**before, "EnforceHTTPS": True, "TLSSecurityPolicy": kept}


class Encryption(DomainSetting):
    """Encryption that is never turned off again."""

    undoable = False
    loses = "It cannot be turned off again: there is no undo."

    def same(self, one: Any, other: Any) -> bool:
        """The key is named once there is one."""
        return bool(at(one, ("Enabled",)) == at(other, ("Enabled",)))

    def right(self, before: dict[str, Any], domain: Mapping[str, Any]) -> dict[str, Any]:
        found = _ELASTICSEARCH.fullmatch(str(domain.get("EngineVersion")))
        if found and (int(found[1]), int(found[2])) < FIRST:
            raise PlanProblem(
                f"it runs {domain['EngineVersion']}, and a domain can be encrypted from Elasticsearch 6.7: create a "
                "new one from a snapshot."
            )
        return super().right(before, domain)


class EncryptAtRest(Encryption):
    id = "aws.opensearch.encrypt_at_rest"
    title = "Encrypt the domain at rest"
    summary = "Encrypts indexes, logs, swap files and automatic snapshots with the AWS managed key aws/es."
    breaks = (
        "Nothing should stop working. All nodes are replaced, which takes from minutes to hours and slows the domain. "
        "Encryption cannot be turned off again."
    )
    member = "EncryptionAtRestOptions"


class EncryptBetweenNodes(Encryption):
    id = "aws.opensearch.encrypt_between_nodes"
    title = "Encrypt traffic between the domain’s nodes"
    summary = "Turns on node-to-node encryption."
    breaks = (
        "Nothing should stop working. All nodes are replaced, which takes from minutes to hours and slows the domain. "
        "It cannot be turned off again."
    )
    member = "NodeToNodeEncryptionOptions"
