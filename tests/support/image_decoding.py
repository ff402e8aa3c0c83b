"""Notes what this process decodes, to prove that it decodes nothing from outside."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import ImageFile


@contextmanager
def record_decoded_images() -> Iterator[list[tuple[int, int]]]:
    """The size of each picture file whose pixels this process decodes meanwhile."""
    seen: list[tuple[int, int]] = []
    load = ImageFile.ImageFile.load

    def note(picture: ImageFile.ImageFile) -> Any:
        if picture.tile:
            seen.append(picture.size)
        return load(picture)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", note)
        yield seen
