"""What is a secret in clear text, by its name or by its form, raw and as collectors store it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from nephoscope_aws.plain_secrets import MASK, masked, plain_secret

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "0123456789abcdefghij0123456789abcdefghij"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

BY_NAME = [
    ("DB_PASSWORD", "hunter2"),
    ("DB_PASS", "hunter2"),
    ("dbpass", "hunter2"),
    ("PGPASSWORD", "hunter2"),
    ("MYSQL_ROOT_PASSWORD", "root"),
    ("MYSQLPASSWORD", "changeme"),
    ("db-password", "hunter2"),
    ("DbPassword", "hunter2"),
    ("MYSQL_PWD", "hunter2"),
    ("PASSWORD2", "hunter2"),
    ("PASSWORD", 12345),
    ("HTPASSWD", "anna:$apr1$x"),
    ("githubToken", "x"),
    ("GITHUB_PAT", "x"),
    ("AUTHTOKEN", "x"),
    ("AUTH_TOKEN", "x"),
    ("API_KEY", "x"),
    ("APIKEY", "x"),
    ("APIKey", "x"),
    ("x-api-key", "x"),
    ("DD_APP_KEY", "x"),
    ("RAILS_MASTER_KEY", "x"),
    ("SECRET_KEY_BASE", "x"),
    ("CLIENTSECRET", "x"),
    ("COOKIE_SECRET", "x y z"),
    ("SSH_PRIVATE_KEY", "MIIEvQ"),
    ("ENCRYPTION_KEY", "x"),
    ("KEYSTORE_PASSPHRASE", "x"),
    ("DB_CREDS", "anna hunter2"),
    ("TOKEN", "/etc/token with spaces"),
    ("S3_SECRET", "/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_ACCESS_KEY_ID", "x"),
    ("AWS_SECRET_ACCESS_KEY", "/a/b"),
    ("ECS_ENGINE_AUTH_DATA", '{"https://index.docker.io/v1/": {}}'),
]

BY_FORM = [
    ("NOTE", KEY),
    ("NOTE", f"key={KEY}"),
    ("SCRIPT", f"export AWS_SECRET_ACCESS_KEY={SECRET_KEY}"),
    ("NOTE", "-----BEGIN RSA PRIVATE KEY-----"),
    ("NOTE", "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Blb"),
    ("NOTE", "-----BEGIN PGP PRIVATE KEY BLOCK-----"),
    ("NOTE", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQ"),
    ("NOTE", f"ghp_{TOKEN[:36]}"),
    ("NOTE", f"glpat-{TOKEN[:20]}"),
    ("NOTE", f"xoxb-{TOKEN}"),
    ("HOOK", "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/abcdefghijklmnop"),
    ("NOTE", f"sk_live_{TOKEN[:24]}"),
    ("NOTE", f"AIza{TOKEN[:35]}"),
    ("NOTE", f"npm_{TOKEN[:36]}"),
    ("HEADER", f"Bearer {JWT}"),
    ("URL", "https://a:b@example.com"),
    ("DATABASE_URL", "postgres://app:hunter2@db.example.com:5432/app"),
    ("DATABASE_URL", "postgres://app:p%40ss@db.example.com/app"),
    ("DATABASE_URL", "postgres://app:$ecret@db.example.com/app"),
    ("REDIS", "redis://:hunter2@cache:6379"),
    ("MONGO", "mongodb+srv://app:hunter2@cluster.example.net/?retryWrites=true"),
    ("JDBC", "jdbc:mysql://db/app?user=app&password=hunter2"),
    ("SQL", "Server=db;Database=app;User Id=sa;Password=no-way;"),
    ("DSN", "host=db user=app password=hunter2 sslmode=require"),
    ("JAVA_OPTS", "-Xmx1g -Dspring.datasource.password=hunter2"),
    ("STORAGE", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc123==;EndpointSuffix=core.windows.net"),
    ("SPRING_APPLICATION_JSON", '{"spring": {"datasource": {"password": "hunter2"}}}'),
]

HARMLESS = [
    ("MYSQL_ALLOW_EMPTY_PASSWORD", "yes"),
    ("ALLOW_EMPTY_PASSWORD", "yes"),
    ("MYSQL_RANDOM_ROOT_PASSWORD", "yes"),
    ("POSTGRES_PASSWORD_FILE", "/run/secrets/db"),
    ("PASSWORD_AUTHENTICATION", "on"),
    ("ENABLE_TOKEN", "1"),
    ("ROTATE_SECRET", "0"),
    ("USE_PASSWORD", "true"),
    ("SECRET", "none"),
    ("DB_SECRET_NAME", "prod"),
    ("DB_SECRET_ARN", "x"),
    ("DB_SECRET", "prod/app/database"),
    ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1b2c3"),
    ("DB_PASSWORD", "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/db"),
    ("DB_PASSWORD", "{{resolve:secretsmanager:db:SecretString:password}}"),
    ("DB_PASSWORD", "${DB_PASSWORD}"),
    ("DB_PASSWORD", "$DB_PASSWORD"),
    ("DB_PASSWORD", "$(cat /run/secrets/db)"),
    ("DB_PASSWORD", "<your password>"),
    ("DB_PASSWORD", "{{ db_password }}"),
    ("DB_PASSWORD", "%DB_PASSWORD%"),
    ("DB_PASSWORD", "ssm:/prod/db"),
    ("DB_PASSWORD", "vault:secret/data/db#password"),
    ("DB_PASSWORD", "op://vault/db/password"),
    ("DB_PASSWORD", "ENC(G6N718UuyPE5bHyWKyuLQSm02auQPUtm)"),
    ("DB_PASSWORD", ""),
    ("DB_PASSWORD", " "),
    ("DB_PASSWORD", None),
    ("DB_PASSWORD", {"Ref": "Password"}),
    ("PASSWORD_POLICY", "strong"),
    ("PASSWORD_MIN_LENGTH", "12"),
    ("PASSWORD_LENGTH", "12"),
    ("TOKEN_URL", "https://login.example.com/token"),
    ("TOKEN", "https://example.com"),
    ("TOKEN_TTL", "60"),
    ("AUTH_TOKEN_TTL", "3600"),
    ("TOKEN_ALGORITHM", "RS256"),
    ("TOKEN_ISSUER", "example"),
    ("MAX_TOKENS", "4096"),
    ("TOKENS_PER_MINUTE", "1000"),
    ("SECRETS_PROVIDER", "aws"),
    ("SECRETS_MANAGER_ENDPOINT", "x"),
    ("KMS_KEY_ID", "alias/app"),
    ("ENCRYPTION_KEY", "alias/app"),
    ("KEY_ID", "abc"),
    ("API_KEY_HEADER", "X-Api-Key"),
    ("PUBLIC_KEY", "ssh-ed25519 AAAA"),
    ("PARTITION_KEY", "id"),
    ("GOOGLE_APPLICATION_CREDENTIALS", "/etc/gcp.json"),
    ("CORS_ALLOW_CREDENTIALS", "include"),
    ("AWS_ACCESS_KEY_ID", ""),
    ("MONKEY", "x"),
    ("TOKENIZER", "bert"),
    ("BYPASS", "x"),
    ("SECRETARY", "anna"),
    ("STAGE", "prod"),
    ("", "x"),
    ("DATABASE_URL", "postgres://db.example.com:5432/app"),
    ("DATABASE_URL", "postgres://app@db.example.com/app"),
    ("DATABASE_URL", "postgres://app:${DB_PASSWORD}@db.example.com/app"),
    ("DATABASE_URL", "postgres://app:<password>@db.example.com/app"),
    ("DATABASE_URL", "postgres://app:$DB_PASSWORD@db.example.com/app"),
    ("LINK", "https://example.com:8443/a@b"),
    ("LINK", "https://example.com:8443?mail=a@b.example"),
    ("SENTRY_DSN", "https://0123456789abcdef@o1.ingest.sentry.io/1"),
    ("REPOSITORY", "ssh://git@github.com/a/b"),
    ("DSN", "host=db user=app password=${DB_PASSWORD}"),
    ("QUERY", "SELECT id FROM users WHERE password = :password"),
    ("OPTIONS", "reset_password=true"),
    ("SETTINGS", '{"password": "${DB_PASSWORD}", "passwordLength": "12"}'),
    ("CERTIFICATE", "-----BEGIN CERTIFICATE-----"),
    ("CONNECTION", "Endpoint=sb://a.example.net/;SharedAccessKeyName=Root"),
]


@pytest.mark.parametrize(("name", "value"), BY_NAME)
def test_a_secret_is_told_by_its_name(name: str, value: Any) -> None:
    assert plain_secret(name, value) in ("named like a secret", "AWS credentials")
    assert plain_secret(name, masked(value)) == plain_secret(name, value)


@pytest.mark.parametrize(("name", "value"), BY_FORM)
def test_a_secret_is_told_by_its_form_and_stored_as_that_alone(name: str, value: str) -> None:
    words = plain_secret(name, value)
    assert words
    assert words != "named like a secret"
    assert masked(value) == f"{MASK} ({words})"
    assert plain_secret(name, masked(value)) == words


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_what_is_about_a_secret_or_says_where_it_is_is_none(name: str, value: Any) -> None:
    assert plain_secret(name, value) == ""
    assert plain_secret(name, masked(value)) == ""


@pytest.mark.parametrize(
    "unit", ["eyJ-", "password ", "a ", "-----BEGIN ", "x://a:", '"password', "a;", "{{", "/a", "eyJabcdefghijk."]
)
def test_a_hostile_value_costs_little(unit: str) -> None:
    started = time.perf_counter()
    masked(unit * (65_536 // len(unit)))
    assert time.perf_counter() - started < 2
