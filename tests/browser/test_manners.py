"""How the console behaves towards everyone: by keyboard, in the dark, with hostile names, and for who may only look."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.running import Demo
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

READABLE = "S3 bucket is publicly readable"
MARKUP = "<script>alert(1)</script>"
PASSWORD = "correct horse battery staple"


def test_the_demo_opens_on_a_dashboard_with_alerts(visitor: Visitor, demo: Demo) -> None:
    visitor.sign_in(demo.user, demo.password)
    expect(visitor.heading("Newest critical and high")).to_be_visible()
    expect(visitor.section("Latest scans")).to_contain_text("Succeeded")


def test_what_the_demo_did_in_its_second_account_is_there_to_see_and_goes_with_the_account(visitor: Visitor) -> None:
    expect(visitor.page.locator("[data-condition]")).to_contain_text("northwind-lab")
    expect(visitor.page.locator(".neph-demo")).to_contain_text("make start")
    visitor.follow("Changes")
    expect(visitor.rows().filter(has_text="Undone")).to_have_count(1)
    visitor.picture("undone")
    visitor.follow("Suppressions")
    expect(visitor.rows().filter(has_text="northwind-lab")).to_have_count(2)
    visitor.picture("suppressions")
    visitor.follow("Accounts")
    visitor.rows().get_by_role("link", name="northwind-lab").click()
    visitor.picture("partly-read", whole=True)
    visitor.page.get_by_role("link", name="Remove the account").click()
    visitor.press("Remove")
    expect(visitor.page.get_by_text("northwind-lab was removed.")).to_be_visible()
    visitor.go()
    expect(visitor.page.locator("[data-condition]")).to_have_count(0)
    visitor.follow("Suppressions")
    expect(visitor.rows()).to_have_count(0)


def test_resources_are_suppressed_and_brought_back_by_keyboard_alone(visitor: Visitor) -> None:
    visitor.follow("Alerts")
    page, keyboard = visitor.page, visitor.page.keyboard
    visitor.tab_to(page.get_by_role("link", name=re.compile(f"^{READABLE}")))
    visitor.picture("keyboard-list")
    keyboard.press("Enter")
    expect(visitor.heading(READABLE)).to_be_visible()
    box = page.get_by_role("checkbox", name="Choose northwind-claims-archive")
    visitor.tab_to(box)
    keyboard.press("Space")
    visitor.picture("keyboard-chosen")
    visitor.tab_to(page.get_by_role("button", name="Suppress", exact=True), "Shift+Tab")
    keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    keyboard.type("An archive that journalists may read")
    visitor.tab_to(page.get_by_role("button", name="Suppress", exact=True))
    keyboard.press("Enter")
    expect(page.get_by_text("Suppressed 1 resource.")).to_be_visible()
    expect(box).to_have_count(0)

    visitor.tab_to(page.get_by_role("switch", name="Show suppressed"))
    keyboard.press("Enter")
    expect(visitor.section("Suppressed resources")).to_contain_text("An archive that journalists may read")
    visitor.tab_to(box)
    keyboard.press("Space")
    visitor.tab_to(page.get_by_role("button", name="Unsuppress"), "Shift+Tab")
    keyboard.press("Enter")
    expect(visitor.heading("Unsuppress 1 resource")).to_be_visible()
    visitor.tab_to(page.get_by_role("button", name="Unsuppress"))
    keyboard.press("Enter")
    expect(page.get_by_text("Unsuppressed 1 resource.")).to_be_visible()


def test_filters_are_set_by_keyboard(visitor: Visitor) -> None:
    visitor.follow("Alerts")
    page = visitor.page
    visitor.tab_to(page.get_by_label("Severity"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Severity")).to_have_value("high")
    visitor.tab_to(page.get_by_role("button", name="Filter", exact=True))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("severity=high"))
    visitor.total()
    assert all("High" in row for row in visitor.rows().all_inner_texts())


def test_the_console_is_dark_on_request(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("button", name=re.compile("Administrator")).click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    for name, path in (("dashboard", ""), ("alerts", "alerts/alert/")):
        visitor.go(path)
        visitor.picture(f"dark-{name}")
    visitor.alert(READABLE)
    visitor.picture("dark-alert")
    page.get_by_role("button", name=re.compile("Administrator")).click()
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).not_to_have_class(re.compile(r"\bdark\b"))


def test_markup_in_names_and_tags_is_shown_as_text(visitor: Visitor) -> None:
    for name in ("northwind-legacy-uploads", "svc-mailer", "legacy-ftp-ec2"):
        visitor.go(f"inventory/resource/?q={name}")
        visitor.rows().get_by_role("link", name=name, exact=True).click()
        expect(visitor.heading(name)).to_be_visible()
        expect(visitor.section("Properties")).to_contain_text(MARKUP)
    visitor.picture("markup", whole=True)
    visitor.go("alerts/alert/?q=%3Cscript%3Ealert(1)%3C/script%3E&region=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    expect(visitor.page.get_by_label("Search")).to_have_value(MARKUP)


def test_every_page_of_the_navigation_opens_also_on_a_small_screen(visitor: Visitor) -> None:
    visitor.go()
    links = visitor.page.locator("#nav-sidebar a").all()
    pages = sorted({str(link.get_attribute("href")) for link in links})
    assert len(pages) > 12
    for address in pages:
        visitor.go(address)
    visitor.go("api/")
    expect(visitor.page.get_by_role("heading", name="Nephoscope")).to_be_visible()
    visitor.picture("api")
    visitor.page.set_viewport_size({"width": 390, "height": 844})
    for address in ("", "alerts/alert/"):
        visitor.go(address)
        width = visitor.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{address} is {width} wide"
        visitor.picture(f"small-{address.strip('/').replace('/', '-') or 'dashboard'}")
    visitor.alert(READABLE)
    visitor.picture("small-alert", whole=True)
    visitor.page.set_viewport_size({"width": 1440, "height": 900})


# -- Three users: who may, who may only look, who must be refused ------------------------------


def test_an_administrator_lets_a_viewer_and_a_stranger_in(visitor: Visitor) -> None:
    page = visitor.page
    visitor.follow("Account groups")
    page.get_by_role("link", name="Add").first.click()
    page.get_by_label("Name").fill("Production")
    visitor.press("Save")
    for user, groups in (("vera", ["Production"]), ("sam", [])):
        visitor.follow("Users")
        page.get_by_role("link", name="Add").first.click()
        page.get_by_label("User name").fill(user)
        page.get_by_label("Role").select_option(label="Viewer")
        for group in groups:
            page.get_by_label(group).check()
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Confirm password").fill(PASSWORD)
        visitor.picture(f"user-{user}")
        visitor.press("Save")
        expect(visitor.rows().filter(has_text=user)).to_be_visible()
    visitor.follow("Accounts")
    visitor.rows().get_by_role("link", name="northwind").click()
    visitor.section("Settings").get_by_role("link", name="Change", exact=True).click()
    page.get_by_role("group", name="Account groups").get_by_label("Production").check()
    visitor.press("Save")
    expect(visitor.section("Settings")).to_contain_text("Production")


def test_back_after_a_refused_form_goes_to_the_form(visitor: Visitor) -> None:
    page = visitor.page
    visitor.go("accounts/accountgroup/add/")
    page.get_by_label("Name").fill("Production")
    visitor.press("Save")
    expect(page.get_by_text("An account group named Production already exists.")).to_be_visible()
    page.get_by_label("Name").fill("Spare")
    visitor.press("Save")
    expect(visitor.rows().filter(has_text="Spare")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("accountgroup/add/$"))
    expect(page.get_by_label("Name")).to_be_visible()


def test_a_viewer_looks_and_changes_nothing(enter: Callable[[], Visitor], visitor: Visitor) -> None:
    viewer = enter()
    viewer.sign_in("vera", PASSWORD)
    viewer.alert(READABLE)
    viewer.picture("viewer-alert")
    for name in ("Ticket", "Suppress", "Fix", "Recheck"):
        expect(viewer.page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-disabled", "true")
    assert viewer.problems == []
    alert = viewer.page.url
    cookies = {cookie["name"]: cookie["value"] for cookie in viewer.context.cookies()}
    for act in ("suppress", "unsuppress", "recheck", "plan"):
        answer = viewer.context.request.post(
            re.sub("change/$", f"{act}/", alert),
            form={"finding": "1"},
            headers={"X-CSRFToken": cookies["csrftoken"], "Referer": alert},
        )
        assert answer.status == 403, act
        assert "requires the" in answer.text(), act
    viewer.follow("Accounts")
    expect(viewer.page.get_by_role("link", name="Connect account")).to_have_count(0)
    viewer.rows().get_by_role("link", name="northwind").click()
    expect(viewer.page.get_by_role("button", name="Scan now")).to_have_count(0)
    viewer.picture("viewer-account")
    assert viewer.context.request.get(f"{viewer.url}accounts/user/").status == 403


def test_a_stranger_sees_that_there_is_nothing_for_them(enter: Callable[[], Visitor], visitor: Visitor) -> None:
    visitor.alert(READABLE)
    alert = visitor.page.url
    stranger = enter()
    stranger.sign_in("sam", PASSWORD)
    expect(stranger.page.get_by_text("You do not have access to any account")).to_be_visible()
    stranger.picture("stranger")
    stranger.follow("Alerts")
    expect(stranger.rows()).to_have_count(0)
    assert stranger.problems == []
    stranger.page.goto(alert)
    expect(stranger.page.get_by_text("Page not found")).to_be_visible()
    stranger.picture("stranger-alert")


def test_the_times_of_the_pages_are_written_down(visitor: Visitor, album: Path) -> None:
    visitor.alert(READABLE)
    lines = []
    for address in ("", "alerts/alert/", visitor.page.url):
        target = address if address.startswith("http") else visitor.url + address
        took = []
        for _time in range(4):
            begun = time.perf_counter()
            assert visitor.context.request.get(target).status == 200
            took.append((time.perf_counter() - begun) * 1000)
        warm = took[1:]
        lines.append(f"{'/'.join(target.split('/')[3:]) or 'dashboard':30} {min(warm):6.0f} ms to {max(warm):6.0f} ms")
    (album / "times.txt").write_text("\n".join(lines) + "\n")
    print(*lines, sep="\n")


def test_the_account_of_the_demo_is_removed_with_all_that_was_known_of_it(visitor: Visitor, demo: Demo) -> None:
    visitor.follow("Accounts")
    visitor.rows().get_by_role("link", name="northwind").click()
    visitor.page.get_by_role("link", name="Remove the account").click()
    expect(
        visitor.page.get_by_text(re.compile(r"keeps its settings and: \d+ alerts, .* resources, \d+ scans\."))
    ).to_be_visible()
    visitor.picture("remove")
    visitor.press("Remove")
    expect(visitor.page.get_by_text("northwind was removed.")).to_be_visible()
    visitor.page.get_by_role("link", name="Undo").click()
    visitor.picture("removed")
    row = visitor.page.get_by_role("row").filter(has_text="123456789012")
    row.get_by_role("link", name="Delete for good…").click()
    visitor.page.get_by_label("To confirm, enter the account’s name, northwind").fill("northwind")
    visitor.picture("delete for good")
    visitor.press("Delete for good")
    expect(visitor.page.get_by_text("northwind was deleted for good.")).to_be_visible()
    for name in ("Alerts", "Resources", "Scans"):
        visitor.follow(name)
        expect(visitor.rows()).to_have_count(0)
    for stack in ("nephoscope-read", "nephoscope-fix"):
        demo.delete(stack)
