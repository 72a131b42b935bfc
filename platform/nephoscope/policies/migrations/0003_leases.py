"""Requests to judge again are held as everything that one worker at a time works on: by an owner."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("policies", "0002_judged_type")]

    operations = [
        migrations.AddField("rejudging", "owner", models.UUIDField(null=True, editable=False)),
        migrations.AlterField("rejudging", "lease_until", models.DateTimeField(null=True, editable=False)),
    ]
