"""Bucket policies made to be slow to judge, each about 300 KB, and how long judging one takes.

A hostile account can write up to 20 KB, a hostile template anything. The ratio is against reading the same text as JSON
as often as judging takes reading it: judging must stay in proportion to the text and not to its square.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
DENY = {**ALLOW, "Effect": "Deny"}
HUGE: dict[str, dict[str, Any]] = {
    "actions": {"Statement": [{**ALLOW, "Action": [f"s3:Get*{number}" for number in range(20_000)]}]},
    "stars": {"Statement": [{**ALLOW, "Action": f"s3:{'*a' * 140_000}*"}]},
    "denies": {
        "Statement": [{**ALLOW, "Sid": str(n)} for n in range(1_500)]
        + [{**DENY, "Action": f"s3:Put{n}*", "Resource": "arn:aws:s3:::b*"} for n in range(1_500)]
    },
    "values": {
        "Statement": [{**ALLOW, "Condition": {"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::*"] * 20_000}}}]
    },
    "exceptions": {
        "Statement": [{**ALLOW, "Action": "s3:*"}]
        + [
            {
                "Effect": "Deny",
                "Principal": "*",
                "NotAction": [f"s3:{'?' * (n % 7)}Get{n}*" for n in range(300)],
                "NotResource": [f"arn:aws:s3:::b/{n}*" for n in range(40)],
            }
            for _ in range(40)
        ]
        + [
            {
                "Effect": "Deny",
                "Principal": "*",
                "NotAction": [f"s3:G*{n}t*{m}" for n in range(49)],
                "NotResource": [f"arn:aws:s3:::b/*{n}*{m}" for n in range(49)],
            }
            for m in range(40)
        ]
    },
    "pairs": {
        "Statement": [
            {
                **ALLOW,
                "Action": [f"s3:Get*{n}" for n in range(7_000)],
                "Resource": [f"arn:aws:s3:::b/{n}/*" for n in range(5_000)],
            },
            {**DENY, "Action": "s3:*", "Resource": [f"arn:aws:s3:::b/{n}" for n in range(5_000)]},
        ]
    },
    "strangers": {
        "Statement": [
            {**ALLOW, "Principal": {"Federated": f"arn:aws:iam::{n}:oidc-provider/gitlab.com"}} for n in range(900)
        ]
        + [{**DENY, "Principal": {"AWS": [f"arn:aws:iam::*:role/{n}-{m}" for n in range(40)]}} for m in range(100)]
    },
    "subjects": {
        "Statement": [
            {
                **ALLOW,
                "Condition": {
                    "StringLike": {
                        "token.actions.githubusercontent.com:sub": [f"repo:o{n}/r:*" for n in range(5_000)]
                        + [":repo" * 30_000, "repo:*"]
                    }
                },
            }
        ]
    },
    "networks": {
        "Statement": [
            {
                **ALLOW,
                "Condition": {"IpAddress": {"aws:SourceIp": [f"203.{n >> 8}.{n & 255}.0/24" for n in range(15_000)]}},
            }
        ]
    },
}
MOST = 1000
"""Times as long as reading the text as JSON that judging may take."""


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of the quickest of five runs."""
    runs = []
    for _ in range(5):
        began = time.process_time()
        work()
        runs.append(time.process_time() - began)
    return min(runs)


def main() -> int:
    """Print the ratios; return 1 when one is above :data:`MOST`."""
    root = Path(__file__).parents[1]
    sys.path.extend(str(root / shelf) for shelf in ("platform", "providers", "policies", "remediations"))
    from nephoscope.domain import Resource
    from nephoscope.engine import judge
    from nephoscope_baseline.aws import s3_access

    worst = 0.0
    for name, policy in HUGE.items():
        text = json.dumps(policy)
        bucket = Resource("AWS::S3::Bucket", "arn:aws:s3:::b", "b", "eu-west-1", "123456789012", {"Policy": policy})
        now = datetime.now(UTC)
        reading = seconds(lambda text=text: json.loads(text))  # type: ignore[misc]
        judging = seconds(lambda bucket=bucket, now=now: judge(s3_access.public_read, bucket, now=now))  # type: ignore[misc]
        worst = max(worst, judging / reading)
        print(
            f"{name:10} {len(text) // 1000:4d} KB  judge {judging * 1000:7.1f} ms  json {reading * 1000:5.1f} ms"
            f"  ratio {judging / reading:6.1f}"
        )
    return int(worst > MOST)


if __name__ == "__main__":
    sys.exit(main())
