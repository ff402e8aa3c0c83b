"""The forms of imports and exports: the file, its columns, why its people may be emailed, and an export's reason."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.translation import translate
from subscribers.attribute_rules import attribute_key
from subscribers.desk.editing.upload_form import UploadField, UploadForm
from subscribers.desk.password import PasswordForm
from subscribers.importing.reading.column_mapping import (
    ATTRIBUTE,
    EACH_LIST,
    FIELDS,
    NOT_IMPORTED,
    guess_target,
    hide_choice,
    mark_choice,
    normalise_column_name,
)
from subscribers.importing.reading.file_format import ENCODINGS
from subscribers.importing.writing.import_steps import ImportOptions
from subscribers.models import Basis, ImportBatch, ImportKind, MailingList
from subscribers.places.regions import countries

BASES = {
    Basis.CONSENT: gettext_lazy("They agreed to get this newsletter (consent)"),
    Basis.SOFT_OPT_IN: gettext_lazy(
        "They support us or asked about us, and could opt out then (charitable soft opt-in, UK)"
    ),
    Basis.LEGITIMATE_INTEREST: gettext_lazy("Legitimate interest, which we assessed and documented"),
    Basis.CONTRACT: gettext_lazy("A contract with them requires it"),
    Basis.CASL_IMPLIED: gettext_lazy("They gave, helped or met us, in Canada (implied consent, which expires)"),
}
CHARITY_DECLARATION = gettext_lazy(
    "We are a charity; these people gave us their address themselves while they showed interest or offered support; "
    "they could say no then and can in every mail; and what we send is only for our charitable purposes."
)
MAX_TYPED_CHARACTERS = 100_000


class NewImportForm(UploadForm, forms.Form):
    """A file of people, or people typed or pasted, one a line."""

    use_required_attribute = False
    file = UploadField(
        label=gettext_lazy("File"),
        required=False,
        help_text=gettext_lazy(
            "A CSV file or an Excel workbook (.xlsx). We recognise files from Mailchimp and listmonk."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    typed = LimitedTextField(
        label=gettext_lazy("Or type people"),
        required=False,
        max_length=MAX_TYPED_CHARACTERS,
        error_messages={
            "max_length": gettext_lazy(
                "These are too many people to paste. Save them as a CSV file or an Excel workbook, and choose it above."
            )
        },
        help_text=gettext_lazy("One person on each line: the address, then a comma and the name. You can paste rows."),
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
    )
    mailing_list = forms.ModelChoiceField(
        label=gettext_lazy("List"),
        queryset=MailingList.objects.filter(archived=False),
        empty_label=gettext_lazy("Choose a list"),
        error_messages={"required": gettext_lazy("Choose a list.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = list(MailingList.objects.filter(archived=False)[:2])
        if len(lists) == 1:
            self.initial["mailing_list"] = lists[0]

    def clean(self) -> dict[str, object]:
        fields: dict[str, object] = super().clean() or {}
        if "file" in self.errors or "typed" in self.errors:
            return fields
        if fields.get("file") and fields.get("typed"):
            self.add_error("typed", _("You chose a file and typed people. Add one, then the other."))
        elif not fields.get("file") and not fields.get("typed"):
            self.add_error("file", _("Choose a file, or type people below."))
        return fields


class TermsForm(forms.Form):
    use_required_attribute = False
    kind = forms.ChoiceField(label=gettext_lazy("Who are they?"), choices=ImportKind.choices, widget=forms.RadioSelect)
    basis = forms.ChoiceField(
        label=gettext_lazy("Why can you email them?"),
        choices=list(BASES.items()),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose why you can email these people.")},
    )
    evidence = LimitedTextField(
        label=gettext_lazy("What is the proof?"),
        help_text=gettext_lazy(
            "Where and when they agreed, such as “sign-up sheet, spring fair 2026, in the blue folder”. "
            "We keep it with each person."
        ),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": gettext_lazy("Enter the proof that you can email these people. Without it, nobody is imported.")
        },
    )
    charity = forms.BooleanField(label=CHARITY_DECLARATION, required=False)
    collected_on = forms.DateField(
        label=gettext_lazy("When did they give their address?"),
        help_text=gettext_lazy(
            "Only for the soft opt-in, if no column has the date: enter the earliest date. "
            "The law does not cover addresses given before 5 February 2026."
        ),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("When does their implied consent expire?"),
        help_text=gettext_lazy(
            "Only for implied consent, if no column has the date: at most two years after they gave or helped. "
            "We email nobody after this day."
        ),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    confirm = forms.BooleanField(
        label=gettext_lazy("Ask each person to confirm by email first. Only people who confirm get the newsletter."),
        required=False,
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=lambda: [(name, translate(label)) for name, label in ENCODINGS.items()],
        help_text=gettext_lazy("Change it only if letters in the examples look wrong."),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country, if a line names none"),
        choices=lambda: [("", _("Not known")), *countries(language=get_language() or "en")],
        required=False,
        help_text=gettext_lazy(
            "We use it to find towns: “York” could be in England or in Pennsylvania. A line without a town gets no location."
        ),
    )

    def __init__(self, *args: Any, batch: ImportBatch, samples: list[list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        if batch.typed:
            joins = [(ImportKind.JOIN, ImportKind.JOIN.label)]
            self.fields["kind"] = forms.ChoiceField(choices=joins, initial=ImportKind.JOIN, widget=forms.HiddenInput)
        if self.is_bound and self.data.get("kind") != ImportKind.JOIN:
            self.fields["basis"].required = self.fields["evidence"].required = False
        for at, (name, target) in enumerate(zip(batch.header, batch.mapping, strict=True)):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=name or _("Column %(number)s") % {"number": at + 1},
                choices=_list_targets(name, target),
                required=False,
                initial=target,
            )
        self.samples = samples

    def columns(self) -> list[tuple[Any, list[str]]]:
        """Return the field of each column with sample values."""
        return [(self[f"column_{at}"], values) for at, values in enumerate(self.samples)]

    def clean(self) -> dict[str, object]:
        fields: dict[str, object] = super().clean() or {}
        if fields.get("kind") != ImportKind.JOIN:
            return fields
        if fields.get("basis") == Basis.SOFT_OPT_IN:
            if not fields.get("charity"):
                self.add_error("charity", _("You can use the soft opt-in only if all of this is true."))
            if not fields.get("collected_on") and not {"asked_on", EACH_LIST} & set(self.mapping()):
                self.add_error("collected_on", _("Enter the date, or choose the column that has it."))
        implied = fields.get("basis") == Basis.CASL_IMPLIED and not fields.get("confirm")
        if implied and not fields.get("expires_on") and not {"expires_on", EACH_LIST} & set(self.mapping()):
            self.add_error("expires_on", _("Enter the date, or choose the column that has it."))
        return fields

    def mapping(self) -> list[str]:
        return [str(self.cleaned_data.get(f"column_{at}", "")) for at in range(len(self.batch.header))]

    def terms(self) -> ImportOptions:
        fields = self.cleaned_data
        soft = fields["basis"] == Basis.SOFT_OPT_IN
        evidence = fields["evidence"].strip()
        return ImportOptions(
            mapping=self.mapping(),
            kind=ImportKind(fields["kind"]),
            basis=Basis(fields["basis"] or Basis.CONSENT),
            evidence=f"{evidence}\n{CHARITY_DECLARATION}" if soft else evidence,
            collected_on=fields["collected_on"] if soft else None,
            expires_on=fields["expires_on"] if fields["basis"] == Basis.CASL_IMPLIED else None,
            country=fields["country"],
            confirm=fields["confirm"],
            encoding=fields["encoding"],
        )


class ExportForm(PasswordForm):
    field_order = ("mailing_list", "reason", "mark", "password")
    mailing_list = forms.ModelChoiceField(
        label=gettext_lazy("Who"),
        queryset=MailingList.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("Everybody who can be emailed"),
    )
    reason = LimitedTextField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The staff log keeps it, with your name and the number of people in the file."),
        max_length=200,
    )
    mark = forms.BooleanField(
        label=gettext_lazy("Mark the file as UTF-8, so that Excel shows accents correctly"),
        required=False,
        initial=True,
    )


def _list_targets(name: str, chosen: str) -> list[Any]:
    """Return the choices for a column: not imported, an attribute named like the column, or one of our fields."""
    attributes = {target for target in (hide_choice(chosen), guess_target(name)) if target.startswith(ATTRIBUTE)}
    key = normalise_column_name(name)
    if not attributes and key and (target := f"{ATTRIBUTE}{attribute_key(key)}") != ATTRIBUTE:
        attributes = {target}
    return [
        (NOT_IMPORTED, _("Do not import")),
        *(
            (target, _("Extra field “%(attribute)s”") % {"attribute": target.removeprefix(ATTRIBUTE)})
            for target in sorted(attributes)
        ),
        *(
            (
                mark_choice(target),
                _("Extra field “%(attribute)s”, whatever it says") % {"attribute": target.removeprefix(ATTRIBUTE)},
            )
            for target in sorted(attributes)
            if mark_choice(target) != target
        ),
        (
            _("Fields of subscribers"),
            [(field, translate(label)) for field, label in FIELDS.items()],
        ),
    ]
