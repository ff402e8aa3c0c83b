"""The pages of webhooks: the list with a form to add one, and one webhook with its deliveries and its steps."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import BadValue, NotFound, NotReady
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.content.fetching.errors import FetchError
from newsletter.desk.webhooks.forms import EndpointForm, ReplayForm, label_kinds
from newsletter.outbound.deliver import make_message_id
from newsletter.outbound.endpoints import (
    BadEndpoint,
    add_endpoint,
    change_endpoint,
    remove_endpoint,
    rotate_secret,
    send_test,
    turn_off,
    turn_on,
)
from newsletter.outbound.replay import replay_event, replay_since
from subscribers.models import WebhookDelivery, WebhookEndpoint

POLICY = ModelPermissionPolicy(WebhookEndpoint)
DELIVERIES_PER_PAGE = 25
LOG_ACTIONS = {
    "webhook_added": (gettext_lazy("Add a webhook"), gettext_lazy("Webhook added")),
    "webhook_changed": (gettext_lazy("Change a webhook"), gettext_lazy("Webhook changed")),
    "webhook_secret": (gettext_lazy("Replace a signing secret"), gettext_lazy("Signing secret replaced")),
    "webhook_test": (gettext_lazy("Send a test webhook"), gettext_lazy("Test webhook sent")),
    "webhook_on": (gettext_lazy("Turn on a webhook"), gettext_lazy("Webhook turned on")),
    "webhook_off": (gettext_lazy("Turn off a webhook"), gettext_lazy("Webhook turned off")),
    "webhook_replayed": (gettext_lazy("Send webhooks again"), gettext_lazy("Webhooks sent again")),
    "webhook_removed": (gettext_lazy("Remove a webhook"), gettext_lazy("Webhook removed")),
}


class _WebhooksPage(PermittedPage):
    header_icon = "resubmit"
    page_title = gettext_lazy("Webhooks")
    permission_policy = POLICY

    def log(self, action: str, endpoint: WebhookEndpoint) -> None:
        data = {"name": endpoint.name, "url": endpoint.url}
        log(instance=endpoint, action=f"newsletter.{action}", user=self.request.user, data=data)

    def show_secret(self, secret: str, **context: object) -> HttpResponse:
        """Return the page with a new secret, which no later request shows."""
        response: HttpResponse = self.render_to_response(self.get_context_data(secret=secret, **context))
        response["Cache-Control"] = "no-store"
        return response


class WebhooksPage(_WebhooksPage):
    template_name = "desk/webhooks.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        waiting = Count("deliveries", filter=Q(deliveries__state=WebhookDelivery.State.PENDING))
        endpoints = WebhookEndpoint.objects.annotate(waiting=waiting)
        return {"form": EndpointForm(), "endpoints": endpoints, **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = EndpointForm(request.POST)
        if form.is_valid():
            try:
                endpoint, secret = add_endpoint(
                    **form.cleaned_data,
                    by=request.user.get_username(),
                    now=timezone.now(),
                    write_entry=partial(self.log, "webhook_added"),
                )
            except (BadEndpoint, BadValue, FetchError) as error:
                form.add_error("url" if isinstance(error, FetchError) else "name", translate(error))
            else:
                return self.show_secret(secret, made=endpoint)
        return self.refuse(form=form)


class WebhookPage(_WebhooksPage):
    """GET shows one webhook; POST does the step that its button names, or saves the form."""

    template_name = "desk/webhook.html"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.steps: dict[str, Callable[[], HttpResponse]] = {
            "test": self._test,
            "on": self._turn_on,
            "off": self._turn_off,
            "rotate": self._rotate,
            "replay": self._replay,
            "remove": self._remove,
        }
        return super().dispatch(request, *args, **kwargs)

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.endpoint = get_object_or_404(WebhookEndpoint, pk=kwargs["pk"])

    def get_page_title(self) -> str:
        return self.endpoint.name

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Webhooks"), reverse("newsletter_webhooks"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        deliveries = self.endpoint.deliveries.select_related("event").order_by("-event")
        page = Paginator(deliveries, DELIVERIES_PER_PAGE).get_page(self.request.GET.get("p"))
        return {
            "form": EndpointForm.of(self.endpoint),
            "replay_form": ReplayForm(),
            "endpoint": self.endpoint,
            "kinds": label_kinds(self.endpoint.kinds),
            "waiting": self.endpoint.deliveries.pending().count(),
            "page": page,
            "rows": [(delivery, make_message_id(delivery.event)) for delivery in page],
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        step = self.steps.get(request.POST.get("step", ""))
        if step is None:
            return self._save()
        with transaction.atomic():
            return step()

    def _save(self) -> HttpResponse:
        form = EndpointForm(self.request.POST)
        if form.is_valid():
            try:
                secret = change_endpoint(endpoint=self.endpoint, **form.cleaned_data, write_entries=self._log_change)
            except (BadEndpoint, BadValue, FetchError) as error:
                form.add_error("url" if isinstance(error, FetchError) else "name", translate(error))
            else:
                self.endpoint.refresh_from_db()
                return self.show_secret(secret, moved=True) if secret else self._back(_("Saved."))
        return self.refuse(form=form)

    def _log_change(self, endpoint: WebhookEndpoint, has_new_secret: bool) -> None:
        self.log("webhook_changed", endpoint)
        if has_new_secret:
            self.log("webhook_secret", endpoint)

    def _test(self) -> HttpResponse:
        try:
            send_test(endpoint=self.endpoint, now=timezone.now())
        except NotReady as error:
            messages.error(self.request, translate(error))
            return redirect("newsletter_webhook", self.endpoint.pk)
        self.log("webhook_test", self.endpoint)
        return self._back(
            _("A test is on its way. Reload this page in a few seconds to see its answer in the list below.")
        )

    def _turn_on(self) -> HttpResponse:
        if turn_on(endpoint=self.endpoint, now=timezone.now()):
            self.log("webhook_on", self.endpoint)
        return self._back(_("It is on."))

    def _turn_off(self) -> HttpResponse:
        if turn_off(endpoint=self.endpoint):
            self.log("webhook_off", self.endpoint)
        return self._back(_("It is off. Nothing is kept for it while it is off."))

    def _rotate(self) -> HttpResponse:
        secret = rotate_secret(endpoint=self.endpoint, now=timezone.now())
        self.log("webhook_secret", self.endpoint)
        return self.show_secret(secret, rotated=True)

    def _replay(self) -> HttpResponse:
        form, now = ReplayForm(self.request.POST), timezone.now()
        if form.is_valid():
            try:
                if form.cleaned_data["since"]:
                    again = replay_since(endpoint=self.endpoint, since=form.cleaned_data["since"], now=now)
                else:
                    again = replay_event(endpoint=self.endpoint, message_id=form.cleaned_data["message_id"], now=now)
            except (NotFound, NotReady) as error:
                form.add_error("message_id" if isinstance(error, NotFound) else None, translate(error))
            else:
                self.log("webhook_replayed", self.endpoint)
                return self._back(
                    ngettext("%(n)s event is sent again.", "%(n)s events are sent again.", again) % {"n": again}
                )
        return self.refuse(replay_form=form)

    def _remove(self) -> HttpResponse:
        remove_endpoint(endpoint=self.endpoint)
        self.log("webhook_removed", self.endpoint)
        messages.success(self.request, _("The webhook “%(name)s” is removed.") % {"name": self.endpoint.name})
        return redirect("newsletter_webhooks")

    def _back(self, text: str) -> HttpResponse:
        messages.success(self.request, text)
        return redirect("newsletter_webhook", self.endpoint.pk)
