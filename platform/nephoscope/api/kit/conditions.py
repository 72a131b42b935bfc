"""How well the accounts of an answer are known, read once for a request, and as it is told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from nephoscope.accounts.models import Account
from nephoscope.alerts.queries import ids
from nephoscope.api.kit.serializers import Named
from nephoscope.connections.conditions import Condition, ConditionState, conditions


def conditions_of(request: Any) -> dict[int, Condition]:
    """Return what is known of each account that the user of a request sees, by its id."""
    known: dict[int, Condition] | None = getattr(request, "conditions", None)
    if known is None:
        known = {each.account.pk: each for each in conditions(Account.objects.visible_to(request.user))}
        request.conditions = known
    return known


def in_view(request: Any) -> list[Condition]:
    """Return what is known of the accounts that a request is narrowed to; of all that its user sees where it is not."""
    known, wanted = conditions_of(request), ids(",".join(request.GET.getlist("account")))
    return [known[pk] for pk in wanted if pk in known] if wanted else list(known.values())


def state_of(request: Any, account: int) -> str:
    """Return how well an account is known, in one word."""
    found = conditions_of(request).get(account)
    return found.state.value if found else ConditionState.NOT_SCANNED.value


class MarkSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=ConditionState.choices)
    text = serializers.CharField()


class ConditionSerializer(serializers.Serializer[Condition]):
    """How well an account is known: its numbers say no more than that."""

    state = serializers.ChoiceField(choices=ConditionState.choices)
    as_of = serializers.DateTimeField(allow_null=True, help_text="When it was last read; null when it never was.")
    marks = MarkSerializer(many=True, help_text="All that keeps it from being current, the worst first.")


class KnownAccount(Named):
    """An account that a row belongs to, with how well it is known."""

    condition = serializers.SerializerMethodField(help_text="How well the account is known; see /api/v1/accounts.")

    @extend_schema_field(serializers.ChoiceField(choices=ConditionState.choices))
    def get_condition(self, account: Account) -> str:
        return state_of(self.context["request"], account.pk)
