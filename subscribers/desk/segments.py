"""Segments in the desk: a rule is edited as data and shown at once in words, with how many people it selects."""

import json
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.ui.side_panels import ChecksSidePanel
from wagtail.admin.ui.tables import Column
from wagtail.snippets.views.snippets import CreateView, EditView, PreviewOnCreateView, PreviewOnEditView, SnippetViewSet
from wagtail.utils.decorators import xframe_options_sameorigin_override

from subscribers.desk.listing import DeskList
from subscribers.errors import BadRule
from subscribers.models import Segment
from subscribers.segments import count_people, explain_rule

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox allow-same-origin"
HELP = (
    'Such as {"all": [{"list": "weekly"}, {"region": "GB-ENG"}, {"near": "London, GB", "km": 80}]}. '
    "A rule asks for list, topic, region, country, language, near (with km), giving (none, donor, monthly), source, "
    "joined_after or joined_before; all, any and none join rules. {} is everyone."
)


def say_rule(segment: Segment) -> str:
    try:
        return explain_rule(segment.rule)
    except BadRule as error:
        return f"Cannot be used: {error}"


class SegmentPreview(PreviewOnEditView):
    """The rule in words and its count, for the form as it stands. Names nobody."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        state = self._get_form_state()
        if state is not None:
            form = self.get_form(self._get_form_data(state))
            if self.validate_form(form):
                form.save(commit=False)
        try:
            said = {"words": explain_rule(self.object.rule), "people": count_people(self.object.rule)}
        except BadRule as error:
            said = {"error": str(error)}
        response = render(request, "desk/frames/segment.html", {"segment": self.object, **said})
        response["Content-Security-Policy"] = CSP
        return response


class NewSegmentPreview(SegmentPreview, PreviewOnCreateView):
    pass


class _WithoutChecks:
    def get_side_panels(self) -> MediaContainer:
        panels = super().get_side_panels()  # type: ignore[misc]
        return MediaContainer([panel for panel in panels if not isinstance(panel, ChecksSidePanel)])


class SegmentEditor(_WithoutChecks, EditView):
    pass


class SegmentMaker(_WithoutChecks, CreateView):
    pass


class RuleInput(forms.Textarea):
    """JSON, laid out to be read."""

    def format_value(self, value: Any) -> str:
        try:
            return json.dumps(json.loads(value), indent=2, ensure_ascii=False)
        except (TypeError, ValueError):
            return str(value or "")


class SegmentViewSet(SnippetViewSet):
    model = Segment
    index_view_class = DeskList
    icon = "group"
    base_url_path = "segments"
    add_view_class = SegmentMaker
    edit_view_class = SegmentEditor
    preview_on_add_view_class = NewSegmentPreview
    preview_on_edit_view_class = SegmentPreview
    search_fields = ["name", "slug"]
    search_backend_name = None
    list_display = ["name", Column("rule", label="Who is in it", accessor=say_rule)]
    panels = [
        MultiFieldPanel([FieldPanel("name"), FieldPanel("slug")], heading="Name"),
        FieldPanel(
            "rule", widget=RuleInput(attrs={"rows": 10, "spellcheck": "false", "class": "nl-code"}), help_text=HELP
        ),
    ]
