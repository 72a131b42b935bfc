"""Users and account groups in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from nephoscope.accounts.models import AccountGroup, User
from nephoscope.accounts.permissions import Role
from nephoscope.audit.services import Actor
from nephoscope.console.forms.people import GroupForm, UserForm
from nephoscope.console.kit.admin import ConsoleAdmin, attempt, page
from nephoscope.console.kit.filters import Filter, by_field, fixed
from nephoscope.console.kit.forms import ConsoleForm
from nephoscope.console.pages.tokens import revoked, token_rows
from nephoscope.console.templatetags.neph import when
from nephoscope.people import services as people
from nephoscope.reports.models import ReportSchedule
from nephoscope.searching import having, in_any


class PeopleAdmin(ConsoleAdmin):
    """Lists that administrators edit, through the services that the API uses, too."""

    add_title: Any = ""
    form_template = "console/form.html"
    in_accounts = False

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

    def lost(self, shown: Any) -> list[str]:
        """Return what goes with it, in sentences."""
        return []

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
        actor.require("administer")
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
            self.form_template,
            crumbs[-1][0],
            crumbs=crumbs,
            form=form,
            list_address=self.address("changelist"),
            remove_address=self.address("remove", shown.pk) if shown else "",
            **self.beside(shown),
        )

    def beside(self, shown: Any) -> dict[str, Any]:
        """Return what the page of one that exists shows below its form."""
        return {}

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then delete."""
        actor = Actor.from_request(request)
        actor.require("administer")
        shown = self.find(request, pk)
        if request.method == "POST":
            if attempt(request, lambda: self.drop(actor, shown) or True) is None:
                return self.back(shown)
            messages.success(request, _t("%(name)s was removed.") % {"name": shown})
            return HttpResponseRedirect(self.address("changelist"))
        found = {"name": str(shown), "back": self.address("change", shown.pk), "lost": self.lost(shown)}
        return self.show(request, shown, template="console/remove.html", **found)


@admin.register(User)
class UserAdmin(PeopleAdmin):
    list_display = ("user_name", "full_name", "role", "groups_shown", "active", "signed_in")
    list_title = _("Users")
    add_title = _("Add user")
    form_template = "console/user.html"
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
        return having(rows, text, in_any("username", "email", "first_name", "last_name"))

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

    def beside(self, shown: Any) -> dict[str, Any]:
        return {"owner": shown, **token_rows(shown)} if shown else {}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.revoke)
        return [path("<int:pk>/tokens/<str:key>/revoke/", view, name=self._name("revoke")), *super().get_urls()]

    def revoke(self, request: HttpRequest, pk: int, key: str) -> HttpResponse:
        """Revoke one of the user's tokens."""
        Actor.from_request(request).require("administer")
        return revoked(request, self.find(request, pk), key, self.address("change", pk))

    def lost(self, shown: Any) -> list[str]:
        said, tokens = [], shown.auth_token_set.count()
        if tokens:
            words = ngettext("%(n)s API token stops working.", "%(n)s API tokens stop working.", tokens)
            said.append(words % {"n": tokens})
        if names := ", ".join(ReportSchedule.objects.filter(owner=shown).values_list("name", flat=True)):
            said.append(_t("These report schedules stop: %(names)s.") % {"names": names})
        return said


@admin.register(AccountGroup)
class AccountGroupAdmin(PeopleAdmin):
    list_display = ("name", "description", "users_shown", "accounts_shown")
    list_title = _("Account groups")
    add_title = _("Add account group")
    nothing = _("A group gives its users access to its accounts. Administrators see all accounts.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("users", "accounts")

    @admin.display(description=_("users"))
    def users_shown(self, group: AccountGroup) -> str:
        return ", ".join(user.username for user in group.users.all()) or "—"

    @admin.display(description=_("accounts"))
    def accounts_shown(self, group: AccountGroup) -> str:
        return ", ".join(account.name for account in group.accounts.all() if not account.removed_at) or "—"

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return having(rows, text, in_any("name", "description"))

    def make_form(self, request: HttpRequest, shown: Any) -> ConsoleForm:
        initial = {}
        if shown:
            initial = {name: getattr(shown, name) for name in ("name", "description")}
            initial |= {"accounts": shown.accounts.present(), "users": shown.users.all()}
        return GroupForm(request.POST or None, initial=initial)

    def save(self, actor: Actor, shown: Any, values: dict[str, Any]) -> Any:
        return people.save_group(actor, shown or AccountGroup(), **values)

    def drop(self, actor: Actor, shown: Any) -> None:
        people.remove_group(actor, shown)

    def lost(self, shown: Any) -> list[str]:
        users = ", ".join(shown.users.values_list("username", flat=True))
        accounts = ", ".join(shown.accounts.present().values_list("name", flat=True))
        if not (users and accounts):
            return []
        message = _t("These users lose access, unless another group gives it to them: %(users)s.")
        return [message % {"users": users}, _t("To these accounts: %(accounts)s.") % {"accounts": accounts}]
