"""Transitions of alerts, as an outbox."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0003_kinds_and_sources"),
    ]

    operations = [
        migrations.CreateModel(
            name="Transition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", models.UUIDField(editable=False, null=True)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ("processed_at", models.DateTimeField(editable=False, null=True)),
                ("attempts", models.PositiveIntegerField(default=0, editable=False)),
                ("retry_at", models.DateTimeField(editable=False, null=True)),
                ("error", models.TextField(blank=True, editable=False)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("opened", "Opened"),
                            ("reopened", "Reopened"),
                            ("resolved", "Resolved"),
                            ("suppressed", "Suppressed"),
                            ("unsuppressed", "Unsuppressed"),
                            ("graded", "Severity changed"),
                        ],
                        max_length=12,
                    ),
                ),
                ("was", models.CharField(max_length=12)),
                ("now", models.CharField(max_length=12)),
                (
                    "severity",
                    models.CharField(
                        choices=[("critical", "Critical"), ("high", "High"), ("medium", "Medium"), ("low", "Low")],
                        max_length=10,
                    ),
                ),
                ("affected", models.PositiveIntegerField()),
                ("suppressed", models.PositiveIntegerField()),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="transitions", to="alerts.alert"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "abstract": False,
                "indexes": [
                    models.Index(condition=models.Q(("processed_at", None)), fields=["id"], name="transition_waiting")
                ],
            },
        ),
    ]
