"""What `bench --only import` counts of the processes that an import starts: the most memory that they had."""

import subprocess
import sys

from newsletter.bench.child_peaks import watch_children

GROWS_AND_SHRINKS = "import time; large = bytearray({bytes}); del large; time.sleep(0.6)"


def run(megabytes: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-S", "-c", GROWS_AND_SHRINKS.format(bytes=megabytes * 1_000_000)])


def test_the_memory_that_a_child_had_before_counts() -> None:
    with watch_children() as peaks:
        run(60).wait()
    assert 60 < peaks.mb < 110


def test_all_children_count_together() -> None:
    with watch_children() as peaks:
        together = [run(40), run(50)]
        for child in together:
            child.wait()
    assert 90 < peaks.mb < 190


def test_without_a_child_nothing_is_counted() -> None:
    with watch_children() as peaks:
        pass
    assert peaks.mb == 0
