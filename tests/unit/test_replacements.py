"""The tests' notice of what a test replaces."""

import os
from unittest import mock

import pytest

from tests.support.replacements import are_active


@pytest.mark.parametrize("form", ["block", "decorator", "start"])
def test_a_replaced_dictionary_is_noticed_until_its_end(form: str) -> None:
    replaced = mock.patch.dict(os.environ, {"NEWSLETTER_EXAMPLE": "1"})
    if form == "block":
        with replaced:
            noticed = are_active()
    elif form == "decorator":
        noticed = replaced(are_active)()
    else:
        replaced.start()
        noticed = are_active()
        replaced.stop()
    assert (noticed, are_active()) == (True, False)


def test_a_replaced_attribute_is_noticed_until_its_end() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sep", "/")
        assert are_active()
    assert not are_active()
