"""A call is a label and a body that only its provider reads. A plan has another digest with it, so it is made anew."""

from django.db import migrations, models

CALL = """jsonb_build_object(
    'label', ({0}->>'service') || ':' || replace(initcap(replace({0}->>'operation', '_', ' ')), ' ', ''),
    'body', {0} - 'permission',
    'permissions', jsonb_build_array({0}->'permission')
)"""

STEPS = [
    ("pending", "Not yet"),
    ("applying", "Applying"),
    ("waiting", "Waiting"),
    ("applied", "Applied"),
    ("failed", "Failed"),
    ("skipped", "Left out"),
    ("undoing", "Undoing"),
    ("undone", "Undone"),
]


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]

    operations = [
        migrations.AddField("change", "inputs", models.JSONField(default=dict, verbose_name="inputs")),
        migrations.AddField("changestep", "wait", models.JSONField(null=True)),
        migrations.AddField("changestep", "keep", models.JSONField(default=list)),
        migrations.AddField("changestep", "kept", models.JSONField(default=dict)),
        migrations.AlterField("changestep", "state", models.CharField(choices=STEPS, default="pending", max_length=10)),
        migrations.RunSQL(
            [
                f"UPDATE changes_changestep SET call = {CALL.format('call')} WHERE call ? 'service'",
                f"UPDATE changes_changestep SET inverse = {CALL.format('inverse')} WHERE inverse ? 'service'",
                "UPDATE changes_change SET state = 'refused', finished_at = now(), outcome = 'This plan was made by an"
                " earlier version of Nephoscope; plan again.' WHERE state = 'planned'",
            ],
            migrations.RunSQL.noop,
        ),
    ]
