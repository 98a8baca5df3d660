"""Forms for setting up how mail comes in. Secrets go in and are never shown again."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tellback.connections.mail.providers import Provider, Secret
from tellback.connections.mail.setup import Mailbox, MailSetup, OAuth
from tellback.workspaces.pages.views import PlainForm

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MAILBOX = "imap"


def _printable(value: str) -> None:
    if not value.isprintable():
        raise forms.ValidationError(_("This holds characters that cannot be seen. Type it anew."))


class MailForm(PlainForm):
    """What every way in asks: the address, and whose mail counts."""

    address = forms.EmailField(
        max_length=200,
        label=gettext_lazy("Address that people write to"),
        help_text=gettext_lazy("Answers to our mails go there too"),
    )
    plus_addressing = forms.BooleanField(
        required=False,
        label=gettext_lazy("name+anything@ reaches it too, so answers find what they are about in every mail program"),
    )
    lists = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        label=gettext_lazy("Mailing lists that are feedback"),
        help_text=gettext_lazy("Parts of their List-Id, one on a line; mail of other lists is ignored"),
    )

    def clean_address(self) -> str:
        """The address in lower case."""
        return str(self.cleaned_data["address"]).lower()

    def _common(self) -> dict[str, Any]:
        lists = tuple(line.strip() for line in self.cleaned_data["lists"].splitlines() if line.strip())
        return {
            "address": self.cleaned_data["address"],
            "plus_addressing": self.cleaned_data["plus_addressing"],
            "lists": lists,
        }


class ProviderForm(MailForm):
    """A provider, with a field for each secret of its own. Fields left empty keep what is stored."""

    def __init__(self, data: Any, *, provider: Provider, setup: MailSetup | None, stored: Mapping[str, str]) -> None:
        initial: dict[str, object] = {"plus_addressing": provider.plus_addressing}
        if setup:
            initial = {**setup.model_dump(), "lists": "\n".join(setup.lists)}
        super().__init__(data, initial=initial)
        self._provider = provider
        for secret in provider.secrets if setup else ():
            self.fields[f"secret_{secret.name}"] = _secret_field(secret, is_stored=bool(stored.get(secret.name)))

    @property
    def secret_fields(self) -> list[forms.BoundField]:
        """The fields for secrets, in the provider's order."""
        return [field for field in self if field.name.startswith("secret_")]

    def setup(self) -> MailSetup:
        """What was set up; the form must be valid."""
        return MailSetup(provider=self._provider.key, **self._common())

    def secrets(self) -> dict[str, str]:
        """The secrets that were typed in."""
        typed = {field.name.removeprefix("secret_"): self.cleaned_data[field.name] for field in self.secret_fields}
        return {name: value for name, value in typed.items() if value}


def _secret_field(secret: Secret, *, is_stored: bool) -> forms.CharField:
    def check(value: str) -> None:
        if secret.has_form is not None and not secret.has_form(value):
            raise forms.ValidationError(_("This does not have the form of one. Copy it whole, without spaces."))

    return forms.CharField(
        required=False,
        max_length=4000,
        label=_(secret.label),
        help_text=_(secret.help) if secret.help else "",
        validators=[_printable, check],
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "placeholder": _("Kept. Type to replace it") if is_stored else ""}
        ),
    )


_SECRETS = ("password", "client_secret", "refresh_token")


def _kept_field(label: "StrPromise", help_text: "StrPromise | str") -> forms.CharField:
    return forms.CharField(
        max_length=4000, required=False, strip=False, validators=[_printable], label=label, help_text=help_text
    )


class MailboxForm(MailForm):
    """A mailbox that is looked into."""

    host = forms.CharField(
        max_length=253, label=gettext_lazy("Server"), widget=forms.TextInput(attrs={"placeholder": "imap.example.com"})
    )
    port = forms.IntegerField(min_value=1, max_value=65535, label=gettext_lazy("Port"))
    security = forms.ChoiceField(
        choices=[
            ("tls", gettext_lazy("TLS (mostly 993)")),
            ("starttls", gettext_lazy("STARTTLS (mostly 143)")),
            ("none", gettext_lazy("None, in a network of our own")),
        ],
        label=gettext_lazy("Encryption"),
    )
    username = forms.CharField(
        max_length=254,
        required=False,
        validators=[_printable],
        label=gettext_lazy("User"),
        help_text=gettext_lazy("Empty: the address"),
    )
    password = _kept_field(gettext_lazy("Password"), gettext_lazy("Most providers want an app password here"))
    client_id = forms.CharField(
        max_length=500, required=False, validators=[_printable], label=gettext_lazy("Client id")
    )
    client_secret = _kept_field(gettext_lazy("Client secret"), "")
    refresh_token = _kept_field(
        gettext_lazy("Refresh token"), gettext_lazy("Of this user; empty: the client signs in itself")
    )
    token_url = forms.URLField(
        max_length=500,
        required=False,
        assume_scheme="https",
        label=gettext_lazy("Address that gives the tokens"),
        help_text=gettext_lazy(
            "Google: https://oauth2.googleapis.com/token. Microsoft: "
            "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token"
        ),
    )
    scope = forms.CharField(
        max_length=500,
        required=False,
        validators=[_printable],
        label=gettext_lazy("Scope"),
        help_text=gettext_lazy(
            "Empty for Google. Microsoft: https://outlook.office365.com/.default, or with a refresh token "
            "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
        ),
    )
    folder = forms.CharField(max_length=200, validators=[_printable], label=gettext_lazy("Folder"))
    mark_seen = forms.BooleanField(required=False, label=gettext_lazy("Mark what was taken in as read"))
    take_existing = forms.BooleanField(
        required=False, label=gettext_lazy("Take in what is there already, not only what comes from now on")
    )
    auth_server = forms.CharField(
        required=False,
        max_length=253,
        validators=[_printable],
        label=gettext_lazy("Server that checks senders"),
        help_text=gettext_lazy(
            "The first word of Authentication-Results in mail that arrives; others are not believed"
        ),
    )

    def __init__(self, data: Any, *, setup: MailSetup | None, stored: Mapping[str, str]) -> None:
        initial: dict[str, object] = {"port": 993, "security": "tls", "folder": "INBOX"}
        if setup and setup.mailbox:
            initial = {**setup.model_dump(), **setup.mailbox.model_dump(), "lists": "\n".join(setup.lists)}
            initial |= setup.mailbox.oauth.model_dump() if setup.mailbox.oauth else {}
        super().__init__(data, initial=initial)
        self._stored = stored
        for name in _SECRETS:
            # Sent back only to the page that it has just come from, so that a wrong port costs no second typing.
            placeholder = _("Kept. Type to replace it") if stored.get(name) else ""
            self.fields[name].widget = forms.PasswordInput(
                render_value=True, attrs={"autocomplete": "new-password", "placeholder": placeholder}
            )

    @property
    def uses_tokens(self) -> bool:
        """Whether somebody has begun to say how to sign in with OAuth."""
        return any(self[name].value() for name in ("client_id", "token_url", "client_secret", "refresh_token"))

    def clean(self) -> dict[str, Any]:
        """Either a password, or a client with its address of tokens and something to prove itself with."""
        given: dict[str, Any] = super().clean() or {}
        if not self.uses_tokens:
            self._require("password")
            return given
        self._require("client_id")
        self._require("token_url")
        if not any(given.get(name) or self._stored.get(name) for name in ("client_secret", "refresh_token")):
            self.add_error("client_secret", _("Enter a client secret, a refresh token, or both."))
        return given

    def _require(self, name: str) -> None:
        if not (self.cleaned_data.get(name) or self._stored.get(name) or name in self.errors):
            self.add_error(name, _("This field is required."))

    def setup(self) -> MailSetup:
        """What was set up; the form must be valid."""
        given = self.cleaned_data
        inside = {name: given[name] for name in ("host", "port", "security", "folder", "mark_seen", "take_existing")}
        if self.uses_tokens:
            inside["oauth"] = OAuth(**{name: given[name] for name in ("token_url", "client_id", "scope")})
        mailbox = Mailbox(username=given["username"] or given["address"], **inside)
        return MailSetup(provider=MAILBOX, mailbox=mailbox, auth_server=given["auth_server"], **self._common())

    def secrets(self) -> dict[str, str]:
        """The secrets that were typed in."""
        return {name: self.cleaned_data[name] for name in _SECRETS if self.cleaned_data[name]}
