"""Model fields for secrets and for reasons, and encrypting all that the first hold by a new key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute

from nephoscope.domain.reasons import in_short
from nephoscope.vault import Secrets, SecretUnreadable, Vault

if TYPE_CHECKING:
    _Text = models.TextField[str, str]
else:
    _Text = models.TextField


class ReasonField(_Text):
    """Why something failed, stored in one short line (:func:`nephoscope.domain.reasons.in_short`), however written."""

    def deconstruct(self) -> Any:
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.TextField", arguments, options

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return in_short(value) if isinstance(value, str) else value


class _Sealing(DeferredAttribute):
    """Encrypts what is assigned at once, so that the row holds no more than what is stored."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class SecretsField(models.JSONField):
    """Secret texts by name, encrypted one by one; a :class:`nephoscope.vault.Secrets`.

    A mapping that is assigned is taken as texts. Serialized, it is a text of what is encrypted.
    """

    descriptor_class = _Sealing

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "default": dict, "editable": False, "blank": True})

    def deconstruct(self) -> Any:
        name, path, arguments, options = super().deconstruct()
        return name, path, arguments, {k: v for k, v in options.items() if k not in ("default", "editable", "blank")}

    def to_python(self, value: Any) -> Secrets:
        if isinstance(value, Secrets):
            return value
        if isinstance(value, str):
            return Secrets(_vault(), json.loads(value))
        return Secrets.of(_vault(), value or {})

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Secrets:
        return Secrets(_vault(), super().from_db_value(value, expression, connection) or {})

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Take what it is given: it is no JSON before it is stored."""

    def get_prep_value(self, value: Any) -> dict[str, str]:
        return self.to_python(value).sealed

    def value_to_string(self, obj: models.Model) -> str:
        return json.dumps(self.value_from_object(obj).sealed)


def _vault() -> Vault:
    vault: Vault = settings.VAULT
    return vault


def rotate_key(vault: Vault) -> int:
    """Encrypt all secrets by a new key, or by the first of those that the operator gives; return how many rows.

    Other processes may go on working. Of the keys that the vault keeps, the one before the new one stays until the next
    time, as a transaction that is not committed yet may have encrypted by it; those before that are forgotten.

    :raises SecretUnreadable: none of the keys fits a row; names it. All keys stay, and it can be done again.
    """
    if vault.keeps_keys:
        vault.add_key()
    rows = 0
    # Once more until there is nothing to do: somebody may have encrypted by the old key until a moment ago.
    while changed := sum(_sealed_again(vault, model, field) for model, field in secret_fields()):
        rows += changed
    if vault.keeps_keys:
        vault.forget_old_keys()
    return rows


def secret_fields() -> Iterator[tuple[type[models.Model], SecretsField]]:
    """Yield all fields of all models that hold secrets."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SecretsField):
                yield model, field


@transaction.atomic
def _sealed_again(vault: Vault, model: type[models.Model], field: SecretsField) -> int:
    rows = model._base_manager.select_for_update().order_by("pk").values_list("pk", field.attname)
    changed = 0
    for pk, secrets in rows:
        try:
            sealed = {name: vault.seal_again(text) for name, text in secrets.sealed.items()}
        except SecretUnreadable as problem:
            raise SecretUnreadable(f"{model._meta.label} {pk}: {problem}") from None
        if sealed != secrets.sealed:
            model._base_manager.filter(pk=pk).update(**{field.attname: Secrets(vault, sealed)})
            changed += 1
    return changed
