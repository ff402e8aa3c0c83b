"""The options of the worker's command."""

from argparse import ArgumentParser

import pytest

from newsletter.management.commands.worker import add_concurrency_option


@pytest.mark.parametrize("option", ["--concurrency", "--lanes"])
def test_the_old_name_of_the_concurrency_option_still_works(option: str) -> None:
    parser = ArgumentParser()
    add_concurrency_option(parser)
    assert parser.parse_args([option, "12"]).concurrency == 12
    assert parser.parse_args([]).concurrency == 8
