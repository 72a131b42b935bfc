"""From an empty console to a fixed bucket, in the order in which a person does it. Each test goes on from the last.

The console is the demo's, empty since the tests before these removed its account.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect
from tests.aws.cli import needs_cli
from tests.browser.running import Demo, chosen_in_a_terminal, guard
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")
READABLE = "S3 bucket is publicly readable"
WRITABLE = "S3 bucket is publicly writable"
ROOT = "arn:aws:iam::123456789012:root"
BLOCK = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def affected(visitor: Visitor, bucket: str) -> Locator:
    return visitor.section("Affected resources").get_by_role("link", name=bucket, exact=True)


def choose(visitor: Visitor, *buckets: str) -> None:
    for bucket in buckets:
        visitor.page.get_by_role("checkbox", name=f"Choose {bucket}", exact=True).check()


def policy_of(demo: Demo, bucket: str) -> str:
    return str(demo.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])


# -- 2. Connect --------------------------------------------------------------------------------


def test_whoever_signs_in_first_is_told_what_fills_the_dashboard(visitor: Visitor, demo: Demo) -> None:
    visitor.go()
    visitor.page.get_by_label("User name").fill(demo.user)
    visitor.page.get_by_label("Password").fill("wrong")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("alert")).to_have_text("Incorrect user name or password.")
    visitor.picture("sign-in")
    visitor.sign_in(demo.user, demo.password)
    expect(visitor.heading("No account is connected yet")).to_be_visible()
    visitor.picture("empty-dashboard")
    visitor.page.get_by_role("link", name="Connect an account").click()
    expect(visitor.heading("Connect an account")).to_be_visible()


def test_a_named_account_gets_an_external_id_and_three_ready_things(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_label("Name").fill("northwind")
    visitor.picture("connect-who")
    visitor.press("Continue")
    external_id = page.get_by_text(re.compile("^[0-9a-f]{32}$")).inner_text()
    for kit, expected in (
        ("AWS CLI", "aws iam create-role"),
        ("CloudFormation", "AWS::IAM::Role"),
        ("Terraform", 'resource "aws_iam_role"'),
    ):
        page.get_by_text(kit, exact=True).click()
        shown = page.locator("pre:visible")
        expect(shown).to_contain_text(expected)
        expect(shown).to_contain_text(external_id)
        expect(shown).to_contain_text("s3:GetBucketPolicy")
        visitor.picture(f"connect-{kit.split()[0].lower()}")


def test_a_wrong_role_is_refused_at_its_field_and_nothing_is_saved(visitor: Visitor) -> None:
    field = visitor.page.get_by_label("Role ARN")
    for wrong, said in (
        ("", "Paste the output of the script or template."),
        ("nephoscope-read", "This is not an ARN."),
        ("arn:aws:iam::123456789012:user/alice", "This is the ARN of a user."),
        ("arn:aws:iam::123456789012:role/nobody-made-this", "does not let Nephoscope assume this role"),
    ):
        field.fill(wrong)
        visitor.press("Verify")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        expect(field).to_be_in_viewport()
        expect(visitor.section("Nephoscope could not use this access")).to_contain_text(said)
        expect(visitor.page.get_by_role("alert").filter(has_text=said)).to_be_visible()
        expect(field).to_have_value(wrong)
    visitor.picture("connect-wrong-role", whole=True)
    visitor.follow("Accounts")
    expect(visitor.rows()).to_contain_text("Pending")
    visitor.rows().get_by_role("link", name="northwind").click()
    visitor.picture("account-pending")
    visitor.page.get_by_role("link", name="Continue connecting").click()
    expect(field).to_have_value("")
    expect(visitor.heading("What to scan")).to_have_count(0)


def test_verify_names_every_permission_that_is_missing(visitor: Visitor, demo: Demo) -> None:
    page = visitor.page
    page.get_by_text("CloudFormation", exact=True).click()
    arn = demo.deploy("nephoscope-read", page.locator("pre:visible").inner_text())
    guard(demo, "nephoscope-read", "kms:GetKeyPolicy", "s3:GetBucketAcl")
    page.get_by_label("Role ARN").fill(arn)
    visitor.press("Verify")
    expect(page.get_by_text("2 permissions are missing")).to_be_visible()
    missing = page.get_by_role("listitem").filter(has=page.get_by_label("missing", exact=True))
    assert sorted(text.split()[1] for text in missing.all_inner_texts()) == ["kms:GetKeyPolicy", "s3:GetBucketAcl"]
    expect(missing.first).to_contain_text("a policy denies it")
    expect(page.get_by_text("Nephoscope reached the account.")).to_have_count(0)
    visitor.picture("connect-missing", whole=True)

    guard(demo, "nephoscope-read")
    visitor.press("Verify again")
    expect(page.get_by_text("All required permissions are granted")).to_be_visible()
    page.get_by_text(re.compile(r"^\d+ permissions$")).click()
    expect(page.get_by_label("missing", exact=True)).to_have_count(0)
    assert page.get_by_label("allowed", exact=True).count() > 30
    visitor.picture("connect-verified", whole=True)


def test_regions_and_policies_are_chosen_and_the_scan_shows_its_progress(visitor: Visitor) -> None:
    page = visitor.page
    regions = page.get_by_role("group", name="Regions")
    regions.get_by_role("button", name="None").click()
    for region in REGIONS:
        regions.get_by_label(region, exact=True).check()
    assert regions.get_by_role("checkbox", checked=True).count() == len(REGIONS)
    page.get_by_role("group", name="Policies").get_by_label("CIS Amazon Web Services Foundations 3.0").check()
    visitor.press("Scan now")
    expect(visitor.heading("of northwind")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("You can leave this page")).to_be_visible()
    expect(page.locator("#done-s3")).to_have_text("2 of 2 done", timeout=60_000)
    visitor.picture("scan-running")
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible(timeout=60_000)
    expect(page.get_by_role("status").first).to_contain_text(re.compile(r"100% · \d+ resources"))
    visitor.picture("scan-finished")


# -- 3. See ------------------------------------------------------------------------------------


def test_each_count_of_the_dashboard_leads_to_the_alerts_that_make_it_up(visitor: Visitor) -> None:
    visitor.follow("Dashboard")
    counts = visitor.page.get_by_role("navigation", name="Open alerts by severity")
    visitor.picture("dashboard", whole=True)
    for severity in ("Critical", "High", "Medium", "Low"):
        visitor.go()
        count = counts.get_by_role("link", name=severity)
        number = int(re.findall(r"\d+", count.inner_text())[0])
        assert number > 0
        count.click()
        expect(visitor.page).to_have_url(re.compile(f"severity={severity.lower()}"))
        assert visitor.total() == number
        expect(visitor.rows()).to_have_count(number)
        assert all(severity in row for row in visitor.rows().all_inner_texts())
    visitor.go()
    counts.get_by_role("link", name="Critical").click()
    visitor.picture("alerts-critical")


def test_filters_narrow_the_list_and_the_address_can_be_shared(visitor: Visitor) -> None:
    visitor.follow("Alerts")
    page, everything = visitor.page, visitor.total()
    page.get_by_label("Region").select_option("ap-southeast-2")
    expect(page).to_have_url(re.compile("region=ap-southeast-2"))
    there = visitor.total()
    assert 0 < there < everything
    page.get_by_label("Policy").select_option(label="CIS Amazon Web Services Foundations 5.0")
    expect(page).to_have_url(re.compile("policy=aws_cis_5.0"))
    by_policy = visitor.total()
    assert 0 < by_policy < there
    page.get_by_label("Search").fill("bucket http")
    page.keyboard.press("Enter")
    expect(visitor.rows()).to_have_count(1)
    expect(visitor.rows()).to_contain_text("S3 bucket allows unencrypted HTTP")
    visitor.picture("alerts-filtered")
    shared = page.url
    page.get_by_role("link", name="Clear").click()
    expect(page).not_to_have_url(re.compile("region="))
    assert visitor.total() == everything
    page.goto(shared)
    expect(visitor.rows()).to_have_count(1)
    page.get_by_label("Search").fill("no such thing")
    page.keyboard.press("Enter")
    expect(visitor.heading("No results match these filters")).to_be_visible()
    visitor.picture("alerts-none")


def test_an_alert_says_why_it_matters_how_to_fix_it_and_what_was_read(visitor: Visitor) -> None:
    visitor.alert(READABLE)
    expect(visitor.section("Why it matters")).to_contain_text("Scanners find public buckets within hours")
    by_hand = visitor.section("How to fix it manually")
    expect(by_hand.get_by_role("listitem").first).to_be_visible()
    guide = by_hand.get_by_role("link", name="Vendor documentation")
    expect(guide).to_have_attribute("href", re.compile("^https://docs.aws.amazon.com/"))
    shown = visitor.section("Affected resources")
    expect(affected(visitor, "northwind-public-assets")).to_be_visible()
    expect(shown).to_contain_text(re.compile(r'Policy\.Statement\[0\]\.Principal\s*=\s*"\*"'))
    expect(visitor.section("Timeline")).to_contain_text("opened A-")
    ticket = visitor.page.get_by_role("button", name="Ticket")
    expect(ticket).to_have_attribute("aria-disabled", "true")
    expect(ticket).to_have_attribute("title", "No ticket system is configured")
    visitor.picture("alert", whole=True)


# -- 4. Suppress -------------------------------------------------------------------------------


def test_suppressed_resources_leave_the_list_and_come_back_when_unsuppressed(visitor: Visitor) -> None:
    page, buckets = visitor.page, ("northwind-driver-manuals", "northwind-marketing-site")
    visitor.alert(READABLE)
    visitor.press("Suppress")
    expect(page.get_by_text("Select at least one resource.")).to_be_visible()
    choose(visitor, *buckets)
    visitor.press("Suppress")
    expect(visitor.heading("Suppress 2 resources")).to_be_visible()
    page.get_by_label("Reason").fill("Meant for everyone: manuals and the web site")
    visitor.picture("suppress")
    visitor.press("Suppress")
    expect(page.get_by_text("Suppressed 2 resources.")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("These resources are suppressed already.")).to_be_visible()
    for bucket in buckets:
        expect(affected(visitor, bucket)).to_have_count(0)
    expect(affected(visitor, "northwind-public-assets")).to_be_visible()

    page.get_by_role("switch", name="Show suppressed").click()
    suppressed = visitor.section("Suppressed resources")
    expect(suppressed).to_contain_text("Meant for everyone: manuals and the web site")
    expect(suppressed).to_contain_text("by admin")
    visitor.picture("suppressed", whole=True)
    choose(visitor, *buckets)
    visitor.press("Unsuppress")
    expect(visitor.heading("Unsuppress 2 resources")).to_be_visible()
    visitor.picture("unsuppress")
    visitor.press("Unsuppress")
    expect(page.get_by_text("Unsuppressed 2 resources.")).to_be_visible()
    for bucket in buckets:
        expect(affected(visitor, bucket)).to_be_visible()

    visitor.follow("Audit log")
    page.get_by_label("Search").fill("northwind-marketing-site")
    page.keyboard.press("Enter")
    for verb in ("suppressed", "unsuppressed"):
        sentence = re.compile(rf"admin {verb} 2 resources of A-\d+: northwind-driver-manuals, northwind-marketing-site")
        expect(visitor.rows().filter(has_text=sentence)).to_have_count(1)
    visitor.picture("audit")


# -- 5. Fix by hand ----------------------------------------------------------------------------


def test_what_was_fixed_by_hand_leaves_when_it_is_rechecked(visitor: Visitor, demo: Demo) -> None:
    visitor.alert(READABLE)
    demo.client("s3").put_public_access_block(Bucket="northwind-open-tariffs", PublicAccessBlockConfiguration=BLOCK)
    choose(visitor, "northwind-open-tariffs")
    visitor.press("Recheck")
    expect(visitor.page.get_by_text("Rechecked: 1 fixed, 0 gone, 0 still affected.")).to_be_visible()
    expect(affected(visitor, "northwind-open-tariffs")).to_have_count(0)
    expect(affected(visitor, "northwind-public-assets")).to_be_visible()
    visitor.picture("rechecked")


def test_the_alert_closes_without_a_scan_when_nothing_is_affected_any_more(visitor: Visitor, demo: Demo) -> None:
    visitor.alert(WRITABLE)
    demo.client("s3", "eu-west-1").put_public_access_block(
        Bucket="northwind-returns-photos", PublicAccessBlockConfiguration=BLOCK
    )
    visitor.press("Recheck")
    expect(visitor.page.get_by_text("Resolved", exact=True)).to_be_visible()
    expect(visitor.section("Affected resources")).to_contain_text("No resources are affected any more.")
    visitor.picture("closed-by-hand")
    visitor.follow("Alerts")
    expect(visitor.rows().filter(has_text=WRITABLE)).to_have_count(0)
    visitor.follow("Scans")
    expect(visitor.rows()).to_have_count(1)


# -- 6. Fix from the console -------------------------------------------------------------------


@needs_cli
def test_fix_leads_to_the_set_up_of_the_fix_role_and_back_with_the_same_choice(
    visitor: Visitor, demo: Demo, tmp_path: Path
) -> None:
    page, bucket = visitor.page, "northwind-public-assets"
    visitor.alert(READABLE)
    expect(page.get_by_text("northwind has no fix role yet")).to_be_visible()
    visitor.picture("fix-without-role")
    choose(visitor, bucket)
    visitor.press("Remove public access from the bucket")
    script = page.locator("pre:visible").first.inner_text()
    visitor.picture("fixing-role", whole=True)
    page.get_by_label("Role ARN for fixes").fill("arn:aws:iam::123456789012:role/nephoscope-read")
    visitor.press("Verify")
    expect(page.get_by_role("alert").filter(has_text="This is the role for reading.")).to_be_visible()
    page.get_by_label("Role ARN for fixes").fill(chosen_in_a_terminal(script, demo, tmp_path, "PublicS3Buckets"))
    visitor.press("Verify")
    expect(page.get_by_text(re.compile(r"1 of \d+ groups of fixes are allowed"))).to_be_visible()
    visitor.picture("fixing-verified", whole=True)
    page.get_by_role("link", name="Continue with the fix").click()
    expect(visitor.heading("Fix: Remove public access from the bucket")).to_be_visible()
    expect(page.get_by_text(bucket).first).to_be_visible()


WORKER = 30_000
"""Milliseconds in which a worker of the demo has taken a change and the page has followed it to its end."""


def plan(visitor: Visitor, bucket: str) -> None:
    visitor.alert(READABLE)
    choose(visitor, bucket)
    visitor.press("Remove public access from the bucket")
    expect(visitor.heading("Fix: Remove public access from the bucket")).to_be_visible()
    visitor.picture("fix")
    visitor.press("Plan")
    expect(visitor.heading("Fix: Remove public access from the bucket")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Approve and apply")).to_be_in_viewport()


def apply(visitor: Visitor, reason: str) -> None:
    visitor.page.get_by_label("Reason").fill(reason)
    visitor.press("Approve and apply")


def test_an_approved_plan_is_applied_verified_and_undone_byte_for_byte(visitor: Visitor, demo: Demo) -> None:
    page, bucket = visitor.page, "northwind-public-assets"
    before = policy_of(demo, bucket)
    plan(visitor, bucket)
    expect(page.get_by_text("s3:PutBucketPolicy").first).to_be_visible()
    expect(page.get_by_text("s3:PutBucketPolicy").first).to_be_visible()
    expect(page.get_by_text("reversible", exact=True)).to_be_visible()
    expect(page.locator("del").filter(has_text='"Principal": "*"')).to_be_visible()
    expect(page.locator("ins").filter(has_text=ROOT)).to_be_visible()
    visitor.picture("plan", whole=True)
    visitor.press("Approve and apply")
    expect(page.get_by_role("button", name="Approve and apply")).to_be_visible()
    assert page.get_by_label("Reason").evaluate("field => field.validity.valueMissing")
    assert policy_of(demo, bucket) == before

    apply(visitor, "The web site has moved behind CloudFront")
    expect(visitor.section("Outcome")).to_contain_text("Applied and verified: the resources now pass.", timeout=WORKER)
    visitor.picture("applied", whole=True)
    statement: Any = json.loads(policy_of(demo, bucket))["Statement"][0]
    assert statement["Principal"] == {"AWS": ROOT}
    visitor.alert(READABLE)
    expect(affected(visitor, bucket)).to_have_count(0)

    visitor.section("Changes").get_by_role("link").first.click()
    visitor.press("Undo")
    page.get_by_label("Reason").fill("A partner still reads from it")
    visitor.picture("undo")
    visitor.press("Undo this change")
    expect(visitor.section("Outcome")).to_contain_text("Undone: the resources are as they were before.", timeout=WORKER)
    visitor.picture("undone", whole=True)
    assert policy_of(demo, bucket) == before
    visitor.alert(READABLE)
    expect(affected(visitor, bucket)).to_be_visible()
    visitor.picture("alert-after-undo", whole=True)


def test_a_plan_is_refused_when_the_policy_changed_since(visitor: Visitor, demo: Demo) -> None:
    page, bucket = visitor.page, "northwind-public-assets"
    plan(visitor, bucket)
    somebody = json.loads(policy_of(demo, bucket))
    somebody["Statement"][0]["Sid"] = "ChangedBySomebodyElse"
    demo.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(somebody))
    theirs = policy_of(demo, bucket)
    apply(visitor, "The web site has moved behind CloudFront")
    expect(visitor.section("Outcome")).to_contain_text("has changed since this was planned", timeout=WORKER)
    expect(page.get_by_text("Not applied", exact=True)).to_be_visible()
    visitor.picture("refused", whole=True)
    assert policy_of(demo, bucket) == theirs
    page.get_by_role("link", name="Plan again").click()
    visitor.press("Plan")
    expect(page.get_by_text("ChangedBySomebodyElse").first).to_be_visible()
    expect(page.get_by_role("button", name="Approve and apply")).to_be_visible()


def test_every_step_of_a_change_is_in_the_audit_log_with_its_reason(visitor: Visitor) -> None:
    visitor.follow("Audit log")
    page = visitor.page
    page.get_by_label("Search").fill("Remove public access")
    page.keyboard.press("Enter")
    by_nephoscope = ("applied and verified", "undid", "did not apply")
    for did in ("admin planned", "admin approved", *(f"Nephoscope {act}" for act in by_nephoscope)):
        expect(visitor.rows().filter(has_text=f"{did} C-").first).to_be_visible()
    visitor.picture("audit-of-changes")
    visitor.rows().filter(has_text="applied and verified").get_by_role("link").first.click()
    expect(page.get_by_text("The web site has moved behind CloudFront").first).to_be_visible()
    expect(page.locator("ins").filter(has_text=ROOT).first).to_be_visible()
    visitor.picture("audit-entry", whole=True)
