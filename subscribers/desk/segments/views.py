"""The live preview of a segment, and the page that explains why one person is in it. Addresses are masked.

Its form also asks here for the regions of a country, and for towns that complete the typed text.
"""

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from wagtail.log_actions import log
from wagtail.snippets.views.snippets import PreviewOnCreateView, PreviewOnEditView
from wagtail.utils.decorators import xframe_options_sameorigin_override

from newsletter.common.errors import BadAddress, BadRule, UnknownPlace
from newsletter.common.staff_pages import StaffTemplatePage, make_breadcrumbs
from newsletter.common.translation import translate
from subscribers.desk.person_actions import require_permission
from subscribers.models import Segment
from subscribers.people.lookup import UnknownPerson, find_person
from subscribers.places.regions import regions_of
from subscribers.places.suggest import suggest_towns
from subscribers.segments.count import MIN_PEOPLE_SHOWN, preview_people
from subscribers.segments.labels import describe_rule, explain_membership

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; sandbox allow-same-origin"
VIEW_SUBSCRIBERS_PERMISSION = "subscribers.view_subscriber"
_MAX_LENGTH = 200


class SegmentPreview(PreviewOnEditView):
    """Show the form's rule in words, the number of people it selects, and some masked examples."""

    @method_decorator(xframe_options_sameorigin_override)
    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        state = self._get_form_state()
        context: dict[str, object] = {}
        if state is not None:
            form = self.get_form(self._get_form_data(state))
            if self.validate_form(form):
                form.save(commit=False)
            elif "rule" in form.errors:
                context = {"unfinished": True}
            else:
                self.object.rule = form.cleaned_data["rule"]
        response = render(request, "desk/iframes/segment.html", context or self._describe_segment(request))
        response["Content-Security-Policy"] = CSP
        return response

    def _describe_segment(self, request: HttpRequest) -> dict[str, object]:
        can_view_people = request.user.has_perm(VIEW_SUBSCRIBERS_PERMISSION)
        try:
            preview = preview_people(self.object.rule)
            rule = describe_rule(self.object.rule)
        except BadRule as error:
            return {"error": translate(error)}
        return {
            "rule": rule,
            "size": preview,
            "examples": preview.examples if can_view_people else [],
            "can_view_people": can_view_people,
            "fewest": MIN_PEOPLE_SHOWN,
        }


class NewSegmentPreview(SegmentPreview, PreviewOnCreateView):
    pass


class WhyInSegment(StaffTemplatePage):
    """Ask for an address and show, for each part of the rule, if it is true of that person. Each answer is logged."""

    template_name = "desk/why_in_segment.html"
    header_icon = "group"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        require_permission(request, VIEW_SUBSCRIBERS_PERMISSION)
        self.segment = get_object_or_404(Segment, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """Explain the address of the form. It comes in the body, because URLs end up in logs."""
        address = request.POST.get("address", "").strip()
        return self.render_to_response(self.get_context_data(address=address, **self._explain(request, address)))

    def get_page_title(self) -> str:
        return _("Who is in %(name)s, and why") % {"name": self.segment.name}

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        names = Segment.snippet_viewset
        return make_breadcrumbs(
            (_("Segments"), reverse(names.get_url_name("list"))),
            (self.segment.name, reverse(names.get_url_name("edit"), args=[self.segment.pk])),
            (_("Why is someone in it?"), ""),
        )

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), "segment": self.segment}

    def _explain(self, request: HttpRequest, address: str) -> dict[str, object]:
        try:
            person = find_person(address)
            explanation = explain_membership(self.segment.rule, person=person)
        except BadAddress as error:
            return {"refusal": translate(error)}
        except (UnknownPerson, BadRule) as error:
            return {"error": translate(error)}
        log(instance=person, action="subscribers.look", user=request.user)
        return {"person": person, "explanation": explanation}


@cache_control(private=True, max_age=3600)
def list_regions(request: HttpRequest) -> JsonResponse:
    """Answer `?country=GB` with `{"choices": [[code, name], …]}`, empty for an unknown country."""
    try:
        country, language = request.GET.get("country", "")[:_MAX_LENGTH], get_language() or "en"
        return JsonResponse({"choices": regions_of(country, language=language)})
    except UnknownPlace:
        return JsonResponse({"choices": []})


@cache_control(private=True, max_age=3600)
def list_towns(request: HttpRequest) -> JsonResponse:
    """Answer `?q=lon` with `{"choices": [name, …]}`: the towns that begin so, none for a text longer than any name."""
    typed = request.GET.get("q", "")
    return JsonResponse({"choices": suggest_towns(typed) if len(typed) <= _MAX_LENGTH else []})
