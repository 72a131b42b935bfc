"""Organisations and their members in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account
from nephoscope.accounts.permissions import may
from nephoscope.accounts.queries import has_provider, patience
from nephoscope.audit.services import Actor
from nephoscope.console.forms.organisations import OrganisationForm
from nephoscope.console.kit.admin import ConsoleAdmin, attempt, page
from nephoscope.console.kit.filters import Filter, by_field, fixed
from nephoscope.console.organisation_filters import by_organisation, organisations
from nephoscope.console.templatetags.neph import state, when
from nephoscope.organisations import services
from nephoscope.organisations.models import Member, Organisation, Standing, StateChoice
from nephoscope.organisations.queries import counted
from nephoscope.searching import having, in_any

MOST = 20
"""Members of each kind that an organisation's page lists; the others are a link away."""


def _members(organisation: Organisation, standing: str = "") -> str:
    """Return the address of the list of an organisation's members, or of those that stand somewhere."""
    query = f"?organisation={organisation.pk}" + (f"&standing={standing}" if standing else "")
    return reverse("admin:organisations_member_changelist") + query


@admin.register(Organisation)
class OrganisationAdmin(ConsoleAdmin):
    list_display = ("name", "through", "shown_members", "shown_sync")
    list_title = _("Organisations")
    nothing = _(
        "An organisation connects all its accounts automatically, including future ones. First connect an account that "
        "can list its members, under Accounts."
    )
    change_list_template = "console/organisations.html"
    detail_template = "console/organisation.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.may("connect"))  # type: ignore[union-attr]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        account = Account.objects.visible_to(request.user).filter(pk=OuterRef("account"))
        seen = Member.objects.visible_to(request.user).with_standing()
        rows = rows.select_related("account").annotate(account_name=Subquery(account.values("name")))
        return rows.prefetch_related(Prefetch("members", seen, to_attr="seen"))

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("name"))

    @admin.display(description=_("read through"))
    def through(self, organisation: Any) -> str:
        return organisation.account_name or "—"

    @admin.display(description=_("members"))
    def shown_members(self, organisation: Any) -> Any:
        standings = [each.standing for each in organisation.seen]
        counts = [
            (_members(organisation, value), standings.count(value), str(label).lower())
            for value, label in Standing.choices
            if value in standings
        ]
        return format_html_join(", ", '<a class="neph-link" href="{}">{} {}</a>', counts) or "—"

    @admin.display(description=_("in sync"), ordering="synced_at")
    def shown_sync(self, organisation: Organisation) -> Any:
        return _synced(organisation)

    def detail(self, request: HttpRequest, shown: Organisation) -> dict[str, Any]:
        counts = counted(shown, request.user)
        members = shown.members.visible_to(request.user).with_standing().select_related("account")
        return {
            "counts": [
                (_members(shown, value), counts[value], label, value)
                for value, label in Standing.choices
                if value in counts
            ],
            "total": sum(counts.values()),
            "all_members": _members(shown),
            "attention": [
                (each, standing(each), folded(problem(each)))
                for each in members.exclude(standing=Standing.CONNECTED)[:MOST]
            ],
            "connected": members.filter(standing=Standing.CONNECTED)[:MOST],
            "rolled_out": shown.members.exclude(given_name="").exists(),
            "through": Account.objects.visible_to(request.user).filter(pk=shown.account_id).first(),
            "sync": _synced(shown, _t("In sync")),
            "enabled": has_provider(shown.account),
            **(_access(shown) if may(request.user, "connect") and has_provider(shown.account) else {}),
            "setup_base": reverse("admin:organisations_organisation_changelist") + f"{shown.pk}/",
        }

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.looking(self.setup_template)
        template = path("<int:pk>/setup/<slug:id>/", view, name=self._name("setup_template"))
        return [*self.paths("configure", "remove", post=False), *self.paths("sync"), template, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Step 1 of connecting: through which account, and how members are reached; the other steps are on its page."""
        return self._edit(request, None)

    def configure(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change how members are connected from now on."""
        Actor.from_request(request).require("connect")
        organisation = self.find(request, pk)
        if not has_provider(organisation.account):
            messages.error(request, _t("The plugin of its provider is not enabled."))
            return self.back(organisation)
        return self._edit(request, organisation)

    def _edit(self, request: HttpRequest, shown: Organisation | None) -> HttpResponse:
        actor = Actor.from_request(request)
        actor.require("connect")
        form = OrganisationForm(request.POST or None, organisation=shown)
        if request.method == "POST" and form.is_valid():
            try:
                saved = (
                    services.configure_organisation(actor, shown, **form.changes())
                    if shown
                    else services.create_organisation(actor, **form.changes())
                )
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, _t("Saved."))
                return self.back(saved)
        title = _t("Settings of %(name)s") % {"name": shown} if shown else _t("Connect an organisation")
        crumbs = self.crumbs(shown) if shown else [(self.list_title, self.address("changelist")), (title, "")]
        return page(
            request,
            "console/organisation_form.html",
            title,
            crumbs=crumbs,
            form=form,
            organisation=shown,
            list_address=self.address("change", shown.pk) if shown else self.address("changelist"),
        )

    def sync(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have a worker sync it now."""
        organisation, actor = self.find(request, pk), Actor.from_request(request)
        if attempt(request, lambda: services.request_sync(actor, organisation) or True):
            messages.success(request, _t("Sync queued. Reload this page to follow it."))
        return self.back(organisation)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then forget the organisation."""
        actor = Actor.from_request(request)
        actor.require("connect")
        organisation = self.find(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: services.remove_organisation(actor, organisation) or True) is None:
                return self.back(organisation)
            messages.success(request, _t("%(name)s was removed.") % {"name": organisation})
            return HttpResponseRedirect(self.address("changelist"))
        return self.show(
            request,
            organisation,
            template="console/remove.html",
            name=str(organisation),
            back=self.address("change", pk),
            lost=[_t("It is no longer synced, and the list of its members is deleted.")],
            stays=_t("The accounts of its members stay connected."),
        )

    def setup_template(self, request: HttpRequest, pk: int, id: str) -> HttpResponse:
        """Answer with one of the setup templates as a file."""
        Actor.from_request(request).require("connect")
        organisation = self.find(request, pk)
        try:
            templates = services.setup_templates(organisation, patience())
        except ValidationError:  # that page says why
            return self.back(organisation)
        for each in templates:
            if each.id == id:
                headers = {"Content-Disposition": f'attachment; filename="{each.filename}"'}
                return HttpResponse(each.text, content_type="text/plain; charset=utf-8", headers=headers)
        raise Http404


def _access(organisation: Organisation) -> dict[str, Any]:
    """Return how the members are reached, and what gives access to them."""
    if not has_provider(organisation.account):
        return {"no_templates": _t("The plugin of its provider is not enabled.")}
    source, stored = services.organisations_of(organisation.account), organisation.settings
    fixes = any(stored.get(each.name) for each in source.fields if each.for_writing and not each.generated)
    shown = [each for each in source.fields if not each.secret and (fixes or not each.for_writing)]
    try:
        templates, problem = services.setup_templates(organisation, patience()), ""
    except ValidationError as error:
        templates, problem = [], " ".join(error.messages)
    return {
        "settings": [(each, stored[each.name]) for each in shown if stored.get(each.name)],
        "rollout": source.rollout,
        "setup_templates": templates,
        "no_templates": problem,
    }


def _synced(organisation: Organisation, word: str = "") -> Any:
    if organisation.syncing:
        return state("running", _t("Syncing"))
    if organisation.problem:
        return format_html(
            "{} {}", state("failed", _t("Sync failed")), when(organisation.synced_at, _t("never synced"))
        )
    if not organisation.synced_at:
        return _t("Not synced yet")
    return format_html("{} {}", word, when(organisation.synced_at))


@admin.register(Member)
class MemberAdmin(ConsoleAdmin):
    list_display = ("shown_name", "number", "path", "shown_standing", "shown_since", "shown_account", "shown_problem")
    list_display_links = None
    list_title = _("Members")
    nothing = _("Connect an organisation to list its accounts here.")
    ordering = ("name", "number")
    filters = (
        Filter("organisation", _("Organisation"), organisations, by_organisation("organisation")),
        Filter("standing", _("State"), fixed(*Standing.choices), by_field("standing")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        shown: QuerySet[Any] = rows.with_standing().select_related("organisation", "account")
        return shown

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("name", "number", "path", "tags"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A member has no page of its own: go to its account's, or its organisation's."""
        member = self.find(request, object_id)
        if member.account and not member.account.removed_at:
            return HttpResponseRedirect(reverse("admin:accounts_account_change", args=[member.account_id]))
        return HttpResponseRedirect(reverse("admin:organisations_organisation_change", args=[member.organisation_id]))

    @admin.display(description=_("name"), ordering="name")
    def shown_name(self, member: Member) -> str:
        return _t("%(name)s (management account)") % {"name": member.name} if member.management else member.name

    @admin.display(description=_("state"), ordering="standing")
    def shown_standing(self, member: Any) -> Any:
        return standing(member)

    @admin.display(description=_("since"), ordering="since")
    def shown_since(self, member: Member) -> Any:
        return when(member.since)

    @admin.display(description=_("account"))
    def shown_account(self, member: Member) -> Any:
        if member.account is None or member.account.removed_at:
            return "—"
        address = reverse("admin:accounts_account_change", args=[member.account_id])
        return format_html('<a class="neph-link" href="{}">{}</a>', address, member.account.name)

    @admin.display(description=_("problem"))
    def shown_problem(self, member: Any) -> Any:
        return folded(problem(member)) or "—"


def standing(member: Any) -> Any:
    """Return where a member stands, as a colour and a word; the cloud's own word where that says more."""
    suspended = member.standing == Standing.SUSPENDED
    return state(
        member.standing, str(StateChoice(member.state).label if suspended else Standing(member.standing).label)
    )


def problem(member: Any) -> str:
    """Say what is to be done about a member that is not connected."""
    if member.standing == Standing.REMOVED and member.account:
        return _t("Its account was removed here. Restore it, under Accounts, Removed.")
    if member.standing == Standing.REMOVED:
        return _t("Its account was removed here. Connect it manually to add it again.")
    if member.standing != Standing.PENDING:
        return ""
    if member.management:
        return _t("Access is not rolled out to the management account: connect it manually, under Accounts.")
    return member.problem or _t("Not attempted yet.")


def folded(text: str) -> Any:
    """Return the first sentence of a text, which opens to the rest."""
    first, stop, rest = text.partition(". ")
    if not rest:
        return text
    return format_html("<details><summary>{}{}</summary>{}</details>", first, stop.strip(), rest)
