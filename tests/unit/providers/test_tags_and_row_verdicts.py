"""Names as tags of providers, and one outcome from the results of all messages."""

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.mail.headers import make_dashed_tag, make_tag
from newsletter.providers.base.responses import combine_row_verdicts

YES, NO, LATER, UNKNOWN = (
    (Verdict.ACCEPTED, ""),
    (Verdict.REJECTED, "no"),
    (Verdict.THROTTLED, "later"),
    (Verdict.UNCERTAIN, "?"),
)


def test_a_tag_has_plain_characters_and_is_never_empty() -> None:
    assert make_tag("Ünser Brief/12") == "nser-Brief-12"
    assert (make_tag("…"), len(make_tag("x" * 500))) == ("newsletter", 128)
    assert (make_dashed_tag("weekly/1.2"), make_dashed_tag(""), len(make_dashed_tag("x" * 500))) == (
        "weekly-1-2",
        "-",
        256,
    )


@pytest.mark.parametrize(
    ("people", "verdict"),
    [
        ([YES, NO, NO, NO], Verdict.ACCEPTED),
        ([YES, LATER, LATER, UNKNOWN], Verdict.ACCEPTED),
        ([UNKNOWN, LATER, LATER, NO], Verdict.UNCERTAIN),
        ([LATER, LATER, NO], Verdict.THROTTLED),
        ([LATER, NO, NO], Verdict.REJECTED),
    ],
)
def test_a_final_verdict_decides_and_else_the_commonest_one(
    people: list[tuple[Verdict, str]], verdict: Verdict
) -> None:
    outcome = combine_row_verdicts(dict(enumerate(people)), account_errors=[], provider_id="m")
    assert (outcome.verdict, outcome.stop) == (verdict, False)
    assert [outcome.people.get(n, (outcome.verdict, outcome.reason)) for n in range(len(people))] == people


@pytest.mark.parametrize(("first", "stop"), [(YES, False), (UNKNOWN, False), (LATER, True), (NO, True)])
def test_an_account_error_stops_the_send_unless_a_mail_was_accepted(first: tuple[Verdict, str], stop: bool) -> None:
    outcome = combine_row_verdicts({1: first, 2: NO}, account_errors=[2], provider_id="m")
    assert outcome.stop is stop
    second = outcome.people.get(2, (outcome.verdict, ""))[0]
    assert second is (Verdict.REJECTED if stop else Verdict.NOT_SENT)
