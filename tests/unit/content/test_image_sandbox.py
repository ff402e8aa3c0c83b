"""Images are decoded in a child process with limited memory. An image that does not fit is refused with a reason."""

import os
import signal
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pytest
import pyvips
from PIL import Image

from newsletter.content.images import sandboxed
from newsletter.content.images.encode import encode_image
from newsletter.content.images.formats import LIBRARY_FORMAT, RENDITION_FORMATS
from newsletter.content.images.sandbox_messages import BadImage, EncodedImage, RenditionFormat
from newsletter.content.images.sandboxed import MAX_IMAGE_BYTES, encode_image_in_sandbox
from newsletter.content.parsing.sandbox.process import ResourceLimits, SandboxProcess
from tests.support.drawing import draw, encode
from tests.support.image_decoding import record_decoded_images
from tests.support.zeros import compress_zeros

MIB = 1024 * 1024
LIMITS = replace(sandboxed.LIMITS, wall_seconds=600.0)
"""The processor seconds are those of the product. On a busy machine they take longer."""
FIRST_FRAME = replace(LIBRARY_FORMAT, only_stills=False)


@pytest.fixture
def child() -> Iterator[SandboxProcess]:
    made = SandboxProcess(task="images", limits=LIMITS)
    yield made
    made.close()


def peak_of(child: SandboxProcess) -> int:
    """Return the peak memory of a child in bytes."""
    with open(f"/proc/{child.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
def test_the_sandbox_makes_the_same_image(kind: str) -> None:
    body = encode(Image.linear_gradient("L").convert("RGB").resize((300, 200)), kind)
    with record_decoded_images() as decoded:
        made = encode_image_in_sandbox(body, width=120)
    assert decoded == []
    assert made == encode_image(body, width=120)
    assert (made.format, made.width, made.height) == ("jpeg", 120, 80)


def test_the_sandbox_gets_format_focus_and_play_button() -> None:
    body = draw(600, 300)
    made = encode_image_in_sandbox(
        body, rendition_format=RENDITION_FORMATS["portrait"], focus=(0.1, 0.2), is_video=True
    )
    assert made == encode_image(body, rendition_format=RENDITION_FORMATS["portrait"], focus=(0.1, 0.2), is_video=True)


@pytest.mark.long
@pytest.mark.parametrize("progressive", [False, True])
def test_100_megapixels_are_decoded_in_a_smaller_size(child: SandboxProcess, progressive: bool) -> None:
    body = draw(10_000, 10_000, progressive=progressive)
    made = encode_image_in_sandbox(body, child=child)
    assert (made.width, made.height) == (1200, 1200)
    assert peak_of(child) < (500 if progressive else 120) * MIB


@pytest.mark.parametrize(("kind", "size"), [("WEBP", (2560, 1920)), ("AVIF", (4000, 3000)), ("PNG", (4000, 3000))])
def test_a_photo_of_a_phone_is_accepted(child: SandboxProcess, kind: str, size: tuple[int, int]) -> None:
    options = {"speed": 10} if kind == "AVIF" else {}
    made = encode_image_in_sandbox(draw(*size, kind, **options), child=child)
    assert (made.width, made.height) == (1200, 900)


def test_over_100_megapixels_are_refused_before_decoding(child: SandboxProcess) -> None:
    with pytest.raises(BadImage, match="more than 100 million pixels"):
        encode_image_in_sandbox(bomb(10_001, 10_000, mode=0), child=child)
    assert peak_of(child) < 110 * MIB


@pytest.mark.long
def test_an_avif_too_large_for_memory_is_refused_before_decoding(child: SandboxProcess) -> None:
    body = deep_avif(5968, 5968)
    with pytest.raises(BadImage, match=r"MB of memory to open: 5968 × 5968 pixels as AVIF\."):
        encode_image_in_sandbox(body, child=child)
    assert peak_of(child) < 110 * MIB


@pytest.mark.long
@pytest.mark.parametrize("shape", [None, LIBRARY_FORMAT])
def test_an_avif_of_35_megapixels_fits_the_child(child: SandboxProcess, shape: RenditionFormat | None) -> None:
    made = encode_image_in_sandbox(draw(5968, 5968, "AVIF", speed=10), rendition_format=shape, child=child)
    assert made.width == made.height == (shape.width if shape else 1200)
    assert peak_of(child) < sandboxed.LIMITS.memory_bytes


@pytest.mark.long
def test_an_avif_of_ten_bits_and_full_colour_is_read(child: SandboxProcess) -> None:
    made = encode_image_in_sandbox(deep_avif(4900, 4900), child=child)
    assert (made.width, made.height) == (1200, 1200)


@pytest.mark.long
def test_a_large_avif_keeps_its_transparency(child: SandboxProcess) -> None:
    logo = Image.new("RGBA", (5600, 5000), (0, 0, 0, 0))
    logo.paste((200, 30, 30, 255), (0, 0, 2800, 5000))
    made = encode_image_in_sandbox(encode(logo, "AVIF", speed=10), child=child)
    assert (made.format, made.width) == ("png", 1200)


@pytest.mark.long
@pytest.mark.parametrize("shape", [None, FIRST_FRAME])
def test_a_gif_of_100_megapixels_is_reduced_in_bands(child: SandboxProcess, shape: RenditionFormat | None) -> None:
    made = encode_image_in_sandbox(large_gif(), rendition_format=shape, child=child)
    width = shape.width if shape else 1200
    assert (made.format, made.width, made.height) == ("png", width, width)
    red, _, blue = Image.open(BytesIO(made.data)).convert("RGB").getpixel((width // 2, width // 2))  # type: ignore[misc]
    assert red > 200 > 60 > blue
    assert peak_of(child) < 300 * MIB


@pytest.mark.long
def test_a_still_gif_of_100_megapixels_fits_the_library(child: SandboxProcess) -> None:
    made = encode_image_in_sandbox(large_gif(frames=1), rendition_format=LIBRARY_FORMAT, child=child)
    assert (made.format, made.width, made.height) == ("png", 2400, 2400)
    assert peak_of(child) < 300 * MIB


@pytest.mark.long
def test_a_large_gif_keeps_its_transparency(child: SandboxProcess) -> None:
    made = encode_image_in_sandbox(large_gif(transparency=1), child=child)
    assert (made.format, made.width, made.height) == ("png", 1200, 1200)


def test_a_large_gif_that_is_cut_off_is_refused(child: SandboxProcess) -> None:
    body = large_gif(frames=1)
    with pytest.raises(BadImage, match="damaged or cut off"):
        encode_image_in_sandbox(body[: len(body) // 2], child=child)


@pytest.mark.long
def test_one_child_encodes_large_images_of_every_kind(child: SandboxProcess) -> None:
    bodies = [large_gif(), draw(5968, 5968, "AVIF", speed=10), draw(8000, 8000), bomb(9500, 9500, mode=2)]
    child_ids = set()
    for body in (*bodies, *bodies):
        assert encode_image_in_sandbox(body, rendition_format=FIRST_FRAME, child=child).width == 2400
        child_ids.add(child.pid)
    assert len(child_ids) == 1


@pytest.mark.long
@pytest.mark.parametrize(("size", "shape"), [((9500, 9500), LIBRARY_FORMAT), ((2000, 40_000), None)])
def test_a_large_png_of_any_shape_fits_the_child(
    child: SandboxProcess, size: tuple[int, int], shape: RenditionFormat | None
) -> None:
    assert encode_image_in_sandbox(bomb(*size, mode=2), rendition_format=shape, child=child).width > 60
    assert peak_of(child) < 300 * MIB


def large_gif(*, frames: int = 2, **options: int) -> bytes:
    """Return a GIF of 100 megapixels a frame: a red square on blue, then blue frames."""
    first, second = Image.new("P", (10_000, 10_000), 1), Image.new("P", (64, 64), 1)
    for frame in (first, second):
        frame.putpalette([255, 0, 0, 0, 0, 255])
    first.paste(0, (2_500, 2_500, 7_500, 7_500))
    blue = [second.resize(first.size)] * (frames - 1)
    return encode(first, "GIF", save_all=True, append_images=blue, **options)


def deep_avif(width: int, height: int) -> bytes:
    """Return an AVIF of 10 bits a colour in 4:4:4, the kind that needs the most memory."""
    deep = pyvips.Image.black(width, height, bands=3).cast("ushort").copy(interpretation="rgb16")
    return bytes(deep.heifsave_buffer(compression="av1", bitdepth=10, subsample_mode="off", effort=0))


def test_a_png_of_100_megapixels_is_streamed(child: SandboxProcess) -> None:
    made = encode_image_in_sandbox(bomb(10_000, 10_000, mode=2), child=child)
    assert (made.width, made.height) == (1200, 1200)
    assert peak_of(child) < 200 * MIB


@pytest.mark.long
@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"method": 0}), ("PNG", {"compress_level": 1})])
def test_a_large_image_keeps_its_transparency(child: SandboxProcess, kind: str, options: dict[str, int]) -> None:
    logo = Image.new("RGBA", (6000, 4000), (0, 0, 0, 0))
    logo.paste((200, 30, 30, 255), (0, 0, 3000, 4000))
    made = encode_image_in_sandbox(encode(logo, kind, **options), child=child)
    assert (made.format, made.width, made.height) == ("png", 1200, 800)


@pytest.mark.parametrize(("kind", "options"), [("WEBP", {"method": 0}), ("PNG", {"compress_level": 1})])
def test_a_large_image_is_turned_upright(child: SandboxProcess, kind: str, options: dict[str, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = encode(Image.new("RGB", (6000, 4000), (9, 90, 200)), kind, exif=exif, **options)
    made = encode_image_in_sandbox(body, width=600, child=child)
    assert (made.width, made.height) == (600, 900)


def test_a_large_png_that_is_cut_off_is_refused(child: SandboxProcess) -> None:
    body = bomb(6000, 4000, mode=2)
    with pytest.raises(BadImage, match="damaged or cut off"):
        encode_image_in_sandbox(body[: len(body) // 2], child=child)


def bomb(width: int, height: int, *, mode: int) -> bytes:
    """Return a small PNG file that decodes to a large image."""
    row = width * (3 if mode == 2 else 1) + 1

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, mode, 0, 0, 0)
    pixels = compress_zeros(row * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_file_over_40_megabytes_is_refused() -> None:
    with pytest.raises(BadImage, match="larger than 40 MB"):
        encode_image_in_sandbox(b"\xff\xd8\xff" + bytes(MAX_IMAGE_BYTES))


def test_after_an_image_that_takes_too_long_the_next_is_made() -> None:
    hasty = SandboxProcess(task="images", limits=ResourceLimits(wall_seconds=3.0))
    try:
        encode_image_in_sandbox(draw(64, 64), child=hasty)
        assert hasty.pid is not None
        os.kill(hasty.pid, signal.SIGSTOP)
        with pytest.raises(BadImage, match="too long or too much memory"):
            encode_image_in_sandbox(draw(64, 64), child=hasty)
        assert encode_image_in_sandbox(draw(64, 64), child=hasty).width == 64
    finally:
        hasty.close()


def test_after_an_image_that_needs_too_much_memory_the_next_is_made() -> None:
    lean = SandboxProcess(task="images", limits=ResourceLimits(memory_bytes=24 * MIB))
    try:
        with pytest.raises(BadImage, match=r"too long or too much memory|cannot be read to its end"):
            encode_image_in_sandbox(draw(3000, 3000, "PNG"), child=lean)
        assert encode_image_in_sandbox(draw(64, 64), child=lean).width == 64
    finally:
        lean.close()


def test_no_temporary_file_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    encode_image_in_sandbox(draw(64, 64))
    with pytest.raises(BadImage):
        encode_image_in_sandbox(b"no picture")
    assert os.listdir(str(tmp_path)) == []


def test_a_very_large_drawing_is_reduced_without_a_second_copy(child: SandboxProcess) -> None:
    palette = Image.new("P", (8000, 8000))
    palette.putpalette([0, 90, 90] * 256)
    made = encode_image_in_sandbox(encode(palette, "PNG"), child=child)
    assert (made.width, made.height) == (1200, 1200)
    assert peak_of(child) < 190 * MIB


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "LA", "RGBA", "CMYK"])
def test_a_large_image_of_any_mode_is_reduced(mode: str) -> None:
    made = encode_image(encode(Image.new(mode, (2600, 1300)), "JPEG" if mode == "CMYK" else "PNG"), width=400)
    assert (made.width, made.height) == (400, 200)


def test_a_reduced_image_is_upright_and_keeps_its_transparency() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "WEBP", "PNG"):
        assert encode_image(draw(3000, 1500, kind, exif=exif), width=300).height == 600
    logo = Image.new("RGBA", (3000, 1500), (0, 0, 0, 0))
    logo.paste((200, 30, 30, 255), (0, 0, 1500, 1500))
    assert encode_image(encode(logo, "PNG"), width=300).format == "png"


def test_the_library_keeps_enough_for_every_format() -> None:
    made = encode_image_in_sandbox(draw(6000, 4000), rendition_format=LIBRARY_FORMAT)
    assert isinstance(made, EncodedImage)
    assert (made.width, made.height) == (2400, 1600)
    assert (
        encode_image_in_sandbox(
            draw(500, 2000), rendition_format=RenditionFormat(width=2400, max_bytes=MIB, max_height_ratio=6.0)
        ).height
        == 2000
    )
