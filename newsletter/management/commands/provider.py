"""newsletter provider: look at the webhook by which the mail provider reports, and set it up."""

from argparse import ArgumentParser
from datetime import UTC, datetime

from wagtail.log_actions import log

from newsletter.common.errors import NotReady
from newsletter.feedback.webhook_setup.install import install_webhook, read_webhook
from newsletter.feedback.webhook_setup.state import WebhookSettings, require_webhook_settings
from newsletter.management.base import ProductCommand
from newsletter.models import ProviderWebhook
from newsletter.providers.base.webhook_setup import WebhookState


class Command(ProductCommand):
    help = "Show the webhook by which your mail provider reports bounces and complaints, or set it up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="webhooks")
        webhooks = actions.add_parser("webhooks", help="Show the webhook. Nothing is changed without --install.")
        webhooks.add_argument(
            "--install",
            action="store_true",
            help="Create or repair it by the provider's interface. Webhooks that lead elsewhere are left alone.",
        )
        webhooks.add_argument("--json", action="store_true")

    def run(self, *, action: str, install: bool, json: bool) -> None:
        webhook = require_webhook_settings()
        if install:
            state = install_webhook(now=datetime.now(UTC))
            row = ProviderWebhook.objects.get(provider=webhook.provider)
            log(instance=row, action="newsletter.reports_set_up", data={"provider": webhook.label})
            webhook = require_webhook_settings()
        elif webhook.obstacle:
            state = None
        else:
            state = read_webhook()
        if json:
            self.write_json(_describe(webhook, state))
        else:
            self.write_lines(_list_lines(webhook, state))
        if install and state is not None and state.problems:
            raise NotReady(
                "%(provider)s does not report everything yet. Do what the lines above say, then run this again.",
                provider=webhook.label,
            )


def _list_lines(webhook: WebhookSettings, state: WebhookState | None) -> list[str]:
    last = webhook.last_report_at
    lines = [
        f"Reports of {webhook.label} go to {webhook.url}",
        f"The last report came on {last:%Y-%m-%d %H:%M} UTC." if last else "No report ever came.",
    ]
    if state is None:
        return [*lines, webhook.obstacle]
    if state.others:
        lines.append(f"Webhooks of others in this account, which are left alone: {state.others}")
    if state.waiting:
        lines.append(state.waiting)
    if not state.problems:
        return [*lines, "Everything that is needed is reported." if state.works else "Then everything is reported."]
    lines += [f"- {problem}" for problem in state.problems]
    return [*lines, "Set it up with: newsletter provider webhooks --install"]


def _describe(webhook: WebhookSettings, state: WebhookState | None) -> dict[str, object]:
    return {
        "provider": webhook.provider,
        "url": webhook.url,
        "has_key": webhook.has_key,
        "last_report_at": webhook.last_report_at.isoformat() if webhook.last_report_at else None,
        "set_up_at": webhook.set_up_at.isoformat() if webhook.set_up_at else None,
        "obstacle": webhook.obstacle,
        "works": state.works if state else None,
        "problems": list(state.problems) if state else [],
        "waiting": state.waiting if state else "",
        "others": state.others if state else None,
    }
