"""Errors in one form: ``{"detail": …}``, or the field's name with what is wrong with it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give the services' problems the form of DRF's own."""
    if isinstance(error, DjangoValidationError):
        error = ValidationError(as_serializer_error(error))
    return exception_handler(error, context)
