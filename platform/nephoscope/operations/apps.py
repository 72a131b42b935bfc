from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _


class OperationsConfig(AppConfig):
    name = "nephoscope.operations"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from nephoscope.operations.schema import check_newer

        register(check_newer, Tags.database)
