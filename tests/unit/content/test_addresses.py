"""Three hundred public addresses of six countries: none is put in the wrong place, and at most five are left unsure."""

from tests.support.address_evaluation import evaluate_addresses

MOST_UNSURE = 5


def test_three_hundred_addresses_are_found_and_none_wrongly() -> None:
    judged = list(evaluate_addresses())
    table = "\n".join(str(one) for one in judged if one.verdict != "right")
    assert len(judged) >= 300
    assert [one for one in judged if one.verdict == "wrong"] == [], table
    assert sum(one.verdict == "unsure" for one in judged) <= MOST_UNSURE, table
