"""How an organisation's members are reached is described by its provider, as an account's connection is."""

from django.db import migrations, models

FILL = """
UPDATE organisations_organisation SET settings = jsonb_build_object(
    'role_name', role_name, 'role_path', role_path, 'external_id', external_id,
    'write_role_name', write_role_name, 'write_external_id', write_external_id
)
"""


class Migration(migrations.Migration):
    dependencies = [("organisations", "0001_initial")]

    operations = [
        migrations.AddField("organisation", "settings", models.JSONField(default=dict, editable=False)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RemoveField("organisation", "role_name"),
        migrations.RemoveField("organisation", "role_path"),
        migrations.RemoveField("organisation", "external_id"),
        migrations.RemoveField("organisation", "write_role_name"),
        migrations.RemoveField("organisation", "write_external_id"),
    ]
