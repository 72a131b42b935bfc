"""The account of Northwind Freight, a logistics company with a webshop: some of it right, some of it wrong.

Seeded through real boto3 over HTTP. None of it is named like Nephoscope's own roles: onboarding makes those. Only the
other accounts of its organisation have roles for Nephoscope already, as a StackSet would have made them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nephoscope_aws_simulator.company import roles
from nephoscope_aws_simulator.company.buckets import BUCKETS, make_buckets
from nephoscope_aws_simulator.company.cloud import Cloud
from nephoscope_aws_simulator.company.detections import make_detections
from nephoscope_aws_simulator.company.keys_and_trails import make_keys, make_trails
from nephoscope_aws_simulator.company.lab import make_lab
from nephoscope_aws_simulator.company.network import make_network
from nephoscope_aws_simulator.company.organisation import make_organisation
from nephoscope_aws_simulator.company.people import make_people
from nephoscope_aws_simulator.testing import client_for


@dataclass(frozen=True)
class Summary:
    """How many resources were made, by CloudFormation type; nothing when they were there already."""

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind.rpartition('::')[2]}" for kind, count in sorted(self.counts.items()))
        return f"{self.total} resources ({kinds})" if self.counts else "nothing, it was there already"


def seed(endpoint: str) -> Summary:
    """Fill the account at this endpoint, unless that was done before."""
    cloud = Cloud(endpoint)
    there = {bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]}
    if BUCKETS[-1].name in there:
        return Summary()
    with ThreadPoolExecutor(3) as chapters:
        network = chapters.submit(make_network, cloud)
        people = chapters.submit(make_people, cloud)
        keys = make_keys(cloud)
        certificates = chapters.submit(roles.make_certificates, cloud)
        delivery_role = chapters.submit(roles.make_roles, cloud)
        organisation = chapters.submit(make_organisation, cloud)
        lab = chapters.submit(make_lab, cloud)
        make_buckets(cloud, keys)
        make_trails(cloud, keys, delivery_role.result())
        make_detections(cloud)
        for chapter in (network, people, certificates, organisation, lab):
            chapter.result()
    return Summary(dict(cloud.counts))


def create_role(
    endpoint: str,
    name: str,
    trust_policy: dict[str, Any],
    managed_policy_arns: list[str],
    inline_policies: dict[str, dict[str, Any]],
) -> str:
    """A role in the account, made with boto3; the result is its ARN."""
    iam = client_for(endpoint, "iam")
    return roles.create_role(iam, name, trust_policy, managed_policy_arns, inline_policies)
