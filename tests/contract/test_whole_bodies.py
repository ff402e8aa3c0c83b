"""Mails that are sent whole are written from parts that are made once, and are the same bytes as if each were made alone."""

import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from newsletter.providers.base.contract import HttpRequest, Mail, ProviderResponse, Recipient
from newsletter.providers.base.mail.json_texts import CompiledJsonText, JsonText, JsonTextCache, write_json
from newsletter.providers.base.mail.tokens import CompiledText
from newsletter.providers.base.prepared_batch import merge_personal_mails
from newsletter.providers.registry import ADAPTERS, make_adapter
from tests.support.provider_accounts import HTTP_PROVIDERS, make_account_url
from tests.support.provider_fixtures import make_call, make_mail, make_recipient

WHOLE = [name for name in HTTP_PROVIDERS if ADAPTERS[name].offer.merge == "full"]
NAMES = [
    'Ana "Ñ"',
    "back\\slash",
    "tab\tline\nend",
    "null\x00byte",
    "\u2028 \U0001f600 é",
    "__pv_t_b__",
    "{{x}}",
    "{$x}",
]
PEOPLE = [make_recipient(number, name=name) for number, name in enumerate(NAMES, 1)]
MAILS = [
    make_mail(),
    make_mail(reply_to="", headers={}),
    make_mail(
        html='__pv_h_first_name____pv_u_unsubscribe__<p title="\\">é \U0001f600 \u2028\x00 {</p>__pv_h_first_name__',
        text='{__pv_t_first_name____pv_t_unsubscribe__}\n\x00 – \\ "',
        headers={"List-Id": "Größe <a.example.org>", "X-Reader": "Für __pv_t_first_name__"},
    ),
    make_mail(html="<p>Nothing of one's own</p>", text="Nothing", subject="Nothing of one's own"),
]


class Recorder:
    """An HTTP caller that keeps each request and answers nothing that a provider answers."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def call(self, request: HttpRequest) -> ProviderResponse:
        self.bodies.append(request.body)
        return ProviderResponse(503, {}, b"")

    def close(self) -> None:
        return None


@pytest.fixture(params=WHOLE)
def adapter(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = make_adapter(make_account_url(str(request.param)))
    yield made
    made.close()


def build_one_by_one(adapter: Any, monkeypatch: pytest.MonkeyPatch, mail: Mail, people: list[Recipient]) -> bytes:
    """Return the body that is made from a whole text for each person."""
    with monkeypatch.context() as patched:
        module = sys.modules[type(adapter).__module__]
        patched.setattr(module, "merge_json_mails", merge_personal_mails, raising=False)
        patched.setattr("newsletter.providers.base.http_adapter.write_json", orjson.dumps)
        return bytes(adapter.build(make_call(*people, mail=mail)).body)


@pytest.mark.parametrize("mail", MAILS, ids=["rich", "bare", "wild", "fixed"])
def test_a_batch_has_the_bytes_of_mails_that_are_made_one_by_one(
    adapter: Any, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = adapter.build(make_call(*PEOPLE, mail=mail)).body
    assert body == build_one_by_one(adapter, monkeypatch, mail, PEOPLE)
    assert orjson.loads(body)


def test_a_call_for_one_person_has_the_bytes_of_a_batch_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("scaleway", "mailersend"):
        adapter: Any = make_adapter(make_account_url(scheme))
        for mail in MAILS:
            for person in PEOPLE:
                recorder = Recorder()
                monkeypatch.setattr(adapter, "_transport", recorder)
                adapter.deliver(make_call(person, mail=mail))
                assert recorder.bodies == [build_one_by_one(adapter, monkeypatch, mail, [person])]


@pytest.mark.parametrize("text", ["", "x", "__pv_h_a__", "__pv_h_a____pv_t_b__", 'a"\\\x00\n__pv_t_b__é\U0001f600'])
def test_a_compiled_json_text_is_the_json_of_the_filled_text(text: str) -> None:
    values = {"h_a": '\x00"\\\U0001f600', "t_b": "__pv_h_a__"}
    written = write_json({"before": "\x00", "text": JsonText(CompiledJsonText(text), values), "after": ["\x00"]})
    assert written == orjson.dumps({"before": "\x00", "text": CompiledText(text).fill(values), "after": ["\x00"]})


def test_the_cache_of_texts_keeps_those_used_last_up_to_its_bytes() -> None:
    texts = [f"{number}__pv_h_a__" + "x" * 10_000 for number in range(10)]
    cache = JsonTextCache(max_bytes=70_000)
    kept = cache.compile(texts[0])
    for text in texts:
        cache.compile(text)
        assert cache.compile(texts[0]) is kept
        assert cache.size <= 70_000
    last, before = cache.compile(texts[-1]), cache.size
    assert cache.compile(texts[-1]) is last
    assert cache.size == before > 50_000


def test_a_text_larger_than_the_cache_is_compiled_and_not_kept() -> None:
    cache = JsonTextCache(max_bytes=1_000)
    assert cache.compile("x" * 2_000).list_pieces({}) == [b'"' + b"x" * 2_000 + b'"']
    assert cache.size == 0


def test_a_value_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json({"text": object()})


def test_a_missing_value_of_a_json_text_is_refused() -> None:
    with pytest.raises(TypeError) as caught:
        write_json(JsonText(CompiledJsonText("__pv_h_a__"), {}))
    assert isinstance(caught.value.__cause__, KeyError)
