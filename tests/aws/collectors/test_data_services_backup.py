"""Backup vaults: collected over HTTP from a small server that speaks the API, since moto has no recovery points."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why
from tests.serving import serving

from nephoscope.domain import Finding, Resource, Verdict
from nephoscope.engine import judge
from nephoscope_aws.api import Api, Denied
from nephoscope_aws.collectors import ALL, backup
from nephoscope_baseline.aws.backup import vault_encrypted

VAULT_ARN = f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:"
POINT_ARN = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"
BARE, PASSING = (f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/{name}" for name in ("vol-bare", "vol-passing"))


DENIED_REGION = "eu-central-1"


def judged(resource: Resource) -> Finding:
    return judge(vault_encrypted, resource, now=datetime(2026, 1, 15, tzinfo=UTC))


def vault(name: str, **more: Any) -> dict[str, Any]:
    return {
        "BackupVaultName": name,
        "BackupVaultArn": VAULT_ARN + name,
        "EncryptionKeyArn": KEY_ARN,
        "VaultType": "BACKUP_VAULT",
        "NumberOfRecoveryPoints": 0,
        **more,
    }


def point(number: int, resource: str, encrypted: bool, status: str = "COMPLETED") -> dict[str, Any]:
    return {
        "RecoveryPointArn": f"{POINT_ARN}{number}",
        "ResourceArn": resource,
        "IsEncrypted": encrypted,
        "Status": status,
    }


VAULT_PAGES = [[vault("right"), vault("wrong", Locked=True, MinRetentionDays=7)], [vault("denied"), vault("many")]]
POINT_PAGES = {
    "right": [[point(1, BARE, True), point(2, PASSING, False, "CREATING")], [point(3, PASSING, False, "DELETING")]],
    "wrong": [[point(4, BARE, True), point(5, BARE, False)], [point(6, BARE, False, "EXPIRED")]],
    "many": [[point(number, f"{BARE}-{number:02}", False) for number in range(100, 130)]],
}


class BackupApi(BaseHTTPRequestHandler):
    """ListBackupVaults and ListRecoveryPointsByBackupVault, with a token for each further page.

    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListRecoveryPointsByBackupVault.html
    """

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if DENIED_REGION in self.headers["Authorization"]:
            return self.answer(403, {"message": "no", "code": "AccessDeniedException"})
        page = int(parse_qs(url.query).get("nextToken", ["0"])[0])
        _, _, name, *rest = unquote(url.path).split("/")
        if rest and name not in POINT_PAGES:
            return self.answer(403, {"message": "no", "code": "AccessDeniedException"})
        pages, key = (POINT_PAGES[name], "RecoveryPoints") if rest else (VAULT_PAGES, "BackupVaultList")
        token = {"NextToken": str(page + 1)} if page + 1 < len(pages) else {}
        return self.answer(200, {key: pages[page], **token})

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status >= 400:
            self.send_header("x-amzn-ErrorType", body["code"])
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture(scope="module")
def vaults() -> Iterator[Api]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), BackupApi)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        yield api
        api.close()


def test_vaults_say_whose_backups_are_not_encrypted_and_are_judged_by_it(vaults: Api) -> None:
    before = vaults.calls
    by_name = {each.name: each for each in collected(vaults, "backup")}
    assert vaults.calls - before == 2 + 2 + 2 + 1 + 1
    assert {name: judged(each).verdict for name, each in by_name.items()} == {
        "right": Verdict.PASS,
        "wrong": Verdict.FAIL,
        "denied": Verdict.UNKNOWN,
        "many": Verdict.FAIL,
    }
    assert by_name["wrong"].properties == {
        "BackupVaultName": "wrong",
        "EncryptionKeyArn": KEY_ARN,
        "LockConfiguration": {"MinRetentionDays": 7, "MaxRetentionDays": None},
        "Observed": {
            "VaultType": "BACKUP_VAULT",
            "EncryptionKeyType": None,
            "UnencryptedResources": [BARE],
            "UnencryptedResourceCount": 1,
        },
    }
    hidden = why(at(by_name["denied"], "Observed.UnencryptedResources"))
    assert hidden["permission"] == "backup:ListRecoveryPointsByBackupVault"


def test_a_vault_names_some_of_many_and_counts_them_all(vaults: Api) -> None:
    many = next(each for each in collected(vaults, "backup") if each.name == "many")
    assert len(at(many, "Observed.UnencryptedResources")) == backup.MAX_NAMED
    assert judged(many).message.startswith("30 resources have unencrypted backups in this vault: ")
    assert judged(many).message.endswith("…")


def test_a_vault_read_again_is_the_same_and_one_that_is_gone_is_none(vaults: Api) -> None:
    for resource in collected(vaults, "backup"):
        assert ALL["backup"].reread(vaults, resource) == resource
    gone = Resource(backup.VAULT, f"{VAULT_ARN}gone", "gone", REGION, ACCOUNT, {})
    assert ALL["backup"].reread(vaults, gone) is None


def test_a_denied_list_hides_all_vaults_and_their_rereading(vaults: Api) -> None:
    [hidden] = collected(vaults, "backup", DENIED_REGION)
    assert (not hidden.unlisted, hidden.type) == (False, backup.VAULT)
    assert why(hidden.properties)["permission"] == "backup:ListBackupVaults"
    known = Resource(backup.VAULT, f"{VAULT_ARN}right", "right", DENIED_REGION, ACCOUNT, {})
    with pytest.raises(Denied, match="backup:ListBackupVaults"):
        ALL["backup"].reread(vaults, known)


def test_a_vault_has_a_shape_that_cloudformation_knows(vaults: Api) -> None:
    known = set(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", backup.VAULT).schema["properties"])
    for resource in collected(vaults, "backup"):
        assert set(resource.properties) <= known | {"Observed"}
