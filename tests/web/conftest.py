import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _clear_cache() -> None:
    """Forget the limits of calls that earlier tests used up."""
    cache.clear()
