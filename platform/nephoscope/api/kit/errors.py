"""Errors in one form: ``{"detail": …}``, or the field's name with what is wrong with it."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler

log = logging.getLogger(__name__)


DATABASE_AWAY = (OperationalError, InterfaceError)
"""What is raised while the database cannot be reached."""


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    wait = 10
    """Seconds after which to ask again, which DRF gives as ``Retry-After``."""


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give the services' problems, and Django's own, the form of DRF's."""
    if isinstance(error, DjangoValidationError):
        error = ValidationError(as_serializer_error(error))
    elif isinstance(error, RequestDataTooBig):
        limit = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,}"
        error = TooLarge(_("The body is larger than %(limit)s bytes.") % {"limit": limit})
    elif isinstance(error, DATABASE_AWAY):
        log.error("the database is not available", exc_info=error)
        error = Unavailable(unavailable())
    return exception_handler(error, context)


def unavailable() -> str:
    """Say that the database is away."""
    return _("The database is not available. Try again in a moment.")
