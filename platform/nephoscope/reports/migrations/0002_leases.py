"""Runs are held as everything that one worker at a time works on. One under way now lost its worker by the upgrade."""

from django.db import migrations, models

FILL = "UPDATE reports_reportrun SET lease_until = now() WHERE state = 'running'"


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_initial")]

    operations = [
        migrations.AddField("reportrun", "owner", models.UUIDField(null=True, editable=False)),
        migrations.AddField("reportrun", "lease_until", models.DateTimeField(null=True, editable=False)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
