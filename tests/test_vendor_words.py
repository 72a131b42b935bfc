"""No vendor's word stands in the platform: what a provider calls things comes from the provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PLATFORM = Path(__file__).parents[1] / "platform"
KINDS = {".py", ".html", ".js", ".css", ".txt", ".svg"}

WORDS = (
    *("amazon", "arn", "arns", "assumerole", "aws", "boto", "boto3", "botocore", "cloudformation", "cloudfront"),
    *("cloudshell", "cloudtrail", "cloudwatch", "ec2", "eventbridge", "guardduty", "iam", "imdsv1", "kms", "rds", "s3"),
    *("security hub", "securityhub", "sns", "sqs", "ssm", "stackset", "stacksets", "sts", "asff"),
    *("azure", "entra", "microsoft", "arm", "gcp", "google", "kubernetes", "terraform"),
)
_WORD = re.compile(rf"(?<![a-z0-9])({'|'.join(WORDS)})(?![a-z0-9])", re.IGNORECASE)
"""A word by itself, or as a part of a name as ``role_arn``; packages of ours are not meant."""
_OURS = re.compile(r"nephoscope_\w+")

ALLOWED: dict[str, set[str]] = {}
"""By file, the words that may still stand there. It only shrinks: what is no longer needed here has to go."""


def found() -> Iterator[tuple[str, str, int]]:
    for path in sorted(PLATFORM.rglob("*")):
        if path.suffix not in KINDS or "migrations" in path.parts:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for word in _WORD.findall(_OURS.sub("", line)):
                yield path.relative_to(PLATFORM).as_posix(), word.lower(), number


def test_no_vendor_word_stands_in_the_platform() -> None:
    strange = [f"{file}:{number} {word}" for file, word, number in found() if word not in ALLOWED.get(file, set())]
    assert strange == []


def test_every_allowed_word_is_still_needed() -> None:
    there = {(file, word) for file, word, _number in found()}
    assert {(file, word) for file, words in ALLOWED.items() for word in words} <= there


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("an AWS account", ["AWS"]),
        ('settings["role_arn"]', ["arn"]),
        ("AWS_ENDPOINT_URL", ["AWS"]),
        ("the Security Hub's", ["Security Hub"]),
        ('"AWS::S3::Bucket"', ["AWS", "S3"]),
        ("learn, warn, costs, laws, alarm", []),
    ],
)
def test_words_are_found_by_themselves_and_in_names(line: str, words: list[str]) -> None:
    assert _WORD.findall(_OURS.sub("", line)) == words
