"""Listeners are held as everything that one worker at a time works on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0002_changed")]

    operations = [
        migrations.AlterField("listener", "owner", models.UUIDField(null=True, editable=False)),
        migrations.AlterField("listener", "lease_until", models.DateTimeField(null=True, editable=False)),
    ]
