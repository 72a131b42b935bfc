"""Recheck on events over the API, as acts on an account."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from nephoscope.accounts.permissions import may
from nephoscope.api.kit.serializers import Nothing, SetupTemplateSerializer
from nephoscope.api.kit.views import Models
from nephoscope.events import services
from nephoscope.events.models import WAITING, Delivery, Listener


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    event = serializers.CharField(source="name", read_only=True)

    class Meta:
        model = Delivery
        fields = ["id", "event", "region", "state", "error", "received_at", "done_at"]
        read_only_fields = fields


class ListenerSerializer(serializers.ModelSerializer[Listener]):
    address = serializers.SerializerMethodField(help_text="Empty for those who may not connect accounts.")
    waiting = serializers.SerializerMethodField(help_text="Events that have not been worked on, or not for good.")
    deliveries = serializers.SerializerMethodField(help_text="The latest events, 20 at most.")

    class Meta:
        model = Listener
        fields = [
            "address",
            "created_at",
            "rotated_at",
            "last_delivery_at",
            "ignored",
            "last_refused_at",
            "last_refusal",
            "waiting",
            "deliveries",
        ]
        read_only_fields = fields

    def get_address(self, listener: Listener) -> str:
        return listener.address if may(self.context["request"].user, "connect") else ""

    def get_waiting(self, listener: Listener) -> int:
        return listener.deliveries.filter(state__in=WAITING).count()

    @extend_schema_field(DeliverySerializer(many=True))
    def get_deliveries(self, listener: Listener) -> Any:
        return DeliverySerializer(listener.deliveries.all()[:20], many=True).data


class EventsSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField()
    listener = ListenerSerializer(allow_null=True)


class SecretSerializer(serializers.Serializer[Any]):
    address = serializers.CharField()
    secret = serializers.CharField(help_text="Shown this once; deliveries are signed with it.")


class EventActs(Models):
    """What the endpoint of accounts has besides: whether an account's cloud tells of changes."""

    @extend_schema(responses=EventsSerializer)
    @action(detail=True, pagination_class=None, filterset_class=None)
    def events(self, request: Request, id: str) -> Response:
        """Whether the account's cloud tells of changes, and what came in last."""
        listener = services.listener_of(self.get_object())
        shown = {"on": listener is not None, "listener": listener}
        return Response(EventsSerializer(shown, context=self.get_serializer_context()).data)

    @extend_schema(request=Nothing, responses={201: SecretSerializer})
    @events.mapping.post
    def events_on(self, request: Request, id: str) -> Response:
        """Switch recheck on events on; the secret is in the answer and can never be read again."""
        account = self.get_object()
        self.body(Nothing)
        return self._secret(*services.switch_on(self.actor, account), status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    @events.mapping.delete
    def events_off(self, request: Request, id: str) -> Response:
        """Switch recheck on events off, for good: switched on again, it has another address."""
        services.switch_off(self.actor, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=Nothing, responses=SecretSerializer)
    @action(detail=True, methods=["post"], url_path="events/rotate")
    def events_rotate(self, request: Request, id: str) -> Response:
        """Make a new secret; the one before is worth nothing from now on."""
        account = self.get_object()
        self.body(Nothing)
        return self._secret(*services.rotate(self.actor, account), status.HTTP_200_OK)

    @extend_schema(responses=SetupTemplateSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None, url_path="events/setup-templates")
    def events_setup_templates(self, request: Request, id: str) -> Response:
        """The setup templates that make the account tell of changes; empty while that is off."""
        listener = services.listener_of(self.get_object())
        setup_templates = services.setup_templates(listener, request.build_absolute_uri("/")) if listener else []
        return Response(SetupTemplateSerializer(setup_templates, many=True).data)

    def _secret(self, listener: Listener, secret: str, code: int) -> Response:
        return Response({"address": listener.address, "secret": secret}, code)
