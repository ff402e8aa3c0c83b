"""The page of protected terms: add, list them masked, show one (which is logged), remove."""

from collections.abc import Sequence
from contextlib import suppress

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import BadValue, DomainError
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.desk.shell.labels import describe_paused, link_issues
from newsletter.issues.approval.hold_protected import hold_protected_issues
from newsletter.issues.protected_terms.terms import AddedTerms, add_terms, list_terms, remove_terms, reveal_term
from newsletter.models import Issue, ProtectedTerm
from newsletter.sending.limits.each_send import RowsFailed
from newsletter.sending.limits.send_window import pause_protected

PER_PAGE = 100
POLICY = ModelPermissionPolicy(ProtectedTerm)
LOG_ACTIONS = {
    "protected_added": (gettext_lazy("Add protected terms"), gettext_lazy("Protected terms added")),
    "protected_removed": (gettext_lazy("Remove protected terms"), gettext_lazy("Protected terms removed")),
    "protected_shown": (gettext_lazy("Show a protected term"), gettext_lazy("Protected term shown")),
}


@method_decorator(sensitive_post_parameters("terms"), name="dispatch")
class ProtectedTermsPage(PermittedPage):
    template_name = "desk/protected_terms.html"
    header_icon = "lock"
    page_title = gettext_lazy("Protected terms")
    permission_policy = POLICY

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        terms = list_terms()
        page = Paginator(terms, PER_PAGE).get_page(self.request.GET.get("p"))
        unreadable = sum(not term.masked for term in terms)
        return {**super().get_context_data(**kwargs), "page": page, "total": len(terms), "unreadable": unreadable}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.POST.get("show", "").isdecimal():
            return self._show(request, int(request.POST["show"]))
        if "remove" in request.POST:
            return _remove(request)
        lines, note = request.POST.get("terms", ""), request.POST.get("note", "")
        try:
            with transaction.atomic():
                added = add_terms(lines=lines, note=note, by=request.user, now=timezone.now())
                if added.terms:
                    _log_terms(request, "protected_added", added.terms)
        except DomainError as error:
            field = "refused_note" if isinstance(error, BadValue) else "refused"
            refused = self.get_context_data(**{field: translate(error)}, lines=lines, note=note)
            return self.render_to_response(refused, status=422)
        messages.success(request, _describe_added(added))
        paused: list[Issue] = []
        # A send that could not be checked is not sent either. It is logged, and the job `repair_sends` counts as failed.
        with suppress(RowsFailed):
            pause_protected(paused=paused)
        _warn_about_issues(request, paused=paused, waiting=hold_protected_issues(by=request.user, now=timezone.now()))
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
    with transaction.atomic():
        removed = remove_terms(ids=ids, by=request.user)
        if removed:
            _log_terms(request, "protected_removed", removed)
    if removed:
        text = ngettext("%(count)s term removed.", "%(count)s terms removed.", len(removed))
        messages.success(request, text % {"count": len(removed)})
    else:
        messages.warning(request, _("Select at least one term to remove."))
    return redirect("newsletter_protected_terms")


def _log_terms(request: HttpRequest, action: str, terms: Sequence[ProtectedTerm]) -> None:
    """Log one entry for several terms, with their number."""
    log(
        instance=terms[0],
        action=f"newsletter.{action}",
        user=request.user,
        title=_("Protected terms"),
        data={"terms": len(terms)},
    )


def _describe_added(added: AddedTerms) -> str:
    text = ngettext("%(count)s term is now protected.", "%(count)s terms are now protected.", len(added.terms))
    sentences = [text % {"count": len(added.terms)}]
    if added.known:
        text = ngettext("%(count)s was already protected.", "%(count)s were already protected.", added.known)
        sentences.append(text % {"count": added.known})
    if added.short:
        text = ngettext(
            "%(count)s is very short. We find it only as written, or in capitals.",
            "%(count)s are very short. We find them only as written, or in capitals.",
            added.short,
        )
        sentences.append(text % {"count": added.short})
    return " ".join(sentences)


def _warn_about_issues(request: HttpRequest, *, paused: list[Issue], waiting: list[Issue]) -> None:
    if paused:
        messages.warning(request, describe_paused(paused, user=request.user))
    if waiting:
        links = link_issues(waiting, user=request.user)
        text = _("These issues contain a protected term and cannot be sent: {issues}.")
        messages.warning(request, format_html(text, issues=links))
