"""Django's settings. Everything that an operator may set is an environment variable, listed in docs/operating.md."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from nephoscope import configuration, mail, postgres
from nephoscope.vault import Vault

_ENV, _STORES = configuration.configuration(), configuration.stores()

BASE_DIR = configuration.ROOT
DATA_DIR = _ENV.data_dir


def _secret_key() -> str:
    """Return the key from the environment, or one made at the first start and kept, readable by its owner only."""
    if _ENV.secret_key:
        return _ENV.secret_key
    path = DATA_DIR / "secret_key"
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
    except FileExistsError:
        pass
    return path.read_text()


NEPHOSCOPE_WORKERS = _ENV.workers
NEPHOSCOPE_LEASE_SECONDS = _ENV.lease_seconds
NEPHOSCOPE_MAX_SCANS = _ENV.max_scans
NEPHOSCOPE_INTERACTIVE_SECONDS = _ENV.interactive_seconds
NEPHOSCOPE_MAX_RESOURCES_PER_PLAN = _ENV.max_resources_per_plan
NEPHOSCOPE_AUTOMATIC_FIXES_PER_HOUR = _ENV.automatic_fixes_per_hour
NEPHOSCOPE_SAMPLE_FINDINGS = _ENV.sample_findings
NEPHOSCOPE_ORGANISATION_SYNC_MINUTES = _ENV.organisation_sync_minutes
NEPHOSCOPE_RETENTION_DAYS = _ENV.retention_days
NEPHOSCOPE_TRANSITION_DAYS = _ENV.transition_days
NEPHOSCOPE_ALLOWED_NETWORKS = _ENV.allowed_networks
NEPHOSCOPE_REPORTS_DIR = _ENV.reports_dir
NEPHOSCOPE_TRUSTED_PROXIES = _ENV.trusted_proxies
NEPHOSCOPE_SESSION_IDLE_MINUTES = _ENV.session_idle_minutes
NEPHOSCOPE_SESSION_HOURS = _ENV.session_hours

SECRET_KEY = _secret_key()
VAULT = Vault(_ENV.encryption_keys, DATA_DIR / "encryption_keys")
VAULT.read_keys()  # makes the first one at the first start, for backups to have it
DEBUG = _ENV.debug
NEPHOSCOPE_DEMO = _ENV.demo
ALLOWED_HOSTS = list(_ENV.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(_ENV.trusted_origins)
CSRF_FAILURE_VIEW = "nephoscope.console.pages.resend.csrf_failed"

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _ENV.tls
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _ENV.tls else None
SECURE_REDIRECT_EXEMPT = ["^healthz$"]  # asked by the proxy itself, which speaks plain http to us
SECURE_HSTS_SECONDS = 31_536_000 if _ENV.tls else 0
SESSION_COOKIE_AGE = NEPHOSCOPE_SESSION_HOURS * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        # The theme's Alpine evaluates expressions in attributes; scripts written into a page do not run.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

INSTALLED_APPS = [
    "nephoscope.operations",  # the first, for its commands to take the place of those that leave no audit entry
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "django_q",
    "axes",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "nephoscope.accounts",
    "nephoscope.organisations",
    "nephoscope.inventory",
    "nephoscope.alerts",
    "nephoscope.changes",
    "nephoscope.reports",
    "nephoscope.policies",
    "nephoscope.audit",
    "nephoscope.events",
    "nephoscope.console",
]

MIDDLEWARE = [
    "nephoscope.people.middleware.ClientAddress",
    "django.middleware.security.SecurityMiddleware",
    "nephoscope.console.static_files.CompressedStaticFiles",
    # What compressing could betray (BREACH) is the CSRF token, which Django masks anew in every answer; it also pads
    # each compressed answer at random: https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip
    "django.middleware.gzip.GZipMiddleware",
    "nephoscope.people.middleware.StoreNothing",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nephoscope.people.middleware.EndSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "nephoscope.people.middleware.UserTimeZone",
    "nephoscope.people.middleware.UserLanguage",
    "nephoscope.console.middleware.KeepForms",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "nephoscope.urls"
WSGI_APPLICATION = "nephoscope.wsgi.application"
ASGI_APPLICATION = "nephoscope.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "console" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

POSTGRES_DIR = DATA_DIR / "postgres"
DATABASES = {"default": postgres.configuration(_STORES.database_url, POSTGRES_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "nephoscope.people.backends.RoleBackend"]
# What is counted, and the limits, are in people/door.py; axes asks it before any password is checked.
AXES_HANDLER = "nephoscope.people.door.Door"
AXES_DISABLE_ACCESS_LOG = True
AXES_LOCKOUT_CALLABLE = "nephoscope.console.lockout.locked_out"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
LOGOUT_REDIRECT_URL = "admin:login"

# Without an address there is no mail, and EMAIL_HOST is empty.
EMAIL_HOST = ""
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _ENV.email_from
globals().update(mail.configuration(_ENV.email_url))

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "nephoscope.api.kit.authentication.ScopedTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["nephoscope.api.kit.permissions.RolePermission"],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.SearchFilter",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "nephoscope.api.kit.pagination.Pages",
    "PAGE_SIZE": 100,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "nephoscope.api.kit.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
}
REST_KNOX = {"TOKEN_TTL": None, "AUTO_REFRESH": False}
_WEEK = 7 * 24 * 3600
Q_CLUSTER = {
    "name": "nephoscope",
    "workers": NEPHOSCOPE_WORKERS,
    # The truth about a scan is its shards' leases in our own tables: the queue only wakes workers. A task is never
    # handed out a second time by the queue, because the reaper wakes a new one when a lease runs out.
    "timeout": _WEEK,
    "retry": _WEEK + 3600,
    "max_attempts": 1,
    "ack_failures": True,
    "poll": 0.5,
    "catch_up": False,
    "save_limit": 1000,
    "max_rss": 400_000,
    **({"redis": _STORES.redis_url} if _STORES.redis_url else {"orm": "default"}),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "nephoscope.logs.OneLine", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}
    },
    "filters": {"clients": {"()": "nephoscope.logs.ClientMistakes"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["clients"]}},
    "root": {"handlers": ["console"], "level": _ENV.log_level},
}

# The larger ones stand with what they describe.
from nephoscope.api.kit.schema import SPECTACULAR_SETTINGS  # noqa: E402, F401
from nephoscope.console.theme import UNFOLD  # noqa: E402, F401
