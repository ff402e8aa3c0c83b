"""The forms of an import in the desk: which file, what its columns are, and why its people may be mailed."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.translation import translate
from subscribers.attribute_rules import attribute_key
from subscribers.desk.password import PasswordForm
from subscribers.importing.reading.column_mapping import (
    ATTRIBUTE,
    EACH_LIST,
    FIELDS,
    NOT_IMPORTED,
    guess_target,
    normalise_column_name,
)
from subscribers.importing.reading.encodings import ENCODINGS
from subscribers.importing.writing.import_steps import ImportOptions
from subscribers.models import Basis, ImportBatch, ImportKind, MailingList

BASES = {
    Basis.CONSENT: gettext_lazy("They said yes to this newsletter (consent)"),
    Basis.SOFT_OPT_IN: gettext_lazy(
        "They support us or asked about us, and could say no then (charitable soft opt-in, UK)"
    ),
    Basis.LEGITIMATE_INTEREST: gettext_lazy("Our legitimate interest, which we weighed and wrote down"),
    Basis.CONTRACT: gettext_lazy("A contract with them asks for it"),
    Basis.CASL_IMPLIED: gettext_lazy("They gave, helped or met us, in Canada: implied consent, which runs out"),
}
CHARITY_DECLARATION = gettext_lazy(
    "We are a charity; these people gave us their address themselves while they showed interest or offered support; "
    "they could say no then and can in every mail; and what we send is only for our charitable purposes."
)


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("The file"),
        help_text=gettext_lazy(
            "CSV from a spreadsheet, or an Excel workbook (.xlsx). Files of Mailchimp and listmonk are recognised."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    mailing_list = forms.ModelChoiceField(
        label=gettext_lazy("The list"),
        queryset=MailingList.objects.order_by("name"),
        empty_label=gettext_lazy("Choose a list"),
    )


class TermsForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Who are they?"), choices=ImportKind.choices, widget=forms.RadioSelect)
    basis = forms.ChoiceField(
        label=gettext_lazy("Why may they be mailed?"),
        choices=list(BASES.items()),
        widget=forms.RadioSelect,
        required=False,
    )
    evidence = forms.CharField(
        label=gettext_lazy("What proves it?"),
        help_text=gettext_lazy(
            "Where and when they said so, such as “sign-up sheet, spring fair 2026, in the blue folder”. "
            "It is kept with each person."
        ),
        max_length=2_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    charity = forms.BooleanField(label=CHARITY_DECLARATION, required=False)
    collected_on = forms.DateField(
        label=gettext_lazy("When did they give their address?"),
        help_text=gettext_lazy(
            "Only for the soft opt-in, and only where no column says it: the first of the days. "
            "Addresses given before 5 February 2026 are not covered by the law."
        ),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    expires_on = forms.DateField(
        label=gettext_lazy("When does their implied consent run out?"),
        help_text=gettext_lazy(
            "Only for implied consent, and only where no column says it: two years after they gave or helped, at most. "
            "Nobody is mailed after that day."
        ),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    confirm = forms.BooleanField(
        label=gettext_lazy("Ask each of them by mail first; only those who confirm get the newsletter"), required=False
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=lambda: [(name, translate(words)) for name, words in ENCODINGS.items()],
        help_text=gettext_lazy("Change it only where letters in the examples look wrong."),
    )

    def __init__(self, *args: Any, batch: ImportBatch, samples: list[list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch = batch
        for at, (name, target) in enumerate(zip(batch.header, batch.mapping, strict=True)):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=name or _("Column %(value)s") % {"value": at + 1},
                choices=_targets(name, target),
                required=False,
                initial=target,
            )
        self.samples = samples

    def columns(self) -> list[tuple[Any, list[str]]]:
        """Each column's choice with some of its values."""
        return [(self[f"column_{at}"], values) for at, values in enumerate(self.samples)]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("kind") != ImportKind.JOIN:
            return given
        if not given.get("basis"):
            self.add_error("basis", _("Choose why these people may be mailed."))
        if not given.get("evidence", "").strip():
            self.add_error(
                "evidence", _("Say what proves that these people may be mailed. Without it nobody is imported.")
            )
        if given.get("basis") == Basis.SOFT_OPT_IN:
            if not given.get("charity"):
                self.add_error("charity", _("The soft opt-in holds only where all of this is true."))
            if not given.get("collected_on") and not {"asked_on", EACH_LIST} & set(self.mapping()):
                self.add_error("collected_on", _("Give the day, or say which column holds it."))
        implied = given.get("basis") == Basis.CASL_IMPLIED and not given.get("confirm")
        if implied and not given.get("expires_on") and not {"expires_on", EACH_LIST} & set(self.mapping()):
            self.add_error("expires_on", _("Give the day, or say which column holds it."))
        return given

    def mapping(self) -> list[str]:
        return [str(self.cleaned_data.get(f"column_{at}", "")) for at in range(len(self.batch.header))]

    def terms(self) -> ImportOptions:
        given = self.cleaned_data
        soft = given["basis"] == Basis.SOFT_OPT_IN
        evidence = given["evidence"].strip()
        return ImportOptions(
            mapping=self.mapping(),
            kind=ImportKind(given["kind"]),
            basis=Basis(given["basis"] or Basis.CONSENT),
            evidence=f"{evidence}\n{CHARITY_DECLARATION}" if soft else evidence,
            collected_on=given["collected_on"] if soft else None,
            expires_on=given["expires_on"] if given["basis"] == Basis.CASL_IMPLIED else None,
            confirm=given["confirm"],
            encoding=given["encoding"],
        )


class ExportForm(PasswordForm):
    field_order = ("mailing_list", "reason", "mark", "password")
    mailing_list = forms.ModelChoiceField(
        label=gettext_lazy("Who"),
        queryset=MailingList.objects.order_by("name"),
        required=False,
        empty_label=gettext_lazy("Everybody who may be mailed"),
    )
    reason = forms.CharField(
        label=gettext_lazy("What it is for"),
        help_text=gettext_lazy("It is kept in the staff log, with your name and how many people were in the file."),
        max_length=200,
    )
    mark = forms.BooleanField(
        label=gettext_lazy("Mark it as UTF-8, so that Excel shows accents well"), required=False, initial=True
    )


def _targets(name: str, chosen: str) -> list[Any]:
    own = {target for target in (chosen, guess_target(name)) if target.startswith(ATTRIBUTE)}
    key = normalise_column_name(name)
    if not own and key and (target := f"{ATTRIBUTE}{attribute_key(key)}") != ATTRIBUTE:
        own = {target}
    keep = [
        (target, _("Keep as attribute “%(removeprefix)s”") % {"removeprefix": target.removeprefix(ATTRIBUTE)})
        for target in sorted(own)
    ]
    return [
        (NOT_IMPORTED, _("Leave out")),
        *keep,
        (_("The newsletter’s own"), [(name, translate(label)) for name, label in FIELDS.items()]),
    ]
