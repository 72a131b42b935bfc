"""Roles that CloudFormation makes: moto forgets ManagedPolicyArns, keeps inline policies as objects that its own
IAM then cannot answer, with nulls for AWS::NoValue in their lists, and changes neither when the stack is updated.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html

And StackSets in an organisation: moto follows units one level down, and deploys to the management account, too.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
"""

from __future__ import annotations

import json
from typing import Any

from nephoscope_aws_simulator.corrections.patching import extend, replace
from nephoscope_aws_simulator.entities import backend_of


def _text(document: Any) -> str:
    # YAML takes an unquoted Version: 2012-10-17 for a date
    return document if isinstance(document, str) else json.dumps(_without_nulls(document), default=str)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items()}
    return [_without_nulls(each) for each in value if each is not None] if isinstance(value, list) else value


def _give(role: Any, properties: dict[str, Any]) -> None:
    """Trust and policies as the template has them, and no others."""
    role.assume_role_policy_document = _text(properties["AssumeRolePolicyDocument"])
    role.policies = {policy["PolicyName"]: _text(policy["PolicyDocument"]) for policy in properties.get("Policies", [])}
    backend = backend_of(role.account_id)
    wanted = set(properties.get("ManagedPolicyArns", []))
    for arn in set(role.managed_policies) - wanted:
        backend.detach_role_policy(arn, role.name)
    for arn in wanted - set(role.managed_policies):
        backend.attach_role_policy(arn, role.name)


def _accounts_in(organization: Any, units: set[str]) -> list[str]:
    while below := {unit.id for unit in organization.ou if unit.parent_id in units} - units:
        units |= below
    manager = organization.org.master_account_id
    return [
        each.id
        for each in organization.accounts
        if each.parent_id in units and each.id != manager and each.state == "ACTIVE"
    ]


def apply() -> None:
    """Make and update roles as their template says, in all accounts of a unit."""
    from moto.cloudformation.models import StackInstances
    from moto.iam.models import Role

    @extend(StackInstances, "create_instances")
    def create_instances(
        moto: Any,
        self: Any,
        accounts: list[str],
        regions: list[str],
        parameters: Any,
        deployment_targets: Any,
        permission_model: str,
    ) -> Any:
        units = deployment_targets.get("OrganizationalUnitIds", [])
        inside = _accounts_in(self.org_backend, set(units)) if units else []
        return moto(self, [*accounts, *inside], regions, parameters, {}, permission_model=permission_model)

    create, update = Role.create_from_cloudformation_json, Role.update_from_cloudformation_json

    def creating(_: Any, name: str, template: dict[str, Any], *rest: Any, **more: Any) -> Any:
        role = create(name, template, *rest, **more)
        _give(role, template["Properties"])
        return role

    def updating(_: Any, /, **given: Any) -> Any:
        role = update(**given)
        _give(role, given["cloudformation_json"]["Properties"])
        return role

    replace(Role, "create_from_cloudformation_json")(classmethod(creating))
    replace(Role, "update_from_cloudformation_json")(classmethod(updating))
