"""The provider accounts of a send: who is with which, what moved, and the page that moves the rest to another."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.log_actions import log

from newsletter.common.errors import NotReady
from newsletter.common.messages import describe_people
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.sends.progress import find_live_send, require_live_send
from newsletter.desk.shell.labels import format_reason, label_people
from newsletter.models import AccountMove, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.registry import name_provider
from newsletter.sending.accounts import explain_unusable, find_account, list_usable_accounts
from newsletter.sending.settling.account_moves import list_movable_batches, move_by_hand, require_movable
from newsletter.sending.settling.receipt import Receipt
from subscribers.desk.listing import format_moment


@dataclass(frozen=True)
class AccountRow:
    """The part of a send that one account has, in words. ``problem`` says why it cannot send the rest now, "" if it can."""

    label: str
    people: str
    problem: str


class AccountsContext(TypedDict, total=False):
    """The context of desk/parts/accounts.html; empty if one account has all of the send and can go on."""

    account_rows: list[AccountRow]
    account_moves: list[str]


def accounts_context(send: Send | None, receipt: Receipt | None, *, now: datetime) -> AccountsContext:
    """Return the send by account, if more than one account had a part in it or the account that it needs is missing."""
    if send is None or receipt is None:
        return {}
    moves = [describe_move(move, now=now) for move in send.account_moves.order_by("pk")]
    by_name = sorted(receipt.accounts.items(), key=lambda account: (account[0] != DEFAULT_ACCOUNT, account[0]))
    rows = [_make_row(name, states) for name, states in by_name]
    if len(rows) < 2 and not moves and not any(row.problem for row in rows):
        return {}
    return {"account_rows": rows, "account_moves": moves}


def _make_row(name: str, states: dict[str, int]) -> AccountRow:
    labels = {
        "accepted": gettext_lazy("accepted"),
        "pending": gettext_lazy("waiting"),
        "rejected": gettext_lazy("refused"),
        "skipped": gettext_lazy("not sent to any more"),
        "uncertain": gettext_lazy("uncertain"),
    }
    parts = [f"{intcomma(people)} {labels[state]}" for state, people in states.items() if people]
    problem = format_reason(explain_unusable(name)) if states.get("pending") else ""
    return AccountRow(label_account(name), ", ".join(parts), problem)


def label_account(name: str) -> str:
    """Return an account's name, with its provider if it is configured."""
    account = find_account(name)
    return f"{name} – {name_provider(account.label)}" if account and account.label else name


def describe_move(move: AccountMove, *, now: datetime) -> str:
    """Return one sentence, or two: when, how many, from where to where, who or why, and if more people follow."""
    more = _("More people follow within minutes.") if move.unfinished else ""
    values = {
        "at": format_moment(move.at, now=now),
        "people": intcomma(move.people),
        "source": move.from_account,
        "to": move.to_account,
        "by": move.by,
        "why": format_reason(move.reason),
    }
    if move.code == AccountMove.Code.BY_HAND:
        text = ngettext(
            "%(at)s: %(by)s moved %(people)s person from “%(source)s” to “%(to)s”.",
            "%(at)s: %(by)s moved %(people)s people from “%(source)s” to “%(to)s”.",
            move.people,
        )
    elif move.code == AccountMove.Code.AWAY:
        text = ngettext(
            "%(at)s: %(people)s person moved from “%(source)s”, which was away, to “%(to)s”. %(why)s",
            "%(at)s: %(people)s people moved from “%(source)s”, which was away, to “%(to)s”. %(why)s",
            move.people,
        )
    else:
        text = ngettext(
            "%(at)s: %(people)s person moved from “%(source)s”, which refused to send for us, to “%(to)s”. %(why)s",
            "%(at)s: %(people)s people moved from “%(source)s”, which refused to send for us, to “%(to)s”. %(why)s",
            move.people,
        )
    return f"{(text % values).strip()} {more}".strip()


def can_move(send: Send) -> bool:
    """Return True if a part of the send waits, and there is another account for it."""
    return _explain_immovable(send) is None


def _explain_immovable(send: Send) -> NotReady | None:
    """Return why nobody of the send can move to another account, None if somebody can."""
    waiting = list_movable_batches(send)
    if not waiting:
        return NotReady(
            "Nobody waits for an account any more: all have the mail, may have it or do not get it. Nothing was changed. The "
            "issue’s page says who is uncertain."
        )
    usable = {account.name for account in list_usable_accounts()}
    if any(usable - {group.account} for group in waiting):
        return None
    return NotReady(
        "No other account can be used, so the rest (%(people)s) still waits for the account “%(account)s”. Nobody was moved. "
        "Ask your administrator to add an account or to correct its setting: `newsletter doctor` checks each account.",
        people=describe_people(sum(group.people for group in waiting)),
        account=waiting[0].account,
    )


class AccountForm(forms.Form):
    account = forms.ChoiceField(
        label=gettext_lazy("Which account takes the rest?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose an account.")},
    )

    def __init__(self, *args: object, accounts: list[str], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = cast(forms.ChoiceField, self.fields["account"])
        field.choices = [(name, label_account(name)) for name in accounts]


class MoveAccount(IssueFormPage):
    logs_itself = True
    form_class = AccountForm
    any_permission_required = ["send"]
    page_title = gettext_lazy("Move the rest to another account")
    button = gettext_lazy("Move the rest")

    def require_possible(self) -> None:
        send = require_live_send(self.issue)
        require_movable(send)
        if (problem := _explain_immovable(send)) is not None:
            raise problem

    def list_sentences(self) -> list[str]:
        send = find_live_send(self.issue)
        waiting = [
            _("Waiting for the account “%(account)s”: %(people)s.")
            % {"people": label_people(group.people), "account": group.account}
            for group in (list_movable_batches(send) if send else [])
        ]
        return [
            *waiting,
            _("Only people whose mail was certainly never handed over move. Nobody gets the issue twice."),
            _("A paused send stays paused: resume it when you are ready."),
        ]

    def get_form_kwargs(self) -> dict[str, object]:
        send = find_live_send(self.issue)
        waiting = {group.account for group in list_movable_batches(send)} if send else set()
        usable = [account.name for account in list_usable_accounts()]
        return {**super().get_form_kwargs(), "accounts": [name for name in usable if waiting - {name}]}

    def run(self, form: forms.Form) -> str:
        send = require_live_send(self.issue)
        to = form.cleaned_data["account"]
        people = move_by_hand(
            send=send,
            to=to,
            by=cast(User, self.request.user),
            now=timezone.now(),
            write_entry=lambda moved: self._log(people=moved, account=to),
        )
        message = _("%(people)s moved to the account “%(account)s”.") % {
            "people": label_people(people),
            "account": to,
        }
        messages.success(self.request, message)
        return self.back_url

    def _log(self, **data: object) -> None:
        log(instance=self.issue, action="newsletter.move_account", user=self.request.user, data=data)
