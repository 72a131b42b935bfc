"""The canonical shapes of IAM's resources, made of what the API answers. Pure."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import ALL_REGIONS, Resource
from nephoscope_aws.collectors.shape import document, moment, one_of, part, picked, tag_dict, tag_list

USER = "AWS::IAM::User"
ACCESS_KEY = "AWS::IAM::AccessKey"
GROUP = "AWS::IAM::Group"
ROLE = "AWS::IAM::Role"
POLICY = "AWS::IAM::ManagedPolicy"
CERTIFICATE = "AWS::IAM::ServerCertificate"

Item = dict[str, Any]


def user(account: str, detail: Item, credentials: Item) -> Resource:
    """Return a user from GetAccountAuthorizationDetails, with what is known of its credentials."""
    tags = tag_list(detail.get("Tags"))
    properties = {
        **picked(detail, "UserName", "Path"),
        "Groups": part(lambda: list(detail.get("GroupList", ()))),
        **_policies(detail, "UserPolicyList"),
        "PermissionsBoundary": _boundary(detail),
        "Tags": tags,
        "Observed": {"CredentialReport": credentials},
    }
    return Resource(USER, detail["Arn"], detail["UserName"], ALL_REGIONS, account, properties, tag_dict(tags))


def access_key(account: str, user_arn: str, key: Item) -> Resource:
    """Return an access key; AWS gives it no ARN, so its id is made of its user's."""
    properties = {
        **picked(key, "UserName"),
        "Status": one_of(key, "Status", "Active", "Inactive", "Expired"),
        "Observed": {"CreateDate": moment(key["CreateDate"])},
    }
    id = str(key["AccessKeyId"])
    return Resource(ACCESS_KEY, f"{user_arn}/accesskey/{id}", id, ALL_REGIONS, account, properties)


def group(account: str, detail: Item) -> Resource:
    """Return a group from GetAccountAuthorizationDetails."""
    properties = {**picked(detail, "GroupName", "Path"), **_policies(detail, "GroupPolicyList")}
    return Resource(GROUP, detail["Arn"], detail["GroupName"], ALL_REGIONS, account, properties)


def role(account: str, detail: Item, limits: Item) -> Resource:
    """Return a role from GetAccountAuthorizationDetails, with what that lacks: its description and session length."""
    tags = tag_list(detail.get("Tags"))
    properties = {
        **picked(detail, "RoleName", "Path"),
        "AssumeRolePolicyDocument": document(detail["AssumeRolePolicyDocument"]),
        **_policies(detail, "RolePolicyList"),
        **limits,
        "PermissionsBoundary": _boundary(detail),
        "Tags": tags,
        "Observed": {"LastUsed": moment(detail.get("RoleLastUsed", {}).get("LastUsedDate"))},
    }
    return Resource(ROLE, detail["Arn"], detail["RoleName"], ALL_REGIONS, account, properties, tag_dict(tags))


def policy(account: str, detail: Item) -> Resource:
    """Return a customer managed policy from GetAccountAuthorizationDetails, with its default version's document."""
    name = str(detail["Arn"]).rpartition("/")[2]
    properties = {
        "ManagedPolicyName": name,
        **picked(detail, "Path", "Description"),
        "PolicyDocument": part(lambda: _default_document(detail)),
        "Observed": picked(detail, "AttachmentCount", "PermissionsBoundaryUsageCount"),
    }
    return Resource(POLICY, detail["Arn"], name, ALL_REGIONS, account, properties)


def _default_document(detail: Item) -> Any:
    documents = [each["Document"] for each in detail["PolicyVersionList"] if each["IsDefaultVersion"]]
    return document(documents[0] if documents else None)


def certificate(account: str, detail: Item) -> Resource:
    """Return a server certificate from ListServerCertificates."""
    properties = {
        **picked(detail, "ServerCertificateName", "Path"),
        "Observed": {"Expiration": moment(detail["Expiration"])},
    }
    name = detail["ServerCertificateName"]
    return Resource(CERTIFICATE, detail["Arn"], name, ALL_REGIONS, account, properties)


def _policies(detail: Item, inline: str) -> Item:
    return {
        "Policies": part(lambda: [_inline(each) for each in detail.get(inline, ())]),
        "ManagedPolicyArns": part(lambda: [str(each["PolicyArn"]) for each in detail["AttachedManagedPolicies"]]),
    }


def _inline(policy: Item) -> Item:
    return {"PolicyName": policy["PolicyName"], "PolicyDocument": document(policy["PolicyDocument"])}


def _boundary(detail: Item) -> str | None:
    arn: str | None = detail.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return arn
