"""``manage.py fix``: plan a fix and print the plan; with ``--apply``, approve exactly that plan."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils import timezone

from nephoscope.accounts.models import User
from nephoscope.alerts.models import DETECTED, Alert, AlertState, Finding
from nephoscope.api.changes import ChangeDetailSerializer
from nephoscope.audit.services import Actor
from nephoscope.changes.applying import work
from nephoscope.changes.approvals import approve_change
from nephoscope.changes.models import QUEUED, UNDER_WAY, Change, ChangeState
from nephoscope.changes.offers import fixes_of
from nephoscope.changes.planning import plan_change
from nephoscope.changes.services import request_undo
from nephoscope.changes.summary import losses
from nephoscope.operations.management.commands.scan import find_account
from nephoscope.operations.plans import outcome_text, plan_text, whole
from nephoscope.operations.schema import CurrentCommand
from nephoscope.plugins import registry

COMMAND = "manage.py fix"
"""What the audit log calls it."""

NOTHING_DONE, USAGE, NOT_WHOLE, HALF_APPROVED = 1, 2, 3, 4
"""Exit statuses, see docs/operating.md; 0 is success."""

WAITING_FOR_APPROVAL = (ChangeState.PLANNED, ChangeState.HALF_APPROVED)
UNTOUCHED = (ChangeState.REFUSED, ChangeState.EXPIRED)
EVERY = 1
"""Seconds between two looks at a change that is waited for."""


class Command(CurrentCommand):
    help = "Plan a fix and print the plan. Nothing is changed until --apply approves exactly that plan, by its digest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("alert", nargs="?", help="the alert to fix, such as A-000042; or use --rule and --account")
        parser.add_argument("--rule", help="the rule whose open alert is to be fixed, by its ID")
        parser.add_argument("--account", help="the account of that alert, by name or number")
        parser.add_argument(
            "--resource", action="append", default=[], help="only this resource, by ID or name; may be repeated"
        )
        parser.add_argument("--fix", help="the fix, by its ID, if the rule has several")
        parser.add_argument(
            "--input", action="append", default=[], metavar="NAME=VALUE", help="what the fix asks for; may be repeated"
        )
        parser.add_argument("--user", help="who plans or approves, by user name, with the rights of that user")
        parser.add_argument("--json", action="store_true", help="print JSON, as the API does")
        parser.add_argument("--apply", metavar="DIGEST", help="approve the plan with this digest")
        parser.add_argument("--undo", metavar="CHANGE", help="undo this change, such as C-000042")
        parser.add_argument("--reason", default="", help="why it is applied or undone; recorded in the audit log")
        parser.add_argument("--irreversible", action="store_true", help="apply a plan that cannot be undone completely")
        parser.add_argument("--wait", action="store_true", help="wait until a worker has finished")
        parser.add_argument("--now", action="store_true", help="do a worker's part in this process, and wait")
        parser.add_argument(
            "--list", action="store_true", help="list open alerts that can be fixed, and plans that wait for approval"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = [name for name in ("alert", "rule", "apply", "undo", "list") if options[name]]
        if len(asked) != 1:
            self._fail("Name an alert, --rule with --account, --apply, --undo or --list: just one of them.", USAGE)
        acts = {"apply": self._apply, "undo": self._undo, "list": self._list}
        try:
            acts.get(asked[0], self._plan)(options)
        except ValidationError as problem:
            self._fail(" ".join(problem.messages))
        except PermissionDenied as problem:
            self._fail(str(problem))

    def _fail(self, message: str, status: int = NOTHING_DONE) -> NoReturn:
        raise CommandError(message, returncode=status)

    def _none(self, what: str) -> NoReturn:
        self._fail(f"There is no {what}.")

    # -- planning ----------------------------------------------------------------------------------

    def _plan(self, options: dict[str, Any]) -> None:
        actor = self._actor(options, required=False)
        alert = self._alert(actor, options)
        inputs = dict(each.partition("=")[::2] for each in options["input"])
        findings = self._findings(alert, options["resource"])
        change = plan_change(actor, alert, findings, self._fix(alert, options["fix"]), inputs)
        self._show(change, options, plan_text(change))
        if not options["json"]:
            self.stdout.write("\nNothing was changed. To approve exactly this plan:")
            losing = "" if whole(change) else " --irreversible"
            self.stdout.write(f"  manage.py fix --apply {change.digest} --reason TEXT --user NAME{losing}")

    def _actor(self, options: dict[str, Any], *, required: bool = True) -> Actor:
        if not options["user"] and not required:
            return Actor.system(COMMAND)
        if not options["user"]:
            self._fail("Name who approves or undoes: --user NAME.", USAGE)
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            self._fail(f"There is no active user “{options['user']}”.")
        actor = Actor.of_command(user, COMMAND)
        actor.require("change")
        return actor

    def _alert(self, actor: Actor, options: dict[str, Any]) -> Alert:
        alerts = _seen(Alert.objects, actor)
        if options["alert"]:
            alerts, what = alerts.filter(pk=_number(options["alert"])), f"alert {options['alert']}"
        elif not options["account"]:
            self._fail("--rule needs --account.", USAGE)
        else:
            account = find_account(options["account"])
            alerts = alerts.filter(key=options["rule"], account=account)
            what = f"alert of {options['rule']} in {account.name}"
        found: Alert | None = alerts.order_by("-pk").first()
        return found or self._none(what)

    def _findings(self, alert: Alert, wanted: list[str]) -> list[Finding]:
        rows = alert.findings.filter(failing_since__isnull=False, suppression=None, resource__gone_at=None)
        found = list(rows.select_related("resource").order_by("pk"))
        if not wanted:
            return found
        unknown = [name for name in wanted if not any(_is(each, name) for each in found)]
        if unknown:
            names = ", ".join(each.resource.name for each in found) or "none"
            self._fail(f"{alert} does not affect {', '.join(unknown)}. Affected: {names}.")
        return [each for each in found if any(_is(each, name) for name in wanted)]

    def _fix(self, alert: Alert, wanted: str | None) -> str:
        known = [id for id in fixes_of(alert) if id in registry().remediations]
        if wanted or len(known) == 1:
            return wanted or known[0]
        return self._fail(f"Choose with --fix: {', '.join(known)}." if known else f"There is no fix for {alert}.")

    # -- applying and undoing ----------------------------------------------------------------------

    def _apply(self, options: dict[str, Any]) -> None:
        actor = self._actor(options)
        rows = Change.objects.visible_to(actor.user).filter(digest=options["apply"]).order_by("-pk")
        change = rows.filter(state__in=WAITING_FOR_APPROVAL).first() or rows.first()
        if change is None:
            self._none("plan with this digest")
        if not whole(change) and not options["irreversible"]:
            left = " ".join(losses(change)) or "It cannot be undone."
            self._fail(f"{left} Add --irreversible if you understand this.")
        change = approve_change(actor, change, digest=options["apply"], reason=options["reason"])
        if change.state == ChangeState.HALF_APPROVED:
            self._show(change, options, f"{change} needs a second approver: somebody else, who did not plan it.")
            self._fail("Nothing was changed yet.", HALF_APPROVED)
        self._follow(change, options)

    def _undo(self, options: dict[str, Any]) -> None:
        actor = self._actor(options)
        change = Change.objects.visible_to(actor.user).filter(pk=_number(options["undo"])).first()
        if change is None:
            self._none(f"change {options['undo']}")
        self._follow(request_undo(actor, change, reason=options["reason"]), options)

    def _follow(self, change: Change, options: dict[str, Any]) -> None:
        """Wait, if that is asked for, and say how it is or how it ended."""
        undoing = change.state in (ChangeState.UNDO_QUEUED, ChangeState.UNDONE)
        if options["wait"] or options["now"]:
            change = _ended(change, now=options["now"])
        elif change.state in QUEUED:
            return self._show(change, options, f"{change} is queued for a worker.")
        self._show(change, options, outcome_text(change))
        if status := _status(change, undoing=undoing):
            self._fail("Nothing was changed." if status == NOTHING_DONE else "Not done as planned.", status)
        return None

    # -- listing -----------------------------------------------------------------------------------

    def _list(self, options: dict[str, Any]) -> None:
        actor = self._actor(options, required=False)
        alerts, changes = _seen(Alert.objects, actor), _seen(Change.objects, actor)
        if options["account"]:
            account = find_account(options["account"])
            alerts, changes = alerts.filter(account=account), changes.filter(account=account)
        alerts = alerts.filter(state=AlertState.OPEN).exclude(kind__in=DETECTED).select_related("account")
        for alert in alerts.order_by("rank", "pk"):
            if fixes := [id for id in fixes_of(alert) if id in registry().remediations]:
                self.stdout.write(f"{alert}  {alert.account.name}  {alert.key}  {alert.affected}  {', '.join(fixes)}")
        for change in changes.filter(state__in=WAITING_FOR_APPROVAL).select_related("account"):
            self.stdout.write(f"{change}  {change.account.name}  {change.remediation}  {change.state}  {change.digest}")

    def _show(self, change: Change, options: dict[str, Any], text: str) -> None:
        if options["json"]:
            text = json.dumps(ChangeDetailSerializer(change).data, ensure_ascii=False, indent=2, default=str)
        self.stdout.write(text)


def _seen(rows: Any, actor: Actor) -> QuerySet[Any]:
    """Return the rows that the actor may see: all, where no user is named."""
    found: QuerySet[Any] = rows.visible_to(actor.user) if actor.user else rows.all()
    return found


def _ended(change: Change, *, now: bool) -> Change:
    """Return a change once it has ended; with ``now``, do what a worker would."""
    while change.state in (*QUEUED, *UNDER_WAY, ChangeState.WAITING):
        if now and (change.state in QUEUED or (change.look_at and change.look_at <= timezone.now())):
            work(change.pk)
        else:
            time.sleep(EVERY)
        change = Change.objects.select_related("account", "alert").get(pk=change.pk)
    return change


def _status(change: Change, *, undoing: bool) -> int:
    """Return the exit status for how a change ended."""
    if change.state == (ChangeState.UNDONE if undoing else ChangeState.VERIFIED):
        return 0
    untouched = change.state in UNTOUCHED or (undoing and change.state != ChangeState.FAILED)
    return NOTHING_DONE if untouched else NOT_WHOLE


def _is(finding: Finding, name: str) -> bool:
    return name in (finding.resource.resource_id, finding.resource.name)


def _number(reference: str) -> int:
    """Return the number of a reference such as A-000042, or of a plain number; 0, which none has, for anything else."""
    digits = reference.rpartition("-")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 18 else 0
