"""Changes wait in the queue and are held under a lease."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_kinds_and_sources"),
        ("changes", "0002_calls_as_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveField(
            model_name="change",
            name="moved_at",
        ),
        migrations.AddField(
            model_name="change",
            name="before_undo",
            field=models.CharField(
                blank=True,
                choices=[
                    ("planned", "Planned"),
                    ("approved", "Queued"),
                    ("applying", "Applying"),
                    ("applied", "Applied"),
                    ("verified", "Applied and verified"),
                    ("failed", "Failed"),
                    ("refused", "Refused"),
                    ("undo_queued", "Undo queued"),
                    ("undoing", "Undoing"),
                    ("undone", "Undone"),
                ],
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="lease_until",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="change",
            name="owner",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="change",
            name="queued_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="change",
            name="suppression",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="changes", to="alerts.suppression"
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="undo_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="state",
            field=models.CharField(
                choices=[
                    ("planned", "Planned"),
                    ("approved", "Queued"),
                    ("applying", "Applying"),
                    ("applied", "Applied"),
                    ("verified", "Applied and verified"),
                    ("failed", "Failed"),
                    ("refused", "Refused"),
                    ("undo_queued", "Undo queued"),
                    ("undoing", "Undoing"),
                    ("undone", "Undone"),
                ],
                default="planned",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="changestep",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Pending"),
                    ("applying", "Applying"),
                    ("waiting", "Waiting"),
                    ("applied", "Applied"),
                    ("failed", "Failed"),
                    ("skipped", "Skipped"),
                    ("undoing", "Undoing"),
                    ("undone", "Undone"),
                ],
                default="pending",
                max_length=10,
            ),
        ),
    ]
