"""A policy that lets everyone in, beside statements for known parties that must stay."""

from __future__ import annotations

import json
from typing import Any

from tests.fixes.rounds.round import ACCOUNT

PARTNER = "arn:aws:iam::210987654321:root"
OWN = f"arn:aws:iam::{ACCOUNT}:root"


def open_policy(action: str, *others: dict[str, Any], resource: str = "*") -> str:
    """Return the text of a policy with a public statement, one for a partner and one for whoever is in the account."""
    everyone = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": action}
    everyone |= {"Resource": resource} if resource else {}
    partner = {**everyone, "Sid": "Partner", "Principal": {"AWS": PARTNER}}
    inside = {**everyone, "Sid": "Inside", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}}
    return json.dumps({"Version": "2012-10-17", "Statement": [*others, partner, everyone, inside]})
