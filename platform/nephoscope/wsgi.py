"""The entry point of WSGI servers."""

import os

from django.core.wsgi import get_wsgi_application

from nephoscope.plugins import registry

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nephoscope.settings")
application = get_wsgi_application()
registry().load_all()
