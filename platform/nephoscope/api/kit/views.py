"""What all endpoints share: JSON in, JSON out, the role's rights, and only what the user may see."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed, NotFound
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from nephoscope.api.kit.errors import refused
from nephoscope.api.kit.filters import StableOrdering, StrictFilters, of_every_list
from nephoscope.api.kit.parameters import refuse_repeated, refuse_unknown
from nephoscope.api.kit.parsers import CarefulJSONParser
from nephoscope.audit.services import Actor


class AnyAccept(DefaultContentNegotiation):
    """The address says what is sent, whatever the request accepts: a file or JSON, and of what is wrong always JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Endpoint(GenericViewSet[Any]):
    """``acts`` names the right that each action needs; looking is the only one that goes without saying."""

    acts: ClassVar[dict[str, str]] = {}
    noun: ClassVar[str]
    parser_classes = [CarefulJSONParser]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = AnyAccept
    filter_backends: list[type[BaseFilterBackend]] = [StrictFilters, StableOrdering]
    metadata_class = None
    ordering_fields: list[str] = []

    @property
    def actor(self) -> Actor:
        return Actor.from_request(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that an address does not have a method before asking who it is: signing in helps nobody then."""
        if request.method == "OPTIONS" or not hasattr(self, str(request.method).lower()):
            self.http_method_not_allowed(request)
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Take a token that is not even text for a wrong one; knox would fail over it."""
        try:
            super().perform_authentication(request)
        except UnicodeDecodeError:
            raise AuthenticationFailed(_("Invalid token.")) from None

    def body(self, form: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the checked body of the request."""
        return self._checked(form, self.request.data)

    def parameters(self, form: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the checked parameters of the address, besides those of every list; an unknown one is refused."""
        given, of_list = self.request.query_params.items(), of_every_list(self)
        refuse_unknown(self.request, {*form().fields, *of_list})
        refuse_repeated(self.request)
        return self._checked(form, {name: text for name, text in given if name not in of_list})

    def _checked(self, form: type[Serializer[Any]], given: Any) -> dict[str, Any]:
        serializer = form(data=given, context=self.get_serializer_context())
        if not serializer.is_valid():
            raise refused(serializer.errors)
        checked: dict[str, Any] = serializer.validated_data
        return checked

    def missing(self) -> NotFound:
        return NotFound(
            _("There is no %(noun)s %(id)s.")
            % {"noun": self.noun, "id": self.kwargs[self.lookup_url_kwarg or self.lookup_field]}
        )


class Models(ListModelMixin, RetrieveModelMixin, Endpoint):
    """Rows of a model: those that the user may see, a list in short and one in full (``detail_class``)."""

    lookup_field = "pk"
    lookup_url_kwarg = "id"
    detail_class: type[BaseSerializer[Any]] | None = None

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One of them, in full."""
        return super().retrieve(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return (self.detail_class if self.action != "list" else None) or super().get_serializer_class()

    def get_object(self) -> Any:
        try:
            return super().get_object()
        except Http404:
            raise self.missing() from None

    def one_of(self, found: QuerySet[Any]) -> Any:
        """Return the row of the address among these, which may be other ones than those of the list."""
        try:
            return get_object_or_404(found, pk=self.kwargs["id"])
        except Http404:
            raise self.missing() from None

    def filter_queryset(self, queryset: Any) -> Any:
        """Filters are for lists: one row is found by its id, whatever the filters hide by default."""
        return queryset if self.detail else super().filter_queryset(queryset)

    def shown(self, row: Any, status: int = 200) -> Response:
        """The answer to an act: the row as it is now, in full."""
        fresh = self.get_queryset().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status)
