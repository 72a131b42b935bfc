from django.apps import AppConfig
from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    name = "nephoscope.console"
    label = "console"
    verbose_name = _("Console")

    def ready(self) -> None:
        """Add the pages that belong to no model, and take out what other packages put into the admin.

        Rights follow roles, so Django's groups mean nothing here; the queue and the tokens have their own pages.
        """
        from nephoscope.accounts.permissions import EVERYONE_SEES
        from nephoscope.console.forms.people import SignInForm
        from nephoscope.console.urls import extra_urls

        admin.site.login_form = SignInForm
        admin.site.extra_urls = extra_urls  # type: ignore[attr-defined]
        for model in [model for model in admin.site._registry if model._meta.app_label not in EVERYONE_SEES]:
            admin.site.unregister(model)
