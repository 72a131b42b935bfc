"""Accounts, users and account groups in the console."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts.models import Account
from nephoscope.accounts.queries import groups_seen_by, has_provider, patience, provider_of
from nephoscope.alerts.models import AlertState
from nephoscope.api.kit.conditions import conditions_of
from nephoscope.audit.services import Actor
from nephoscope.connections import services
from nephoscope.console.kit.admin import ConsoleAdmin, attempt, page
from nephoscope.console.organisation_filters import ACCOUNT_FILTERS
from nephoscope.console.pages import connecting
from nephoscope.console.templatetags.conditions import condition_cell
from nephoscope.console.templatetags.neph import state
from nephoscope.inventory.models import READ, Scan
from nephoscope.organisations.queries import resting_accounts
from nephoscope.plugins import registry
from nephoscope.scans import removing
from nephoscope.scans.services import start_scan
from nephoscope.searching import having, in_any


@admin.register(Account)
class AccountAdmin(ConsoleAdmin):
    list_display = ("name", "number", "shown_provider", "shown_state", "open_alerts", "last_read")
    list_title = _("Accounts")
    nothing = _("Connect your first account. It takes three steps and a few minutes.")
    change_list_template = "console/accounts.html"
    detail_template = "console/account.html"
    filters = ACCOUNT_FILTERS

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        removed = Account.objects.removed().count() if request.user.may("connect") else 0  # type: ignore[union-attr]
        return super().changelist_view(request, {"removed": removed, **(extra_context or {})})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.may("connect"))  # type: ignore[union-attr]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        last = Scan.objects.filter(account=OuterRef("pk"), state__in=READ).order_by("-pk")
        rows = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(
            opened=Count("alerts", Q(alerts__state=AlertState.OPEN)),
            scanned_at=Subquery(last.values("finished_at")[:1]),
            resting=Exists(resting_accounts().filter(account=OuterRef("pk"))),
        )
        return annotated.prefetch_related(groups_seen_by(request.user))

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("name", "number"))

    @admin.display(description=_("provider"), ordering="provider")
    def shown_provider(self, account: Account) -> str:
        provider = registry().providers.get(account.provider)
        return provider.name if provider else account.provider

    @admin.display(description=_("state"), ordering="verified_at")
    def shown_state(self, account: Any) -> Any:
        if not has_provider(account):
            return state("failed", _t("Provider not enabled"))
        if account.resting:
            return state("resting", _t("Suspended or left"))
        if account.unreachable:
            return state("failed", _t("Not reachable"))
        return state("done", _t("Connected")) if account.verified_at else state("partial", _t("Pending"))

    @admin.display(description=_("open alerts"), ordering="opened")
    def open_alerts(self, account: Any) -> int | str:
        return int(account.opened) if account.scanned_at or account.opened else "—"

    def complete(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        for account in rows:
            account.condition = conditions_of(request)[account.pk]

    @admin.display(description=_("last read"), ordering="scanned_at")
    def last_read(self, account: Any) -> Any:
        return condition_cell(account.condition)

    def detail(self, request: HttpRequest, shown: Account) -> dict[str, Any]:
        return connecting.account_context(request, shown)

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        pages = self.paths("connect", "fixing", "configure", "remove", "restore", "erase", post=False)
        removed = path("removed/", self.looking(self.removed), name=self._name("removed"))
        view = self.looking(self.setup_template)
        template = path("<int:pk>/setup/<slug:id>/", view, name=self._name("setup_template"))
        return [*pages, *self.paths("verify", "scan"), template, removed, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Step 1 of connecting: who."""
        actor = Actor.from_request(request)
        actor.require("connect")
        errors: dict[str, list[str]] = {}
        if request.method == "POST":
            try:
                account = services.create_account(
                    actor, name=request.POST.get("name", ""), provider=request.POST.get("provider", "")
                )
            except ValidationError as error:
                errors = error.message_dict
            else:
                return HttpResponseRedirect(self.address("connect", account.pk))
        return page(
            request,
            "console/connect.html",
            _t("Connect an account"),
            errors=errors,
            providers=registry().providers.values(),
            hindrances=connecting.hindrances(),
            stage=1,
        )

    def connect(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Steps 2 and 3 of connecting: trust, then check; left and come back to at any time."""
        return self._connect(request, pk, writing=False)

    def fixing(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same for the second role, which may change things."""
        Actor.from_request(request).require("connect")
        account = self.find(request, pk)
        if has_provider(account) and provider_of(account).writing is None:
            raise Http404
        return self._connect(request, pk, writing=True)

    def _connect(self, request: HttpRequest, pk: int, *, writing: bool) -> HttpResponse:
        actor = Actor.from_request(request)
        actor.require("connect")
        account = self.find(request, pk)
        if not has_provider(account):
            return self.unavailable(request, account)
        errors: dict[str, list[str]] = {}
        deadline, twin = patience(), None
        if request.method == "POST":
            try:
                entered = connecting.entered(account, request.POST, writing=writing)
                found = services.verify_account(actor, account, entered, writing=writing, deadline=deadline)
            except ValidationError as error:
                errors, twin = error.message_dict, getattr(error, "twin", None)
                account.refresh_from_db()
            else:
                if writing or not found.missing:  # else the page says so, with what to do
                    messages.success(request, _t("Nephoscope reached the account."))
                return HttpResponseRedirect(request.get_full_path())
        template = "console/fixing.html" if writing else "console/connect.html"
        shown = connecting.context(request, account, errors, writing=writing, deadline=deadline)
        return self.show(request, account, template=template, twin=twin, **shown)

    def verify(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check a connection again as it is."""
        account, writing = self.find(request, pk), "writing" in request.POST
        actor = Actor.from_request(request)
        verify = partial(services.verify_account, actor, account, writing=writing, deadline=patience())
        found = attempt(request, verify)
        if found is not None and found.missing and not writing:
            messages.warning(request, _t("Missing: %(missing)s") % {"missing": ", ".join(found.missing)})
        elif found is not None:
            messages.success(request, _t("Nephoscope reached the account."))
        return self.back(account)

    def configure(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose the name, the regions, the policies and who sees the account; perhaps scan at once."""
        actor = Actor.from_request(request)
        actor.require("connect")
        account = self.find(request, pk)
        if not has_provider(account):
            return self.unavailable(request, account)
        errors: dict[str, list[str]] = {}
        deadline = patience()
        if request.method == "POST":
            try:
                connecting.configure(actor, account, request.POST, deadline)
            except ValidationError as error:
                errors = error.message_dict
                account.refresh_from_db()
            else:
                messages.success(request, _t("Saved."))
                return self.scan(request, pk) if "scan" in request.POST else self.back(account)
        found = connecting.choices(request, account, errors, deadline)
        return self.show(request, account, template="console/configure.html", **found)

    def unavailable(self, request: HttpRequest, account: Account) -> HttpResponse:
        """Lead back to the account's page from an act that its provider would be asked about."""
        messages.error(request, _t("The plugin of its provider is not enabled."))
        return self.back(account)

    def scan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start a scan and go to its page."""
        account = self.find(request, pk)
        scan = attempt(request, lambda: start_scan(Actor.from_request(request), account))
        if scan is None:
            return self.back(account)
        scans: Any = self.admin_site._registry[Scan]
        return ConsoleAdmin.back(scans, scan)

    # -- Removing ------------------------------------------------------------------------------

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what stops and what is kept, then remove the account."""
        actor = Actor.from_request(request)
        actor.require("connect")
        account = self.find(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: removing.remove_account(actor, account) or True) is None:
                return self.back(account)
            said, undo = _t("%(name)s was removed.") % {"name": account.name}, self.address("removed")
            messages.success(request, format_html('{} <a class="neph-link" href="{}">{}</a>', said, undo, _t("Undo")))
            return HttpResponseRedirect(self.address("changelist"))
        return self.show(request, account, template="console/account_remove.html", **connecting.removal(account))

    def removed(self, request: HttpRequest) -> HttpResponse:
        """The accounts that were removed, to be restored or deleted for good."""
        Actor.from_request(request).require("connect")
        title = _t("Removed accounts")
        return page(
            request,
            "console/accounts_removed.html",
            title,
            crumbs=[(self.list_title, self.address("changelist")), (title, "")],
            accounts=Account.objects.removed(),
        )

    def restore(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring a removed account back."""
        actor, account = self._removed(request, pk)
        if request.method == "POST" and attempt(request, lambda: removing.restore_account(actor, account) or True):
            messages.success(request, _t("%(name)s was restored.") % {"name": account.name})
            return self.back(account)
        return HttpResponseRedirect(self.address("removed"))

    def erase(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what is lost and ask for the account's name, then delete a removed account for good."""
        actor, account = self._removed(request, pk)
        errors: dict[str, list[str]] = {}
        if request.method == "POST":
            try:
                removing.delete_account(actor, account, name=request.POST.get("name", ""))
            except ValidationError as error:
                errors = error.message_dict
            else:
                messages.success(request, _t("%(name)s was deleted for good.") % {"name": account.name})
                return HttpResponseRedirect(self.address("removed"))
        title = _t("Delete for good")
        crumbs = [(self.list_title, self.address("changelist")), (_t("Removed accounts"), self.address("removed"))]
        found = {**connecting.removal(account), "account": account, "errors": errors, "crumbs": [*crumbs, (title, "")]}
        return page(request, "console/account_erase.html", title, **found)

    def _removed(self, request: HttpRequest, pk: int) -> tuple[Actor, Account]:
        actor = Actor.from_request(request)
        actor.require("connect")
        return actor, get_object_or_404(Account.objects.removed(), pk=pk)

    def setup_template(self, request: HttpRequest, pk: int, id: str) -> HttpResponse:
        """Answer with one of the ready things as a file."""
        Actor.from_request(request).require("connect")
        account = self.find(request, pk)
        writing = "writing" in request.GET
        try:
            templates = services.setup_templates(account, writing=writing, deadline=patience())
        except ValidationError:  # that page says why
            return HttpResponseRedirect(self.address("fixing" if writing else "connect", pk))
        for each in templates:
            if each.id == id:
                headers = {"Content-Disposition": f'attachment; filename="{each.filename}"'}
                return HttpResponse(each.text, content_type="text/plain; charset=utf-8", headers=headers)
        raise Http404
