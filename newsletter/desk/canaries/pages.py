"""The pages of canary mailboxes: the list with a form to add one, and one mailbox with its steps and its last mails."""

from functools import partial

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import NotReady
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.desk.canaries.forms import CanaryChangeForm, CanaryForm
from newsletter.desk.sends.canary_results import describe_results
from newsletter.inbound.canaries.accounts import (
    BadCanaryAddress,
    PasswordNeeded,
    add_mailbox,
    change_mailbox,
    try_mailbox,
)
from newsletter.inbound.errors import MailboxUnavailable
from newsletter.models import CanaryMailbox, Publication
from subscribers.identity import OtherAddressKey

POLICY = ModelPermissionPolicy(CanaryMailbox)
MAILS_SHOWN = 20
LOG_ACTIONS = {
    "canary_added": (gettext_lazy("Add a canary mailbox"), gettext_lazy("Canary mailbox added")),
    "canary_changed": (gettext_lazy("Change a canary mailbox"), gettext_lazy("Canary mailbox changed")),
    "canary_removed": (gettext_lazy("Remove a canary mailbox"), gettext_lazy("Canary mailbox removed")),
}

_FIELDS: dict[type[Exception], str] = {BadCanaryAddress: "address", PasswordNeeded: "password"}
"""The fields of the form to which errors belong."""


class _CanariesPage(PermittedPage):
    header_icon = "view"
    page_title = gettext_lazy("Canary mailboxes")
    permission_policy = POLICY

    def log(self, action: str, mailbox: CanaryMailbox, **details: str) -> None:
        data = {"address": mailbox.address, **details}
        log(instance=mailbox, action=f"newsletter.{action}", user=self.request.user, data=data)


class CanariesPage(_CanariesPage):
    template_name = "desk/canaries.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        used = Publication.objects.exclude(canary=Publication.Canary.OFF).order_by("name")
        return {
            "form": CanaryForm(),
            "mailboxes": [(mailbox, translate(mailbox.error)) for mailbox in CanaryMailbox.objects.all()],
            "publications": list(used),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = CanaryForm(request.POST)
        if not form.is_valid():
            return self.refuse(form=form)
        try:
            write_entry = partial(self.log, "canary_added")
            mailbox = add_mailbox(form.read_account(), now=timezone.now(), write_entry=write_entry)
        except (BadCanaryAddress, MailboxUnavailable, OtherAddressKey) as error:
            form.add_error(_FIELDS.get(type(error)), translate(error))
            return self.refuse(form=form)
        messages.success(request, _("We signed in to %(mailbox)s. It is in use now.") % {"mailbox": mailbox})
        return redirect("newsletter_canaries")


class CanaryPage(_CanariesPage):
    """GET shows one mailbox; POST does the step that its button names, or saves the form."""

    template_name = "desk/canary.html"

    def setup(self, request: HttpRequest, *args: object, **kwargs: object) -> None:
        super().setup(request, *args, **kwargs)
        self.mailbox = get_object_or_404(CanaryMailbox, pk=kwargs["pk"])

    def get_page_title(self) -> str:
        return self.mailbox.address

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Canary mailboxes"), reverse("newsletter_canaries"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        mails = self.mailbox.mails.select_related("mailbox", "send__issue__publication").order_by("-pk")
        return {
            "form": CanaryChangeForm.of(self.mailbox),
            "mailbox": self.mailbox,
            "error": translate(self.mailbox.error),
            "results": describe_results(mails[:MAILS_SHOWN]),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        steps = {"try": self._try, "remove": self._remove}
        return steps.get(request.POST.get("step", ""), self._save)()

    def _save(self) -> HttpResponse:
        form = CanaryChangeForm(self.request.POST)
        if not form.is_valid():
            return self.refuse(form=form)
        enabled, server_before = form.cleaned_data["enabled"], _name_server(self.mailbox)
        try:
            change_mailbox(
                self.mailbox,
                form.read_account(),
                enabled=enabled,
                now=timezone.now(),
                write_entry=lambda changed: self.log(
                    "canary_changed", changed, server_before=server_before, server=_name_server(changed)
                ),
            )
        except (BadCanaryAddress, PasswordNeeded, MailboxUnavailable, NotReady, OtherAddressKey) as error:
            form.add_error(_FIELDS.get(type(error)), translate(error))
            return self.refuse(form=form)
        messages.success(self.request, _("Saved. We signed in to it.") if enabled else _("Saved. It is not in use."))
        return redirect("newsletter_canary", self.mailbox.pk)

    def _try(self) -> HttpResponse:
        try:
            try_mailbox(self.mailbox)
        except (MailboxUnavailable, NotReady) as error:
            messages.error(self.request, translate(error))
        else:
            messages.success(self.request, _("Signing in works, and the inbox is there."))
        return redirect("newsletter_canary", self.mailbox.pk)

    def _remove(self) -> HttpResponse:
        with transaction.atomic():
            CanaryMailbox.objects.filter(pk=self.mailbox.pk).delete()
            self.log("canary_removed", self.mailbox)
        messages.success(self.request, _("%(mailbox)s is removed, with its results.") % {"mailbox": self.mailbox})
        return redirect("newsletter_canaries")


def _name_server(mailbox: CanaryMailbox) -> str:
    return f"{mailbox.user} at {mailbox.host}:{mailbox.port}"
