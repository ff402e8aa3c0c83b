"""Set up, the mail provider: its state, a test of the connection, its reports, and the exact setting to write.

The provider's key is not stored.

After somebody got the lines to pass on, the step waits for the server's administrator, so Home does not ask for it.
"""

from typing import Any, cast
from urllib.parse import quote

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.extension_registry import RegistryPart
from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.messages import Message
from newsletter.common.translation import translate
from newsletter.desk.setup.pages import StepPage
from newsletter.desk.setup.steps import skip_step
from newsletter.feedback.webhook_setup.install import install_webhook
from newsletter.feedback.webhook_setup.state import (
    advise_on_silence,
    explain_silence,
    list_webhook_settings,
    require_webhook_settings,
)
from newsletter.models import ProviderWebhook
from newsletter.organisation.health.sending import Connection, try_connection
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.provider_url import ProviderSettings
from newsletter.providers.registry import ADAPTERS, OUTBOX, PROVIDERS, URL_RULES, read_provider_url
from newsletter.sending.accounts import ProviderAccountSettings, list_usable_accounts
from newsletter.sending.deliverability.domains import is_own_endpoint, read_provider
from newsletter.sending.limits.recipient_allowlist import is_sending_blocked

NAMES = RegistryPart(PROVIDERS, lambda kind: translate(kind.adapter.label))
"""The name of each provider that is installed, by its scheme, in the current language."""
_PLACEHOLDERS = {"key": "API-KEY", "secret": "SECRET-KEY", "webhook_key": "WEBHOOK-KEY"}
_ACCOUNT_ENDS = {
    "DOMAIN": gettext_lazy("your sending domain"),
    "REGION": gettext_lazy("the region of your account"),
    "PROJECT_ID": gettext_lazy("the ID of your project"),
    "HOST:PORT": gettext_lazy("the name of the mail server"),
}
"""The meaning of the last part of an account, by its name in the pattern."""
_EU_ENDPOINTS = {"mailgun": "https://api.eu.mailgun.net", "sparkpost": "https://api.eu.sparkpost.com"}


class ProviderForm(forms.Form):
    """The parts of the setting. ``clean`` joins them to ``url`` and checks it as the program will."""

    provider = forms.ChoiceField(label=gettext_lazy("Provider"), choices=lambda: list(NAMES.items()))
    key = LimitedTextField(
        label=gettext_lazy("API key, or user name (SMTP)"),
        strip=True,
        max_length=500,
        required=False,
        help_text=gettext_lazy("A key that may send. Your provider shows it on its pages. We do not store it here."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    secret = LimitedTextField(
        label=gettext_lazy("Secret key (Amazon SES, Mailjet) or password (SMTP)"),
        strip=True,
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    domain = LimitedTextField(
        label=gettext_lazy(
            "Sending domain (Mailgun, MailerSend), region (Amazon SES), project ID (Scaleway) or mail server (SMTP)"
        ),
        max_length=255,
        required=False,
        help_text=gettext_lazy("Such as news.example.org, eu-west-1, or mail.example.org:587."),
    )
    european = forms.BooleanField(
        label=gettext_lazy("My account is in the provider’s European region (Mailgun, SparkPost)"), required=False
    )
    webhook_key = LimitedTextField(
        label=gettext_lazy("Webhook key (optional)"),
        strip=True,
        max_length=500,
        required=False,
        help_text=gettext_lazy(
            "With it we hear of bounces and complaints. Your provider shows it beside its webhooks."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean() or {}
        if not self.errors:
            self._require_account(cleaned)
        if not self.errors:
            self.url = make_provider_url(**cleaned)
            try:
                read_provider_url(self.url)
            except DomainError as error:
                self.add_error(None, translate(error))
        return cleaned

    def _require_account(self, cleaned: dict[str, object]) -> None:
        """Name each empty field that the provider needs, as the form calls it and not as the setting does."""
        rules, named = URL_RULES[str(cleaned["provider"])], {"provider": NAMES[str(cleaned["provider"])]}
        needs_secret = ":" in rules.account and rules.needs_key
        if rules.needs_key and not cleaned["key"]:
            self.add_error("key", _("%(provider)s needs its API key. Copy it from its pages.") % named)
        if needs_secret and not cleaned["secret"]:
            self.add_error("secret", _("%(provider)s needs its secret key too.") % named)
        if not rules.account.endswith("@") and not cleaned["domain"]:
            missing = _ACCOUNT_ENDS.get(rules.account.rpartition("@")[2], gettext_lazy("the last part of its setting"))
            self.add_error("domain", _("%(provider)s needs %(what)s here.") % {**named, "what": missing})


class ProviderStep(StepPage):
    step_slug = "provider"
    template_name = "desk/setup/provider.html"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        provider = read_provider(settings.NEWSLETTER_PROVIDER_URL)
        real = provider is not None and provider.scheme != OUTBOX
        return {
            "form": ProviderForm(),
            "provider": NAMES.get(provider.scheme, provider.scheme) if real and provider else "",
            "is_own": provider is not None and is_own_endpoint(provider),
            "blocked": is_sending_blocked(),
            "env_file": settings.ENV.env_file,
            "letter": ask_for_provider(),
            "limits": list_limits(provider),
            "webhooks": list_webhook_settings(),
            "silent_accounts": list_silent_accounts(),
            **super().get_context_data(**kwargs),
        }

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if "test" in request.POST:
            _tell(request, try_connection(settings.NEWSLETTER_PROVIDER_URL, now=timezone.now()))
            return self.show()
        if "reports" in request.POST:
            return self._set_up_reports(request)
        form = ProviderForm(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        connection = try_connection(form.url, now=timezone.now())
        _tell(request, connection)
        if connection.state == "refused":
            return self.show(form=form)
        if not self.step.is_done():
            skip_step(step=self.step, by=cast(User, request.user), now=timezone.now())
        return self.show(form=form, lines=_write_lines(form.url), letter=ask_for_setting(form.cleaned_data))

    def _set_up_reports(self, request: HttpRequest) -> HttpResponse:
        try:
            webhook = require_webhook_settings(request.POST["reports"])
            state = install_webhook(webhook, now=timezone.now())
        except DomainError as error:
            messages.error(request, translate(error))
            return self.show()
        row = ProviderWebhook.objects.get(provider=webhook.provider, account=webhook.account)
        log(instance=row, action="newsletter.reports_set_up", user=request.user, data={"provider": webhook.label})
        if state.works:
            messages.success(request, _("%(provider)s reports here from now on.") % {"provider": webhook.label})
        problems = [translate(problem) for problem in state.problems]
        return self.show(set_up=webhook.account, state=state, problems=problems)


def make_provider_url(*, provider: str, key: str, secret: str, domain: str, european: bool, webhook_key: str) -> str:
    """Return NEWSLETTER_PROVIDER_URL for these parts."""
    account = URL_RULES[provider].account
    has_secret = ":" in account.rpartition("@")[0]
    pair = f"{quote(key, safe='')}:{quote(secret, safe='')}" if has_secret else quote(key, safe="")
    after = domain if not account.endswith("@") else ""
    if not key and not secret and not URL_RULES[provider].needs_key:
        pair = ""
    options = []
    if european and provider in _EU_ENDPOINTS:
        options.append(f"endpoint={_EU_ENDPOINTS[provider]}")
    if webhook_key and "webhook_key" not in URL_RULES[provider].without:
        options.append(f"webhook_key={quote(webhook_key, safe='')}")
    at = "@" if pair or URL_RULES[provider].needs_key else ""
    return f"{provider}://{pair}{at}{after}" + (f"?{'&'.join(options)}" if options else "")


def list_limits(provider: ProviderSettings | None) -> list[str]:
    """Return the facts about the provider in the settings, and the steps that staff must do themselves."""
    limits: list[str] = []
    if silence := explain_silence(provider):
        limits.append(Message.joined([silence, advise_on_silence()], between=" "))
    if provider is not None and provider.scheme in ADAPTERS:
        limits.extend(ADAPTERS[provider.scheme].limits)
    return [translate(limit) for limit in limits]


def list_silent_accounts() -> list[tuple[ProviderAccountSettings, str]]:
    """Return each further account whose provider reports nothing, with the facts that staff then do not learn."""
    further = [account for account in list_usable_accounts() if account.name != DEFAULT_ACCOUNT]
    return [(silent, translate(silence)) for silent in further if (silence := explain_silence(silent.provider))]


def ask_for_provider() -> str:
    """Return a letter that asks the server's administrator for a provider."""
    return _(
        "Hello,\n\nour newsletter needs a mail provider: %(providers)s. Please write two lines like these into the file"
        " %(file)s and start the program again:\n\n%(lines)s\n\nThe settings page of the documentation has the line for"
        " each provider.\n\nThank you"
    ) % {"providers": ", ".join(NAMES.values()), "file": _env_file(), "lines": _write_lines("postmark://API-KEY@")}


def ask_for_setting(values: dict[str, Any]) -> str:
    """Return a letter that asks the server's administrator to write the setting. It contains no key."""
    hidden = {name: text for name, text in _PLACEHOLDERS.items() if values[name]}
    context = {
        "provider": NAMES[values["provider"]],
        "file": _env_file(),
        "lines": _write_lines(make_provider_url(**{**values, **hidden})),
        "hidden": ", ".join(hidden.values()),
    }
    if not hidden:
        return (
            _(
                "Hello,\n\nplease connect our newsletter to %(provider)s. Write these two lines into the file %(file)s and"
                " start the program again:\n\n%(lines)s\n\nThank you"
            )
            % context
        )
    return (
        _(
            "Hello,\n\nplease connect our newsletter to %(provider)s. Write these two lines into the file %(file)s and start"
            " the program again:\n\n%(lines)s\n\nI give you the value of %(hidden)s separately, not by email.\n\nThank you"
        )
        % context
    )


def _write_lines(url: str) -> str:
    return f"NEWSLETTER_PROVIDER_URL={url}\nNEWSLETTER_PRODUCTION=true"


def _env_file() -> str:
    return str(settings.ENV.env_file or ".env")


def _tell(request: HttpRequest, connection: Connection) -> None:
    if connection.state == "works":
        messages.success(request, _("The provider accepts the key."))
    elif connection.state == "refused":
        messages.error(
            request, _("The connection does not work: %(reason)s") % {"reason": translate(connection.reason)}
        )
    else:
        messages.warning(
            request, _("This provider’s key cannot be tried without sending. The last step sends a proof to you.")
        )
