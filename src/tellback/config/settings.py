"""Django's settings, made from the typed options and nothing else."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from tellback.config.database import database_settings
from tellback.config.keys import former_keys, vault_secrets
from tellback.config.mail import mail_settings, provider_settings, takes_templates
from tellback.config.options import Options
from tellback.platform.loop_config import get_loop_config

OPTIONS = Options()

PACKAGE = Path(__file__).resolve().parent.parent
DATA_DIR = OPTIONS.data_dir.resolve()

DEBUG = False
SECRET_KEY = OPTIONS.secret_key.get_secret_value() if OPTIONS.secret_key else os.environ.get("TELLBACK_MADE_KEY", "-")
# The key that the data folder has is read for as long as it lies there, also when another one was set since.
SECRET_KEY_FALLBACKS = former_keys(SECRET_KEY, OPTIONS.secret_key_former, os.environ.get("TELLBACK_MADE_KEY", ""))
VAULT_SECRETS = vault_secrets(OPTIONS, [SECRET_KEY, *SECRET_KEY_FALLBACKS])
ERASURE_LEDGER = OPTIONS.erasure_ledger or DATA_DIR / "erasures.jsonl"
BASE_URL = (OPTIONS.base_url or f"http://{OPTIONS.host}:{OPTIONS.port}").rstrip("/")
_host = urlsplit(BASE_URL).hostname or "localhost"
ALLOWED_HOSTS = sorted({_host, "localhost", "127.0.0.1", "[::1]"}) if OPTIONS.environment == "local" else [_host]
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL.startswith("https://") else []

# `tellback` commands start the embedded server and name it here before Django is set up.
_url = OPTIONS.database_url.get_secret_value() if OPTIONS.database_url else os.environ.get("TELLBACK_EMBEDDED_URL", "")
_as_owner = os.environ.get("TELLBACK_DB_AS_OWNER") == "1"
DATABASES = {
    "default": database_settings(_url or "postgresql:///tellback", role=None, pool_size=0)
    if _as_owner
    else database_settings(_url or "postgresql:///tellback")
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "django_cotton.apps.SimpleAppConfig",
    "procrastinate.contrib.django",
    "tellback.platform",
    "tellback.workspaces",
    "tellback.effects",
    "tellback.connections",
    "tellback.intake",
    "tellback.understanding",
    "tellback.themes",
    "tellback.triage",
    "tellback.boards",
    "tellback.loop",
    "tellback.insights",
    "tellback.widget",
    "tellback.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tellback.web.static_files.HashedStaticFiles",
    "tellback.web.security.SecurityHeaders",
    "tellback.web.failures.NoEmptyRefusals",
    "tellback.web.nul.NoNul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tellback.workspaces.middleware.WorkspaceMiddleware",
    "tellback.api.middleware.ApiFromPages",
    "tellback.api.middleware.ApiProblems",
]

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 180
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_ADAPTER = "tellback.workspaces.sign_in.Adapter"
ACCOUNT_SESSION_REMEMBER = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/admin"
LOGIN_URL = "/sign-in/login/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = 3600

ROOT_URLCONF = "tellback.config.urls"
ASGI_APPLICATION = "tellback.config.asgi.application"
AUTH_USER_MODEL = "workspaces.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": sorted(PACKAGE.glob("*/pages/templates")),
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tellback.web.context.shell",
            ],
            "builtins": ["django_cotton.templatetags.cotton"],
        },
    }
]

STATIC_URL = "/static/"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "files"},
    },
    "staticfiles": {"BACKEND": "tellback.web.static_files.HashedStorage"},
}
KEPT_STATIC_FILES = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

FILES_URL = OPTIONS.files_url.get_secret_value() if OPTIONS.files_url else ""

OUTBOUND_ALLOWED = [part.strip() for part in OPTIONS.outbound_allowed.split(",") if part.strip()]

DEFAULT_FROM_EMAIL = OPTIONS.mail_from
MAIL_DOMAIN = _host
EMAIL_BACKEND = "tellback.effects.mail.KeepingBackend"
if OPTIONS.mail_url:
    globals().update(mail_settings(OPTIONS.mail_url.get_secret_value()))
else:
    globals().update(provider_settings(get_loop_config().notifications.provider, os.environ) or {})
MAIL_TEMPLATES = takes_templates(EMAIL_BACKEND)

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# What fails in a page reaches the terminal; the person sees a page that says so.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"django.request": {"handlers": ["terminal"], "level": "ERROR", "propagate": True}},
}

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
