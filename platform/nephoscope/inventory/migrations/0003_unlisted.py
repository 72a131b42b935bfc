"""That a row stands for what could not be listed, and for which share of it, are columns and no part of its id."""

from django.db import migrations, models

FILL = """
UPDATE inventory_resource SET
    unlisted = true,
    share = COALESCE(NULLIF(split_part(resource_id, '#share', 2), '')::smallint, 0),
    resource_id = 'unlisted:' || type || ':' || region || ':'
        || COALESCE(NULLIF(split_part(resource_id, '#share', 2), ''), '0')
WHERE resource_id LIKE 'unreadable:%'
"""


class Migration(migrations.Migration):
    dependencies = [("inventory", "0002_shares")]

    operations = [
        migrations.AddField("resource", "unlisted", models.BooleanField(default=False)),
        migrations.AddField("resource", "share", models.PositiveSmallIntegerField(default=0)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
