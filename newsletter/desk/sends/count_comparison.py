"""Show on a report the comparison with each provider's counts: a sentence, what it can mean, and what to do. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.translation import translate
from newsletter.feedback.comparing.account_shares import AccountShare, Obstacle, find_called_scheme, list_shares
from newsletter.feedback.comparing.compare_counts import find_oldest_end
from newsletter.models import CountComparison, Send
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.base.errors import CountsFailure
from newsletter.providers.base.issue_counts import Figure
from newsletter.providers.registry import ADAPTERS

Result = CountComparison.Result
_UNKNOWN_ANCHOR = "nl-compared--unknown"
FIGURES = {
    Figure.ACCEPTED: gettext_lazy("Accepted"),
    Figure.DELIVERED: gettext_lazy("Delivered"),
    Figure.BOUNCED: gettext_lazy("Bounced"),
    Figure.COMPLAINED: gettext_lazy("Reported as spam"),
}
_FAILURES = {
    CountsFailure.NO_ANSWER: gettext_lazy("%(provider)s did not answer. We ask again in an hour."),
    CountsFailure.KEY_REFUSED: gettext_lazy(
        "%(provider)s does not let our key read its counts. Give the key the right to read statistics; sending does not need it."
    ),
    CountsFailure.THROTTLED: gettext_lazy("%(provider)s asked us to wait. We ask again later."),
    CountsFailure.PROVIDER_ERROR: gettext_lazy("%(provider)s had an error of its own. We ask again in an hour."),
    CountsFailure.UNREADABLE: gettext_lazy(
        "%(provider)s’s answer cannot be read, so nothing was compared. If this goes on for days, report it to the "
        "newsletter’s maintainers."
    ),
    CountsFailure.UNKNOWN_ISSUE: gettext_lazy(
        "%(provider)s counts no mail under the name of this issue. Look for the issue in its logs: accounts have a limit of "
        "names that are counted."
    ),
    CountsFailure.BAD_RECEIPT: gettext_lazy(
        "Our own delivery summary of this issue does not add up, so %(provider)s was not asked. The send itself is not affected. "
        "This is a defect: report it to the newsletter’s maintainers."
    ),
}


@dataclass(frozen=True)
class ComparedFigure:
    """One number. ``theirs`` is None if the provider does not count it."""

    label: str
    ours: int
    theirs: int | None
    differs: bool


@dataclass(frozen=True)
class ComparedDay:
    """The newest comparison, or an earlier one."""

    row: CountComparison
    sentence: str


@dataclass(frozen=True)
class ComparedAccount:
    """The comparisons with one account, the newest day first, or why they are missing. ``anchor`` names its part of the page."""

    anchor: str
    heading: str
    scope: str
    days: list[ComparedDay]
    figures: list[ComparedFigure]
    advice: list[str]
    deliveries: list[int]
    note: str


class ComparisonContext(TypedDict):
    """The context of desk/parts/count_comparison.html. ``compared_accounts`` is empty if there is nothing to say."""

    compared_accounts: list[ComparedAccount]


def comparison_context(send: Send, *, now: datetime) -> ComparisonContext:
    """Return the comparisons of a send with each account, or in its first week why there are none."""
    rows: dict[str, list[CountComparison]] = {}
    for row in send.count_comparisons.order_by("-day"):
        rows.setdefault(row.account, []).append(row)
    shares = list_shares(send)
    is_over = send.ended_at is not None and send.ended_at < find_oldest_end(now=now)
    accounts = []
    for share in shares:
        is_unknown = share.obstacle is Obstacle.UNKNOWN_ACCOUNT
        rows_of_account = [] if is_unknown else rows.pop(share.name, [])
        if rows_of_account or not (share.obstacle is Obstacle.TO_FILES or is_over):
            label = "" if is_unknown else _label_share(share, send)
            part = _make_account(share.name, rows_of_account, label=label, note=_explain_absence(share, label=label))
            accounts.append(replace(part, anchor=_anchor_share(share, shares)))
    for name, rows_of_account in rows.items():
        accounts.append(_make_account(name, rows_of_account, label=_label_former(name, send), note=""))
    if len(accounts) > 1:
        scope = _("Only the mails that went through this account are counted here.")
        accounts = [replace(account, scope="" if account.anchor == _UNKNOWN_ANCHOR else scope) for account in accounts]
    return {"compared_accounts": accounts}


def anchor_comparison(account: str) -> str:
    """Return the name of the part of a report that shows the comparison with an account."""
    return "nl-compared" if account == DEFAULT_ACCOUNT else f"nl-compared-{account}"


def _anchor_share(share: AccountShare, shares: Sequence[AccountShare]) -> str:
    """Return an anchor that no other share has. An account and one that had its name before are two shares of one name.

    No account's name begins with a dash.
    """
    if share.obstacle is Obstacle.UNKNOWN_ACCOUNT:
        return _UNKNOWN_ANCHOR
    candidates = [candidate for candidate in shares if candidate.name == share.name]
    return anchor_comparison(share.name) + ("--former" if candidates.index(share) else "")


def label_provider(row: CountComparison) -> str:
    """Return the name of the provider that a comparison is with, with its account unless that is the default one."""
    share = next((share for share in list_shares(row.send) if share.account and share.name == row.account), None)
    return _label_share(share, row.send) if share else _label_former(row.account, row.send)


def _label_share(share: AccountShare, send: Send) -> str:
    return translate(share.account.title) if share.account else _label_former(share.name, send)


def _label_former(account: str, send: Send) -> str:
    """Describe an account whose key is no longer in the settings: its name, and the provider that was called."""
    scheme = find_called_scheme(send, account=account)
    if not scheme and account == DEFAULT_ACCOUNT:
        scheme = send.provider.partition(" ")[0]
    label = translate(ADAPTERS[scheme].label) if scheme in ADAPTERS else scheme
    if account == DEFAULT_ACCOUNT:
        return label or send.provider
    return f"{label} ({account})" if label else account


def _make_account(name: str, rows: list[CountComparison], *, label: str, note: str) -> ComparedAccount:
    newest = rows[0] if rows else None
    return ComparedAccount(
        anchor=anchor_comparison(name),
        heading=_("Compared with %(provider)s") % {"provider": label}
        if label
        else _("Compared with the provider’s counts"),
        scope="",
        days=[ComparedDay(row, describe_comparison(row, provider=label)) for row in rows],
        figures=_list_figures(newest) if newest and newest.provider_accepted is not None else [],
        advice=_advise(newest, provider=label) if newest else [],
        deliveries=newest.deliveries if newest else [],
        note="" if newest else note,
    )


def describe_comparison(row: CountComparison, *, provider: str) -> str:
    """Return a comparison as a sentence with its day."""
    values = {"provider": provider, "day": format_date(row.day, _("j F"))}
    if row.result == Result.NOT_COUNTED_YET and row.failure:
        return _("%(day)s: too early. %(provider)s has not counted this issue yet.") % values
    if row.result == Result.UNAVAILABLE or row.provider_accepted is None:
        return _("%(day)s: not compared.") % values
    if row.result == Result.EQUAL:
        return _("Compared with %(provider)s on %(day)s: equal (%(numbers)s)") % {
            **values,
            "numbers": ", ".join(_list_equal_numbers(row)),
        }
    figure = Figure(row.figure)
    values |= {
        "figure": str(FIGURES[figure]).lower(),
        "theirs": intcomma(getattr(row, f"provider_{figure}")),
        "ours": intcomma(getattr(row, figure)),
    }
    if row.result == Result.NOT_COUNTED_YET:
        return _("%(day)s: too early. %(provider)s has counted %(theirs)s %(figure)s so far, and we %(ours)s.") % values
    return (
        _("Compared with %(provider)s on %(day)s: %(provider)s counted %(theirs)s %(figure)s, and we %(ours)s") % values
    )


def summarise_difference(row: CountComparison, *, provider: str) -> str:
    """Return a comparison in one sentence for Home: what differs, or why there was no count."""
    if row.failure:
        return str(_FAILURES[CountsFailure(row.failure)]) % {"provider": provider}
    return describe_comparison(row, provider=provider)


def _list_equal_numbers(row: CountComparison) -> list[str]:
    numbers = [_("%(people)s accepted") % {"people": intcomma(row.provider_accepted)}]
    if row.provider_delivered is not None:
        numbers.append(_("%(people)s delivered") % {"people": intcomma(row.provider_delivered)})
    return numbers


def _list_figures(row: CountComparison) -> list[ComparedFigure]:
    return [
        ComparedFigure(str(label), getattr(row, figure), getattr(row, f"provider_{figure}"), row.figure == figure)
        for figure, label in FIGURES.items()
    ]


def _advise(row: CountComparison, *, provider: str) -> list[str]:
    """Return a text: the possible causes of a result, and what to do."""
    values = {"provider": provider}
    lines: list[str] = []
    if row.result == Result.NOT_COUNTED_YET and row.failure:
        lines.append(_("%(provider)s counts hours late. We ask again later.") % values)
    elif row.failure:
        lines.append(str(_FAILURES[CountsFailure(row.failure)]) % values)
    elif row.result == Result.NOT_COUNTED_YET:
        lines.append(_("%(provider)s counts hours late. We compare again tomorrow.") % values)
    elif row.result in (Result.MORE_AT_PROVIDER, Result.FEWER_AT_PROVIDER):
        lines.append(_explain_difference(row) % values)
    if row.uncertain and row.provider_accepted is not None:
        lines.append(
            ngettext(
                "%(people)s recipient is uncertain. The provider may have that mail or not. Either is counted as equal.",
                "%(people)s recipients are uncertain. The provider may have these mails or not. Either is counted as equal.",
                row.uncertain,
            )
            % {"people": intcomma(row.uncertain)}
        )
    return lines


def _explain_difference(row: CountComparison) -> str:
    is_more = row.result == Result.MORE_AT_PROVIDER
    if row.figure == Figure.ACCEPTED and is_more:
        return _(
            "%(provider)s has mails that our delivery summary does not count as accepted. Somebody may have sent under the name "
            "of this issue with the same account, or an answer was lost. Nothing is sent again because of it. If it is "
            "still so on day 7, ask %(provider)s for these mails."
        )
    if row.figure == Figure.ACCEPTED:
        return _(
            "%(provider)s accepted mails that it has not counted. It may still be late, or it lost them. Nothing is sent again "
            "because of it. If it is still so on day 7, ask %(provider)s what became of these mails."
        )
    if is_more:
        return _(
            "Reports of %(provider)s did not reach us, so the numbers above are too low. See if its webhook is set up and sends "
            "all events; the daily reading of its suppression list makes up for bounces and complaints."
        )
    return _(
        "%(provider)s reported more than it counts. It may be late, or count in another way. There is nothing to do, unless it "
        "happens with every issue."
    )


def _explain_absence(share: AccountShare, *, label: str) -> str:
    values = {"provider": label}
    if share.obstacle is Obstacle.NO_COUNTS and share.account and share.account.provider:
        why = translate(ADAPTERS[share.account.provider.scheme].no_counts)
        return _("This provider does not count by issue: %(why)s") % {"why": why}
    if share.obstacle is Obstacle.UNKNOWN_ACCOUNT:
        return _(
            "The database was restored from a backup, and it is not known which account has some of the mails. So no mail of "
            "this issue is compared any more."
        )
    if share.obstacle is Obstacle.OTHER_ACCOUNT:
        return _(
            "These mails went through an account or key that is not set up here any more, so its counts cannot be read."
        )
    if share.obstacle is Obstacle.WELCOME:
        return _("%(provider)s counts all months of a welcome mail as one, so a month is not compared.") % values
    return (
        _("It is compared with %(provider)s’s counts each day for a week, first within a day after the send has ended.")
        % values
    )
