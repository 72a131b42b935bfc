"""A provider with the core alone, as a repository of templates is: no access to grant, no regions, no fixes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from nephoscope import domain
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.connections.services import configure_account, create_account, setup_templates, verify_account
from nephoscope.domain import Framework, Resource, Severity, View, rule
from nephoscope.plugins import registry
from nephoscope.scans.runner import work
from nephoscope.scans.services import start_scan

pytestmark = pytest.mark.django_db
NOTE = "Shelf::Note"


class Folder(domain.Session):
    def __init__(self, path: Path) -> None:
        self.path = path

    def collect(self, service: str, region: str, share: domain.Share = domain.WHOLE) -> Iterator[Resource]:
        for file in sorted(self.path.glob("*.txt")):
            yield Resource(NOTE, file.name, file.stem, region, "", {"Text": file.read_text()})

    def reread(self, resource: Resource) -> Resource | None:
        return next((each for each in self.collect("notes", resource.region) if each.id == resource.id), None)

    def close(self) -> None:
        """Nothing is held open."""


class Shelf(domain.Provider):
    id = "shelf"
    name = "Shelf"
    fields = (domain.Field("path", "folder", "Where the notes are.", required=True),)
    services = (domain.Service("notes", "Notes", (NOTE,), (), regional=False),)

    def open(self, connection: domain.Connection) -> Folder:
        path = Path(connection.settings["path"])
        if not path.is_dir():
            raise domain.ConnectionProblem("path", "There is no such folder.")
        return Folder(path)


@rule(
    "shelf.note.signed",
    on=NOTE,
    severity=Severity.LOW,
    fix="1. Sign it.",
    link="https://shelf.example/sign",
    good=[{"Text": "Bye. Ada"}],
    bad=[{"Text": "Bye."}],
)
def signed(note: View) -> bool:
    """Note is not signed.

    Nobody knows whom to ask.
    """
    return "Ada" in note["Text"]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    provider, plugins = Shelf(), registry()
    control = domain.Control("1", "Notes", (signed.id,))
    framework = Framework("shelf_policy", "Shelf", provider.id, "", (control,))
    monkeypatch.setitem(plugins.providers, provider.id, provider)
    monkeypatch.setitem(plugins.rules, signed.id, signed)
    monkeypatch.setitem(plugins.frameworks, framework.id, framework)
    return provider


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text("Bye.")
    return tmp_path


def connected(notes: Path, actor: Actor) -> Account:
    account = create_account(actor, name="shelf", provider="shelf", settings={"path": str(notes)})
    verify_account(actor, account)
    return account


def test_an_account_without_regions_is_connected_scanned_and_judged(shelf: Shelf, notes: Path, system: Actor) -> None:
    account = connected(notes, system)
    assert account.verified_at and account.regions == [] and account.policies == ["shelf_policy"]
    scan = start_scan(system, account, enqueue=False)
    work(scan.pk)
    scan.refresh_from_db()
    assert scan.state == "succeeded"
    assert Alert.objects.get(account=account).state == "open"
    (notes / "one.txt").write_text("Bye. Ada")
    work(start_scan(system, account, enqueue=False).pk)
    assert Alert.objects.get(account=account).state == "resolved"
    assert Finding.objects.get(account=account).verdict == "pass"


def test_several_accounts_without_a_number_can_be_connected(shelf: Shelf, notes: Path, system: Actor) -> None:
    connected(notes, system)
    other = create_account(system, name="other", provider="shelf", settings={"path": str(notes)})
    assert verify_account(system, other).missing == ()


def test_what_keeps_it_from_being_read_is_named_at_its_field(shelf: Shelf, notes: Path, system: Actor) -> None:
    account = create_account(system, name="shelf", provider="shelf", settings={})
    with pytest.raises(ValidationError) as refused:
        verify_account(system, account)
    assert refused.value.message_dict == {"path": ["Enter the folder."]}
    with pytest.raises(ValidationError) as refused:
        verify_account(system, account, {"path": "/no/such"})
    assert refused.value.message_dict == {"path": ["There is no such folder."]}
    account.refresh_from_db()
    assert account.verified_at is None and account.settings == {"path": ""}


def test_nothing_is_offered_that_its_provider_does_not_have(shelf: Shelf, notes: Path, system: Actor) -> None:
    account = connected(notes, system)
    assert setup_templates(account) == setup_templates(account, writing=True) == []
    with pytest.raises(ValidationError, match="cannot change anything"):
        verify_account(system, account, writing=True)
    configure_account(system, account, name="renamed", tags={"env": "dev"})
    assert account.name == "renamed"


def test_the_console_connects_it_in_the_same_steps(
    shelf: Shelf, notes: Path, administrator: User, client: Client
) -> None:
    client.force_login(administrator)
    client.post(reverse("admin:accounts_account_add"), {"name": "shelf", "provider": "shelf"})
    account = Account.objects.get(name="shelf")
    address = reverse("admin:accounts_account_connect", args=[account.pk])
    page = client.get(address).content.decode()
    assert 'name="path"' in page and 'name="own"' not in page
    assert "There is no such folder" in client.post(address, {"path": "/no/such"}).content.decode()
    page = client.post(address, {"path": str(notes)}, follow=True).content.decode()
    assert 'name="policies"' in page and 'name="regions"' not in page
    chosen = {"name": "shelf", "policies": ["shelf_policy"]}
    client.post(reverse("admin:accounts_account_configure", args=[account.pk]), chosen)
    page = client.get(reverse("admin:accounts_account_change", args=[account.pk])).content.decode()
    assert "Set up fix" not in page and ">Regions<" not in page and "Scan now" in page
    assert client.get(reverse("admin:accounts_account_fixing", args=[account.pk])).status_code == 404


def test_the_api_connects_it(shelf: Shelf, notes: Path, administrator: User) -> None:
    api = APIClient()
    api.force_authenticate(administrator)
    asked = {"name": "shelf", "provider": "shelf", "settings": {"path": str(notes)}}
    made = api.post("/api/v1/accounts", asked, format="json")
    assert made.status_code == 201
    verified = api.post(f"/api/v1/accounts/{made.data['id']}/verify", {}, format="json")
    assert verified.status_code == 200 and verified.data["regions"] == []
    assert api.get(f"/api/v1/accounts/{made.data['id']}/regions").data == []


def test_where_there_is_nothing_to_choose_no_choice_is_required(
    shelf: Shelf, notes: Path, administrator: User, system: Actor, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry().frameworks, "shelf_policy")
    account = connected(notes, system)
    api = APIClient()
    api.force_authenticate(administrator)
    address = f"/api/v1/accounts/{account.pk}"
    got = api.get(address).data
    same = {"regions": got["regions"], "policies": got["policies"]}
    assert same == {"regions": [], "policies": []}
    assert api.patch(address, same, format="json").status_code == 200
    client.force_login(administrator)
    answer = client.post(reverse("admin:accounts_account_configure", args=[account.pk]), {"name": "renamed"})
    account.refresh_from_db()
    assert answer.status_code == 302 and account.name == "renamed"
