"""How a segment is shown while it is built, and why one person is in it or not. Names nobody in full."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log
from wagtail.snippets.views.snippets import PreviewOnCreateView, PreviewOnEditView
from wagtail.utils.decorators import xframe_options_sameorigin_override

from newsletter.common.errors import BadAddress, BadRule
from newsletter.common.translation import translate
from subscribers.models import Segment, Subscriber
from subscribers.people.lookup import UnknownPerson, find_person
from subscribers.segments.count import MIN_PEOPLE_SHOWN, preview_people
from subscribers.segments.explain import explain_membership
from subscribers.segments.labels import describe_rule

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox allow-same-origin"
VIEW_SUBSCRIBERS_PERMISSION = "subscribers.view_subscriber"


class SegmentPreview(PreviewOnEditView):
    """The rule of the form as it stands: in words, how many people it selects, and some of them, masked."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        state = self._get_form_state()
        said: dict[str, Any] = {}
        if state is not None:
            form = self.get_form(self._get_form_data(state))
            if self.validate_form(form):
                form.save(commit=False)
            elif "rule" in form.errors:
                said = {"unfinished": True}
            else:
                self.object.rule = form.cleaned_data["rule"]
        response = render(request, "desk/iframes/segment.html", said or self._describe_segment(request))
        response["Content-Security-Policy"] = CSP
        return response

    def _describe_segment(self, request: HttpRequest) -> dict[str, Any]:
        may_see = request.user.has_perm(VIEW_SUBSCRIBERS_PERMISSION)
        try:
            look = preview_people(self.object.rule)
            said = {"words": describe_rule(self.object.rule), "size": look}
        except BadRule as error:
            return {"error": translate(error)}
        examples = [(person, _where(person)) for person in look.examples] if may_see else []
        return {**said, "examples": examples, "may_see": may_see, "fewest": MIN_PEOPLE_SHOWN}


class NewSegmentPreview(SegmentPreview, PreviewOnCreateView):
    pass


class WhyInSegment(WagtailAdminTemplateMixin, TemplateView):
    """Asks for an address and shows the rule with a yes or a no at each part. Each answer is logged at the person."""

    template_name = "desk/why_in_segment.html"
    header_icon = "group"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(VIEW_SUBSCRIBERS_PERMISSION):
            raise PermissionDenied
        self.segment = get_object_or_404(Segment, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The address comes in the body of the request: addresses stand in no URL and no log."""
        address = request.POST.get("address", "").strip()
        return self.render_to_response(self.get_context_data(address=address, **self._explain(request, address)))

    def get_page_title(self) -> str:
        return _("Who is in %(name)s, and why") % {"name": self.segment.name}

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        names = Segment.snippet_viewset
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse(names.get_url_name("list")), "label": _("Segments")},
            {"url": reverse(names.get_url_name("edit"), args=[self.segment.pk]), "label": self.segment.name},
            {"url": "", "label": _("Why is someone in it?")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "segment": self.segment}

    def _explain(self, request: HttpRequest, address: str) -> dict[str, Any]:
        try:
            person = find_person(address)
            judgement = explain_membership(self.segment.rule, person=person)
        except (BadAddress, UnknownPerson, BadRule) as error:
            return {"error": translate(error)}
        log(instance=person, action="subscribers.look", user=request.user)
        return {"person": person, "judgement": judgement}


def _where(person: Subscriber) -> str:
    return str(person.place or "")
