"""Rules are data that people write: each mistake is named, with the nearest right word."""

from datetime import date

import pytest

from newsletter.common.errors import BadRule
from subscribers.segments.rules import Condition, Group, list_conditions, parse_rule


def test_an_empty_rule_is_everyone() -> None:
    assert parse_rule({}) == Group("all", ())


def test_a_nested_rule_keeps_its_order_and_names_its_parts() -> None:
    tree = parse_rule({"all": [{"list": "weekly"}, {"any": [{"near": "London, GB", "km": 80}, {"giving": "donor"}]}]})
    assert [(one.key, one.where) for one in list_conditions(tree)] == [
        ("list", "rule.all[1].list"),
        ("near", "rule.all[2].any[1].near"),
        ("giving", "rule.all[2].any[2].giving"),
    ]


def test_dates_are_read_from_toml_and_from_text() -> None:
    assert parse_rule({"joined_after": date(2026, 1, 31)}) == parse_rule({"joined_after": "2026-01-31"})
    assert isinstance(parse_rule({"joined_after": "2026-01-31"}), Condition)


@pytest.mark.parametrize(("written", "read"), [("pt_br", "pt-BR"), ("EN", "en"), ("spa", "es"), ("klingon", "klingon")])
def test_a_language_is_read_in_its_usual_form(written: str, read: str) -> None:
    condition = parse_rule({"language": written})
    assert isinstance(condition, Condition)
    assert condition.value == read


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ([], "expected a condition"),
        ({"regon": "GB"}, "Did you mean “region”?"),
        ({"zzzz": 1}, "Use one of"),
        ({"all": []}, "rule.all: the list of conditions is empty"),
        ({"all": {"region": "GB"}}, "expected a list of conditions"),
        ({"all": [{}]}, "rule.all[1]: this condition is empty"),
        ({"all": [{"region": "GB"}], "any": [{"region": "US"}]}, "stands alone"),
        ({"region": "GB", "language": "en"}, "one condition each"),
        ({"km": 5}, "needs “near”"),
        ({"region": "GB", "km": 5}, "not with “region”"),
        ({"near": "London"}, "rule.km: expected kilometres"),
        ({"near": "London", "km": 0}, "expected kilometres"),
        ({"near": "London", "km": True}, "expected kilometres"),
        ({"near": "London", "km": 5_000}, "expected kilometres"),
        ({"region": 7}, "expected a text, found '7'"),
        ({"region": None}, "found nothing"),
        ({"region": "  "}, "expected a text"),
        ({"giving": "sometimes"}, "not one of “none”, “donor”, “monthly”"),
        ({"joined_before": "next week"}, "expected a date"),
        ({"joined_before": 2026}, "expected a date"),
        ({"any": [{"region": "GB"}] * 201}, "more than 200 conditions"),
    ],
)
def test_mistakes_are_named(rule: object, says: str) -> None:
    with pytest.raises(BadRule) as refusal:
        parse_rule(rule)
    assert says in str(refusal.value)


def test_a_rule_nested_without_end_is_refused() -> None:
    rule: dict[str, object] = {"region": "GB"}
    for _ in range(30):
        rule = {"all": [rule]}
    with pytest.raises(BadRule, match="nested more than 8 deep"):
        parse_rule(rule)
