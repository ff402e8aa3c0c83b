"""The page “Do not use” of a story: for one publication, or for all; and the button that undoes it."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.issues.planning.form_page import ServiceFormPage
from newsletter.issues.planning.refuse_story import allow_story, refuse_story
from newsletter.models import Publication, Story

ALLOW = "use"


class StoryUseForm(forms.Form):
    publication = forms.ChoiceField(label=gettext_lazy("Which issues?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, refused: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("all", _("Do not use it in any publication"))]
        choices += [
            (str(publication.pk), _("Do not use it in %(publication)s") % {"publication": publication})
            for publication in Publication.objects.filter(enabled=True)
        ]
        field = cast(forms.ChoiceField, self.fields["publication"])
        field.choices = [*choices, (ALLOW, _("Use it again"))] if refused else choices
        field.initial = ALLOW if refused else "all"


class StoryUse(ServiceFormPage):
    form_class = StoryUseForm
    page_title = gettext_lazy("Do not use")
    button = gettext_lazy("Save")
    header_icon = "doc-full"
    story: Story

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.story = get_object_or_404(Story, pk=kwargs["pk"])
        self.back_url = reverse("wagtailsnippets_newsletter_story:edit", args=[self.story.pk])
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "refused": self.story.refusals.exists()}

    def list_parents(self) -> list[tuple[str, str]]:
        return [(self.story.title, self.back_url)]

    def list_sentences(self) -> list[str]:
        refusals = self.story.refusals.select_related("publication", "person")
        now = [
            _("%(person)s decided: not in %(publication)s.")
            % {"person": refusal.person, "publication": refusal.publication or _("any publication")}
            for refusal in refusals
        ]
        return [
            *now,
            _("Issues that are assembled from now on do not choose “%(title)s” by themselves.")
            % {"title": self.story.title},
            _("An issue that already has it keeps it: refresh its content, or take it out there."),
        ]

    def run(self, form: forms.Form) -> str:
        chosen, by = form.cleaned_data["publication"], cast(User, self.request.user)
        if chosen == ALLOW:
            allow_story(story=self.story, by=by)
            self.done("allow_story", instance=self.story, message=_("The story can go into issues again."))
            return self.back_url
        publication = None if chosen == "all" else Publication.objects.get(pk=chosen)
        refuse_story(story=self.story, publication=publication, by=by, now=timezone.now())
        name = publication.slug if publication else ""
        self.done("refuse_story", instance=self.story, message=_("The story is no longer chosen."), publication=name)
        return self.back_url
