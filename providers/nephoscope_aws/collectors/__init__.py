"""One module per service. A new one is a module that ends with COLLECTOR, and its name here."""

from __future__ import annotations

from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import account, cloudtrail, ec2, iam, kms, s3, s3control

ALL: dict[str, Collector] = {
    module.COLLECTOR.service.id: module.COLLECTOR for module in (account, iam, s3, s3control, ec2, cloudtrail, kms)
}
"""Every collector by the id of its service, in the order in which services are listed and planned."""
