"""``manage.py fix``: dry until a digest is approved, with the rights of the user who is named."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from tests.house import House

from nephoscope import testing as toy
from nephoscope.accounts.models import User
from nephoscope.audit.models import Entry
from nephoscope.audit.services import Actor
from nephoscope.changes.approvals import require_second_approver
from nephoscope.changes.models import Change, ChangeStep
from nephoscope.operations.plans import plan_text

pytestmark = pytest.mark.django_db


def fix(*arguments: str) -> str:
    said = StringIO()
    call_command("fix", *arguments, stdout=said)
    return said.getvalue()


def refused(*arguments: str) -> tuple[int, str]:
    """Return the exit status and the message of a command that fails."""
    with pytest.raises(CommandError) as problem:
        fix(*arguments)
    return problem.value.returncode, str(problem.value)


def planned(house: House, *arguments: str) -> Change:
    fix(str(house.alert), "--resource", "front", "--fix", toy.CloseDoor.id, *arguments)
    return Change.objects.latest("pk")


def applying(change: Change, *arguments: str, user: str = "rémi") -> list[str]:
    return ["--apply", change.digest, "--reason", "rain", "--user", user, *arguments]


# -- Planning --------------------------------------------------------------------------------------


def test_by_default_the_plan_is_printed_and_stored_and_nothing_is_changed(house: House) -> None:
    said = fix(str(house.alert), "--resource", "front", "--fix", toy.CloseDoor.id)
    change = Change.objects.get()
    assert (change.state, change.planned_by) == ("planned", None)
    assert house.cloud.doors["front"] is True
    for line in (
        f"{change}  Close the door",
        "  Nobody comes in without a key.",
        "toy:SetDoor, undone by toy:SetDoor",
        '{"door": "front", "open": false}',
        '     -   "Open": true',
        '     +   "Open": false',
        f"  {toy.WRITE}  *",
        f"Digest  {change.digest}",
        "Nothing was changed.",
        f"manage.py fix --apply {change.digest} --reason TEXT --user NAME\n",
    ):
        assert line in said, line
    assert Entry.objects.get(action="change.planned").actor == "manage.py fix"


def test_as_json_it_is_what_the_api_answers(house: House) -> None:
    found = json.loads(fix(str(house.alert), "--resource", "front", "--fix", toy.CloseDoor.id, "--json"))
    assert (found["reference"], found["digest"]) == (str(Change.objects.get()), Change.objects.get().digest)
    assert [step["call"]["label"] for step in found["steps"]] == ["toy:SetDoor"]


def test_without_a_resource_all_affected_ones_are_planned_for_and_a_rule_finds_the_alert(house: House) -> None:
    fix("--rule", toy.closed.id, "--account", house.account.name, "--fix", toy.FitLock.id, "--input", "maker=Yale=Co")
    change = Change.objects.get()
    assert change.inputs == {"maker": "Yale=Co"}
    assert {step.resource_name for step in change.steps.all()} == {"front", "back"}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 2, "just one of them"),
        (["A-1", "--list"], 2, "just one of them"),
        (["--rule", "toy.closed"], 2, "--rule needs --account."),
        (["A-999999"], 1, "There is no alert A-999999."),
        (["A-²"], 1, "There is no alert A-²."),
        (["--rule", "toy.open", "--account", "prod"], 1, "There is no alert of toy.open in prod."),
        (["--rule", "toy.closed", "--account", "dev"], 1, "There is no account “dev”. Connected: prod."),
        (["--rule", "toy.closed", "--account", "prod"], 1, "Choose with --fix: toy.close, toy.lock."),
        (["--rule", "toy.closed", "--account", "prod", "--fix", "toy.paint"], 1, "“toy.paint” is not a fix"),
        (["--rule", "toy.closed", "--account", "prod", "--fix", "toy.lock"], 1, "Maker is missing."),
        (["--rule", "toy.closed", "--account", "prod", "--resource", "roof"], 1, "Affected: front, back."),
        (["--apply", "d" * 64], 2, "Name who approves or undoes: --user NAME."),
        (["--apply", "d" * 64, "--user", "rémi"], 1, "There is no plan with this digest."),
        (["--apply", "d" * 64, "--user", "nobody"], 1, "There is no active user “nobody”."),
        (["--undo", "C-999999", "--user", "rémi"], 1, "There is no change C-999999."),
    ],
)
def test_what_cannot_be_done_is_said_with_an_exit_status(
    house: House, arguments: list[str], status: int, said: str
) -> None:
    found = refused(*arguments)
    assert found[0] == status and said in found[1]
    assert not Change.objects.exists()


def test_a_terminal_gets_no_control_characters_of_the_cloud(house: House) -> None:
    change = planned(house)
    ChangeStep.objects.update(title="\x1b[2Jgone \u202edoor", before="\x9b1m\r")
    said = plan_text(Change.objects.get(pk=change.pk))
    assert "\N{REPLACEMENT CHARACTER}[2Jgone \N{REPLACEMENT CHARACTER}door" in said
    assert not {"\x1b", "\x9b", "\r", "\u202e"} & set(said)


# -- Applying and undoing --------------------------------------------------------------------------


def test_exactly_the_plan_of_the_digest_is_approved_by_the_user_and_applied_now(house: House) -> None:
    change = planned(house, "--user", "rémi")
    assert change.planned_by == house.actor.user
    said = fix(*applying(change, "--now"))
    change.refresh_from_db()
    assert (change.state, change.approved_by, change.reason) == ("verified", house.actor.user, "rain")
    assert "Applied and verified: the resources now pass." in said
    assert house.cloud.doors == {"front": False, "back": True}
    approval = Entry.objects.get(action="change.approved")
    assert (approval.user, approval.actor) == (house.actor.user, "rémi with manage.py fix")
    assert str(approval).startswith("rémi with manage.py fix approved ")

    said = fix("--undo", str(change), "--reason", "air", "--user", "rémi", "--now")
    assert "Undone: the resources are as they were before." in said
    assert house.cloud.doors["front"] is True
    status, said = refused("--undo", str(change), "--reason", "air", "--user", "rémi", "--now")
    assert status == 1 and "Nothing to undo" in said


def test_without_waiting_it_is_queued(house: House) -> None:
    change = planned(house)
    assert fix(*applying(change)) == f"{change} is queued for a worker.\n"
    assert Change.objects.get().state == "approved"
    assert house.cloud.doors["front"] is True


def test_a_reason_is_required_and_a_plan_is_approved_once(house: House) -> None:
    change = planned(house)
    assert refused("--apply", change.digest, "--user", "rémi")[1].startswith("Enter a reason.")
    fix(*applying(change))
    assert refused(*applying(change)) == (1, f"{change} was approved already.")


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_who_may_not_approve_in_the_console_may_not_here(house: House, everyone: dict[str, User], role: str) -> None:
    change = planned(house)
    name = everyone[role].username
    assert refused(*applying(change, user=name)) == (1, "This requires the Remediator role.")
    assert refused(str(house.alert), "--user", name) == (1, "This requires the Remediator role.")
    assert Change.objects.get().state == "planned"


def test_a_remediator_of_other_accounts_finds_neither_alert_nor_plan(house: House, stranger: User) -> None:
    change = planned(house)
    User.objects.filter(pk=stranger.pk).update(role="remediator")
    assert refused(str(house.alert), "--user", "sam") == (1, f"There is no alert {house.alert}.")
    assert refused(*applying(change, user="sam")) == (1, "There is no plan with this digest.")
    assert refused("--undo", str(change), "--reason", "x", "--user", "sam") == (1, f"There is no change {change}.")
    assert fix("--list", "--user", "sam") == ""


def test_where_two_approve_the_first_changes_nothing_and_cannot_be_the_second(
    house: House, administrator: User
) -> None:
    require_second_approver(Actor.of(administrator), account=house.account)
    change = planned(house)
    status, said = refused(*applying(change, "--now"))
    assert (status, said) == (4, "Nothing was changed yet.")
    assert refused(*applying(change, "--now"))[0] == 1
    assert house.cloud.doors["front"] is True
    fix(*applying(change, "--now", user="ada"))
    assert house.cloud.doors["front"] is False


def test_what_an_undo_does_not_bring_back_is_confirmed_separately(house: House) -> None:
    change = planned(house)
    ChangeStep.objects.update(loses="The key is lost.")
    status, said = refused(*applying(change))
    assert status == 1 and said == "The key is lost. Add --irreversible if you understand this."
    assert Change.objects.get().state == "planned"


def test_a_world_that_moved_changes_nothing_and_exits_with_one(house: House) -> None:
    change = planned(house)
    house.cloud.doors["front"] = False
    status, said = refused(*applying(change, "--now"))
    assert (status, said) == (1, "Nothing was changed.")
    assert Change.objects.get().state == "refused"


def test_the_list_names_what_can_be_fixed_and_what_waits_for_approval(house: House) -> None:
    change = planned(house)
    said = fix("--list", "--account", house.account.name).splitlines()
    assert said == [
        f"{house.alert}  prod  toy.closed  2  toy.close, toy.lock",
        f"{change}  prod  toy.close  planned  {change.digest}",
    ]
