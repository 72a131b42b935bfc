"""Shards are held as everything that one worker at a time works on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inventory", "0003_unlisted")]

    operations = [
        migrations.AlterField("shard", "owner", models.UUIDField(null=True, editable=False)),
        migrations.AlterField("shard", "lease_until", models.DateTimeField(null=True, editable=False)),
    ]
