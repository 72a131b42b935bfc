"""The commands of a fix on the pages: one block for each resource, with its own name, to be copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.inventory.models import Resource
from nephoscope.policies.models import RuleSetting

from .conftest import HOSTILE

SignIn = Callable[..., Client]
AddAlert = Callable[..., Alert]

LOGGING = "aws.s3.logging"


def shown(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(f"admin:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_alert_shows_a_block_for_each_resource_and_copies_all(
    viewer: User, add_alert: AddAlert, sign_in: SignIn
) -> None:
    alert = add_alert(LOGGING, *(f"bucket-{number}" for number in range(7)))
    text = shown(sign_in(viewer), "alerts_alert_change", alert.pk)
    first, _, folded = text.partition('<details class="neph-more">')
    for number in range(7):
        assert f"--bucket=bucket-{number} \\" in (first if number < 5 else folded).rpartition('id="all-commands"')[2]
    assert "2 more</summary>" in folded and "Copy all" in first
    whole = text.partition('<pre id="all-commands" hidden>')[2].partition("</pre>")[0]
    assert (whole.count("put-bucket-logging"), whole.count("LOG_BUCKET=&#x27;&#x27;")) == (7, 7)
    wanted = '<mark class="neph-mark">LOG_BUCKET</mark> to a bucket in the same region that receives the logs.'
    assert first.count(f"Set {wanted}") == 5


def test_a_hostile_name_is_a_word_of_the_command_and_no_markup(
    viewer: User, add_alert: AddAlert, sign_in: SignIn
) -> None:
    text = shown(sign_in(viewer), "alerts_alert_change", add_alert("aws.s3.public_read", HOSTILE).pk)
    assert HOSTILE not in text
    assert "--bucket=&#x27;&lt;script&gt;alert(&#x27;\\&#x27;&#x27;x&#x27;\\&#x27;&#x27;)&lt;/script&gt;&#x27;" in text


def test_a_finding_and_its_resource_show_the_block_of_that_resource(
    viewer: User, add_alert: AddAlert, sign_in: SignIn
) -> None:
    finding = add_alert("aws.s3.public_read", "logs-prod", "other").findings.get(resource__name="logs-prod")
    client = sign_in(viewer)
    for page in (
        shown(client, "alerts_finding_change", finding.pk),
        shown(client, "inventory_resource_change", finding.resource_id),
    ):
        assert "--bucket=logs-prod" in page and "--bucket=other" not in page
        assert f'data-copy-from="commands-{finding.pk}"' in page


def test_what_passes_and_what_has_no_commands_shows_none(viewer: User, add_alert: AddAlert, sign_in: SignIn) -> None:
    alert = add_alert("aws.made_up", "logs-prod")
    client = sign_in(viewer)
    assert 'id="commands"' not in shown(client, "alerts_alert_change", alert.pk)
    finding = add_alert("aws.s3.public_read", "assets").findings.get()
    Finding.objects.filter(pk=finding.pk).update(verdict="pass", failing_since=None, alert=None)
    assert 'id="commands"' not in shown(client, "alerts_finding_change", finding.pk)


def test_a_rule_shows_its_template_as_an_example(viewer: User, sign_in: SignIn) -> None:
    text = shown(sign_in(viewer), "rule", LOGGING)
    assert "--bucket={name}" in text and "An example" in text
    assert "<dt><code>LOG_BUCKET</code></dt><dd>a bucket in the same region" in text


def test_a_parameter_is_filled_in_as_it_is_set_for_the_account(
    viewer: User, account: Account, add_alert: AddAlert, sign_in: SignIn
) -> None:
    alert = add_alert("aws.iam.password_length", "northwind")
    Resource.objects.update(type="AWS::::Account", region="global")
    client = sign_in(viewer)
    assert "--minimum-password-length=14 " in shown(client, "alerts_alert_change", alert.pk)
    RuleSetting.objects.create(
        rule_id="aws.iam.password_length", account=account, parameters={"length": 20}, reason="Ours.", set_by="ann"
    )
    assert "--minimum-password-length=20 " in shown(client, "alerts_alert_change", alert.pk)


def test_more_resources_take_no_more_queries(viewer: User, add_alert: AddAlert, sign_in: SignIn) -> None:
    few, many = add_alert(LOGGING, "one"), add_alert("aws.s3.versioning", *(f"b-{n}" for n in range(30)))
    client = sign_in(viewer)
    shown(client, "alerts_alert_change", few.pk)
    counts = []
    for alert in (few, many):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            shown(client, "alerts_alert_change", alert.pk)
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("page", ["alerts_alert_change", "alerts_finding_change"])
def test_who_may_not_see_the_account_sees_no_commands(
    page: str, stranger: User, add_alert: AddAlert, sign_in: SignIn
) -> None:
    alert = add_alert(LOGGING, "logs-prod")
    id = alert.pk if "alert_change" in page else alert.findings.get().pk
    answer = sign_in(stranger).get(reverse(f"admin:{page}", args=[id]))
    assert answer.status_code in (302, 403, 404) and b"--bucket" not in answer.content
