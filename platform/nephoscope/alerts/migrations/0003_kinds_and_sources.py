"""The clouds' own detectors are one kind, threat, with the detector's name as the source."""

from django.db import migrations, models

KINDS = [("security", "Security monitoring"), ("anomaly", "Anomaly"), ("threat", "Threat"), ("iac", "IaC")]


class Migration(migrations.Migration):
    dependencies = [("alerts", "0002_compliance_and_incidents")]

    operations = [
        migrations.RenameModel("IncidentCursor", "DetectionCursor"),
        migrations.AddField(
            "alert",
            "source",
            models.CharField(blank=True, default="", max_length=60, verbose_name="source"),
            preserve_default=False,
        ),
        migrations.AlterField(
            "alert", "kind", models.CharField(choices=KINDS, default="security", max_length=12, verbose_name="kind")
        ),
        migrations.RunSQL(
            [
                "UPDATE alerts_alert SET kind = 'threat', source = 'GuardDuty' WHERE kind = 'guardduty'",
                "UPDATE alerts_finding SET rule_id = 'threat' WHERE rule_id = 'guardduty'",
            ],
            migrations.RunSQL.noop,
        ),
    ]
