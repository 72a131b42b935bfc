"""What the tests of policies and buckets put together."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Recorder, ResourceView, unknown
from nephoscope.testing import NOW, resource

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DENY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]}
HIDDEN = unknown("access denied", "s3:GetBucketPolicy")


def view(**properties: Any) -> ResourceView:
    """A bucket with these properties, as a rule sees it."""
    return ResourceView(resource("AWS::S3::Bucket", properties), Recorder(), {}, NOW)
