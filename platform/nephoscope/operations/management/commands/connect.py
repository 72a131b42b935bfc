"""``manage.py connect PROVIDER NAME``: connect an account without the console."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import provider_of
from nephoscope.audit.services import Actor
from nephoscope.connections.fix_access import group_access
from nephoscope.connections.services import configure_account, create_account, setup_templates, verify_account
from nephoscope.operations.provider_options import TEMPLATE_HELP, add_options, settings_of
from nephoscope.operations.schema import CurrentCommand
from nephoscope.plugins import registry

MARKS = {True: "✔", False: "✘ NOT ALLOWED", None: "? not known"}


class Command(CurrentCommand):
    help = (
        "Connect an account. First time without settings: prints what gives Nephoscope access. "
        "Then again with the provider's settings, or with --own-credentials."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", choices=sorted(registry().providers))
        parser.add_argument("name", help="how the account is called in Nephoscope")
        parser.add_argument(
            "--own-credentials",
            action="store_true",
            help="read with the credentials of this environment, where the account grants no access of its own",
        )
        parser.add_argument("--template", default="", help=TEMPLATE_HELP)
        parser.add_argument("--writing", action="store_true", help="set up the access for fixes")
        parser.add_argument("--regions", nargs="*", help="regions to scan; all enabled ones unless given")
        parser.add_argument("--policies", nargs="*", help="policies to check; all unless given")
        fields = (each for provider in registry().providers.values() for each in provider.fields)
        add_options(parser, (each for each in fields if not each.generated))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._connect(options)
        except ValidationError as problem:
            lines = [f"{name}: {text}" for name, texts in problem.message_dict.items() for text in texts]
            raise CommandError("\n".join(lines)) from problem

    def _connect(self, options: dict[str, Any]) -> None:
        actor, name = Actor.system("manage.py connect"), options["name"]
        account = Account.objects.present().filter(name=name).first()
        if account is None:
            account = create_account(actor, name=name, provider=options["provider"])
        settings = settings_of(options, provider_of(account).fields)
        if settings or options["own_credentials"]:
            found = verify_account(actor, account, settings, writing=options["writing"])
            self.stdout.write(f"{name} is account {found.account}, reached as {found.principal}.")
            for check in found.checks:
                self.stdout.write(f"  {MARKS[check.allowed]}  {check.permission}  {check.detail}".rstrip())
            for each in group_access(account) if options["writing"] else ():
                self.stdout.write(f"{MARKS[each.allowed]}  {each.group.title}")
        elif not (options["regions"] or options["policies"]):
            self._print_template(account, options)
        if options["regions"] or options["policies"]:
            configure_account(actor, account, regions=options["regions"], policies=options["policies"])

    def _print_template(self, account: Account, options: dict[str, Any]) -> None:
        templates = {each.id: each for each in setup_templates(account, writing=options["writing"])}
        template = templates.get(options["template"] or next(iter(templates)))
        if template is None:
            raise CommandError(f"--template: there is {', '.join(templates)}.")
        self.stderr.write(f"# {template.title}. {template.howto}")
        self.stdout.write(template.text)
