"""The page to upload a file of gifts from the donation system, so that reports show the sum of each issue."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.messages import Message
from newsletter.common.staff_pages import PermittedPage
from newsletter.common.translation import translate
from newsletter.feedback.gift_files import BadGiftFile, read_gifts
from newsletter.feedback.gifts import GiftsRecorded, ReportedGift, record_gifts
from newsletter.models import Brand, Gift
from subscribers.desk.editing.upload_form import UploadField

POLICY = ModelPermissionPolicy(Gift)
MAX_BYTES = 10_000_000
MAX_REFUSED_SHOWN = 20
LOG_ACTIONS = {"gifts_added": (gettext_lazy("Add gifts"), gettext_lazy("Gifts added from a file"))}


class GiftFileForm(forms.Form):
    file = UploadField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A CSV file with the columns id, amount, currency, date, utm_campaign and utm_content. Leave names and addresses "
            "of donors out: they are not needed."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt"}),
    )


class GiftsPage(PermittedPage):
    template_name = "desk/gifts.html"
    header_icon = "table"
    page_title = gettext_lazy("Add gifts")
    permission_policy = POLICY
    permission_required = "add"

    def list_parents(self) -> list[tuple[str, str]]:
        if not self.request.user.has_perm("newsletter.change_issue"):
            return []
        return [(_("Results"), reverse("newsletter_results"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        hosts = sorted({host for brand in Brand.objects.all() for host in brand.gift_hosts})
        return {"form": GiftFileForm(), "hosts": hosts, "refused": [], **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = GiftFileForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.refuse(form=form)
        file = form.cleaned_data["file"]
        if file.size > MAX_BYTES:
            form.add_error("file", _("The file is larger than 10 MB. Split it."))
            return self.refuse(form=form)
        try:
            result = add_gift_file(file.read(), by=request.user)
        except BadGiftFile as error:
            form.add_error("file", translate(error))
            return self.refuse(form=form)
        messages.success(request, describe_result(result))
        if not result.refused:
            return redirect("newsletter_gifts")
        refused = [(line, translate(reason)) for line, reason in result.refused[:MAX_REFUSED_SHOWN]]
        return self.render_to_response(
            self.get_context_data(refused=refused, more=len(result.refused) - len(refused)),
        )


def _count(result: GiftsRecorded) -> dict[str, int]:
    return {"new": result.new, "known": result.known, "foreign": result.foreign, "refused": len(result.refused)}


def add_gift_file(data: bytes, *, by: User | AnonymousUser) -> GiftsRecorded:
    """Store and log the gifts of a file. Return them with the lines that were refused. Raises BadGiftFile."""
    gifts: list[ReportedGift] = []
    refused: list[tuple[int, Message]] = []
    for line in read_gifts(data):
        if isinstance(line, ReportedGift):
            gifts.append(line)
        else:
            refused.append(line)
    with transaction.atomic():
        result = record_gifts(gifts, by=by.get_username(), now=timezone.now())
        result.refused = refused
        log(instance=by, action="newsletter.gifts_added", data=_count(result))
    return result


def describe_result(result: GiftsRecorded) -> str:
    """Return what became of the gifts, in words."""
    new = ngettext("%(number)s gift was added.", "%(number)s gifts were added.", result.new)
    parts = [new % {"number": result.new}]
    if result.known:
        text = ngettext("%(number)s was known already.", "%(number)s were known already.", result.known)
        parts.append(text % {"number": result.known})
    if result.foreign:
        text = ngettext("%(number)s came by no issue.", "%(number)s came by no issue.", result.foreign)
        parts.append(text % {"number": result.foreign})
    return " ".join(parts)
