"""Every page of the console can be used by everyone: judged by axe, in the light and in the dark, and on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from playwright.sync_api import expect, sync_playwright
from tests.browser.addresses import pages
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.window import AXE_LOOKS, AXE_WHOLE, HOME, Window, another_thread
from tests.console.conftest import Things, things  # noqa: F401

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.automatic_models import AutomaticFix, FixNotice
from nephoscope.inventory.models import Resource, Scan
from nephoscope.policies.models import Policy, RuleSetting
from nephoscope.reports.models import ReportSchedule

pytestmark = pytest.mark.browser

LONG = "Northwindclaimsarchive" * 10
"""A name of 220 characters without a space; a column takes as many of them as it holds."""
RULE = "aws.s3.public_read"
FIX = "aws.s3.remove_public_access"
PART = {"/rules/": "/rules/?q=s3"}
"""Of the longest page, axe looks at a part."""
OWN = "own_long"
PLUGINS_POLICY = "aws_cisa"


@contextmanager
def browsing(client: Client) -> Iterator[Window]:
    with another_thread() as thread, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield Window(browser, client, thread)
        browser.close()


@pytest.fixture
def window(administrator: User) -> Iterator[Window]:
    """The administrator's. Asked for last: it looks at what the other fixtures made."""
    client = Client()
    client.force_login(administrator)
    with browsing(client) as opened:
        yield opened


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
    account.policies = [*account.policies, policy.key, PLUGINS_POLICY, "aws_pci_dss_4.0"]
    account.save()
    RuleSetting.objects.create(rule_id=RULE, policy=policy, severity="low", reason=LONG, set_by=LONG[:200])
    RuleSetting.objects.create(rule_id=RULE, severity="high", reason=LONG, set_by=LONG[:200])
    long = add_alert("aws.s3.public_write", LONG, "assets", severity="high")
    Alert.objects.filter(pk=long.pk).update(title=LONG)
    suppress(actor, long, list(long.findings.all())[1:], LONG)
    tagged = add_resource("AWS::S3::Bucket", f"tagged{LONG}", {"BucketName": LONG}, tags={LONG[:128]: LONG})
    scanned()
    other = Account.objects.create(name=LONG[:100], provider="aws", number="210987654321")
    AccountGroup.objects.create(name=LONG[:100], description=LONG).accounts.add(other)
    User.objects.create_user(LONG[:150], first_name=LONG[:150], role="viewer").account_groups.add(group)
    ReportSchedule.objects.create(
        name=LONG[:100], owner=administrator, everything=True, mail_to=[f"{LONG}@example.org"]
    )
    second = require_second_approver(actor, account=account)
    fix = AutomaticFix.objects.create(rule=RULE, remediation=FIX, title=LONG, notice_days=3, set_by=administrator)
    fix.accounts.add(account)
    finding = long.findings.select_related("resource")[0]
    FixNotice.objects.create(
        automatic=fix,
        account=account,
        alert=long,
        finding=finding,
        failing_since=finding.failing_since,
        resource_id=finding.resource.resource_id,
        resource_name=finding.resource.name,
        due_at=timezone.now() + timedelta(days=2),
    )
    token = AuthToken.objects.create(administrator)[0]
    given = {
        "account_id": str(account.pk),
        "policy_id": OWN,
        "rule_id": RULE,
        "fix_id": FIX,
        "second_approver_drop": str(second.pk),
        "form": "csv",
        "id": "cli",
        "key": str(token.token_key),
        "kept": "00000000-0000-0000-0000-000000000000",
    }
    client = Client()
    client.force_login(administrator)
    more = [
        *(reverse("admin:alerts_alert_changelist") + query for query in ("?q=nothing", "?state=all&o=5")),
        reverse("admin:alerts_alert_change", args=[long.pk]) + "?suppressed=1",
        reverse("admin:inventory_resource_change", args=[tagged.pk]),
        reverse("admin:changes_changeset_new") + f"?rule={RULE}&remediation=aws.s3.remove_public_access",
        reverse("admin:alerts_finding_changelist") + f"?rule={RULE}",
        reverse("admin:policy", args=[PLUGINS_POLICY]),
        reverse("admin:compliance_detail", args=[account.pk, PLUGINS_POLICY]),
    ]
    return [PART.get(each, each) for each in [*pages(client, given), *more]]


def looked_at(window: Window, address: str) -> dict[str, list[str]]:
    """What is wrong with a page in the light at a desk, and in the dark on a phone."""
    window.open(address)
    wrong = {f"{address} at a desk": [*window.violations(AXE_WHOLE), *window.misfits()]}
    window.turn()
    return {**wrong, f"{address} on a phone": [*window.violations(AXE_LOOKS), *window.misfits()]}


def test_axe_finds_nothing_and_no_text_runs_over_its_neighbour(addresses: list[str], window: Window) -> None:
    assert len(addresses) > 50
    said = {place: wrong for each in addresses for place, wrong in looked_at(window, each).items()}
    found = {place: wrong for place, wrong in said.items() if wrong}
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def test_the_page_to_sign_in_and_the_pages_of_errors_are_no_exception(account: Account, stranger: User) -> None:
    nobody, somebody = Client(), Client()
    somebody.force_login(stranger)
    pages = [
        (nobody, reverse("admin:login")),
        (somebody, reverse("admin:plugins")),
        (somebody, reverse("admin:accounts_account_change", args=[account.pk])),
    ]
    said: dict[str, list[str]] = {}
    for client, address in pages:
        with browsing(client) as window:
            said |= looked_at(window, address)
    assert {place: wrong for place, wrong in said.items() if wrong} == {}


def test_no_page_loads_a_script_that_nothing_uses(window: Window) -> None:
    window.open(reverse("admin:index"))
    scripts = [path.rsplit("/", 1)[1] for path in window.loaded if path.endswith(".js")]
    assert "console.js" in scripts
    assert {"chart.js", "alpine.sort.js", "alpine.anchor.js"}.isdisjoint(scripts)


@pytest.mark.parametrize("chosen", ["auto", "dark"])
def test_the_page_of_the_api_is_readable_in_the_dark(chosen: str, window: Window, album: Path) -> None:
    """In a dark system, and in a light one where the console was made dark."""
    window.page.emulate_media(color_scheme="dark" if chosen == "auto" else "light")
    window.page.add_init_script(f"localStorage.setItem('adminTheme', '\"{chosen}\"')")
    window.page.goto(HOME + reverse("api-docs"))
    expect(window.page.get_by_text("Everything that the console does, for programs.")).to_be_visible()
    expect(window.page.locator(".opblock").first).to_be_visible()
    window.page.screenshot(path=album / f"api-{chosen}.png")
    ground = window.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert all(int(part) < 64 for part in re.findall(r"\d+", ground)[:3])
    assert [each for each in window.violations(AXE_LOOKS) if each.startswith("color-contrast")] == []
