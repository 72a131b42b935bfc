"""``manage.py connect_organisation NAME``: connect an organisation without the console."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from nephoscope.accounts.models import Account
from nephoscope.audit.services import Actor
from nephoscope.operations.provider_options import TEMPLATE_HELP, add_options, settings_of
from nephoscope.operations.schema import CurrentCommand
from nephoscope.organisations.models import Organisation, Standing
from nephoscope.organisations.services import create_organisation, organisations_of, setup_templates
from nephoscope.organisations.sync import sync_organisation
from nephoscope.plugins import registry


class Command(CurrentCommand):
    help = (
        "Connect an organisation. First time with --account: prints what gives Nephoscope access to all its members. "
        "Then again with --sync: lists the members and connects them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="how the organisation is called in Nephoscope")
        parser.add_argument("--account", default="", help="the connected account that may list it, by name")
        sources = [each.organisations for each in registry().providers.values() if each.organisations]
        fields = (each for source in sources for each in source.fields)
        add_options(parser, (each for each in fields if not (each.generated and each.for_writing)))
        parser.add_argument("--include", nargs="*", help="connect only members of these units, as Workloads/Production")
        parser.add_argument("--exclude", nargs="*", help="leave out the members of these units")
        parser.add_argument("--template", default="", help=TEMPLATE_HELP)
        parser.add_argument("--sync", action="store_true", help="list the members now and connect them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._connect(options)
        except ValidationError as problem:
            lines = [f"{name}: {text}" for name, texts in problem.message_dict.items() for text in texts]
            raise CommandError("\n".join(lines)) from problem

    def _connect(self, options: dict[str, Any]) -> None:
        actor = Actor.system("manage.py connect_organisation")
        organisation = Organisation.objects.filter(name=options["name"]).first() or self._create(actor, options)
        if options["sync"]:
            self._sync(actor, organisation)
        else:
            self._print_template(organisation, options["template"])

    def _create(self, actor: Actor, options: dict[str, Any]) -> Organisation:
        account = Account.objects.present().filter(name=options["account"]).first()
        if account is None:
            raise CommandError(
                f"--account: there is no account {options['account']}."
                if options["account"]
                else "--account: name the connected account that may list the organisation."
            )
        settings = settings_of(options, organisations_of(account).fields)
        changes = {each: options[each] for each in ("include", "exclude")}
        return create_organisation(actor, name=options["name"], account=account, settings=settings, **changes)

    def _sync(self, actor: Actor, organisation: Organisation) -> None:
        done = sync_organisation(actor, organisation)
        self.stdout.write(
            f"{organisation}: {done.members} members, {done.connected} newly connected, {done.waiting} pending."
        )
        for member in organisation.members.with_standing():
            line = (
                f"  {Standing(member.standing).label:<22}{member.number}  {member.path}/{member.name}  {member.problem}"
            )
            self.stdout.write(line.rstrip())

    def _print_template(self, organisation: Organisation, wanted: str) -> None:
        templates = {each.id: each for each in setup_templates(organisation)}
        template = templates.get(wanted or next(iter(templates)))
        if template is None:
            raise CommandError(f"--template: there is {', '.join(templates)}.")
        self.stderr.write(f"# {template.title}. {template.howto}")
        self.stdout.write(template.text)
