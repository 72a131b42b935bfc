"""A database that is away: the embedded one is started again, and without one every page says so and nothing breaks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nephoscope.operations.processes import free_port

ROOT = Path(__file__).parents[2]

KILL_IT = """
import os, signal, subprocess, sys, time, django, psutil
django.setup()
from django.conf import settings
from django.db import OperationalError, connection
from nephoscope import postgres

def ask():
    # A connection that meets the server as it dies is lost with it; the next one is not.
    for last in (False, True):
        connection.close()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), pg_postmaster_start_time()")
                return cursor.fetchone()
        except OperationalError:
            if last:
                raise

def gone():
    # Until nothing of the server is left.
    while any(postgres._serves(each, settings.POSTGRES_DIR) for each in psutil.process_iter()):
        time.sleep(0.05)

backend, since = ask()
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT):
    os.kill(int((settings.POSTGRES_DIR / "postmaster.pid").read_text().split()[0]), number)
    backend, now = ask()
    print(number.name, now > since)
    since = now
os.kill(backend, signal.SIGKILL)
print("backend", ask()[0] != backend)
pid = settings.POSTGRES_DIR / "postmaster.pid"
for stopping in (False, True):
    lines = pid.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    gone()
    pid.write_text(os.linesep.join([str(os.getpid()), *lines[1:], ""]))
    if stopping:
        postgres.stop(settings.POSTGRES_DIR)
    since, (_backend, now) = now, ask()
    print("stranger", now > since)
os.kill(int(pid.read_text().split()[0]), signal.SIGKILL)
gone()
again = "import django; django.setup(); from django.db import connection; connection.ensure_connection()"
subprocess.run([sys.executable, "-c", again], check=True)
connection.close()
postgres.stop(settings.POSTGRES_DIR)
print("elsewhere", not any(postgres._serves(each, settings.POSTGRES_DIR) for each in psutil.process_iter()))
"""

ASK_WITHOUT_REDIS = """
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.test import Client
from nephoscope import postgres
from nephoscope.queue.dispatch import dispatch

dispatch("housekeeping", name="is woken later")
print(Client(SERVER_NAME="localhost").get("/login/").status_code)
connection.close()
postgres.stop(settings.POSTGRES_DIR)
"""


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "nephoscope.settings", **more}


def test_an_embedded_server_that_was_killed_is_started_again_by_the_next_connection(tmp_path: Path) -> None:
    asked = environment(DATABASE_URL="", NEPHOSCOPE_DATA_DIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", KILL_IT], cwd=ROOT, env=asked, capture_output=True, text=True, timeout=90
    )
    each = ["SIGKILL", "SIGTERM", "SIGQUIT", "backend", "stranger", "stranger", "elsewhere"]
    assert done.stdout.split() == [word for name in each for word in (name, "True")], done.stderr


@pytest.fixture
def homeless(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a console whose database nobody serves, and its log."""
    port, log = free_port(), tmp_path / "log"
    asked = environment(DATABASE_URL="postgresql://nobody@127.0.0.1:9/nothing", NEPHOSCOPE_DATA_DIR=str(tmp_path))
    server = [sys.executable, "-m", "gunicorn", "nephoscope.wsgi", "--bind", f"127.0.0.1:{port}"]
    with log.open("wb") as out:
        web = subprocess.Popen([*server, "--worker-class", "gthread"], cwd=ROOT, env=asked, stdout=out, stderr=out)
    try:
        yield f"http://127.0.0.1:{port}", log
    finally:
        web.terminate()
        web.wait()


def answer(address: str) -> tuple[int, str, str | None]:
    """Ask with what somebody has who is signed in, once the server listens."""
    headers = {"Cookie": "sessionid=a234567890123456789012345678901b", "Authorization": "Token abcdefghijklmnop"}
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=30) as found:
                return found.status, found.read().decode(), None
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode(), problem.headers["Retry-After"]
        except urllib.error.URLError:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_without_a_database_pages_and_api_answer_that_they_will_be_back(homeless: tuple[str, Path]) -> None:
    address, log = homeless
    for path in ("/", "/api/v1/alerts"):
        status, said, after = answer(f"{address}{path}?secret=in-the-address")
        assert (status, after) == (503, "10")
        assert "The database is not available. Try again in a moment." in said
        assert said.startswith("{") == path.startswith("/api/")
    lines = log.read_text()
    assert "OperationalError" in lines
    assert "Traceback" not in lines and "in-the-address" not in lines and "abcdefghijklmnop" not in lines


def test_without_redis_the_console_works_and_what_is_to_be_done_is_woken_later(tmp_path: Path) -> None:
    asked = environment(REDIS_URL="redis://127.0.0.1:9/0", NEPHOSCOPE_DATA_DIR=str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", ASK_WITHOUT_REDIS], cwd=ROOT, env=asked, capture_output=True, text=True, timeout=90
    )
    assert done.stdout.splitlines() == ["200"], done.stderr
    assert "the queue does not take is woken later" in done.stderr
    assert "Traceback" not in done.stderr
