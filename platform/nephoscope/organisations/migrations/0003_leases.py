"""Organisations are held as everything that one worker at a time works on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0002_settings")]

    operations = [
        migrations.RenameField("organisation", "sync_until", "lease_until"),
        migrations.AddField("organisation", "owner", models.UUIDField(null=True, editable=False)),
    ]
