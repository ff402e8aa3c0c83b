"""The page “New issue”: for which publication, how it begins, for whom, and when it is sent."""

import re
import secrets
from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.desk.content.wall_clock import label_zone
from newsletter.desk.issues.issue_page import editor_url, overview_url
from newsletter.desk.issues.planning.form_page import ServiceFormPage
from newsletter.issues.assembly.stories_at_source import check_before_assembly, check_before_copy
from newsletter.issues.planning.create_issue import Beginning, create_issue
from newsletter.models import Issue, IssueTemplate, Publication
from subscribers.models import Segment

MAX_DRAFTS_NAMED = 20
_PUBLIC_ID = re.compile(r"[0-9a-f]{24}")


class PublicationChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Publication) -> str:
        return _("%(publication)s (%(zone)s time)") % {"publication": obj, "zone": label_zone(obj.zone)}


class OriginalChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Issue) -> str:
        return f"{obj}: {obj.shown_subject}" if obj.subject else str(obj)


class TimeInput(forms.DateTimeInput):
    """The browser's own picker of a date and a time, without a zone."""

    input_type = "datetime-local"


class NewIssueForm(forms.Form):
    publication = PublicationChoice(label=gettext_lazy("Publication"), queryset=Publication.objects.none())
    beginning = forms.ChoiceField(
        label=gettext_lazy("Begin with"),
        choices=Beginning.choices,
        initial=Beginning.RULES,
        widget=forms.RadioSelect,
    )
    original = OriginalChoice(
        label=gettext_lazy("Issue to copy"),
        queryset=Issue.objects.none(),
        required=False,
        help_text=gettext_lazy("Only for a copy. Stories that readers already got, and past events, are left out."),
    )
    template = forms.ModelChoiceField(
        label=gettext_lazy("Template"),
        queryset=IssueTemplate.objects.all(),
        required=False,
        help_text=gettext_lazy("Only for a template. Its blocks get the stories and events that the rules choose now."),
    )
    segment = forms.ModelChoiceField(
        label=gettext_lazy("Segment"),
        queryset=Segment.objects.filter(archived=False),
        required=False,
        empty_label=gettext_lazy("Everybody"),
        help_text=gettext_lazy("Only people in this segment get it."),
    )
    due = forms.CharField(
        label=gettext_lazy("When to send it"),
        required=False,
        widget=TimeInput,
        help_text=gettext_lazy("In the publication’s time zone. Leave it empty to send it yourself with “Send now”."),
    )

    class Media:
        js = ("newsletter/new_issue.js",)

    public_id = forms.RegexField(_PUBLIC_ID, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        publications = Publication.objects.filter(enabled=True)
        self.fields["publication"].queryset = publications  # type: ignore[attr-defined]
        if self.initial.get("publication") is None and len(publications) == 1:
            self.initial["publication"] = publications[0].pk
        self.fields["original"].queryset = list_originals()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        values = super().clean() or {}
        if values.get("beginning") == Beginning.COPY and not values.get("original"):
            self.add_error("original", _("Choose the issue to copy."))
        if values.get("beginning") == Beginning.TEMPLATE and not values.get("template"):
            self.add_error("template", _("Choose the template."))
        return values


class NewIssue(ServiceFormPage):
    form_class = NewIssueForm
    page_title = gettext_lazy("New issue")
    button = gettext_lazy("Create issue")

    @property
    def back_url(self) -> str:  # type: ignore[override]
        return reverse("wagtailsnippets_newsletter_issue:list")

    @property
    def is_possible(self) -> bool:
        return Publication.objects.filter(enabled=True).exists()

    def list_sentences(self) -> list[str]:
        draft = _("It is a draft until somebody approves it. The schedule of the publication does not change.")
        usable = list(Publication.objects.filter(enabled=True).values_list("pk", flat=True)[:2])
        if not usable:
            return [_describe_missing_publication()]
        publication = self.request.POST.get("publication") or self.get_initial().get("publication")
        chosen = str(publication or (usable[0] if len(usable) == 1 else ""))
        drafts = list_open_drafts()[:MAX_DRAFTS_NAMED]
        return [*(_describe_open_draft(issue, hidden=str(issue.publication_id) != chosen) for issue in drafts), draft]

    def get_initial(self) -> dict[str, object]:
        """Preselect the choices in the address: a publication and a beginning, or an issue to copy, or a template."""
        initial: dict[str, object] = {"public_id": secrets.token_hex(12)}
        publication, beginning = self.request.GET.get("publication", ""), self.request.GET.get("beginning", "")
        if publication.isdecimal() and Publication.objects.filter(pk=int(publication), enabled=True).exists():
            initial["publication"] = int(publication)
        if beginning in (Beginning.RULES, Beginning.EMPTY):
            initial["beginning"] = beginning
        copied = self.request.GET.get("copy", "")
        original = list_originals().filter(pk=int(copied)).first() if copied.isdecimal() else None
        if original is not None:
            initial |= {
                "publication": original.publication_id,
                "beginning": Beginning.COPY,
                "original": original.pk,
                "segment": original.segment_id,
            }
        template = self.request.GET.get("template", "")
        if template.isdecimal() and (issue_template := IssueTemplate.objects.filter(pk=int(template)).first()):
            initial |= {
                "publication": issue_template.publication_id,
                "beginning": Beginning.TEMPLATE,
                "template": issue_template.pk,
            }
        return initial

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Issues"), self.back_url)]

    def prepare(self, form: forms.Form) -> None:
        chosen, now = form.cleaned_data, timezone.now()
        beginning = Beginning(chosen["beginning"])
        if beginning in (Beginning.RULES, Beginning.TEMPLATE):
            self.warn_of_gone_stories(check_before_assembly(issue=Issue(publication=chosen["publication"]), now=now))
        elif beginning is Beginning.COPY:
            self.warn_of_gone_stories(check_before_copy(original=chosen["original"], now=now))

    def run(self, form: forms.Form) -> str:
        chosen = form.cleaned_data
        beginning = Beginning(chosen["beginning"])
        issue = create_issue(
            publication=chosen["publication"],
            beginning=beginning,
            original=chosen["template" if beginning is Beginning.TEMPLATE else "original"],
            segment=chosen["segment"],
            due=chosen["due"],
            public_id=chosen["public_id"],
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        self.done(
            "create", instance=issue, message=_("%(issue)s was created.") % {"issue": issue}, begins=chosen["beginning"]
        )
        return editor_url(issue) if chosen["beginning"] == Beginning.EMPTY else overview_url(issue)


def list_open_drafts() -> QuerySet[Issue]:
    """Return the issues that have stories and wait for approval, newest first. ``story_count`` counts their stories."""
    waiting = Issue.objects.filter(kind=Issue.Kind.ISSUE, state__in=Issue.UNAPPROVED_STATES)
    counted = waiting.annotate(story_count=Count("placements")).filter(story_count__gt=0)
    return counted.select_related("publication").order_by("-made_at", "-pk")


def _describe_open_draft(issue: Issue, *, hidden: bool) -> str:
    """Return the sentence. The script shows it as soon as somebody chooses the issue's publication."""
    stories: int = issue.story_count
    text = ngettext(
        "%(issue)s is still a draft and has %(stories)s story. A new issue will not have it.",
        "%(issue)s is still a draft and has %(stories)s stories. A new issue will not have them.",
        stories,
    ) % {"issue": issue, "stories": stories}
    return format_html(
        '<span data-nl-publication="{}"{}>{} <a href="{}">{}</a></span>',
        issue.publication_id,
        mark_safe(" hidden") if hidden else "",
        text,
        overview_url(issue),
        _("Edit it instead"),
    )


def _describe_missing_publication() -> str:
    return format_html(
        '{} <a href="{}">{}</a>',
        _("No publication is in use, and each issue belongs to one. Add one, or switch one on."),
        reverse("wagtailsnippets_newsletter_publication:list"),
        _("Go to publications"),
    )


def list_originals() -> QuerySet[Issue]:
    """Return the issues that can be copied, newest first: no corrections, because they are about one event."""
    issues = Issue.objects.exclude(kind__in=[Issue.Kind.CORRECTION, Issue.Kind.WELCOME]).select_related("publication")
    return issues.order_by("-made_at", "-pk")
