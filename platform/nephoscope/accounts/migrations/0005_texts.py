import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_secrets"),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="scan_every",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="0 turns scheduled scans off.",
                validators=[django.core.validators.MaxValueValidator(744)],
                verbose_name="scan every … hours",
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="services",
            field=models.JSONField(blank=True, default=list, help_text="Empty: all.", verbose_name="services"),
        ),
        migrations.AlterField(
            model_name="account",
            name="writing_verified_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="fix role verified"),
        ),
        migrations.AlterField(
            model_name="user",
            name="is_staff",
            field=models.BooleanField(default=True, verbose_name="can sign in to the console"),
        ),
    ]
