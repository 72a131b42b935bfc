"""Tokens get a name and a scope, users a language. Tokens that exist keep all that their user's role allows."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import nephoscope.accounts.models

_SCOPES = {"viewer": "read", "analyst": "triage", "remediator": "change", "administrator": "administer"}


def name_tokens(apps: Any, schema_editor: Any) -> None:
    details = apps.get_model("accounts", "ApiToken")
    tokens = apps.get_model("knox", "AuthToken").objects.select_related("user")
    details.objects.bulk_create(
        details(auth=token, name="Unnamed", scope="administer" if token.user.is_superuser else _SCOPES[token.user.role])
        for token in tokens
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_condition"),
        ("knox", "0009_extend_authtoken_field"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                help_text="Empty: the browser’s language.",
                max_length=10,
                validators=[nephoscope.accounts.models.validate_language],
                verbose_name="language",
            ),
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "auth",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="api_token",
                        serialize=False,
                        to="knox.authtoken",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("read", "Read"),
                            ("triage", "Triage"),
                            ("change", "Change"),
                            ("administer", "Administer"),
                        ],
                        max_length=20,
                        verbose_name="scope",
                    ),
                ),
                ("used_at", models.DateTimeField(editable=False, null=True, verbose_name="last used")),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "ordering": ["-auth__created"],
            },
        ),
        migrations.RunPython(name_tokens, migrations.RunPython.noop),
    ]
