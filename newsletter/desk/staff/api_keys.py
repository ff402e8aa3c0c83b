"""The page of API keys, for administrators: create one (shown once), list, revoke."""

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import LogActionRegistry, log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.api_keys import BadKey, make_key, revoke_key
from newsletter.common.translation import translate
from newsletter.models import ApiKey
from subscribers.desk.listing import make_breadcrumbs

POLICY = ModelPermissionPolicy(ApiKey)
SCOPES = (
    ("people", gettext_lazy("Sign up and change people")),
    ("read", gettext_lazy("Read issues and results")),
    ("people read", gettext_lazy("Both")),
)
LOG_ACTIONS = {
    "api_key_made": (gettext_lazy("Create an API key"), gettext_lazy("API key created")),
    "api_key_revoked": (gettext_lazy("Revoke an API key"), gettext_lazy("API key revoked")),
    "api_signed_up": (gettext_lazy("Sign somebody up through the API"), gettext_lazy("Signed up through the API")),
    "api_changed": (gettext_lazy("Change people through the API"), gettext_lazy("People changed through the API")),
    "api_read": (gettext_lazy("Read a person through the API"), gettext_lazy("Person read through the API")),
    "api_stopped": (gettext_lazy("Stop emails through the API"), gettext_lazy("Emails stopped through the API")),
}


def can_manage_api_keys(user: User | AnonymousUser) -> bool:
    return bool(POLICY.user_has_permission(user, "change"))


def register_api_key_actions(actions: LogActionRegistry) -> None:
    for name, (label, message) in LOG_ACTIONS.items():
        actions.register_action(f"newsletter.{name}", label, message)


class ApiKeysPage(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    template_name = "desk/api_keys.html"
    header_icon = "key"
    page_title = gettext_lazy("API keys")
    permission_policy = POLICY
    permission_required = "change"

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs(("", _("API keys")))

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now = timezone.now()
        keys = list(ApiKey.objects.all())
        valid = set(ApiKey.objects.valid(now=now).values_list("pk", flat=True))
        return {
            **super().get_context_data(**kwargs),
            "keys": [key for key in keys if key.pk in valid],
            "inactive": [key for key in keys if key.pk not in valid],
            "scopes": SCOPES,
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.POST.get("revoke", "").isdecimal():
            return _revoke(request, int(request.POST["revoke"]))
        name, scope = request.POST.get("name", ""), request.POST.get("scope", "")
        try:
            key, text = make_key(name=name, scope=scope, by=request.user.get_username(), now=timezone.now())
        except BadKey as error:
            messages.error(request, translate(error))
            return redirect("newsletter_api_keys")
        log(instance=key, action="newsletter.api_key_made", user=request.user, data={"scope": key.scope})
        response: HttpResponse = self.render_to_response(self.get_context_data(made=key, text=text))
        response["Cache-Control"] = "no-store"
        return response


def _revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    if revoke_key(key=key, by=request.user.get_username(), now=timezone.now()):
        log(instance=key, action="newsletter.api_key_revoked", user=request.user)
        messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("newsletter_api_keys")
