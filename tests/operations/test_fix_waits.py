"""``manage.py fix --wait`` waits for a worker that is somewhere else."""

from __future__ import annotations

import threading
import time
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from nephoscope import testing as toy
from nephoscope.accounts.models import Account, User
from nephoscope.alerts.models import Alert
from nephoscope.audit.services import Actor
from nephoscope.changes.applying import work
from nephoscope.changes.models import Change
from nephoscope.inventory import store
from nephoscope.judging.services import judge_resources


@pytest.fixture
def alert(committed: str, cloud: toy.ToyCloud) -> Alert:
    cloud.doors |= {"front": True}
    now = timezone.now()
    account = Account.objects.create(
        name="house",
        provider="toy",
        number="1" * 12,
        regions=["north"],
        policies=["toy-policy"],
        verified_at=now,
        writing_verified_at=now,
        settings={"role": "reader", "write_role": "mover"},
    )
    read = store.save(account, "doors", toy.Doors(cloud.doors).collect("doors", "north"))
    judge_resources(account, Actor.system(), read, ())
    User.objects.create_user("ada", role="administrator")
    return Alert.objects.get()


def test_it_waits_until_the_worker_has_ended_and_says_how(alert: Alert, cloud: toy.ToyCloud) -> None:
    call_command("fix", str(alert), "--fix", toy.CloseDoor.id, stdout=StringIO())
    change = Change.objects.get()

    def take() -> None:
        try:
            while Change.objects.get().state != "approved":
                time.sleep(0.05)
            work(change.pk)
        finally:
            connection.close()

    worker, said = threading.Thread(target=take), StringIO()
    worker.start()
    approving = ["--apply", change.digest, "--reason", "rain", "--user", "ada"]
    call_command("fix", *approving, "--wait", stdout=said)
    worker.join()
    assert "Applied and verified: the resources now pass." in said.getvalue()
    assert cloud.doors["front"] is False
