"""What every page of the console shares: rights, lists with filters, pages that are looked at, acts that are posted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin

from nephoscope.accounts.permissions import ACTS, may
from nephoscope.accounts.queries import is_granted_none
from nephoscope.api.kit.conditions import in_view
from nephoscope.console.kit.filters import Filter, FilteredChangeList
from nephoscope.searching import MOST_WORDS, is_cut

T = TypeVar("T")


def rights(user: Any) -> dict[str, bool]:
    """Return which acts the user's role includes, for templates."""
    return {act: may(user, act) for act in ACTS}


def page(request: HttpRequest, template: str, title: Any, *, status: int = 200, **context: Any) -> TemplateResponse:
    """Answer with a page inside the console's frame."""
    shared = {
        **admin.site.each_context(request),
        "title": title,
        "may": rights(request.user),
        "granted_none": lambda: is_granted_none(request.user),
    }
    return TemplateResponse(request, template, {**shared, **context}, status=status)


def attempt(request: HttpRequest, act: Callable[[], T]) -> T | None:
    """Do an act of a service; what a person can correct becomes a message, and None is returned."""
    try:
        return act()
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
        return None


def come_from(request: HttpRequest, name: str = "next") -> str:
    """Return the address that a parameter names, to go to afterwards; nothing unless it is on this site."""
    wanted = request.GET.get(name, "")
    return wanted if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else ""


def show_secret(request: HttpRequest) -> None:
    """Have no cache store the page that answers, not even for Back: it shows a secret, this once."""
    request.shows_secret = True  # type: ignore[attr-defined]


def shows_secret(request: HttpRequest) -> bool:
    """Whether the page that answers shows a secret."""
    return getattr(request, "shows_secret", False)


class ConsoleAdmin(ModelAdmin):  # django-unfold has no types
    """A list and a page to look at. What may be done there are acts of their own, posted to their own addresses.

    Everything is fetched through ``visible_to``: an object of an account that is not granted does not exist.
    """

    filters: tuple[Filter, ...] = ()
    list_title: Any = ""
    nothing: Any = ""
    """What an empty list says: what would fill it."""
    in_accounts = True
    """Whether its rows are in accounts, so that those to whom none is granted are told so."""
    search_hint: Any = ""
    """What the search field says that it searches."""
    smallest_first: tuple[str, ...] = ()
    """Columns of numbers or times that are sorted by the smallest first; the others by the largest and newest."""
    of_accounts = False
    """Whether its rows are what scans found: then the list says how well its accounts are known."""
    detail_template = ""
    change_list_template = "console/list.html"
    list_before_template = "console/filters.html"
    preserve_filters = False
    show_full_result_count = False
    actions = None
    list_per_page = 50
    list_fullwidth = True
    media = forms.Media()
    """None: the admin's scripts serve forms and bulk actions that these pages do not have."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        visible: QuerySet[Any] = rows.visible_to(request.user)
        return visible

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[FilteredChangeList]:
        return FilteredChangeList

    def filters_for(self, request: HttpRequest) -> tuple[Filter, ...]:
        """Return the filters that the list offers on this page."""
        return self.filters

    def narrow(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Apply the list's filters."""
        for each in self.filters_for(request):
            rows = each.narrow(rows, request)
        return rows

    def matching(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        """Narrow a list to what the search field holds."""
        return rows

    def complete(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        """Give the rows of the page that is shown what their columns need and no query of the list brings."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return self.matching(queryset, search_term.replace("\x00", "")) if search_term else queryset, False

    @method_decorator(require_safe)
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shown = {
            "title": self.list_title or self.model._meta.verbose_name_plural,
            "filters": [each.bound(request) for each in self.filters_for(request)],
            "narrowed": any(value for name, value in request.GET.items() if name not in ("p", "o")),
            "nothing": self.nothing,
            "granted_none": lambda: self.in_accounts and is_granted_none(request.user),
            "cut": is_cut(request.GET.get("q", "")) and MOST_WORDS,
            "of_accounts": self.of_accounts,
            "unknown": self.of_accounts and not any(each.known for each in in_view(request)),
            "may": rights(request.user),
        }
        answer: HttpResponse = super().changelist_view(request, {**shown, **(extra_context or {})})
        return answer

    def find(self, request: HttpRequest, pk: Any) -> Any:
        """Return the object, or answer that there is none."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(pk))
        if found is None:
            raise Http404
        return found

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = self.find(request, object_id)
        return self.show(request, shown, **self.detail(request, shown))

    def detail(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        """Return what the object's page shows beside the object."""
        return {}

    def named(self, shown: Any) -> str:
        """Return what the breadcrumb calls the object."""
        return str(shown)

    def crumbs(self, shown: Any) -> list[tuple[Any, str]]:
        """Return the breadcrumb of a page about the object: titles and their addresses."""
        return [(self.list_title, self.address("changelist")), (self.named(shown), self.address("change", shown.pk))]

    def show(self, request: HttpRequest, shown: Any, *, template: str = "", **context: Any) -> TemplateResponse:
        """Answer with a page about the object, under its breadcrumb."""
        given = {
            "title": self.named(shown),
            "opts": self.opts,
            "original": shown,
            "crumbs": self.crumbs(shown),
            self.opts.model_name: shown,
            **context,
        }
        return page(request, template or self.detail_template, given.pop("title"), **given)

    @method_decorator(require_safe)
    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        target = urlencode({"target": f"{self.opts.model_name}:{self.find(request, object_id).pk}"})
        return HttpResponseRedirect(f"{reverse('admin:audit_entry_changelist')}?{target}")

    def address(self, name: str, *arguments: Any) -> str:
        """Return the address of one of the model's pages or acts."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=arguments)

    def back(self, shown: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.address("change", shown.pk))

    def paths(self, *names: str, post: bool = True) -> list[URLPattern]:
        """Return addresses under an object, each answered by the method of that name.

        :param post: it is an act without a form of its own, and only ever posted.
        """
        return [path(f"<int:pk>/{name}/", self._view(name, post), name=self._name(name)) for name in names]

    def looking(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        """Guard a view to which nothing is posted."""
        guarded: Callable[..., HttpResponseBase] = self.admin_site.admin_view(require_safe(view))
        return guarded

    def _name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def _view(self, name: str, post: bool) -> Callable[..., HttpResponseBase]:
        view = getattr(self, name)

        def posted(request: HttpRequest, pk: int) -> HttpResponseBase:
            # Someone who had to sign in again comes back with a GET: show what the act would have been done to.
            return view(request, pk) if request.method == "POST" else HttpResponseRedirect(self.address("change", pk))

        guarded: Callable[..., HttpResponseBase] = self.admin_site.admin_view(posted if post else view)
        return guarded
