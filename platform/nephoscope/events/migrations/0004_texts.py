from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0003_leases"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("after_scan", "Read, again after the scan"),
                    ("done", "Done"),
                    ("failed", "Partly read"),
                ],
                default="queued",
                max_length=12,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="listener",
            name="created_at",
            field=models.DateTimeField(auto_now_add=True, verbose_name="turned on"),
        ),
        migrations.AlterField(
            model_name="listener",
            name="ignored",
            field=models.PositiveBigIntegerField(default=0, verbose_name="not about a collected resource"),
        ),
        migrations.AlterField(
            model_name="listener",
            name="last_refused_at",
            field=models.DateTimeField(null=True, verbose_name="last rejected"),
        ),
        migrations.AlterField(
            model_name="listener",
            name="rotated_at",
            field=models.DateTimeField(verbose_name="secret created"),
        ),
    ]
