"""The pages of API keys, for administrators: create one (shown once), list, revoke, and see the last calls of one."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.api_keys import BadKey, make_key, revoke_key
from newsletter.common.errors import BadValue
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.desk.staff.api_key_form import ApiKeyForm
from newsletter.models import ApiKey, AuditEntry

POLICY = ModelPermissionPolicy(ApiKey)
CALLS_SHOWN = 100
LOG_ACTIONS = {
    "api_key_made": (gettext_lazy("Create an API key"), gettext_lazy("API key created")),
    "api_key_revoked": (gettext_lazy("Revoke an API key"), gettext_lazy("API key revoked")),
    "api_signed_up": (gettext_lazy("Sign somebody up through the API"), gettext_lazy("Signed up through the API")),
    "api_changed": (gettext_lazy("Change people through the API"), gettext_lazy("People changed through the API")),
    "api_added": (gettext_lazy("Add people through the API"), gettext_lazy("People added through the API")),
    "api_merged": (gettext_lazy("Merge people through the API"), gettext_lazy("People merged through the API")),
    "api_read": (gettext_lazy("Read a person through the API"), gettext_lazy("Person read through the API")),
    "api_stopped": (gettext_lazy("Stop emails through the API"), gettext_lazy("Emails stopped through the API")),
}


class ApiKeysPage(PermittedPage):
    template_name = "desk/api_keys.html"
    header_icon = "key"
    page_title = gettext_lazy("API keys")
    permission_policy = POLICY

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now = timezone.now()
        keys, read = list(ApiKey.objects.all()), count_people_read(now=now)
        valid = set(ApiKey.objects.valid(now=now).values_list("pk", flat=True))
        return {
            **super().get_context_data(**kwargs),
            "keys": [(key, read.get(key.pk, 0)) for key in keys if key.pk in valid],
            "inactive": [key for key in keys if key.pk not in valid],
            "form": ApiKeyForm(),
            **kwargs,
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.POST.get("revoke", "").isdecimal():
            return _revoke(request, int(request.POST["revoke"]))
        form = ApiKeyForm(request.POST)
        if form.is_valid():
            try:
                with transaction.atomic():
                    key, text = make_key(**form.values(), by=request.user.get_username(), now=timezone.now())
                    log(instance=key, action="newsletter.api_key_made", user=request.user, data=_describe(key))
            except (BadKey, BadValue) as error:
                form.add_error("name", translate(error))
            else:
                response: HttpResponse = self.render_to_response(self.get_context_data(made=key, text=text))
                response["Cache-Control"] = "no-store"
                return response
        return self.refuse(form=form)


class ApiKeyPage(PermittedPage):
    """One key: its rights and its last calls."""

    template_name = "desk/api_key.html"
    header_icon = "key"
    permission_policy = POLICY

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.key = get_object_or_404(ApiKey, pk=kwargs["pk"])

    def get_page_title(self) -> str:
        return self.key.name

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("API keys"), reverse("newsletter_api_keys"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {
            **super().get_context_data(**kwargs),
            "key": self.key,
            "is_valid": ApiKey.objects.valid(now=timezone.now()).filter(pk=self.key.pk).exists(),
            "calls": self.key.calls.order_by("-pk")[:CALLS_SHOWN],
        }


def count_people_read(*, now: datetime) -> dict[int, int]:
    """Return how many people each key read in the last 24 hours, by the key's id."""
    rows = AuditEntry.objects.filter(action="newsletter.api_read", timestamp__gt=now - timedelta(days=1))
    counted = rows.values("data__key_id").annotate(people=Count("object_id", distinct=True))
    return {row["data__key_id"]: row["people"] for row in counted.order_by()}


def _describe(key: ApiKey) -> dict[str, object]:
    """Return the details of a new key for the staff log."""
    lists = {} if key.all_lists else {"lists": sorted(key.lists.values_list("slug", flat=True))}
    return {"scope": key.scope, **lists}


def _revoke(request: HttpRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(ApiKey, pk=pk)
    with transaction.atomic():
        is_revoked = revoke_key(key=key, by=request.user.get_username(), now=timezone.now())
        if is_revoked:
            log(instance=key, action="newsletter.api_key_revoked", user=request.user)
    if is_revoked:
        messages.success(request, _("The key “%(name)s” is revoked.") % {"name": key.name})
    return redirect("newsletter_api_keys")
