"""The entry point of ASGI servers."""

import os

from django.core.asgi import get_asgi_application

from nephoscope.plugins import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nephoscope.settings")
application = get_asgi_application()
registry().load_all()
