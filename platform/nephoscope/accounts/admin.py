"""Accounts, users and account groups in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from nephoscope.accounts import people, services
from nephoscope.accounts.models import Account, AccountGroup, User
from nephoscope.accounts.permissions import Role
from nephoscope.alerts.models import AlertState
from nephoscope.audit.services import Actor
from nephoscope.console.base import ConsoleAdmin, attempt, page
from nephoscope.console.filters import Filter, by_field, fixed
from nephoscope.console.forms import ConsoleForm, GroupForm, UserForm
from nephoscope.console.pages import connecting
from nephoscope.console.templatetags.neph import state, when
from nephoscope.inventory.models import Scan
from nephoscope.inventory.scans import start_scan
from nephoscope.organisations.filters import ACCOUNT_FILTERS
from nephoscope.organisations.queries import resting_accounts
from nephoscope.plugins import registry


@admin.register(Account)
class AccountAdmin(ConsoleAdmin):
    list_display = ("name", "number", "shown_provider", "shown_state", "open_alerts", "last_scan")
    list_title = _("Accounts")
    nothing = _("Connect the first account that Nephoscope should watch. It takes three steps and a few minutes.")
    change_list_template = "console/accounts.html"
    detail_template = "console/account.html"
    filters = ACCOUNT_FILTERS

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.may("connect"))  # type: ignore[union-attr]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        last = Scan.objects.filter(account=OuterRef("pk")).order_by("-pk")
        rows = super().get_queryset(request)
        annotated: QuerySet[Any] = rows.annotate(
            opened=Count("alerts", Q(alerts__state=AlertState.OPEN)),
            scanned_at=Subquery(last.values("created_at")[:1]),
            resting=Exists(resting_accounts().filter(account=OuterRef("pk"))),
        )
        return annotated

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=text) | Q(number__icontains=text))

    @admin.display(description=_("provider"), ordering="provider")
    def shown_provider(self, account: Account) -> str:
        provider = registry().providers.get(account.provider)
        return provider.name if provider else account.provider

    @admin.display(description=_("state"), ordering="verified_at")
    def shown_state(self, account: Any) -> Any:
        if account.resting:
            return state("resting", _t("Suspended or left"))
        return state("done", _t("Connected")) if account.verified_at else state("partial", _t("Pending"))

    @admin.display(description=_("open alerts"), ordering="opened")
    def open_alerts(self, account: Any) -> int:
        return int(account.opened)

    @admin.display(description=_("last scan"), ordering="scanned_at")
    def last_scan(self, account: Any) -> Any:
        return when(account.scanned_at)

    def detail(self, request: HttpRequest, shown: Account) -> dict[str, Any]:
        return connecting.account_context(request, shown)

    # -- Acts ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        pages = self.paths("connect", "fixing", "configure", "remove", post=False)
        kit = path("<int:pk>/kit/<slug:kit>/", self.admin_site.admin_view(self.kit), name=f"{self._name('kit')}")
        return [*pages, *self.paths("verify", "scan"), kit, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Step 1 of connecting: who."""
        actor = Actor.from_request(request)
        actor.demand("connect")
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
            stage=1,
        )

    def connect(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Steps 2 and 3 of connecting: trust, then check; left and come back to at any time."""
        return self._connect(request, pk, writing=False)

    def fixing(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same for the second role, which may change things."""
        return self._connect(request, pk, writing=True)

    def _connect(self, request: HttpRequest, pk: int, *, writing: bool) -> HttpResponse:
        actor = Actor.from_request(request)
        actor.demand("connect")
        account = self.find(request, pk)
        errors: dict[str, list[str]] = {}
        if request.method == "POST":
            try:
                entered = connecting.entered(account, request.POST, writing=writing)
                found = services.verify_account(actor, account, entered, writing=writing)
            except ValidationError as error:
                errors = error.message_dict
                account.refresh_from_db()
            else:
                if not found.missing:  # else the page says so, with what to do
                    messages.success(request, _t("Nephoscope reached the account."))
                return HttpResponseRedirect(request.get_full_path())
        template = "console/fixing.html" if writing else "console/connect.html"
        return self.show(
            request, account, template=template, **connecting.context(request, account, errors, writing=writing)
        )

    def verify(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check a connection again as it is."""
        account, writing = self.find(request, pk), "writing" in request.POST
        found = attempt(request, lambda: services.verify_account(Actor.from_request(request), account, writing=writing))
        if found is not None and found.missing:
            messages.warning(request, _t("Missing: %(missing)s") % {"missing": ", ".join(found.missing)})
        elif found is not None:
            messages.success(request, _t("Nephoscope reached the account."))
        return self.back(account)

    def configure(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose the name, the regions, the policies and who sees the account; perhaps scan at once."""
        actor = Actor.from_request(request)
        actor.demand("connect")
        account = self.find(request, pk)
        errors: dict[str, list[str]] = {}
        if request.method == "POST":
            try:
                connecting.configure(actor, account, request.POST)
            except ValidationError as error:
                errors = error.message_dict
                account.refresh_from_db()
            else:
                messages.success(request, _t("Saved."))
                return self.scan(request, pk) if "scan" in request.POST else self.back(account)
        return self.show(
            request, account, template="console/configure.html", **connecting.choices(request, account, errors)
        )

    def scan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Start a scan and go to its page."""
        account = self.find(request, pk)
        scan = attempt(request, lambda: start_scan(Actor.from_request(request), account))
        if scan is None:
            return self.back(account)
        scans: Any = self.admin_site._registry[Scan]
        return ConsoleAdmin.back(scans, scan)

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then forget the account."""
        actor = Actor.from_request(request)
        actor.demand("connect")
        account = self.find(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: services.remove_account(actor, account) or True) is None:
                return self.back(account)
            messages.success(request, _t("%(name)s was removed.") % {"name": account.name})
            return HttpResponseRedirect(self.address("changelist"))
        return self.show(request, account, template="console/remove.html", **connecting.removal(account))

    def kit(self, request: HttpRequest, pk: int, kit: str) -> HttpResponse:
        """Answer with one of the ready things as a file."""
        Actor.from_request(request).demand("connect")
        account = self.find(request, pk)
        for each in services.kits(account, writing="writing" in request.GET):
            if each.id == kit:
                headers = {"Content-Disposition": f'attachment; filename="{each.filename}"'}
                return HttpResponse(each.text, content_type="text/plain; charset=utf-8", headers=headers)
        raise Http404


class PeopleAdmin(ConsoleAdmin):
    """Lists that administrators edit, through the services that the API uses, too."""

    add_title: Any = ""

    list_before_template = "console/filters.html"
    change_list_template = "console/people.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.may("administer"))  # type: ignore[union-attr]

    def get_urls(self) -> list[Any]:
        return [*self.paths("remove", post=False), *super().get_urls()]

    def make_form(self, request: HttpRequest, shown: Any) -> ConsoleForm:
        raise NotImplementedError

    def save(self, actor: Actor, shown: Any, values: dict[str, Any]) -> Any:
        raise NotImplementedError

    def drop(self, actor: Actor, shown: Any) -> Any:
        raise NotImplementedError

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._edit(request, None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._edit(request, self.find(request, object_id))

    def _edit(self, request: HttpRequest, shown: Any) -> HttpResponse:
        actor = Actor.from_request(request)
        actor.demand("administer")
        form = self.make_form(request, shown)
        if request.method == "POST" and form.is_valid():
            try:
                self.save(actor, shown, form.cleaned_data)
            except ValidationError as error:
                form.refuse(error)
            else:
                messages.success(request, _t("Saved."))
                return HttpResponseRedirect(self.address("changelist"))
        crumbs = self.crumbs(shown) if shown else [(self.list_title, self.address("changelist")), (self.add_title, "")]
        return page(
            request,
            "console/form.html",
            crumbs[-1][0],
            crumbs=crumbs,
            form=form,
            list_address=self.address("changelist"),
            remove_address=self.address("remove", shown.pk) if shown else "",
        )

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then delete."""
        actor = Actor.from_request(request)
        actor.demand("administer")
        shown = self.find(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: self.drop(actor, shown) or True) is None:
                return self.back(shown)
            messages.success(request, _t("%(name)s was removed.") % {"name": shown})
            return HttpResponseRedirect(self.address("changelist"))
        return self.show(
            request, shown, template="console/remove.html", name=str(shown), back=self.address("change", shown.pk)
        )


@admin.register(User)
class UserAdmin(PeopleAdmin):
    list_display = ("user_name", "full_name", "role", "groups_shown", "active", "signed_in")
    list_title = _("Users")
    add_title = _("Add user")
    ordering = ("username",)
    filters = (
        Filter("role", _("Role"), fixed(*Role.choices), by_field("role")),
        Filter(
            "active",
            _("Active"),
            fixed(("1", _("Yes")), ("0", _("No"))),
            lambda rows, value: rows.filter(is_active=value == "1"),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("account_groups")

    @admin.display(description=_("user name"), ordering="username")
    def user_name(self, user: User) -> str:
        return user.username

    @admin.display(description=_("name"))
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description=_("active"), ordering="is_active")
    def active(self, user: User) -> str:
        return _t("Yes") if user.is_active else _t("No")

    @admin.display(description=_("last signed in"), ordering="last_login")
    def signed_in(self, user: User) -> Any:
        return when(user.last_login)

    @admin.display(description=_("account groups"))
    def groups_shown(self, user: User) -> str:
        return ", ".join(group.name for group in user.account_groups.all()) or "—"

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        wanted = Q(username__icontains=text) | Q(email__icontains=text)
        return rows.filter(wanted | Q(first_name__icontains=text) | Q(last_name__icontains=text))

    def make_form(self, request: HttpRequest, shown: Any) -> ConsoleForm:
        initial = {}
        if shown:
            initial = {name: getattr(shown, name) for name in people.PROFILE}
            initial["account_groups"] = shown.account_groups.all()
        return UserForm(request.POST or None, initial=initial, exists=shown is not None)

    def save(self, actor: Actor, shown: Any, values: dict[str, Any]) -> Any:
        return people.configure_user(actor, shown, **values) if shown else people.create_user(actor, **values)

    def drop(self, actor: Actor, shown: Any) -> None:
        people.remove_user(actor, shown)


@admin.register(AccountGroup)
class AccountGroupAdmin(PeopleAdmin):
    list_display = ("name", "description", "users_shown", "accounts_shown")
    list_title = _("Account groups")
    add_title = _("Add account group")
    nothing = _("A group names accounts that users are granted together. Administrators see all accounts without one.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("users", "accounts")

    @admin.display(description=_("users"))
    def users_shown(self, group: AccountGroup) -> str:
        return ", ".join(user.username for user in group.users.all()) or "—"

    @admin.display(description=_("accounts"))
    def accounts_shown(self, group: AccountGroup) -> str:
        return ", ".join(account.name for account in group.accounts.all()) or "—"

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(Q(name__icontains=text) | Q(description__icontains=text))

    def make_form(self, request: HttpRequest, shown: Any) -> ConsoleForm:
        initial = {"name": shown.name, "description": shown.description} if shown else {}
        return GroupForm(request.POST or None, initial=initial)

    def save(self, actor: Actor, shown: Any, values: dict[str, Any]) -> Any:
        return people.save_group(actor, shown or AccountGroup(), **values)

    def drop(self, actor: Actor, shown: Any) -> None:
        people.remove_group(actor, shown)
