"""``manage.py report ACCOUNT POLICY --output FILE``: compliance of an account by a policy, as a file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from nephoscope import domain
from nephoscope.accounts.models import Account
from nephoscope.compliance.queries import detail
from nephoscope.compliance.report import FORMS
from nephoscope.compliance.states import in_percent
from nephoscope.operations.management.commands.scan import find_account
from nephoscope.operations.schema import CurrentCommand
from nephoscope.policies.queries import policies_for


class Command(CurrentCommand):
    help = "Write how an account stands by a policy, from its last scan, as PDF, CSV or JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="the account's name or number")
        parser.add_argument("policy", help="the policy's id")
        parser.add_argument("--output", type=Path, required=True, help="a name that ends with .pdf, .csv or .json")

    def handle(self, *args: Any, **options: Any) -> None:
        account, path = find_account(options["account"]), options["output"]
        policy, form = _policy(account, options["policy"]), path.suffix.removeprefix(".")
        if form not in FORMS:
            raise CommandError(f"--output {path}: end the name with .csv, .json or .pdf.")
        found = detail(account, policy)
        try:
            path.write_bytes(FORMS[form][1](found))
        except OSError as problem:
            raise CommandError(f"--output {path}: {problem.strerror}.") from problem
        score = in_percent(found.score) if found.score is not None else found.why_not or "no score"
        marks = "".join(f"\n{mark.label}: {mark.text}" for mark in found.condition.marks)
        self.stdout.write(f"Wrote {path}: {account.name} by {policy.name}: {score}{marks}")


def _policy(account: Account, wanted: str) -> domain.Framework:
    known = {policy.id: policy for policy in policies_for(account)}
    if wanted not in known:
        raise CommandError(f"There is no policy “{wanted}” for {account.name}. There is {', '.join(known) or 'none'}.")
    return known[wanted]
