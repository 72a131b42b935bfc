"""A bucket's lifecycle rules: the S3 API and CloudFormation name their members differently.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html
"""

from __future__ import annotations

from typing import Any

from nephoscope_aws.collectors.shape import moment

Item = dict[str, Any]


def lifecycle(answer: Item | None) -> Item | None:
    """Return a bucket's LifecycleConfiguration, or None when it has none. Rules hold only the members in use."""
    return {"Rules": [_rule(rule) for rule in answer["Rules"]]} if answer is not None else None


def _rule(rule: Item) -> Item:
    expiration = rule.get("Expiration", {})
    return _used(
        Id=rule.get("ID"),
        Status=rule["Status"],
        **_scope(rule),
        ExpirationInDays=expiration.get("Days"),
        ExpirationDate=moment(expiration.get("Date")),
        ExpiredObjectDeleteMarker=expiration.get("ExpiredObjectDeleteMarker"),
        Transitions=[_transition(each) for each in rule.get("Transitions", ())],
        NoncurrentVersionTransitions=[_noncurrent(each) for each in rule.get("NoncurrentVersionTransitions", ())],
        NoncurrentVersionExpiration=rule.get("NoncurrentVersionExpiration"),
        AbortIncompleteMultipartUpload=rule.get("AbortIncompleteMultipartUpload"),
    )


def _scope(rule: Item) -> Item:
    """Return which objects a rule is for; S3 nests more than one condition under And."""
    filter = rule.get("Filter", {})
    scope = filter.get("And", filter)
    tags = scope.get("Tags") or ([scope["Tag"]] if "Tag" in scope else [])
    sizes = {name: str(scope[name]) for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in scope}
    return {"Prefix": rule.get("Prefix", scope.get("Prefix")), "TagFilters": tags, **sizes}


def _transition(transition: Item) -> Item:
    return _used(
        StorageClass=transition.get("StorageClass"),
        TransitionInDays=transition.get("Days"),
        TransitionDate=moment(transition.get("Date")),
    )


def _noncurrent(transition: Item) -> Item:
    return _used(
        StorageClass=transition.get("StorageClass"),
        TransitionInDays=transition.get("NoncurrentDays"),
        NewerNoncurrentVersions=transition.get("NewerNoncurrentVersions"),
    )


def _used(**members: Any) -> Item:
    return {name: value for name, value in members.items() if value is not None and value != []}
