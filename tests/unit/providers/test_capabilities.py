"""The number of people in one call is limited by count and by bytes."""

import json

import pytest

from newsletter.providers.base.contract import Capabilities, count_mail_bytes, count_variable_bytes
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.postmark.adapter import Postmark
from newsletter.providers.registry import URL_RULES, make_adapter
from tests.support.provider_accounts import HTTP_PROVIDERS, make_account_url
from tests.support.provider_fixtures import make_call, make_mail, make_recipient


def test_the_number_of_people_is_the_first_limit() -> None:
    can = Capabilities(name="x", merge="substitute", max_batch=1000, max_bytes=25_000_000)
    assert can.count_people_per_call(mail_bytes=60_000, variable_bytes=700) == 1000


def test_a_complete_mail_for_each_person_fills_a_call_sooner() -> None:
    can = Capabilities(name="x", merge="full", max_batch=500, max_bytes=10_000_000)
    assert 140 < can.count_people_per_call(mail_bytes=60_000, variable_bytes=700) < 167
    assert can.count_people_per_call(mail_bytes=20_000_000, variable_bytes=700) == 0


def test_a_limit_on_the_values_of_a_call_or_of_one_person_counts() -> None:
    can = Capabilities(
        name="x",
        merge="substitute",
        max_batch=1000,
        max_bytes=10_000_000,
        max_variable_bytes=100_000,
        max_call_variable_bytes=1_000_000,
    )
    assert can.count_people_per_call(mail_bytes=60_000, variable_bytes=2_000) == 500
    assert can.count_people_per_call(mail_bytes=60_000, variable_bytes=0) == 1000
    assert can.count_people_per_call(mail_bytes=60_000, variable_bytes=100_001) == 0


def test_a_mail_and_values_are_measured_as_json_has_them() -> None:
    mail = make_mail(html='<p class="a">"\u00e9"</p>\n')
    parts = [mail.subject, mail.html, mail.text, dict(mail.headers)]
    assert count_mail_bytes(mail) == len(json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode())
    assert count_variable_bytes({"t_a": "é"}) == len('{"t_a":"é"}'.encode())


@pytest.mark.parametrize("size", [2_000, 60_000, 400_000])
@pytest.mark.parametrize("scheme", HTTP_PROVIDERS)
def test_the_stated_number_of_people_fits(scheme: str, size: int) -> None:
    """Also with the largest number of people that the settings allow."""
    adapter = make_adapter(f"{make_account_url(scheme)}?max_batch={URL_RULES[scheme].max_batch}")
    mail = make_mail(
        html='<p title="x">__pv_h_first_name__ <a href="__pv_u_unsubscribe__">Leave</a></p>\n' + "y" * size
    )
    values = make_recipient(1).variables
    fits = adapter.capabilities.count_people_per_call(
        mail_bytes=count_mail_bytes(mail), variable_bytes=count_variable_bytes(values) + 10
    )
    assert fits > 0
    request = adapter.build(make_call(*(make_recipient(n) for n in range(fits)), mail=mail))  # type: ignore[attr-defined]
    assert len(request.body) <= adapter.capabilities.max_bytes
    adapter.close()


def test_a_batch_of_too_many_bytes_is_refused_in_words() -> None:
    adapter = Postmark(key="k")
    call = make_call(*(make_recipient(n) for n in range(100)), mail=make_mail(html="x" * 600_000))
    with pytest.raises(BadBatch, match=r"makes 60,\d+,\d+ bytes; postmark takes 50,000,000. Nothing was sent"):
        adapter.build(call)
    adapter.close()
