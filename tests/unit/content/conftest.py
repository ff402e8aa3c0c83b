"""The child that reads documents, for tests of large ones."""

from collections.abc import Iterator

import pytest

from newsletter.content.parsing.sandbox.process import ParserProcess, ResourceLimits


@pytest.fixture
def patient_parser() -> Iterator[ParserProcess]:
    """Return a child with the product's limits of processor and memory. On a busy machine these seconds take longer."""
    made = ParserProcess(limits=ResourceLimits(wall_seconds=600.0))
    yield made
    made.close()
