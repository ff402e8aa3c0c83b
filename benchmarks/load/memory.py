"""The memory of a process and its children on Linux."""

from pathlib import Path


def read_memory_mb(pid: int) -> float:
    """Return the proportional set size of the process and all that it started, in MB."""
    return round(sum(map(_read_kb, _find_family(pid))) / 1024, 1)


def _read_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _find_family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _find_family(int(child))
    return found
