"""Reading one known resource again."""

from __future__ import annotations

import pytest
from tests.aws.collectors.world import (
    LISTINGS,
    at,
    collected,
    named,
)

from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL
from nephoscope_aws_simulator.testing import Simulator


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
