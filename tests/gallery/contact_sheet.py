"""Contact sheets: rows of pictures, one row for each mail, at half size."""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SCALE = 2
GAP, LABEL = 24, 30
MAX_JPEG_SIDE = 65_500  # what libjpeg writes at most
Row = tuple[str, list[Path]]


def save_sheets(rows: list[Row], out: Path, *, max_height: int = MAX_JPEG_SIDE) -> list[Path]:
    """Write the rows to ``out``, or to numbered files beside it if one picture cannot hold them. Return the files."""
    sheets = _split(rows, max_height)
    if len(sheets) == 1:
        paths = [out]
    else:
        paths = [out.with_stem(f"{out.stem}-{number}") for number in range(1, len(sheets) + 1)]
    for path, part in zip(paths, sheets, strict=True):
        _save_sheet(part, path)
    return paths


def _split(rows: list[Row], max_height: int) -> list[list[Row]]:
    sheets: list[list[Row]] = [[]]
    height = GAP
    for row in rows:
        row_height = _height(row)
        if sheets[-1] and height + row_height > max_height:
            sheets.append([])
            height = GAP
        sheets[-1].append(row)
        height += row_height
    return sheets


def _height(row: Row) -> int:
    heights = []
    for path in row[1]:
        with Image.open(path) as image:
            heights.append(image.height)
    return max(heights) // SCALE + LABEL + GAP


def _save_sheet(rows: list[Row], out: Path) -> None:
    font = ImageFont.load_default(18)
    images = [[Image.open(path) for path in shots] for _, shots in rows]
    heights = [_height(row) for row in rows]
    width = max(sum(image.width // SCALE + GAP for image in row) for row in images) + GAP
    canvas = Image.new("RGB", (width, sum(heights) + GAP), "#b9b9bd")
    draw, top = ImageDraw.Draw(canvas), GAP
    for (name, _), row, height in zip(rows, images, heights, strict=True):
        draw.text((GAP, top - 4), name, fill="#111111", font=font)
        left = GAP
        for image in row:
            small = image.convert("RGB").resize((image.width // SCALE, image.height // SCALE), Image.Resampling.LANCZOS)
            canvas.paste(small, (left, top + LABEL))
            left += small.width + GAP
        top += height
    canvas.save(out, quality=82)
