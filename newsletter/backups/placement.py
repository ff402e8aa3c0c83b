"""Put restored files in place all together: a restore that is killed half-way is undone by the next one."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

_FOLDER, _PLAN = ".restoring", "plan.json"


@dataclass
class Placement:
    """Files that wait in a folder beside their places, and the order in which they are put there."""

    data_folder: Path
    moves: list[tuple[Path, Path]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.data_folder / _FOLDER

    def begin(self) -> None:
        """Undo what a killed restore left, and begin with an empty folder."""
        self.undo()
        self.folder.mkdir(parents=True)

    def stage(self, name: str, blocks: Iterable[bytes], *, place: Path, beside: bool = False) -> Path:
        """Write a file that belongs in ``place``, if ``beside`` on the same disk as it. Return where it waits."""
        waiting = place.with_name(f".{place.name}.restoring") if beside else self.folder / name
        waiting.parent.mkdir(parents=True, exist_ok=True)
        self.moves.append((waiting, place))
        write_file(waiting, blocks)
        return waiting

    def stage_folder(self, name: str, *, place: Path) -> Path:
        """Make a folder that belongs in ``place``, where nothing is but empty folders."""
        waiting = self.folder / name
        waiting.mkdir(parents=True)
        self.moves.append((waiting, place))
        return waiting

    def put(self) -> None:
        """Put everything in place, the last staged last."""
        plan = [[str(waiting), str(place)] for waiting, place in self.moves]
        write_file(self.folder / _PLAN, [orjson.dumps(plan)])
        for waiting, place in self.moves:
            if waiting.is_dir() and place.is_dir():
                shutil.rmtree(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            waiting.rename(place)

    def finish(self) -> None:
        (self.folder / _PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def undo(self) -> None:
        """Remove what was put in place, and what waits."""
        plan = self.folder / _PLAN
        if plan.is_file():
            moves = [(Path(waiting), Path(place)) for waiting, place in orjson.loads(plan.read_bytes())]
            for waiting, place in moves:
                if not waiting.exists():
                    _remove(place)
        else:
            moves = self.moves
        for waiting, _ in moves:
            for end in ("", "-wal", "-shm", "-journal"):
                _remove(Path(f"{waiting}{end}"))
        plan.unlink(missing_ok=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)


def write_file(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file to the disk. Raises OSError."""
    with path.open("wb") as out:
        for block in blocks:
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
