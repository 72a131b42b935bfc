"""Errors in one form: ``{"detail": …}``, or the field's name with what is wrong with it.

400 is for a request that is not as it is described, 409 for one that is, but cannot be carried out on what there is: a
name that is taken, an id that nothing has, a scan that runs already.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
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
from rest_framework.settings import api_settings
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


class Conflict(APIException):
    """What a service refused, by the name of the field."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


NOT_THERE = {"does_not_exist"}
"""Codes of what a field finds wrong that is not of form."""


def refused(errors: Any) -> APIException:
    """Return the error for a body: a conflict where only what it names is not there."""
    return Conflict(errors) if set(_codes(errors)) <= NOT_THERE else ValidationError(errors)


def _codes(errors: Any) -> Iterator[str]:
    if isinstance(errors, Mapping):
        errors = list(errors.values())
    if isinstance(errors, list):
        for each in errors:
            yield from _codes(each)
    else:
        yield errors.code


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give the services' problems, and Django's own, the form of DRF's."""
    if isinstance(error, DjangoValidationError):
        error = Conflict(as_serializer_error(error))
    elif isinstance(error, ValidationError) and isinstance(error.detail, list):
        error = ValidationError({api_settings.NON_FIELD_ERRORS_KEY: error.detail})
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
