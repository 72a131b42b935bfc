"""Every page of the console can be used by everyone: judged by axe, in the light and in the dark, and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken
from playwright.sync_api import sync_playwright
from tests.browser.addresses import pages
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.window import AXE_LOOKS, AXE_WHOLE, Window, another_thread
from tests.console.conftest import Things, things  # noqa: F401

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.inventory.models import Resource, Scan
from nephoscope.policies.models import Policy, RuleSetting
from nephoscope.reports.models import ReportSchedule

pytestmark = pytest.mark.browser

LONG = "Northwindclaimsarchive" * 10
"""A name of 220 characters without a space; a column takes as many of them as it holds."""
RULE = "aws.s3.public_read"
OWN = "own_long"
CIS = "aws_cis_5.0"


@pytest.fixture
def window(administrator: User) -> Iterator[Window]:
    """The administrator's. Asked for last: it looks at what the other fixtures made."""
    client = Client()
    client.force_login(administrator)
    with another_thread() as thread, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Window(browser, client, thread)
        browser.close()


@pytest.fixture
def addresses(
    administrator: User,
    things: Things,  # noqa: F811
    group: AccountGroup,
    add_alert: Callable[..., Alert],
    add_resource: Callable[..., Resource],
    scanned: Callable[..., Scan],
) -> list[str]:
    """One of everything, and one of everything that has a name with a name as long as can be."""
    actor = Actor.of(administrator)
    account = things.account
    policy = Policy.objects.create(
        key=OWN,
        name=LONG[:100],
        description=f"{LONG} and more",
        provider="aws",
        controls=[{"id": LONG[:60], "title": LONG, "rules": [RULE, "aws.iam.password_policy"], "manual": False}],
    )
    account.policies = [*account.policies, policy.key, CIS, "aws_pci_dss_4.0"]
    account.save()
    RuleSetting.objects.create(rule_id=RULE, policy=policy, severity="low", reason=LONG, set_by=LONG[:200])
    RuleSetting.objects.create(rule_id=RULE, severity="high", reason=LONG, set_by=LONG[:200])
    long = add_alert("aws.s3.public_write", LONG, "assets", severity="high")
    Alert.objects.filter(pk=long.pk).update(title=LONG)
    suppress(actor, long, list(long.findings.all())[1:], LONG)
    add_resource("AWS::S3::Bucket", f"tagged{LONG}", {"BucketName": LONG}, tags={LONG[:128]: LONG})
    scanned()
    other = Account.objects.create(name=LONG[:100], provider="aws", number="210987654321")
    AccountGroup.objects.create(name=LONG[:100], description=LONG).accounts.add(other)
    User.objects.create_user(LONG[:150], first_name=LONG[:150], role="viewer").account_groups.add(group)
    ReportSchedule.objects.create(name=LONG[:100], owner=administrator, everything=True, mail_to=[f"{LONG}@example.org"])
    token = AuthToken.objects.create(administrator)[0]
    given = {
        "account_id": str(account.pk),
        "policy_id": OWN,
        "rule_id": RULE,
        "form": "csv",
        "id": "cli",
        "key": str(token.token_key),
    }
    client = Client()
    client.force_login(administrator)
    more = [
        *(reverse("admin:alerts_alert_changelist") + query for query in ("?q=nothing", "?state=all&o=5")),
        reverse("admin:alerts_alert_change", args=[long.pk]) + "?suppressed=1",
        *(reverse(f"admin:inventory_resource_change", args=[each.pk]) for each in Resource.objects.filter(name=f"tagged{LONG}")),
        reverse("admin:policy", args=[CIS]),
        reverse("admin:compliance_detail", args=[account.pk, CIS]),
    ]
    return [*pages(client, given), *more]


def test_axe_finds_nothing_and_no_text_runs_over_its_neighbour(addresses: list[str], window: Window) -> None:
    """In the light at a desk and in the dark on a phone; the layout is the same in both."""
    assert len(addresses) > 50
    wrong: dict[str, list[str]] = {}
    for address in addresses:
        import time,sys; t=time.time()
        window.open(address)
        t1=time.time()
        said = {"desk": [*window.violations(AXE_WHOLE), *window.misfits()]}
        t2=time.time()
        window.turn()
        said["phone"] = [*window.violations(AXE_LOOKS), *window.misfits()]
        print(address,round(t1-t,2),round(t2-t1,2),round(time.time()-t2,2),file=open("/tmp/look-times","a"),flush=True)
        print(address,said,file=open("/tmp/look-said","a"),flush=True)
        wrong |= {f"{address} at a {where}": each for where, each in said.items() if each}
    assert wrong == {}
