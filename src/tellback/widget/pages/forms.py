"""Forms of the widget's settings."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tellback.kernel.errors import Invalid
from tellback.widget.options import KINDS, WidgetOptions
from tellback.workspaces.models import WidgetKeyAlgorithm
from tellback.workspaces.origins import parse_origins
from tellback.workspaces.pages.views import PlainForm

KIND_LABELS = {
    "bug": _("A problem"),
    "feature": _("An idea"),
    "question": _("A question"),
    "praise": _("Something good"),
    "ux": _("Ease of use"),
    "performance": _("Speed"),
    "docs": _("Help pages"),
    "billing": _("Billing"),
    "other": _("Something else"),
}


class AppearanceForm(PlainForm):
    """How the widget looks and what it asks."""

    accent = forms.RegexField(
        r"^#[0-9a-fA-F]{6}$", label=_("Accent colour"), widget=forms.TextInput(attrs={"type": "color"})
    )
    theme = forms.ChoiceField(
        choices=[("auto", _("As the system")), ("light", _("Light")), ("dark", _("Dark"))], label=_("Colours")
    )
    position = forms.ChoiceField(
        choices=[("end", _("Where lines end (right in English)")), ("start", _("Where lines begin (left in English)"))],
        label=_("Corner"),
    )
    offset_x = forms.IntegerField(min_value=0, max_value=400, label=_("Distance from the side, in pixels"))
    offset_y = forms.IntegerField(
        min_value=0,
        max_value=400,
        label=_("Distance from the bottom, in pixels"),
        help_text=_("Raise it where a cookie bar or a chat has the corner."),
    )
    label = forms.CharField(
        max_length=24,
        required=False,
        label=_("Words on the button"),
        help_text=_("Empty: “Feedback” in the visitor's language."),
    )
    language = forms.ChoiceField(
        choices=[("", _("The visitor's")), ("en", "English"), ("de", "Deutsch"), ("ar", "العربية")],
        required=False,
        label=_("Language"),
    )
    kinds = forms.MultipleChoiceField(
        choices=[(kind, KIND_LABELS[kind]) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
        label=_("What people may say it is"),
    )
    rating = forms.BooleanField(required=False, label=_("Ask for a rating of one to five stars"))
    screenshot = forms.BooleanField(required=False, label=_("Offer to add a picture or capture the screen"))
    launcher = forms.BooleanField(required=False, label=_("Show the button. Without it, open the widget from your own"))

    def options(self) -> WidgetOptions:
        """What was chosen; the form must be valid."""
        return WidgetOptions(**self.cleaned_data)


class KeyForm(PlainForm):
    """A new widget key."""

    name = forms.CharField(
        max_length=100, label=_("Name"), help_text=_("Where it will stand, for instance “Help centre”")
    )


class OriginsForm(PlainForm):
    """The sites that a key may be used on."""

    origins = forms.CharField(
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "https://app.example.com", "spellcheck": "false"}),
        label=_("Sites that may use it"),
        help_text=_("One on a line; https://*.example.com stands for every subdomain. Empty allows every site."),
    )

    def clean_origins(self) -> list[str]:
        """The sites as browsers name them."""
        try:
            return parse_origins(self.cleaned_data["origins"])
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error


class SigningKeyForm(PlainForm):
    """A new key for signing tokens."""

    name = forms.CharField(
        max_length=100, label=_("Name"), help_text=_("Which of your servers signs with it, for instance “Website”")
    )
    algorithm = forms.ChoiceField(choices=WidgetKeyAlgorithm.choices, label=_("How your server signs"))
    public_key = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "-----BEGIN PUBLIC KEY-----", "spellcheck": "false"},
        ),
        label=_("Your public key"),
        help_text=_("For EdDSA only: Ed25519, in PEM form. The private half stays with you."),
    )


def appearance_form(data: Any, options: WidgetOptions) -> AppearanceForm:
    """The form with what was sent, else with what is set."""
    return AppearanceForm(data, initial=options.model_dump())
