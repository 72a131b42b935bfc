import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reports", "0002_leases"),
    ]

    operations = [
        migrations.AlterField(
            model_name="reportschedule",
            name="folder",
            field=models.CharField(
                blank=True,
                max_length=64,
                validators=[
                    django.core.validators.RegexValidator(
                        "\\A[A-Za-z0-9][A-Za-z0-9_-]*\\Z", "Use letters, digits, - and _. Start with a letter or digit."
                    )
                ],
                verbose_name="folder",
            ),
        ),
        migrations.AlterField(
            model_name="reportschedule",
            name="name",
            field=models.CharField(
                max_length=100,
                validators=[
                    django.core.validators.RegexValidator("\\A[^\\x00-\\x1f\\x7f]*\\Z", "Enter the name on one line.")
                ],
                verbose_name="name",
            ),
        ),
    ]
