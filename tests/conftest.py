"""What all tests share: users of each kind, an account, and a simulated AWS over real HTTP."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import setup_databases, teardown_databases
from django.utils import timezone
from xdist.scheduler import LoadFileScheduling

from nephoscope import postgres
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.domain import Resource as DomainResource
from nephoscope.inventory import store
from nephoscope.inventory.models import Resource
from nephoscope.plugins import registry
from nephoscope_aws_simulator.testing import Cloud, Simulator

PASSWORD = "correct horse battery staple"
NUMBER = "123456789012"

_TOGETHER = ("tests/browser/", "tests/aws/collectors/")
"""Directories whose files share a demo, and simulators."""


_SERVICE = re.compile(r"(tests/truth/.*|tests/fixes/test_rounds\.py)::.*\[(?:aws\.)?(\w+)")
"""The file and the service of a truth case, or of a fix that goes round."""


class _Dealing(LoadFileScheduling):
    """Deals out whole directories of what shares something slow to start, truth and fixes by service, else files."""

    def _split_scope(self, nodeid: str) -> str:
        if of_service := _SERVICE.match(nodeid):
            return "::".join(of_service.groups())
        return next((place for place in _TOGETHER if nodeid.startswith(place)), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Dealing:
    return _Dealing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole directories first: they take longest, and tests are dealt out in this order."""
    items.sort(key=lambda item: not item.nodeid.startswith(_TOGETHER))


def pytest_collection_finish() -> None:
    """Keep the garbage collector from what was collected, which stays to the end: it took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the embedded PostgreSQL that `make test` started in a data directory of its own."""
    last_to_go = not hasattr(session.config, "workerinput")
    if settings.DATA_DIR.name == "test" and last_to_go:
        postgres.stop(settings.POSTGRES_DIR)


@pytest.fixture(autouse=True, scope="session")
def in_a_hurry() -> Iterator[None]:
    """Make many users in little time, and do not look for all static files whenever a test client is made.

    A simulator on a busy machine is slower than a cloud, so nobody is impatient with it.
    """
    quick = {
        "NEPHOSCOPE_INTERACTIVE_SECONDS": 120,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "WHITENOISE_AUTOREFRESH": True,
    }
    with override_settings(**quick):
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None
) -> Iterator[None]:
    """Make the test database, for whoever asks: pytest-django's own does not see that ``committed`` needs it."""
    with django_db_blocker.unblock():
        _do_not_wait_for_the_disk()
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


def _do_not_wait_for_the_disk() -> None:
    """In the server that `make test` started for itself nothing needs to outlive the machine."""
    if settings.DATA_DIR.name == "test" and (settings.POSTGRES_DIR / "postmaster.pid").exists():
        with connection._nodb_cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("SELECT pg_reload_conf()")


@pytest.fixture
def group(db: None) -> AccountGroup:
    return AccountGroup.objects.create(name="Production")


@pytest.fixture
def account(group: AccountGroup) -> Account:
    """A connected account whose group the viewer, the analyst and the remediator were granted."""
    account = Account.objects.create(
        name="prod",
        provider="aws",
        number=NUMBER,
        regions=["us-east-1", "eu-west-1"],
        verified_at=timezone.now(),
        policies=sorted(registry().frameworks),
        settings={
            "role_arn": "",
            "external_id": "e" * 32,
            "profile": "",
            "write_role_arn": "",
            "write_external_id": "f" * 32,
        },
    )
    account.groups.add(group)
    return account


def _user(name: str, role: str, *groups: AccountGroup) -> User:
    user = User.objects.create_user(name, password=PASSWORD, role=role)
    user.account_groups.set(groups)
    return user


@pytest.fixture
def viewer(group: AccountGroup) -> User:
    return _user("vera", "viewer", group)


@pytest.fixture
def analyst(group: AccountGroup) -> User:
    return _user("anna", "analyst", group)


@pytest.fixture
def remediator(group: AccountGroup) -> User:
    return _user("rémi", "remediator", group)


@pytest.fixture
def administrator(db: None) -> User:
    return _user("ada", "administrator")


@pytest.fixture
def stranger(db: None) -> User:
    """An analyst who was granted no group."""
    return _user("sam", "analyst")


@pytest.fixture
def everyone(viewer: User, analyst: User, remediator: User, administrator: User, stranger: User) -> dict[str, User]:
    return {
        "viewer": viewer,
        "analyst": analyst,
        "remediator": remediator,
        "administrator": administrator,
        "stranger": stranger,
    }


@pytest.fixture
def system() -> Actor:
    return Actor.system("test")


@pytest.fixture
def add_resource(account: Account) -> Callable[..., Resource]:
    """Store a resource as a scan would: ``add_resource("AWS::S3::Bucket", "logs", {...properties})``."""

    def add(
        type: str,
        name: str,
        properties: dict[str, Any],
        *,
        region: str = "eu-west-1",
        service: str = "s3",
        id: str = "",
        tags: dict[str, str] | None = None,
    ) -> Resource:
        id = id or (
            f"arn:aws:s3:::{name}" if type == "AWS::S3::Bucket" else f"arn:aws:{service}:{region}:{NUMBER}:{name}"
        )
        found = DomainResource(type, id, name, region, account.number, properties, tags or {})
        [pk] = store.save(account, service, [found])
        return Resource.objects.get(pk=pk)

    return add


@pytest.fixture
def add_alert(account: Account, add_resource: Callable[..., Resource]) -> Callable[..., Alert]:
    """Make an open alert with one failing finding per resource name."""

    def add(key: str = "aws.s3.public_read", *names: str, severity: str = "critical") -> Alert:
        now = timezone.now()
        names = names or ("logs-prod",)
        rank = ["critical", "high", "medium", "low"].index(severity)
        rule = registry().rules.get(key)
        alert = Alert.objects.create(
            account=account,
            key=key,
            severity=severity,
            rank=rank,
            title=rule.title if rule else key,
            state="open",
            affected=len(names),
            first_seen=now,
            last_seen=now,
            opened_at=now,
        )
        for name in names:
            Finding.objects.create(
                account=account,
                rule_id=key,
                resource=add_resource("AWS::S3::Bucket", name, {"BucketName": name}),
                verdict="fail",
                message="Anyone can read objects: policy allows s3:GetObject",
                evidence=[{"path": "Policy.Statement[0].Principal", "value": "*", "absent": False, "resource": ""}],
                changed_at=now,
                failing_since=now,
                alert=alert,
            )
        return alert

    return add


@pytest.fixture(scope="session")
def company() -> Iterator[Simulator]:
    """The demo company's simulated AWS account. Shared: tests that change it put back what they changed."""
    with Simulator(company=True) as simulator:
        yield simulator


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, company: Simulator) -> Simulator:
    """The company's account, which this process reaches as it would reach AWS."""
    use(monkeypatch, company)
    return company


def use(monkeypatch: pytest.MonkeyPatch, simulator: Cloud) -> None:
    """Let this process reach an account as it would reach AWS; denials of earlier tests are lifted."""
    simulator.control("reset-denials")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in simulator.env().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database whose changes other processes see; its URL. Emptied afterwards, the append-only log too."""
    with django_db_blocker.unblock():
        connection.ensure_connection()
        info = connection.connection.info
        yield f"postgresql://{info.user}:{info.password}@/{info.dbname}?host={info.host}&port={info.port}"
        kept = {"django_migrations", "django_content_type", "auth_permission"}
        tables = [table for table in connection.introspection.table_names() if table not in kept]
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for table in tables:  # a few rows each: that is a hundred times as fast as TRUNCATE
                cursor.execute(f'DELETE FROM "{table}"')
            cursor.execute("RESET session_replication_role")
        connection.close()


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept."""
    path = Path(os.environ.get("NEPHOSCOPE_TEST_ARTEFACTS", "test-artefacts"))
    path.mkdir(parents=True, exist_ok=True)
    return path


# At the end: these modules use what is above.
from tests.api.conftest import api, cloud, toy_account  # noqa: E402, F401
from tests.house import boss, house, report  # noqa: E402, F401
from tests.small import small, small_account  # noqa: E402, F401
from tests.standing import find, policy, scanned  # noqa: E402, F401
