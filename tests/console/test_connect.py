"""Connecting an account and fixing a bucket through the console's pages, against the simulated AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.changes.applying import work as work_on_change
from nephoscope.changes.models import Change
from nephoscope.connections import services
from nephoscope.inventory.models import Scan
from nephoscope_aws_simulator.testing import Simulator

SignIn = Callable[..., Client]


@pytest.fixture
def admin(administrator: User, sign_in: SignIn) -> Client:
    return sign_in(administrator)


def pending(admin: Client, name: str = "northwind") -> Account:
    admin.post(reverse("admin:accounts_account_add"), {"name": name, "provider": "aws"})
    return Account.objects.get(name=name)


def test_the_name_and_provider_come_first_and_mistakes_are_named_at_the_field(admin: Client) -> None:
    add = reverse("admin:accounts_account_add")
    assert admin.post(add, {"name": "", "provider": "aws"}).context["errors"]["name"]
    assert admin.post(add, {"name": "x", "provider": "nimbus"}).context["errors"]["provider"]
    assert not Account.objects.exists()
    account = pending(admin)
    assert admin.post(add, {"name": "northwind", "provider": "aws"}).context["errors"]["name"]
    assert not account.verified_at


def test_the_second_step_shows_the_external_id_in_three_setup_templates(admin: Client, aws: Simulator) -> None:
    account = pending(admin)
    text = admin.get(reverse("admin:accounts_account_connect", args=[account.pk])).content.decode()
    assert text.count(account.settings["external_id"]) >= 4
    for template in services.setup_templates(account):
        file = admin.get(reverse("admin:accounts_account_setup_template", args=[account.pk, template.id]))
        assert file.content.decode() == template.text and template.filename in file["Content-Disposition"]
    assert admin.get(reverse("admin:accounts_account_setup_template", args=[account.pk, "nothing"])).status_code == 404


@pytest.fixture
def no_credentials(aws: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nephoscope runs as nobody."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.mark.parametrize("step", ["connect", "fixing"])
def test_that_nephoscope_has_no_credentials_is_said_before_anything_is_set_up(
    step: str, admin: Client, no_credentials: None
) -> None:
    says, add = "Nephoscope has no AWS credentials of its own", reverse("admin:accounts_account_add")
    assert says in admin.get(add).content.decode()
    account = pending(admin)
    page = admin.get(reverse(f"admin:accounts_account_{step}", args=[account.pk]))
    text = page.content.decode()
    assert says in text and "“AWS credentials” in docs/operating.md" in text
    assert page.context["setup_templates"] == [] and "aws iam create-role" not in text
    writing = "?writing=1" if step == "fixing" else ""
    template = admin.get(reverse("admin:accounts_account_setup_template", args=[account.pk, "cli"]) + writing)
    assert template["Location"] == reverse(f"admin:accounts_account_{step}", args=[account.pk])
    answer = admin.get(f"/api/v1/accounts/{account.pk}/setup-templates{writing.replace('1', 'true')}")
    assert answer.status_code == 409 and says in answer.content.decode()


def test_with_credentials_nothing_is_said_of_them(admin: Client, aws: Simulator) -> None:
    page = admin.get(reverse("admin:accounts_account_add"))
    assert page.context["hindrances"] == [] and "cannot connect to" not in page.content.decode()


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({"role_arn": ""}, "role_arn"),
        ({"role_arn": "nonsense"}, "role_arn"),
        ({"role_arn": "arn:aws:iam::123456789012:role/no-such"}, "role_arn"),
        ({"own": "1", "external_id": "ä"}, "external_id"),
    ],
)
def test_a_role_that_does_not_work_is_named_at_its_field_and_nothing_is_saved(
    entered: dict[str, str], field: str, admin: Client, aws: Simulator
) -> None:
    account = pending(admin)
    page = admin.post(reverse("admin:accounts_account_connect", args=[account.pk]), entered)
    fields = {each["field"].name: each["errors"] for each in [page.context["main"], *page.context["more"]]}
    assert fields[field] and page.context["stage"] == 2
    account.refresh_from_db()
    assert not account.verified_at and not account.settings["role_arn"]


def test_verified_with_own_credentials_one_chooses_what_to_scan_and_scans(admin: Client, aws: Simulator) -> None:
    account = pending(admin)
    connect = reverse("admin:accounts_account_connect", args=[account.pk])
    page = admin.post(connect, {"own": "1"}, follow=True)
    assert page.context["stage"] == 3, page.context["problems"]
    assert "could not be checked" in page.content.decode()
    configure = reverse("admin:accounts_account_configure", args=[account.pk])
    asked = {"configure": "1", "name": "northwind", "regions": ["eu-west-1"], "scan": "1"}
    assert admin.post(configure, asked | {"policies": []}).context["errors"]["policies"]
    assert admin.post(configure, asked | {"regions": ["mars-1"], "policies": ["x"]}).context["errors"]["regions"]
    policies = [each.id for each in services.policies_for(account)]
    done = admin.post(configure, asked | {"policies": policies}, follow=True)
    account.refresh_from_db()
    assert account.regions == ["eu-west-1"] and done.context["scan"] == Scan.objects.get(account=account)


def test_an_account_that_is_connected_or_was_removed_is_named_with_a_link(admin: Client, aws: Simulator) -> None:
    first = pending(admin)
    admin.post(reverse("admin:accounts_account_connect", args=[first.pk]), {"own": "1"})
    again = reverse("admin:accounts_account_connect", args=[pending(admin, "again").pk])
    page = admin.post(again, {"own": "1"}).content.decode()
    assert "is already connected as northwind." in page
    assert f'href="{reverse("admin:accounts_account_change", args=[first.pk])}">Open northwind</a>' in page

    admin.post(reverse("admin:accounts_account_remove", args=[first.pk]))
    page = admin.post(again, {"own": "1"}).content.decode()
    assert "was connected as northwind, which was removed. Restore it instead." in page
    assert f'href="{reverse("admin:accounts_account_removed")}"' in page


@pytest.fixture
def fix_role(aws: Simulator, account: Account) -> str:
    """The writing role, as its kit makes it."""
    iam = aws.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": account.settings["write_external_id"]}},
            }
        ],
    }
    may = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": services.permissions_for(account, writing=True), "Resource": "*"}],
    }
    arn = iam.create_role(RoleName="console-fix", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="console-fix", PolicyName="fixes", PolicyDocument=json.dumps(may))
    return str(arn)


def test_a_bucket_is_fixed_and_the_fix_is_undone_from_the_console(
    admin: Client, account: Account, fix_role: str, aws: Simulator, add_alert: Callable[..., object]
) -> None:
    s3, bucket = aws.client("s3"), "console-fixes-this"
    policy = '{"Version":"2012-10-17", "Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::console-fixes-this/*"}]}'  # noqa: E501
    s3.create_bucket(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    alert: Any = add_alert("aws.s3.public_read", bucket)
    finding = alert.findings.get()

    fixing = reverse("admin:accounts_account_fixing", args=[account.pk])
    assert "no-such" in admin.post(fixing, {"write_role_arn": "no-such"}).context["main"]["value"]
    page = admin.post(fixing, {"write_role_arn": fix_role}, follow=True)
    assert re.search(r"(\d+) of \1 groups of fixes are allowed", page.content.decode())

    plan = reverse("admin:alerts_alert_plan", args=[alert.pk])
    page = admin.post(plan, {"finding": [finding.pk], "remediation": "aws.s3.remove_public_access"}, follow=True)
    change = Change.objects.get()
    text = page.content.decode()
    assert "s3:PutBucketPolicy" in text and "arn:aws:iam::123456789012:root" in text and "Approve and apply" in text
    apply = reverse("admin:changes_change_apply", args=[change.pk])
    admin.post(apply, {"digest": change.digest, "reason": "nobody needs it"})
    work_on_change(change.pk)
    page = admin.get(reverse("admin:changes_change_change", args=[change.pk]))
    assert page.context["change"].state == "verified" and "Undo" in page.content.decode()
    assert '"*"' not in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    alert.refresh_from_db()
    assert alert.state == "resolved"

    admin.post(reverse("admin:changes_change_undo", args=[change.pk]), {"reason": "it was needed"})
    work_on_change(change.pk)
    change.refresh_from_db()
    assert change.state == "undone"
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    alert.refresh_from_db()
    assert alert.state == "open"

    s3.delete_bucket_policy(Bucket=bucket)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    page = admin.post(reverse("admin:alerts_alert_recheck", args=[alert.pk]), follow=True)
    assert "1 fixed" in page.content.decode()
    s3.delete_bucket(Bucket=bucket)
    aws.client("iam").delete_role_policy(RoleName="console-fix", PolicyName="fixes")
    aws.client("iam").delete_role(RoleName="console-fix")
