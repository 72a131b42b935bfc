"""Reading one known resource again."""

from __future__ import annotations

import pytest
from tests.aws.collectors.world import (
    ACCOUNT,
    LISTINGS,
    TYPES,
    at,
    collected,
    named,
)

from nephoscope.domain import Resource
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, account
from nephoscope_aws_simulator.testing import Simulator


@pytest.mark.parametrize("type", TYPES)
def test_reading_one_again_gives_the_same_shape_as_collecting_it(api: Api, type: str) -> None:
    collector = ALL[TYPES[type]]
    for resource in collected(api, TYPES[type]):
        if resource.type == type:
            again = collector.reread(api, resource)
            assert again == resource


@pytest.mark.parametrize("type", [type for type in TYPES if type != account.ACCOUNT])
def test_reading_again_what_is_gone_gives_none(api: Api, type: str) -> None:
    known = next(each for each in collected(api, TYPES[type]) if each.type == type)
    absent = known.id.replace(known.id[-8:], "0badc0de")
    gone = Resource(type, absent, "no-such-name", known.region, ACCOUNT, known.properties)
    assert ALL[TYPES[type]].reread(api, gone) is None


@pytest.mark.parametrize(
    ("service", "action", "types"), [each for each in LISTINGS if each[0] not in ("s3control", "kms")]
)
def test_reading_again_raises_when_existence_cannot_be_read(
    simulator: Simulator, api: Api, service: str, action: str, types: set[str]
) -> None:
    known = next(each for each in collected(api, service) if each.type in types)
    simulator.control("deny", actions=[action])
    with pytest.raises(Denied, match=action):
        ALL[service].reread(api, known)


def test_a_user_read_again_shows_a_fix_that_the_credential_report_does_not_know(simulator: Simulator, api: Api) -> None:
    iam = simulator.client("iam")
    iam.create_user(UserName="carl")
    iam.create_login_profile(UserName="carl", Password="correct horse battery")
    key = iam.create_access_key(UserName="carl")["AccessKey"]["AccessKeyId"]
    carl = named(collected(api, "iam"), "AWS::IAM::User", "carl")
    iam.delete_login_profile(UserName="carl")
    iam.update_access_key(UserName="carl", AccessKeyId=key, Status="Inactive")
    again = ALL["iam"].reread(api, carl)
    assert again
    assert at(carl, "Observed.CredentialReport.PasswordEnabled") is True
    assert at(again, "Observed.CredentialReport.PasswordEnabled") is False
    assert [each["Active"] for each in at(again, "Observed.CredentialReport.AccessKeys")] == [False]
    iam.delete_access_key(UserName="carl", AccessKeyId=key)
    iam.delete_user(UserName="carl")
