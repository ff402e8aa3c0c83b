"""The measurement of an import measures each part, and judges its results."""

import pytest

from newsletter.bench.importing import measure_import


@pytest.mark.django_db
def test_each_part_of_an_import_has_its_own_memory() -> None:
    figures = measure_import(rows=400)
    assert figures.right
    assert 0 < figures.undo_longest_step_ms < 1000 * figures.undo_seconds + 100
    assert 0 < figures.peak_memory_mb <= figures.export_peak_memory_mb <= figures.undo_peak_memory_mb
