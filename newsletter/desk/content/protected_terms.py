"""The protected terms in the desk: pasted, listed masked, shown one at a time (which is logged), taken off. Services decide."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.issues.protected_terms.check import find_issues_with_protected_terms
from newsletter.issues.protected_terms.terms import AddedTerms, add_terms, list_terms, remove_terms, reveal_term
from newsletter.models import Issue, ProtectedTerm
from newsletter.sending.limits.send_window import pause_protected

PER_PAGE = 100
POLICY = ModelPermissionPolicy(ProtectedTerm)
LOG_ACTIONS = {
    "protected_added": (gettext_lazy("Add protected terms"), gettext_lazy("Protected terms added")),
    "protected_removed": (gettext_lazy("Take protected terms off"), gettext_lazy("Protected terms taken off")),
    "protected_shown": (gettext_lazy("Look at a protected term"), gettext_lazy("Protected term shown")),
}


def can_manage_protected_terms(user: Any) -> bool:
    return bool(POLICY.user_has_permission(user, "change"))


def register_protected_term_actions(actions: Any) -> None:
    for name, (label, message) in LOG_ACTIONS.items():
        actions.register_action(f"newsletter.{name}", label, message)


@method_decorator(sensitive_post_parameters("terms"), name="dispatch")
class ProtectedTerms(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/protected_terms.html"
    header_icon = "lock"
    page_title = gettext_lazy("Protected terms")
    permission_policy = POLICY
    permission_required = "change"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [{"url": reverse("wagtailadmin_home"), "label": _("Home")}, {"url": "", "label": _("Protected terms")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        terms = list_terms()
        page = Paginator(terms, PER_PAGE).get_page(self.request.GET.get("p"))
        lost = sum(not one.masked for one in terms)
        return {**super().get_context_data(**kwargs), "page": page, "total": len(terms), "lost": lost}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.POST.get("show", "").isdecimal():
            return self._show(request, int(request.POST["show"]))
        if "remove" in request.POST:
            return _remove(request)
        lines, note = request.POST.get("terms", ""), request.POST.get("note", "")
        try:
            added = add_terms(lines=lines, note=note, by=request.user, now=timezone.now())
        except DomainError as error:
            refused = self.get_context_data(refused=translate(error), lines=lines, note=note)
            return self.render_to_response(refused, status=422)
        if added.terms:
            _log(request, "protected_added", added.terms[0], {"terms": len(added.terms)})
        messages.success(request, _describe_added(added))
        _warn_about_issues(request, paused=pause_protected(), waiting=find_issues_with_protected_terms())
        return redirect("newsletter_protected_terms")

    def _show(self, request: HttpRequest, pk: int) -> HttpResponse:
        term = get_object_or_404(ProtectedTerm, pk=pk)
        try:
            text = reveal_term(term=term, by=request.user)
        except DomainError as error:
            messages.error(request, translate(error))
            return redirect("newsletter_protected_terms")
        log(instance=term, action="newsletter.protected_shown", user=request.user)
        return self.render_to_response(self.get_context_data(shown=term, text=text))


def _remove(request: HttpRequest) -> HttpResponse:
    ids = [int(pk) for pk in request.POST.getlist("term") if pk.isdecimal()]
    gone = remove_terms(ids=ids, by=request.user)
    if gone:
        _log(request, "protected_removed", gone[0], {"terms": len(gone)})
        said = ngettext("%(count)s term is off the list.", "%(count)s terms are off the list.", len(gone))
        messages.success(request, said % {"count": len(gone)})
    else:
        messages.warning(request, _("Nothing was ticked."))
    return redirect("newsletter_protected_terms")


def _log(request: HttpRequest, action: str, term: ProtectedTerm, data: dict[str, int]) -> None:
    log(instance=term, action=f"newsletter.{action}", user=request.user, title=_("Protected terms"), data=data)


def _describe_added(added: AddedTerms) -> str:
    said = ngettext("%(count)s term is protected now.", "%(count)s terms are protected now.", len(added.terms))
    sentences = [said % {"count": len(added.terms)}]
    if added.known:
        said = ngettext("%(count)s was there already.", "%(count)s were there already.", added.known)
        sentences.append(said % {"count": added.known})
    if added.short:
        said = ngettext(
            "%(count)s is very short: it is found only as it is written, or in capitals.",
            "%(count)s are very short: they are found only as they are written, or in capitals.",
            added.short,
        )
        sentences.append(said % {"count": added.short})
    return " ".join(sentences)


def _warn_about_issues(request: HttpRequest, *, paused: list[Issue], waiting: list[Issue]) -> None:
    if paused:
        messages.warning(request, _("Its send is paused: %s.") % ", ".join(map(str, paused)))
    if waiting:
        said = _("A protected term stands in these issues, which cannot go out so: %s.")
        messages.warning(request, said % ", ".join(map(str, waiting)))
