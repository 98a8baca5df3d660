"""The providers that can hand mail on, each with what it needs and how its webhook is checked.

Every provider that django-anymail reads is here. Anymail's views do the reading; they are made for each request with
the connection's own secrets, never with settings of the process, and what they leave unchecked is checked first.
"""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

import httpx
from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.webhooks.amazon_ses import AmazonSESInboundWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.brevo import BrevoInboundWebhookView
from anymail.webhooks.mailersend import MailerSendInboundWebhookView
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from anymail.webhooks.mailjet import MailjetInboundWebhookView
from anymail.webhooks.mailtrap import MailtrapInboundWebhookView
from anymail.webhooks.mandrill import MandrillCombinedWebhookView
from anymail.webhooks.postal import PostalInboundWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from anymail.webhooks.resend import ResendInboundWebhookView
from anymail.webhooks.sendgrid import SendGridInboundWebhookView
from anymail.webhooks.sparkpost import SparkPostInboundWebhookView
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.http import HttpRequest

from tellback.connections.mail import checks
from tellback.connections.mail.message import SenderChecks

#: How far a signed time may lie from ours, in seconds.
WINDOW = 300
#: Mailgun signs a time and a token but tries for eight hours to deliver; a token counts once, however old it is.
MAILGUN_WINDOW = 12 * 3600
#: In bytes; Standard Webhooks asks for 24 and more.
SHORTEST_SECRET = 16
_SNS_HOST = re.compile(r"^https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/[^\s]*$")


class _SendGrid(SendGridInboundWebhookView):  # type: ignore[misc]
    """SendGrid's webhook with the signature of its Parse security policies, which anymail leaves out."""

    def __init__(self, *, verification_key: str = "", **secrets: Any) -> None:
        self._key = verification_key
        # Not the parent's: it warns that nobody at anymail can try it, on every request.
        AnymailBaseWebhookView.__init__(self, **secrets)

    def validate_request(self, request: HttpRequest) -> None:
        """ECDSA P-256 over the time and the raw body. With a key set, the password alone is not enough."""
        if not self._key:
            return
        stated = request.headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
        signature = request.headers.get("X-Twilio-Email-Event-Webhook-Signature", "")
        key = load_der_public_key(base64.b64decode(self._key))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise AnymailWebhookValidationFailure("The verification key is not one of SendGrid's")
        try:
            signed = stated.encode() + request.body
            key.verify(base64.b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise AnymailWebhookValidationFailure("The signature does not hold") from error
        _refuse_old(stated, WINDOW)


class _Mailgun(MailgunInboundWebhookView):  # type: ignore[misc]
    """Mailgun's webhook, with the time that it signs looked at."""

    def validate_request(self, request: HttpRequest) -> None:
        """Runs beside anymail's own check of the signature."""
        _refuse_old(request.POST.get("timestamp", ""), MAILGUN_WINDOW)


class _Resend(ResendInboundWebhookView):  # type: ignore[misc]
    """Resend's webhook, its signature checked here: it is that of Standard Webhooks, which needs no package."""

    def __init__(self, *, signing_secret: str, **secrets: Any) -> None:
        self._secret = signing_secret
        super().__init__(webhook_secret="-:-", **secrets)  # noqa: S106 - none is asked for, see the next line
        self.basic_auth: list[str] = []

    def validate_request(self, request: HttpRequest) -> None:
        """HMAC-SHA256 over id, time and raw body; any of the signatures given may hold."""
        sent_id, stated = request.headers.get("svix-id", ""), request.headers.get("svix-timestamp", "")
        encoded = self._secret.removeprefix("whsec_")
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        expected = hmac.digest(key, f"{sent_id}.{stated}.".encode() + request.body, "sha256")
        given = request.headers.get("svix-signature", "").split()
        if not any(_same_base64(one.removeprefix("v1,"), expected) for one in given if one.startswith("v1,")):
            raise AnymailWebhookValidationFailure("The signature does not hold")
        _refuse_old(stated, WINDOW)


class _AmazonSes(AmazonSESInboundWebhookView):  # type: ignore[misc]
    """SES by way of SNS, with the message inside of the notification; only messages kept in S3 need boto3."""

    def __init__(self, **secrets: Any) -> None:
        self.auto_confirm_enabled = True
        self.session_params: dict[str, Any] = {}
        self.client_params: dict[str, Any] = {}
        self.kms_key_id, self.chunk_size = None, 65_536
        AnymailBaseWebhookView.__init__(self, **secrets)

    def auto_confirm_sns_subscription(self, sns_message: Mapping[str, Any]) -> None:
        """Say yes to the subscription, at Amazon's own address and nowhere else. The password has been checked."""
        address = str(sns_message.get("SubscribeURL", ""))
        if not _SNS_HOST.match(address):
            raise AnymailWebhookValidationFailure("The address to confirm at is not Amazon's")
        httpx.get(address, timeout=10, follow_redirects=False, trust_env=False).raise_for_status()


def _same_base64(given: str, expected: bytes) -> bool:
    try:
        return hmac.compare_digest(base64.b64decode(given, validate=True), expected)
    except (binascii.Error, ValueError):
        return False


def _refuse_old(stated: str, window: int) -> None:
    if not re.fullmatch(r"[0-9]{1,12}", stated) or abs(time.time() - int(stated)) > window:
        raise AnymailWebhookValidationFailure("The signed time is too far from ours")


def is_public_key(stated: str) -> bool:
    """Whether this is a public key in base64, as providers show them."""
    try:
        load_der_public_key(base64.b64decode(stated, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def is_base64_secret(stated: str) -> bool:
    """Whether this is a secret in the form of Standard Webhooks: base64, perhaps after whsec_."""
    encoded = stated.removeprefix("whsec_")
    try:
        return len(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)) >= SHORTEST_SECRET
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that a person copies from their provider. `name` is what its view calls it.

    `has_form` says whether a text can be one, where its form tells.
    """

    name: str
    label: str
    help: str = ""
    optional: bool = False
    has_form: Callable[[str], bool] | None = None


Checks = Callable[[Message, Any], SenderChecks]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: how it is set up, and how its deliveries are read.

    `has_password` says that its webhook's address carries a password of ours, which it sends along. `plus_addressing`
    is whether addresses with a plus reach the same place there. `ending` is what its address ends in besides.
    """

    key: str
    name: str
    view: type[AnymailBaseWebhookView]
    where: str
    secrets: tuple[Secret, ...] = ()
    has_password: bool = True
    plus_addressing: bool = True
    checks: Checks | None = None
    ending: str = ""

    @property
    def asks_for(self) -> str:
        """Labels of the secrets that must be copied, in words; nothing where there are none."""
        return ", ".join(secret.label for secret in self.secrets if not secret.optional)

    def missing(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Labels of the secrets that are needed and not there."""
        return tuple(secret.label for secret in self.secrets if not secret.optional and not values.get(secret.name))

    def make_view(self, values: Mapping[str, str], *, address: str) -> AnymailBaseWebhookView | None:
        """The view for one request, or None when a secret that it needs is missing."""
        given = {secret.name: values.get(secret.name, "") for secret in self.secrets}
        if self.missing(values):
            return None
        if self.has_password:
            if not values.get("password"):
                return None
            given["webhook_secret"] = f"{values['user']}:{values['password']}"
        if self.key == "mandrill":
            given["webhook_url"] = address
        return self.view(**given)


_ALL = (
    Provider(
        "postmark",
        "Postmark",
        PostmarkInboundWebhookView,
        "Servers, your server, Default Inbound Stream, Settings: Webhook",
        checks=checks.checks_of_postmark,
    ),
    Provider(
        "mailgun",
        "Mailgun",
        _Mailgun,
        "Receiving, Create route, with the action forward(…) to",
        (Secret("webhook_signing_key", "HTTP webhook signing key", "Account settings, API security"),),
        has_password=False,
        checks=checks.checks_of_mailgun,
        ending="/mime",
    ),
    Provider(
        "sendgrid",
        "SendGrid",
        _SendGrid,
        "Settings, Inbound Parse: Destination URL, with “POST the raw, full MIME message”",
        (
            Secret(
                "verification_key",
                "Verification key",
                "With a Parse security policy only: the public key that it shows",
                optional=True,
                has_form=is_public_key,
            ),
        ),
        checks=checks.checks_of_sendgrid,
    ),
    Provider(
        "amazon-ses",
        "Amazon SES",
        _AmazonSes,
        "Email receiving, a rule with the action “Publish to Amazon SNS topic” (UTF-8); the topic's HTTPS subscription",
        checks=checks.checks_of_ses,
    ),
    Provider(
        "brevo",
        "Brevo",
        BrevoInboundWebhookView,
        "Create a webhook of the type inbound (event inboundEmailProcessed) with Brevo's API",
        (Secret("api_key", "API key", "Files of a mail are fetched with it"),),
    ),
    Provider(
        "mailersend",
        "MailerSend",
        MailerSendInboundWebhookView,
        "Email, Inbound: add a route that forwards to",
        (Secret("inbound_secret", "Route's signing secret"),),
        has_password=False,
        checks=checks.checks_of_mailersend,
    ),
    Provider(
        "mailjet", "Mailjet", MailjetInboundWebhookView, "Create a parseroute with Mailjet's API, with this as its Url"
    ),
    Provider(
        "mailtrap",
        "Mailtrap",
        MailtrapInboundWebhookView,
        "Inbound, your inbox, Integrations: Webhook",
        (
            Secret("inbound_secret", "Webhook's signing secret"),
            Secret("api_token", "API token", "The mail itself is fetched with it"),
        ),
        has_password=False,
    ),
    Provider(
        "mandrill",
        "Mandrill (Mailchimp)",
        MandrillCombinedWebhookView,
        "Inbound, Domains, Routes: Post to URL",
        (Secret("webhook_key", "Webhook key", "Settings, Webhooks or the route: the key that signs"),),
        has_password=False,
        checks=checks.checks_of_mandrill,
    ),
    Provider(
        "postal",
        "Postal",
        PostalInboundWebhookView,
        "Your mail server, Routing, HTTP endpoints: format “raw message”",
        (
            Secret(
                "webhook_key", "Public key", "The p= part that “postal default-dkim-record” shows", False, is_public_key
            ),
        ),
        has_password=False,
    ),
    Provider(
        "resend",
        "Resend",
        _Resend,
        "Webhooks, Add webhook, event email.received",
        (
            Secret("signing_secret", "Signing secret", "Begins with whsec_", False, is_base64_secret),
            Secret("api_key", "API key", "The mail itself is fetched with it"),
        ),
        has_password=False,
    ),
    Provider(
        "sparkpost",
        "SparkPost",
        SparkPostInboundWebhookView,
        "Create a relay webhook with SparkPost's API, with this as its target",
    ),
)
PROVIDERS: dict[str, Provider] = {provider.key: provider for provider in _ALL}
