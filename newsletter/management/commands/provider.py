"""newsletter provider: look at the webhooks by which mail providers report, set them up, and add files of DMARC reports."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from wagtail.log_actions import log

from newsletter.common.commands.base import ProductCommand
from newsletter.common.errors import BadFile, DomainError, NotReady
from newsletter.common.messages import Message
from newsletter.content.parsing.aggregate_reports.sandboxed import MAX_FILE_BYTES
from newsletter.feedback.webhook_setup.install import install_webhook, read_webhook
from newsletter.feedback.webhook_setup.state import (
    WebhookSettings,
    explain_silence,
    list_webhook_settings,
    require_webhook_settings,
)
from newsletter.models import ProviderWebhook
from newsletter.providers.accounts import DEFAULT_ACCOUNT, URL_SETTING
from newsletter.providers.base.webhook_setup import WebhookState
from newsletter.sending.accounts import find_account, list_usable_accounts
from newsletter.sending.deliverability.dmarc_reports.store import store_report_file


class Command(ProductCommand):
    help = "Show or set up the webhooks by which your mail providers report, or add DMARC reports from files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="webhooks|dmarc")
        webhooks = actions.add_parser(
            "webhooks", help="Show the webhook of each account. Nothing is changed without --install."
        )
        webhooks.add_argument(
            "--install",
            action="store_true",
            help="Create or repair it by the provider's interface. Webhooks that lead elsewhere are left alone.",
        )
        webhooks.add_argument(
            "--account",
            metavar="NAME",
            help=f"Only this account: {DEFAULT_ACCOUNT}, or the NAME of a {URL_SETTING}_NAME in small letters.",
        )
        webhooks.add_argument("--json", action="store_true")
        dmarc = actions.add_parser(
            "dmarc", help="Add DMARC aggregate reports to the desk's page of who sends in your name."
        )
        dmarc.add_argument("files", nargs="+", type=Path, metavar="FILE", help=".xml, .xml.gz or .zip")
        dmarc.add_argument("--json", action="store_true")

    def run(
        self,
        *,
        action: str,
        json: bool,
        install: bool = False,
        account: str | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        if action == "dmarc":
            self._add_reports(files, json=json)
        else:
            self._look_at_webhooks(account, install=install, json=json)

    def _add_reports(self, files: Sequence[Path], *, json: bool) -> None:
        added, refused = 0, {}
        try:
            for file in files:
                code = store_report_file(_read(file), now=datetime.now(UTC))
                if code is None:
                    added += 1
                else:
                    refused[str(file)] = code
        finally:
            # If a later file cannot be read, what became of the files before it is still said.
            if json:
                self.write_json({"added": added, "refused": refused})
            else:
                self.write_lines([f"{name}: {code.label}." for name, code in refused.items()])
                self.write_lines([f"Added {added} of {len(files)} reports."])
        if refused:
            raise BadFile(
                "%(refused)s of %(files)s files were not added. The lines above name the reason of each; the others are added.",
                refused=len(refused),
                files=len(files),
            )

    def _look_at_webhooks(self, account: str | None, *, install: bool, json: bool) -> None:
        """Look at one account, or at each account whose provider reports. A failure at one does not stop the others."""
        names = [account] if account else [webhook.account for webhook in list_webhook_settings()]
        answers, failures = [], list[str]()
        for name in names or [DEFAULT_ACCOUNT]:
            try:
                webhook = require_webhook_settings(name)
                state = _look_at(webhook, install=install)
            except DomainError as error:
                failures.append(error.message if len(names) < 2 else _name_account(name, error))
                continue
            webhook = require_webhook_settings(name)
            answers.append(_describe(webhook, state))
            if not json:
                self.write_lines(_list_lines(webhook, state))
            if install and state is not None and state.problems:
                failures.append(_say_unfinished(webhook))
        if names and not account and not json:
            without_webhook = [unlisted for unlisted in list_usable_accounts() if unlisted.name not in names]
            self.write_lines(
                [str(silence) for unlisted in without_webhook if (silence := explain_silence(unlisted.provider))]
            )
        if json and answers:
            self.write_json({**answers[0], "further": answers[1:]})
        if failures:
            raise NotReady(Message.joined(failures, between=" "))


def _look_at(webhook: WebhookSettings, *, install: bool) -> WebhookState | None:
    """Return the state of the webhook at the provider; None if it can only be entered by hand and is just looked at."""
    if install:
        state = install_webhook(webhook, now=datetime.now(UTC))
        row = ProviderWebhook.objects.get(provider=webhook.provider, account=webhook.account)
        log(instance=row, action="newsletter.reports_set_up", data={"provider": webhook.label})
        return state
    return None if webhook.obstacle else read_webhook(webhook)


def _name_account(name: str, error: DomainError) -> Message:
    """Return a failure of one of several accounts, with the account in front."""
    account = find_account(name)
    return Message("%(account)s: %(problem)s", account=account.title if account else name, problem=error.message)


def _say_unfinished(webhook: WebhookSettings) -> Message:
    return Message(
        "%(provider)s does not report everything yet. Do what the lines above say, then run this again.",
        provider=webhook.label,
    )


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadFile(
            "%(file)s cannot be read (%(why)s). Files before it were added, except those named above. Correct the "
            "name and run this again: no report is counted twice.",
            file=str(file),
            why=error.strerror or type(error).__name__,
        ) from error


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
        "account": webhook.account,
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
