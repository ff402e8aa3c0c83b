"""The URLs of Amazon SES, Brevo and SparkPost become adapters, or errors that help and keep the key to themselves."""

import pytest

from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.brevo.adapter import Brevo
from newsletter.providers.registry import make_adapter, make_provider_label, read_provider_url
from newsletter.providers.ses.adapter import Ses
from newsletter.providers.sparkpost.adapter import SparkPost


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("brevo://xkeysib-1@", Brevo),
        ("sparkpost://k@?endpoint=https://api.eu.sparkpost.com", SparkPost),
        ("ses://AKIA:s%2Fe+c@eu-west-1?people_per_second=14&max_batch=20", Ses),
    ],
)
def test_each_provider_has_its_adapter(url: str, kind: type) -> None:
    adapter = make_adapter(url)
    assert isinstance(adapter, kind)
    adapter.close()


def test_ses_gets_key_secret_and_region() -> None:
    settings = read_provider_url("ses://AKIA:s%2Fe%2Bc@US-East-1?configuration_set=news")
    assert (settings.key, settings.secret, settings.domain) == ("AKIA", "s/e+c", "us-east-1")
    assert settings.own_options == {"configuration_set": "news"}
    assert read_provider_url("ses://AKIA:a/b+c@eu-west-1").secret == "a/b+c"


def test_the_label_names_the_region_and_no_key() -> None:
    assert make_provider_label("ses://AKIA:s3cret@eu-west-1") == "ses (eu-west-1)"
    assert "s3cret" not in repr(read_provider_url("ses://AKIA:s3cret@eu-west-1"))


def test_brevo_says_how_often_it_may_be_called() -> None:
    can = make_adapter("brevo://k@").capabilities
    assert can.calls_per_second == pytest.approx(100 / 60)
    assert can.idempotency_seconds == 900
    assert make_adapter("brevo://k@?calls_per_second=5").capabilities.calls_per_second == 5


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ses://AKIA@eu-west-1", "no usable secret"),
        ("ses://AKIA:@eu-west-1", "no usable secret"),
        ("ses://AKIA:s3 cret@eu-west-1", "no usable secret"),
        ("ses://AKIA:s3cr\u00e9t@eu-west-1", "no usable secret"),
        ("ses://:s3cret@eu-west-1", "has no key"),
        ("ses://AKIA:s3cret@", "no Amazon region"),
        ("ses://AKIA:s3cret@news.example.org", "no Amazon region"),
        ("ses://AKIA:s3cret@eu-west-1?max_batch=51", "from 1 to 50"),
        ("ses://AKIA:s3cret@eu-west-1?configuration_set=a.b", "configuration set of Amazon SES"),
        ("brevo://s3cret@?configuration_set=news", "configuration set of Amazon SES"),
        ("brevo://s3cret@news.example.org", "that brevo does not use"),
        ("brevo://", "Write brevo://KEY@"),
        ("sparkpost://s3cret@x", "that sparkpost does not use"),
        ("sparkpst://s3cret@", r"did you mean sparkpost\?"),
    ],
)
def test_a_url_that_cannot_be_used_says_why_and_keeps_the_key(url: str, says: str) -> None:
    with pytest.raises(BadProviderUrl, match=says) as caught:
        make_adapter(url)
    assert "s3cret" not in str(caught.value)
