"""The forms of changes for many people: a topic, a list, an attribute."""

from django import forms
from django.utils.translation import gettext_lazy

from subscribers.attribute_rules import MAX_KEY_LENGTH, MAX_VALUE_LENGTH
from subscribers.desk.imports.forms import BASES
from subscribers.models import Basis, MailingList, Topic

ASK_FIRST = "ask"
_LASTING_BASES = (Basis.CONSENT, Basis.LEGITIMATE_INTEREST, Basis.CONTRACT)
_WHY = [
    (ASK_FIRST, gettext_lazy("We do not know: ask each person by email first")),
    *((basis.value, BASES[basis]) for basis in _LASTING_BASES),
]


class TopicForm(forms.Form):
    topic = forms.ModelChoiceField(label=gettext_lazy("Topic"), queryset=Topic.objects.order_by("name"))


class ListForm(forms.Form):
    mailing_list = forms.ModelChoiceField(label=gettext_lazy("List"), queryset=MailingList.objects.order_by("name"))


class JoinForm(ListForm):
    """A list to join needs the reason why these people can be emailed, and its proof."""

    why = forms.ChoiceField(
        label=gettext_lazy("Why can you email them?"), choices=_WHY, widget=forms.RadioSelect, initial=ASK_FIRST
    )
    evidence = forms.CharField(
        label=gettext_lazy("What is the proof?"),
        help_text=gettext_lazy("Where and when they agreed. We keep it with each person."),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AttributeForm(forms.Form):
    key = forms.CharField(label=gettext_lazy("Attribute"), max_length=MAX_KEY_LENGTH)
    value = forms.CharField(
        label=gettext_lazy("Value"),
        help_text=gettext_lazy("Leave it empty to remove the attribute."),
        max_length=MAX_VALUE_LENGTH,
        required=False,
    )
