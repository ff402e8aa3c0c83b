"""Personal values go where they belong, and nothing is left raw."""

import pytest

from newsletter.common.personal_tokens import find_tokens
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.mail.tokens import CompiledText, clean_value, fill_tokens


def test_adjacent_tokens_are_separated() -> None:
    assert find_tokens("__pv_h_a____pv_u_b_2__x__pv_t_first_name__") == {"h_a", "u_b_2", "t_first_name"}
    assert fill_tokens("__pv_h_a____pv_h_b__", {"h_a": "1", "h_b": "2"}) == "12"


def test_a_value_that_looks_like_a_token_is_not_filled_again() -> None:
    assert fill_tokens("__pv_t_a__", {"t_a": "__pv_t_b__", "t_b": "no"}) == "__pv_t_b__"


def test_filling_without_a_value_is_refused() -> None:
    with pytest.raises(BadBatch, match="no value for t_a"):
        fill_tokens("__pv_t_a__", {})


def test_line_breaks_stay_in_html_values_and_go_from_text_and_links() -> None:
    assert clean_value("h_name", "a\nb\x00c\u202ed") == "a\nb c d"
    assert clean_value("t_name", "a\r\nb\x00c\u2028d") == "a b c d"
    assert clean_value("u_link", "https://x.example/\r\n") == "https://x.example/ "


def test_a_compiled_text_fills_the_same_as_the_plain_way() -> None:
    for text in ("", "no token", "__pv_h_a__", "x__pv_h_a____pv_t_b__y", "a\n__pv_u_c__"):
        values = {"h_a": "1", "t_b": "2", "u_c": "3"}
        assert CompiledText(text).fill(values) == fill_tokens(text, values)
