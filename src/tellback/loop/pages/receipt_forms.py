"""Forms of the receipt: what an author adds, puts right, takes out, undoes, and where they want to hear back."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from tellback.loop import correcting, receipts


class AddForm(forms.Form):
    """More words of the author."""

    text = forms.CharField(
        max_length=receipts.LONGEST, label=_("Something to add?"), widget=forms.Textarea(attrs={"rows": 3})
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class TakeOutForm(forms.Form):
    """Something that was understood and not meant."""

    signal = forms.UUIDField(widget=forms.HiddenInput)


class CorrectForm(TakeOutForm):
    """What something is rather, or what was meant in other words, or both."""

    kind = forms.ChoiceField(label=_("It is rather"), required=False)
    text = forms.CharField(
        required=False,
        max_length=receipts.LONGEST,
        label=_("What did you mean?"),
        help_text=_("In your own words. They are added to what you said, and somebody looks at it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, data: Any = None, *, signal_id: UUID | None = None, kind: str = "") -> None:
        super().__init__(data, initial={"signal": signal_id, "kind": kind}, auto_id=f"id_%s_{signal_id}")
        choices = self.fields["kind"]
        assert isinstance(choices, forms.ChoiceField)
        choices.choices = list(correcting.name_kinds().items())


class UndoForm(forms.Form):
    """What the author had put right."""

    correction = forms.UUIDField(widget=forms.HiddenInput)


class AddressForm(forms.Form):
    """Where the author wants to hear back."""

    email = forms.EmailField(
        max_length=254,
        label=_("Your e-mail address"),
        help_text=_("We write when something becomes of it, and you can stop that in each mail."),
    )


class PlainAct(forms.Form):
    """Something that needs no more than the button."""
