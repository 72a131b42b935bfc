"""``make record-release``: record the database of a demo as this version leaves it, and every migration.

From then on a test migrates that database, and another refuses every change of a recorded migration. Run at each
release, after the version was set; commit what it writes.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EMPTIED = ("django_session", "django_q_ormq", "django_q_task", "django_q_schedule", "accounts_keptform")
"""Tables of what a running process leaves behind, which no upgrade has to keep."""


def main(version: str) -> None:
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        os.environ |= {"NEPHOSCOPE_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "nephoscope.settings"}
        os.environ |= {"NEPHOSCOPE_SECRET_KEY": "recorded", "DATABASE_URL": "", "REDIS_URL": ""}
        subprocess.run([sys.executable, "manage.py", "demo", "--once"], cwd=ROOT, check=True)
        import django

        django.setup()
        from django.conf import settings
        from django.db import connections
        from tests.upgrade.recorded import HERE, RELEASED, digests

        from nephoscope import postgres

        try:
            _fill()
            found = json.dumps(_dumped(), sort_keys=True).encode()
        finally:
            connections.close_all()
            postgres.stop(settings.POSTGRES_DIR)
    (HERE / f"{version}.json.gz").write_bytes(gzip.compress(found, 9, mtime=0))
    RELEASED.write_text(json.dumps(digests(), indent=1, sort_keys=True) + "\n")


def _fill() -> None:
    """Add what the demo has none of."""
    from django.utils import timezone

    from nephoscope.accounts.models import Account, AccountGroup, User
    from nephoscope.audit.services import Actor
    from nephoscope.events.models import Listener
    from nephoscope.organisations.models import Member, Organisation
    from nephoscope.people.tokens import issue_token
    from nephoscope.policies.services import create_policy, set_scope
    from nephoscope.reports.models import ReportSchedule

    admin, account = User.objects.get(), Account.objects.earliest("pk")
    actor = Actor.of(admin)
    group = AccountGroup.objects.create(name="Production")
    group.accounts.add(account)
    viewer = User.objects.create_user("vera", role="viewer")
    viewer.account_groups.add(group)
    policy = create_policy(actor, name="House rules", based_on=account.policies[0], provider=account.provider)
    set_scope(actor, policy.key, {"stage": "production"})
    issue_token(actor, name="nightly export", scope="read")
    ReportSchedule.objects.create(name="Weekly", owner=admin, mail_to=["ada@example.org"], everything=True)
    organisation = Organisation.objects.create(name="company", account=account, settings={"role_name": "read"})
    seen = {"since": timezone.now(), "seen_at": timezone.now()}
    Member.objects.create(organisation=organisation, number="210987654321", name="sandbox", state="active", **seen)
    Listener.objects.create(account=account, address="a" * 32, salt="s" * 32, rotated_at=timezone.now())


def _dumped() -> dict[str, Any]:
    """Read the whole database; nobody can sign in to what is recorded."""
    from django.db import connection
    from django.db.migrations.recorder import MigrationRecorder

    from nephoscope.accounts.models import User

    User.objects.update(password="!")
    newest: dict[str, str] = {}
    for app, name in sorted(MigrationRecorder(connection).applied_migrations()):
        newest[app] = max(name, newest.get(app, ""))
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - {"django_migrations", *EMPTIED})
        return {"migrations": newest, "tables": {table: _table(cursor, table) for table in tables}}


def _table(cursor: Any, table: str) -> dict[str, Any]:
    from django.db import connection

    described = connection.introspection.get_table_description(cursor, table)
    columns = [each.name for each in described]
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attgenerated <> ''", [f'"{table}"']
    )
    columns = [each for each in columns if each not in {row[0] for row in cursor.fetchall()}]
    listed = ", ".join(f'"{each}"' for each in columns)
    with cursor.copy(f'COPY (SELECT {listed} FROM "{table}" ORDER BY 1) TO STDOUT') as copy:
        rows = b"".join(bytes(part) for part in copy).decode()
    return {"columns": columns, "rows": rows}


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT)]
    from nephoscope import __version__

    main(sys.argv[1] if len(sys.argv) > 1 else __version__)
