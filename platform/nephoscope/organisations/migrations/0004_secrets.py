"""Settings that are secret are kept apart, encrypted. No provider had any so far."""

from django.db import migrations

from nephoscope.accounts.fields import SecretsField


class Migration(migrations.Migration):
    dependencies = [("organisations", "0003_leases")]

    operations = [migrations.AddField("organisation", "secrets", SecretsField())]
