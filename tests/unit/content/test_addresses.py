"""No public address of three hundred in six countries is located wrongly; at most five stay uncertain."""

from tests.support.address_evaluation import evaluate_addresses

MOST_UNSURE = 5


def test_no_address_of_three_hundred_is_located_wrongly() -> None:
    judged = list(evaluate_addresses())
    table = "\n".join(str(one) for one in judged if one.verdict != "right")
    assert len(judged) >= 300
    assert [one for one in judged if one.verdict == "wrong"] == [], table
    assert sum(one.verdict == "unsure" for one in judged) <= MOST_UNSURE, table
