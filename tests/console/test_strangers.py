"""Nobody learns anything of accounts that are not theirs: on a page, in the API, an export or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient
from tests.console.conftest import Things
from tests.console.crawl import walk

from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.alerts.suppressions import suppress
from nephoscope.audit.actions.accounts import ACCOUNT_CONFIGURED
from nephoscope.audit.services import Actor, record
from nephoscope.connections.services import configure_account
from nephoscope.domain import Resource as DomainResource
from nephoscope.events.services import switch_on
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource, Scan, Shard
from nephoscope.organisations.models import Member, Organisation
from nephoscope.policies.models import PolicyScope
from nephoscope.policies.rule_settings import Place, set_rule
from nephoscope.reports.models import ReportSchedule

pytestmark = pytest.mark.django_db

THEIRS = "zebra"
"""In every name and text of the others, and in nothing else."""

KEY = "aws.s3.public_read"


@pytest.fixture
def others(things: Things, viewer: User, administrator: User) -> Account:
    """An account of another group, with everything; the granted account is in that group, too."""
    group = AccountGroup.objects.create(name="zebra group", description="zebra")
    owner = User.objects.create_user("zebra-user", role="analyst", first_name="zebra")
    owner.account_groups.add(group)
    tags = {"zebra-key": "zebra-value"}
    account = Account.objects.create(
        name="zebra account",
        provider="aws",
        number="999988887777",
        regions=["eu-north-1"],
        verified_at=timezone.now(),
        tags=tags,
        failures={"reading": {"since": timezone.now().isoformat(), "reason": "zebra failure"}},
        policies=things.account.policies,
        settings={**things.account.settings, "role_arn": "arn:aws:iam::999988887777:role/zebra"},
    )
    account.groups.add(group)
    things.account.groups.add(group)
    things.organisation.groups.add(group, *things.account.groups.all())
    things.organisation.include, things.organisation.exclude = ["Zebra unit"], ["zebra/left out"]
    things.organisation.save()
    actor, now = Actor.of(owner, "10.9.9.9"), timezone.now()
    found = DomainResource(
        "AWS::S3::Bucket", "arn:aws:s3:::zebra", "zebra", "eu-north-1", account.number, {"a": "zebra"}, tags
    )
    [pk] = store.save(account, "s3", [found])
    alert = Alert.objects.create(
        account=account,
        key=KEY,
        severity="critical",
        rank=0,
        title="zebra alert",
        state="open",
        affected=1,
        first_seen=now,
        last_seen=now,
        opened_at=now,
    )
    for rule in (KEY, "aws.s3.versioning"):
        finding = Finding.objects.create(
            account=account,
            rule_id=rule,
            resource=Resource.objects.get(pk=pk),
            verdict="fail",
            message="zebra",
            changed_at=now,
            failing_since=now,
            alert=alert,
        )
    suppress(actor, alert, [finding], "zebra reason")
    scan = Scan.objects.create(account=account, state="failed", error="zebra", requested_by=owner, finished_at=now)
    Shard.objects.create(scan=scan, service="s3", region="global", state="failed", error="zebra")
    Member.objects.create(
        organisation=things.organisation,
        number=account.number,
        name="zebra",
        state="active",
        path="zebra",
        since=now,
        seen_at=now,
        account=account,
        linked_at=now,
        problem="zebra",
    )
    apart = Organisation.objects.create(name="zebra organisation", account=account, settings={})
    apart.groups.add(group)
    record(actor, ACCOUNT_CONFIGURED, account, account=account, reason="zebra", before={"name": "zebra"})
    configure_account(Actor.of(administrator), things.account, scan_every=5, groups=things.account.groups.all())
    for policy in ("cis-aws-5.0", *things.account.policies):
        PolicyScope.objects.get_or_create(policy=policy, defaults={"tags": tags})
    set_rule(Actor.system(), KEY, Place(account=account), severity="low", reason="zebra")
    schedule = ReportSchedule.objects.create(name="zebra schedule", owner=owner, form="csv", every="day")
    schedule.groups.add(group)
    mine = ReportSchedule.objects.create(name="mine", owner=viewer, form="csv", every="day")
    mine.groups.add(group, *viewer.account_groups.all())
    mine.accounts.add(account)
    switch_on(Actor.system(), account)
    return account


READ_ONLY = ("viewer", "analyst", "remediator")


@pytest.mark.parametrize("role", READ_ONLY)
def test_no_page_or_file_of_the_console_names_anything_of_others(
    others: Account, everyone: dict[str, User], sign_in: Callable[..., Client], role: str
) -> None:
    class Watching(Client):
        def get(self, *args: Any, **kwargs: Any) -> Any:
            answer = super().get(*args, **kwargs)
            seen.append((args[0], b"".join(answer.streaming_content) if answer.streaming else answer.content))  # type: ignore[arg-type]
            return answer

    seen: list[tuple[str, bytes]] = []
    client = Watching()
    client.force_login(everyone[role])
    walk(client, "/")
    for term in (THEIRS, others.number, "10.9.9.9"):
        named = sorted({address for address, content in seen if term.encode() in content.lower()})
        assert not named, (term, named)
    assert len(seen) > 30


def endpoints() -> list[str]:
    paths: dict[str, Any] = SchemaGenerator().get_schema(public=True)["paths"]
    return [path for path, operations in paths.items() if "get" in operations]


def expanded(api: APIClient, path: str) -> list[str]:
    """The path with each id that its list gives."""
    if "{" not in path:
        return [path]
    if "{form}" in path:
        return [path.replace("{form}", form) for form in ("csv", "json", "ocsf", "asff", "pdf")]
    base, _brace, rest = path.partition("/{")
    after = rest.partition("}")[2]
    listed = api.get(base)
    if listed.status_code != 200:
        return []
    body = listed.json()
    return [f"{base}/{row['id']}{after}" for row in (body["results"] if isinstance(body, dict) else body)[:40]]


@pytest.mark.parametrize("role", READ_ONLY)
def test_no_answer_of_the_api_names_anything_of_others(others: Account, everyone: dict[str, User], role: str) -> None:
    api = APIClient(raise_request_exception=False)
    api.force_authenticate(everyone[role])
    asked, named = 0, []
    for path in endpoints():
        for address in expanded(api, path):
            answer = api.get(address)
            content = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type]
            asked += answer.status_code == 200
            named += [
                (term, address) for term in (THEIRS, others.number, "10.9.9.9") if term.encode() in content.lower()
            ]
    assert not named and asked > 40


@pytest.mark.parametrize("role", READ_ONLY)
def test_searching_and_asking_by_id_tell_nothing_of_others(
    others: Account, everyone: dict[str, User], role: str
) -> None:
    api = APIClient()
    api.force_authenticate(everyone[role])
    for noun, row in (("accounts", others), ("alerts", others.alerts.get()), ("scans", others.scans.get())):
        there, nowhere = (api.get(f"/api/v1/{noun}/{pk}") for pk in (row.pk, 10**9))
        assert there.status_code == nowhere.status_code == 404
        assert there.content.replace(str(row.pk).encode(), b"") == nowhere.content.replace(str(10**9).encode(), b"")
    for noun in ("alerts", "resources", "findings", "scans", "suppressions", "audit"):
        for query in ({"account": others.pk}, {"q": THEIRS}):
            answer = api.get(f"/api/v1/{noun}", query)
            assert answer.status_code == 400 or answer.json()["count"] == 0, (noun, query)


def test_an_administrator_reads_all_of_it(others: Account, administrator: User, things: Things) -> None:
    api = APIClient()
    api.force_authenticate(administrator)
    for path in ("accounts", "audit", "organisations", "policies", "groups", f"accounts/{things.account.pk}"):
        assert THEIRS in api.get(f"/api/v1/{path}").content.decode().lower(), path
