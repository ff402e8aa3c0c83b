"""Of three hundred public addresses in six countries, none is located wrongly and at most five stay uncertain."""

from tests.support.address_evaluation import evaluate_addresses

MOST_UNSURE = 5


def test_three_hundred_addresses_are_located_and_none_wrongly() -> None:
    judged = list(evaluate_addresses())
    table = "\n".join(str(one) for one in judged if one.verdict != "right")
    assert len(judged) >= 300
    assert [one for one in judged if one.verdict == "wrong"] == [], table
    assert sum(one.verdict == "unsure" for one in judged) <= MOST_UNSURE, table
