"""Settings that are secret are kept apart, encrypted. No provider had any so far."""

from django.db import migrations

from nephoscope.accounts.fields import SecretsField


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_account_scope")]

    operations = [migrations.AddField("account", "secrets", SecretsField())]
