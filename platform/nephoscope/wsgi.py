"""The entry point of WSGI servers."""

import logging
import os

from django.core.wsgi import get_wsgi_application

from nephoscope.plugins import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nephoscope.settings")
application = get_wsgi_application()
registry().load_all()


def _say_what_does_not_fit() -> None:
    """Log in one sentence that the database is of another version: each page would only fail with an error of SQL."""
    from django.db import DatabaseError, connections

    from nephoscope.operations.schema import problem

    try:
        if found := problem():
            logging.getLogger(__name__).critical(found)
    except DatabaseError:
        pass  # it is away, which every answer says until it is back
    finally:
        connections.close_all()


_say_what_does_not_fit()
