"""The form of the language model's settings."""

from decimal import Decimal

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tellback.understanding.language_model.choices import OPENAI, PASSES, Choices, Wanted
from tellback.workspaces.pages.views import PlainForm

#: One question may hold this much of the budget while it is under way; a smaller budget would never let one out.
LEAST_TOKENS = 20_000


class ModelForm(PlainForm):
    """Which engine, where the endpoint is, which model for what, and how much a day."""

    engine = forms.ChoiceField(
        choices=[("local", _("On this machine")), ("openai", _("By a language model"))],
        label=_("Feedback is understood"),
        help_text=_("On this machine nothing leaves it and nothing is paid. A language model sorts more precisely."),
    )
    base_url = forms.CharField(
        required=False,
        max_length=500,
        label=_("Address of the endpoint"),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocapitalize": "off", "inputmode": "url"}),
    )
    key = forms.CharField(
        required=False,
        max_length=500,
        label=_("Key"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    extraction = forms.CharField(required=False, max_length=200, label=_("Finds the needs"))
    interpretation = forms.CharField(required=False, max_length=200, label=_("Sorts them into themes"))
    description = forms.CharField(required=False, max_length=200, label=_("Names the themes"))
    embedding = forms.CharField(
        required=False,
        max_length=200,
        label=_("Vectors"),
        help_text=_("Empty: made on this machine. Themes are kept for each model of vectors: changing it starts anew."),
    )
    daily_tokens = forms.IntegerField(
        min_value=0,
        max_value=1_000_000_000_000,
        label=_("Tokens a day"),
        help_text=_("When they are spent, this machine stands in until midnight UTC. 0 asks the model nothing."),
    )
    price_in = forms.DecimalField(
        required=False, min_value=0, max_value=10_000, max_digits=10, decimal_places=4, label=_("Price of a million in")
    )
    price_out = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=10_000,
        max_digits=10,
        decimal_places=4,
        label=_("Price of a million out"),
        help_text=_("In your currency, to show what it costs. Empty shows tokens only."),
    )

    def clean_daily_tokens(self) -> int:
        """Nothing, or enough for a question."""
        tokens: int = self.cleaned_data["daily_tokens"]
        if 0 < tokens < LEAST_TOKENS:
            raise forms.ValidationError(
                _("Give 0, or at least %(least)s: one long item may need that much."), params={"least": LEAST_TOKENS}
            )
        return tokens

    def wanted(self) -> Wanted:
        """What was typed; the form must be valid."""
        typed = self.cleaned_data
        return Wanted(
            engine=typed["engine"],
            base_url=typed["base_url"].strip(),
            key=typed["key"].strip(),
            models={name: typed[name] for name in PASSES},
            embedding=typed["embedding"],
            daily_tokens=typed["daily_tokens"],
            price_in=typed["price_in"] or Decimal(0),
            price_out=typed["price_out"] or Decimal(0),
        )


def model_form(data: QueryDict | None, choices: Choices) -> ModelForm:
    """The form as it stands: what the workspace has set, and the environment's in grey where it has not."""
    options, shown = settings.OPTIONS, choices.models
    form = ModelForm(
        data,
        initial={
            "engine": choices.engine,
            "base_url": choices.base_url if choices.own_endpoint else "",
            "extraction": shown.extraction if shown.extraction != options.extraction_model else "",
            "interpretation": shown.interpretation if shown.interpretation != options.interpretation_model else "",
            "description": shown.description if shown.description != options.description_model else "",
            "embedding": shown.embedding,
            "daily_tokens": choices.daily_tokens,
            "price_in": _plain(choices.price_in),
            "price_out": _plain(choices.price_out),
        },
    )
    standing = {
        "base_url": options.openai_base_url or OPENAI,
        "extraction": options.extraction_model,
        "interpretation": options.interpretation_model,
        "description": options.description_model,
    }
    for name, value in standing.items():
        form.fields[name].widget.attrs["placeholder"] = value
    form.fields["key"].help_text = _key_help(choices)
    return form


def _plain(price: Decimal) -> str:
    """Without zeros at the end; empty for none."""
    return f"{price.normalize():f}" if price else ""


def _key_help(choices: Choices) -> str:
    if choices.key_lost:
        return gettext("The kept key cannot be opened any more, since the secret key has changed. Give it again.")
    if choices.own_endpoint and choices.key:
        return gettext("One is kept, sealed. Type another to replace it; it goes to the address above only.")
    if choices.key:
        return gettext("The one from OPENAI_API_KEY is used, for the environment’s address only.")
    return gettext("Sealed when it is kept, and never shown again. Empty for an endpoint without keys.")
