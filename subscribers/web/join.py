"""The sign-up page of a public list. Its answer is the same for a new, a known and a suppressed address."""

from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers.addresses import mask, normalise
from subscribers.errors import BadAddress
from subscribers.locations import Location, locate, place_for
from subscribers.models import MailingList, Topic
from subscribers.signup import request_subscription
from subscribers.web.links import private_page, say

LEAST_SECONDS = 3
MOST_SECONDS = 2 * 60 * 60
_STAMP = signing.TimestampSigner(salt="subscribers.join")


class JoinForm(forms.Form):
    """What a person tells us to join. `website` is a trap: people do not see it."""

    email = forms.CharField(max_length=320, error_messages={"required": "Please write your email address."})
    name = forms.CharField(max_length=200, required=False)
    city = forms.CharField(max_length=120, required=False)
    topics = forms.ModelMultipleChoiceField(Topic.objects.all(), required=False)
    website = forms.CharField(required=False)

    def clean_email(self) -> str:
        try:
            return normalise(self.cleaned_data["email"])
        except BadAddress as error:
            raise forms.ValidationError(str(error)) from error

    def clean_city(self) -> Location:
        location = locate(town=self.cleaned_data["city"])
        if location.ambiguous:
            raise forms.ValidationError(location.note)
        return location


@private_page
def join(request: HttpRequest, slug: str) -> HttpResponse:
    mailing_list = MailingList.objects.filter(slug=slug, public=True).first()
    if mailing_list is None:
        return say(request, "This page does not exist", "There is no newsletter to join here.", status=404)
    wording = f"Send me {mailing_list.name} by email. I can leave at any time with the link in every mail."
    if request.method != "POST":
        return _form_page(request, mailing_list, form=JoinForm(), wording=wording)
    form = JoinForm(request.POST)
    if not form.is_valid():
        return _form_page(request, mailing_list, form=form, wording=wording, status=400)
    hint = "" if form.cleaned_data["website"] else _check_pace(request.POST.get("started", ""))
    if hint:
        return _form_page(request, mailing_list, form=form, wording=wording, hint=hint, status=400)
    if not form.cleaned_data["website"]:
        request_subscription(
            email=form.cleaned_data["email"],
            mailing_list=mailing_list,
            wording=wording,
            source="sign-up page",
            now=timezone.now(),
            name=form.cleaned_data["name"],
            place=place_for(form.cleaned_data["city"]),
            topics=form.cleaned_data["topics"],
        )
    context = {"mailing_list": mailing_list, "masked": mask(form.cleaned_data["email"])}
    return render(request, "subscribers/joined.html", context)


def _check_pace(started: str) -> str:
    """What to tell someone whose form came back too fast or too late; empty when the pace is a person's."""
    try:
        _STAMP.unsign(started, max_age=MOST_SECONDS)
    except signing.BadSignature:
        return "This page was open for a long time. Please press the button once more."
    try:
        _STAMP.unsign(started, max_age=LEAST_SECONDS)
    except signing.SignatureExpired:
        return ""
    return "That was quick. Please check your details and press the button once more."


def _form_page(
    request: HttpRequest, mailing_list: MailingList, *, form: JoinForm, wording: str, hint: str = "", status: int = 200
) -> HttpResponse:
    chosen = {int(pk) for pk in request.POST.getlist("topics") if pk.isdecimal()}
    started = request.POST.get("started", "")
    context = {
        "mailing_list": mailing_list,
        "form": form,
        "values": request.POST,
        "topics": [(topic, topic.pk in chosen) for topic in Topic.objects.all()],
        "wording": wording,
        "hint": hint,
        "started": started if _is_fresh(started) else _STAMP.sign("join"),
    }
    return render(request, "subscribers/join.html", context, status=status)


def _is_fresh(started: str) -> bool:
    try:
        _STAMP.unsign(started, max_age=MOST_SECONDS)
    except signing.BadSignature:
        return False
    return True
