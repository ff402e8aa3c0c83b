"""The forms of an issue that save a block or a template, or insert a saved block."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextsMixin
from newsletter.desk.issues.issue_page import EDITOR, editor_url
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.issues.comments.block_labels import label_blocks
from newsletter.issues.planning.change_time import require_unsent
from newsletter.issues.planning.edit_blocks import AT_END, AT_START
from newsletter.issues.reuse.saved_blocks import insert_block, require_unapproved, save_block
from newsletter.issues.reuse.templates import MAX_NAME_LENGTH, save_template
from newsletter.models import Issue, SavedBlock


class NameForm(LimitedTextsMixin, forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=MAX_NAME_LENGTH)


class SaveBlockForm(NameForm):
    block = forms.ChoiceField(
        label=gettext_lazy("Block"),
        error_messages={
            "required": gettext_lazy("Choose a block."),
            "invalid_choice": gettext_lazy("The block was deleted or not saved yet. Choose another block."),
        },
    )
    field_order = ["block", "name"]

    def __init__(self, *args: Any, issue: Issue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Without the empty choice, a browser selects the first block if the one that is asked for is not there.
        field = cast(forms.ChoiceField, self.fields["block"])
        field.choices = [("", gettext_lazy("Choose a block")), *label_blocks(issue).items()]


class InsertBlockForm(forms.Form):
    saved = forms.ModelChoiceField(label=gettext_lazy("Saved block"), queryset=SavedBlock.objects.all())
    position = forms.ChoiceField(label=gettext_lazy("Where"), initial=AT_END)

    def __init__(self, *args: Any, issue: Issue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        after = [(id, _("After “%(block)s”") % {"block": label}) for id, label in label_blocks(issue).items()]
        choices = [(AT_START, _("At the start")), *after[:-1], (AT_END, _("At the end"))]
        cast(forms.ChoiceField, self.fields["position"]).choices = choices


class _BlockFormPage(IssueFormPage):
    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "issue": self.issue}


class SaveBlock(_BlockFormPage):
    form_class = SaveBlockForm
    template_name = "desk/save_block.html"
    page_title = gettext_lazy("Save a block")
    button = gettext_lazy("Save block")

    def list_sentences(self) -> list[str]:
        return [_("A copy of the block as it is now. Later changes in the issue do not change the copy.")]

    @property
    def named_block(self) -> str:
        """The id of the block in the page's address. The editor may have left for this page before it saved the block."""
        return self.request.GET.get("block", "")

    def get_initial(self) -> dict[str, object]:
        return {"block": self.named_block}

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        is_missing = bool(self.named_block) and self.named_block not in label_blocks(self.issue)
        return {"is_missing": is_missing, **super().get_context_data(**kwargs)}

    def find_back_url(self) -> str:
        """Return the address of the block in the editor if the person came from there."""
        if self.request.GET.get("back") != EDITOR:
            return super().find_back_url()
        return editor_url(self.issue, part=self.named_block)

    def run(self, form: forms.Form) -> str:
        values, by = form.cleaned_data, cast(User, self.request.user)
        saved = save_block(issue=self.issue, block=values["block"], name=values["name"], by=by, now=timezone.now())
        message = _("The block is saved as “%(name)s”.") % {"name": saved}
        self.done("block_saved", instance=self.issue, message=message, name=saved.name)
        return self.back_url


class InsertBlock(_BlockFormPage):
    form_class = InsertBlockForm
    page_title = gettext_lazy("Insert a saved block")
    button = gettext_lazy("Insert block")

    def require_possible(self) -> None:
        require_unsent(self.issue)
        require_unapproved(self.issue)

    def list_sentences(self) -> list[str]:
        if not SavedBlock.objects.exists():
            return [_("No block is saved yet. Choose “Save a block” on the page of an issue that has it.")]
        return []

    def get_initial(self) -> dict[str, object]:
        return {**super().get_initial(), "saved": self.request.GET.get("saved", "")}

    def run(self, form: forms.Form) -> str:
        values, by = form.cleaned_data, cast(User, self.request.user)
        insert_block(issue=self.issue, saved=values["saved"], position=values["position"], by=by, now=timezone.now())
        message = _("“%(name)s” is inserted.") % {"name": values["saved"]}
        self.done("block_inserted", instance=self.issue, message=message, name=values["saved"].name)
        return self.back_url


class SaveTemplate(IssueFormPage):
    form_class = NameForm
    page_title = gettext_lazy("Save as template")
    button = gettext_lazy("Save template")

    def list_sentences(self) -> list[str]:
        return [
            _("A template keeps the layout, the headline, and the blocks with their texts and images."),
            _("It leaves out subject, stories, events and links. A new issue gets those that the rules choose then."),
        ]

    def run(self, form: forms.Form) -> str:
        by = cast(User, self.request.user)
        template = save_template(issue=self.issue, name=form.cleaned_data["name"], by=by, now=timezone.now())
        message = _("The template “%(name)s” is saved.") % {"name": template}
        self.done("block_saved", instance=self.issue, message=message, name=template.name)
        return self.back_url
