"""The forms of a mail template: its name and sender, its fields, and its texts in one language."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextField, LimitedTextsMixin
from newsletter.models import MailTemplate, MailTemplateText, Publication


class NewTemplateForm(LimitedTextsMixin, forms.Form):
    use_required_attribute = False
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        help_text=gettext_lazy("What it is for, such as “Thank you for your gift”."),
    )
    publication = forms.ModelChoiceField(
        label=gettext_lazy("Sender"),
        queryset=Publication.objects.order_by("archived", "pk"),
        empty_label=None,
        help_text=gettext_lazy("The mail has the sender, the brand and the main language of this publication."),
    )


class FieldsForm(forms.Form):
    use_required_attribute = False
    publication = forms.ModelChoiceField(
        label=gettext_lazy("Sender"), queryset=Publication.objects.order_by("archived", "pk"), empty_label=None
    )
    fields_text = forms.CharField(
        label=gettext_lazy("Fields"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One on each line, with a sample, such as “first_name = Ada”. Texts use them in braces: {first_name}. The system "
            "that sends the mail gives a value for each."
        ),
    )

    @classmethod
    def of(cls, template: MailTemplate) -> "FieldsForm":
        """Return the form filled in with a stored template."""
        lines = "\n".join(f"{name} = {sample}" for name, sample in template.fields.items())
        return cls(initial={"publication": template.publication_id, "fields_text": lines})

    def clean_fields_text(self) -> dict[str, str]:
        """Return the samples by name."""
        fields: dict[str, str] = {}
        for line in str(self.cleaned_data["fields_text"]).splitlines():
            if not line.strip():
                continue
            name, equals, sample = (part.strip() for part in line.partition("="))
            if not (name and equals and sample):
                raise forms.ValidationError(_("Write each field as “name = sample”, one on each line."))
            if name in fields:
                raise forms.ValidationError(_("The field “%(name)s” is there twice.") % {"name": name})
            fields[name] = sample
        return fields


class TextForm(forms.Form):
    use_required_attribute = False
    subject = LimitedTextField(label=gettext_lazy("Subject"), max_length=200)
    preheader = LimitedTextField(label=gettext_lazy("Preheader"), max_length=200, required=False)
    body = LimitedTextField(
        label=gettext_lazy("Text"),
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Plain text. An empty line begins a paragraph."),
    )
    button_label = LimitedTextField(label=gettext_lazy("Label of the button"), max_length=60, required=False)
    button_url = LimitedTextField(
        label=gettext_lazy("Link of the button"),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("A whole link. A field can be behind the host, such as ?gift={gift}."),
    )
    reason = LimitedTextField(
        label=gettext_lazy("Why they get it"),
        max_length=300,
        help_text=gettext_lazy("In the footer, such as “You get this email because you gave to us.”"),
    )

    @classmethod
    def of(cls, text: MailTemplateText | None) -> "TextForm":
        """Return the form filled in with stored texts, or empty."""
        return cls(initial={name: getattr(text, name) for name in cls.base_fields} if text else None)
