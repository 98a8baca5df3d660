"""How mail leaves: by SMTP, or through a provider that django-anymail knows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tellback.kernel.errors import Invalid
from tellback.platform.loop_config.document import variable

#: What each provider's own settings are called; the key stands where a URL has the user.
PROVIDERS: dict[str, tuple[str, str]] = {
    "sendgrid": ("anymail.backends.sendgrid.EmailBackend", "SENDGRID_API_KEY"),
    "mailgun": ("anymail.backends.mailgun.EmailBackend", "MAILGUN_API_KEY"),
    "postmark": ("anymail.backends.postmark.EmailBackend", "POSTMARK_SERVER_TOKEN"),
    "resend": ("anymail.backends.resend.EmailBackend", "RESEND_API_KEY"),
    "brevo": ("anymail.backends.brevo.EmailBackend", "BREVO_API_KEY"),
    "sparkpost": ("anymail.backends.sparkpost.EmailBackend", "SPARKPOST_API_KEY"),
}
#: Providers whose own templates can be named; the others have none, or refuse our headers with one.
TEMPLATED = frozenset({"sendgrid", "mailgun", "postmark", "brevo"})
#: Fixed settings of a provider. SendGrid's older templates write a value as {{name}}, as its newer ones do.
_MORE = {"sendgrid": {"SENDGRID_MERGE_FIELD_FORMAT": "{{{{{}}}}}"}}
#: The variable that a provider needs beside its key.
_BESIDE = {"mailgun": "MAILGUN_SENDER_DOMAIN"}


def variables_of(provider: str) -> list[str]:
    """The variables that a provider needs. Raises `KeyError` for one that is none, such as smtp."""
    return [PROVIDERS[provider][1], *([_BESIDE[provider]] if provider in _BESIDE else [])]


def provider_settings(provider: str | None, environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Django's settings for document 1's `notifications.provider`; None when its key is not there, or for smtp."""
    if provider not in PROVIDERS:
        return None
    found = {name: variable(name, environment) for name in variables_of(provider)}
    if not all(found.values()):
        return None
    return {"EMAIL_BACKEND": PROVIDERS[provider][0], "ANYMAIL": {**found, **_MORE.get(provider, {})}}


def takes_templates(backend: str) -> bool:
    """Whether mail sent by this backend may name a template of its provider."""
    return any(PROVIDERS[name][0] == backend for name in TEMPLATED)


def mail_settings(url: str) -> dict[str, Any]:
    """Django's settings for `smtp://user:password@host:587`, `smtps://…`, or `sendgrid://KEY` and its like.

    Raises `Invalid` naming the schemes that are known.
    """
    parts = urlsplit(url)
    if parts.scheme in {"smtp", "smtps"}:
        secure = parts.scheme == "smtps"
        plain = parse_qs(parts.query).get("tls") == ["off"]
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname or "localhost",
            "EMAIL_PORT": parts.port or (465 if secure else 587),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": secure,
            "EMAIL_USE_TLS": not secure and not plain,
            "EMAIL_TIMEOUT": 20,
        }
    if parts.scheme in PROVIDERS:
        backend, name = PROVIDERS[parts.scheme]
        anymail: dict[str, Any] = {name: unquote(parts.netloc.partition("@")[0]), **_MORE.get(parts.scheme, {})}
        if parts.scheme == "mailgun" and "@" in parts.netloc:
            anymail["MAILGUN_SENDER_DOMAIN"] = parts.netloc.partition("@")[2]
        return {"EMAIL_BACKEND": backend, "ANYMAIL": anymail}
    known = ", ".join(["smtp", "smtps", *PROVIDERS])
    raise Invalid(f"TELLBACK_MAIL_URL begins with “{parts.scheme}”. Known are: {known}.")
