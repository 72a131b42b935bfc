from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0004_secrets"),
    ]

    operations = [
        migrations.AlterField(
            model_name="member",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "Active"),
                    ("pending_activation", "Pending activation"),
                    ("suspended", "Suspended"),
                    ("pending_closure", "Pending closure"),
                    ("closed", "Closed"),
                ],
                max_length=20,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="organisation",
            name="synced_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="in sync"),
        ),
    ]
