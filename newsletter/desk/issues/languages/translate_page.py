"""The page “Translate” of an issue: its texts, stories, events and appeals with their translations into one language."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.http import Http404
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.rich_text import get_rich_text_editor_widget

from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.fields.web_address import WebAddressFormField
from newsletter.common.translation import language_label
from newsletter.desk.issues.languages.content_pairs import list_content_pairs
from newsletter.desk.issues.languages.language_gaps import label_part, languages_context
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.planning.translate_texts import save_translations
from newsletter.issues.snapshot.language_version import LanguageVersion
from newsletter.issues.snapshot.own_texts import OwnText, TextKind
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_untranslated_content
from newsletter.issues.snapshot.versions import make_language_versions
from newsletter.models.body_fields import TEXT_FEATURES
from newsletter.rendering.phrases import find_text_direction

_MAX_LENGTH = {TextKind.LINE: 300, TextKind.PARAGRAPHS: 5000, TextKind.LINK: 2000}


class TranslationForm(forms.Form):
    """A field for each text of a version, named after its hash. A text that occurs twice has one field."""

    def __init__(self, *args: Any, version: LanguageVersion, blocks: dict[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts: dict[str, OwnText] = {}
        for text, translated in version.texts:
            name = f"text-{text.sha256[:16]}"
            if name not in self.texts:
                self.texts[name] = text
                label = label_part(text.block, text.field, blocks=blocks)
                self.fields[name] = _make_field(text, label=label, initial=translated, language=version.language)

    @property
    def rows(self) -> list[dict[str, object]]:
        """Return each original with the field of its translation."""
        return [
            {"text": text.text, "is_rich": text.kind == TextKind.RICH, "field": self[name], "counts": text.counts}
            for name, text in self.texts.items()
        ]

    def read(self) -> dict[OwnText, str]:
        return {text: str(self.cleaned_data.get(name) or "") for name, text in self.texts.items()}


class TranslateIssue(IssueFormPage):
    form_class = TranslationForm
    template_name = "desk/issue_translate.html"
    button = gettext_lazy("Save translation")

    def get_page_title(self) -> str:
        return _("Translate into %(language)s") % {"language": language_label(self.language)}

    @property
    def language(self) -> str:
        return str(self.kwargs["language"])

    @cached_property
    def untranslated(self) -> IssueContent:
        return resolve_untranslated_content(self.issue)

    @cached_property
    def version(self) -> LanguageVersion:
        versions = make_language_versions(self.untranslated, issue=self.issue)
        chosen = next((candidate for candidate in versions if candidate.language == self.language), None)
        if chosen is None:
            raise Http404("The publication is not sent in this language.")
        return chosen

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "version": self.version, "blocks": label_blocks(self.issue)}

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        usual_language = self.issue.publication.language
        context = languages_context(self.issue, now=timezone.now())
        pairs = list_content_pairs(self.untranslated, self.version, user=cast(User, self.request.user))
        return {
            **super().get_context_data(**kwargs),
            **context,
            "state": next((state for state in context["languages"] if state.code == self.language), None),
            "pairs": pairs,
            "missing": sum(pair.translation is None for pair in pairs),
            "source": {"code": usual_language, "dir": find_text_direction(usual_language)},
            "target": {
                "code": self.language,
                "name": language_label(self.language),
                "dir": find_text_direction(self.language),
            },
            "issue": self.issue,
        }

    def run(self, form: forms.Form) -> str:
        texts = cast(TranslationForm, form).read()
        voided = save_translations(
            issue=self.issue,
            language=self.language,
            texts=texts,
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        message = _("The translation is saved.")
        if voided:
            message += " " + ngettext(
                "%(count)s issue changed by it and needs a new approval.",
                "%(count)s issues changed by it and need a new approval.",
                len(voided),
            ) % {"count": len(voided)}
        self.done("translate", instance=self.issue, message=message, language=self.language)
        return self.back_url


def _make_field(text: OwnText, *, label: str, initial: str, language: str) -> forms.Field:
    attrs = {"lang": language, "dir": find_text_direction(language)}
    common: dict[str, Any] = {"label": label, "initial": initial, "required": False}
    match text.kind:
        case TextKind.RICH:
            widget = get_rich_text_editor_widget("default", features=TEXT_FEATURES)
            return forms.CharField(widget=widget, **common)
        case TextKind.PARAGRAPHS:
            rows = forms.Textarea(attrs={**attrs, "rows": 3})
            return LimitedTextField(widget=rows, max_length=_MAX_LENGTH[text.kind], **common)
        case TextKind.LINK:
            return WebAddressFormField(max_length=_MAX_LENGTH[text.kind], **common)
        case _:
            return LimitedTextField(widget=forms.TextInput(attrs=attrs), max_length=_MAX_LENGTH[text.kind], **common)
