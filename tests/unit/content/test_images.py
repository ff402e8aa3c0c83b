"""Images from outside are checked, limited, turned upright and encoded again."""

import hashlib
import resource
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from threading import Barrier

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from newsletter.content.images.encode import encode_image
from newsletter.content.images.formats import RENDITION_FORMATS
from newsletter.content.images.hosting import write_image_file
from newsletter.content.images.sandbox_messages import BadImage
from newsletter.content.images.write import MAX_JPEG_BYTES


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def photo(width: int = 1600, height: int = 900) -> Image.Image:
    """Return noise, which compresses worse than any photo."""
    return Image.effect_noise((width, height), 90).convert("RGB")


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


@pytest.mark.requirement("X10")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_each_known_format_becomes_one_that_mail_shows(kind: str) -> None:
    made = encode_image(encoded(photo(300, 200), kind))
    assert (made.format, made.width, made.height) == ("jpeg", 300, 200)
    assert opened(made.data).format == "JPEG"
    assert made.sha256 == hashlib.sha256(made.data).hexdigest()


def test_a_photo_is_a_progressive_jpeg_and_flat_colours_are_png() -> None:
    drawing = Image.new("RGB", (1600, 900), (23, 65, 79))
    drawing.paste((168, 72, 27), (200, 200, 900, 700))
    flat, natural = encode_image(encoded(drawing, "WEBP", lossless=True)), encode_image(encoded(photo(), "PNG"))
    assert (flat.format, natural.format) == ("png", "jpeg")
    assert opened(flat.data).convert("RGB").getpixel((5, 5)) == (23, 65, 79)
    assert opened(natural.data).info["progressive"]


@pytest.mark.parametrize(("mode", "colour"), [("RGB", "#17414f"), ("RGBA", "")])
def test_an_image_has_its_most_frequent_colour_unless_transparent(mode: str, colour: str) -> None:
    drawing = Image.new(mode, (900, 600), (23, 65, 79))
    drawing.paste((168, 72, 27), (0, 0, 400, 600))
    if mode == "RGBA":
        drawing.putpixel((899, 599), (0, 0, 0, 0))
    assert encode_image(encoded(drawing, "PNG")).colour == colour


def test_a_dithered_drawing_does_not_become_a_png_of_half_the_width() -> None:
    dithered = Image.effect_noise((1600, 1066), 200).point(lambda value: 255 * (value > 140)).convert("RGB")
    assert encode_image(encoded(dithered, "PNG"), rendition_format=RENDITION_FORMATS["wide"]).format == "jpeg"


@pytest.mark.parametrize(("name", "screen", "most"), [("wide", 331, 140), ("card", 268, 34), ("portrait", 72, 16)])
def test_images_are_sharp_at_three_times_and_still_small(name: str, screen: int, most: int) -> None:
    shape = RENDITION_FORMATS[name]
    made = encode_image(
        encoded(Image.radial_gradient("L").resize((2400, 1600)).convert("RGB"), "PNG"), rendition_format=shape
    )
    assert made.width == shape.width >= 3 * screen
    assert len(made.data) <= shape.max_bytes == most * 1024


def test_a_wide_image_is_reduced_to_the_width_and_size_limit() -> None:
    made = encode_image(encoded(photo(2400, 1200), "JPEG", quality=95), width=1200)
    assert len(made.data) <= MAX_JPEG_BYTES
    assert made.width <= 1200
    assert made.width == 2 * made.height
    assert encode_image(encoded(photo(300, 200), "PNG"), width=100).width == 100


@pytest.mark.requirement("V4")
@pytest.mark.requirement("X10")
def test_an_image_is_upright_and_has_no_hidden_data() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "where it was taken"
    exif.get_ifd(0x8825)[1] = "N"
    made = encode_image(encoded(photo(160, 90), "JPEG", exif=exif, comment=b"secret comment"))
    assert (made.width, made.height) == (90, 160)
    assert not opened(made.data).getexif()
    assert b"taken" not in made.data
    assert b"secret" not in made.data


@pytest.mark.requirement("V3")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_image_contains_no_name(kind: str) -> None:
    """No EXIF (nor that of its thumbnail), IPTC, XMP, text or comment of the file has the name."""
    name = "Marisol Quintanilla"
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = name
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + name.encode()
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:creator>{name}</dc:creator></x:xmpmeta>'.encode()
    texts = PngInfo()
    texts.add_text("Author", name)
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    options = {
        "JPEG": {"exif": exif, "comment": name.encode(), "xmp": xmp},
        "PNG": {"exif": exif, "pnginfo": texts},
        "WEBP": {"exif": exif, "xmp": xmp},
    }
    body = encoded(photo(160, 90), kind, **options[kind])
    if kind == "JPEG":
        body = body[:2] + _photoshop(name) + body[2:]
    assert body.count(name.encode()) >= 2
    made = encode_image(body)
    assert name.split()[1].encode() not in made.data
    assert not opened(made.data).getexif()
    assert set(opened(made.data).info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }


def _photoshop(name: str) -> bytes:
    """Return a JPEG segment with the IPTC field of a caption."""
    field = b"\x1c\x02\x78" + struct.pack(">H", len(name)) + name.encode()
    body = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(field)) + field + b"\0" * (len(field) % 2)
    return b"\xff\xed" + struct.pack(">H", len(body) + 2) + body


def test_a_transparent_image_stays_transparent() -> None:
    logo = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    logo.paste((200, 30, 30, 255), (20, 20, 90, 80))
    made = encode_image(encoded(logo, "PNG"))
    assert made.format == "png"
    assert opened(made.data).convert("RGBA").getpixel((0, 0)) == (0, 0, 0, 0)
    palette = encode_image(encoded(logo.convert("P"), "GIF", transparency=0))
    assert palette.format == "png"


def logo(ink: tuple[int, int, int]) -> bytes:
    drawn = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    drawn.paste((*ink, 255), (50, 50, 150, 150))
    return encoded(drawn, "PNG")


def test_a_logo_in_dark_ink_gets_a_light_edge_for_dark_pages() -> None:
    made = opened(encode_image(logo((20, 60, 80)), rendition_format=RENDITION_FORMATS["logo"]).data).convert("RGBA")
    row = [made.getpixel((x, made.height // 2)) for x in range(made.width // 2)]
    clear, light, dark = row[0], row[52], row[-1]
    assert clear[3] == 0
    assert min(light[:3]) > 200
    assert light[3] > 120
    assert dark == (20, 60, 80, 255)


@pytest.mark.parametrize("ink", [(240, 230, 210), None])
def test_a_logo_in_light_ink_is_left_unchanged(ink: tuple[int, int, int] | None) -> None:
    data = logo(ink) if ink else encoded(Image.new("RGBA", (200, 200), (0, 0, 0, 0)), "PNG")
    made = encode_image(data, rendition_format=RENDITION_FORMATS["logo"])
    assert (made.width, made.height) == (200, 200)
    assert opened(made.data).convert("RGBA").getchannel("A").getextrema() == ((0, 255) if ink else (0, 0))


def test_a_large_transparent_file_is_made_smaller() -> None:
    noise = photo(1200, 800).convert("RGBA")
    noise.putalpha(Image.effect_noise((1200, 800), 90))
    made = encode_image(encoded(noise, "PNG"))
    assert made.format == "png"
    assert len(made.data) <= 300 * 1024


def test_an_opaque_image_with_an_alpha_channel_becomes_jpeg() -> None:
    assert encode_image(encoded(photo(100, 100).convert("RGBA"), "PNG")).format == "jpeg"


@pytest.mark.parametrize("mode", ["CMYK", "L", "1", "I;16", "LA", "P"])
def test_images_of_every_mode_are_read(mode: str) -> None:
    picture = Image.new(mode, (64, 64))
    assert encode_image(encoded(picture, "JPEG" if mode == "CMYK" else "PNG")).width == 64


def test_the_first_frame_of_an_animation_is_used() -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    made = encode_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    red, _, blue = opened(made.data).convert("RGB").getpixel((32, 32))  # type: ignore[misc]
    assert red > 200 > 60 > blue


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.requirement("X10")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>x</script></svg>", "SVG"),
        (b"<?xml version='1.0'?>\n<!-- x --><svg/>", "SVG"),
        (b"<!doctype html><html>a page named .jpg</html>", "web page"),
        (b"%PDF-1.7", "not JPEG"),
        (b"II*\0" + b"\0" * 50, "not JPEG"),
        (b"RIFF\0\0\0\0WAVE", "not JPEG"),
        (b"\xff\xd8\xff\xe0 not a picture", "damaged"),
        (b"GIF89a", "damaged"),
        (png_header(20_000, 20_000), "million pixels"),
        (png_header(60_000, 60_000), "million pixels"),
        (png_header(64, 64), "damaged or cut off"),
        (encoded(Image.new("RGB", (1, 1)), "GIF"), "too small"),
        (encoded(photo(300, 200), "JPEG")[:2000], "cut off"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_usable_image_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(BadImage, match=words):
        encode_image(body)


def test_threads_may_write_the_same_image_at_the_same_time(tmp_path: Path) -> None:
    """The preview and the checks of a draft make the same images."""
    data, together = b"x" * 500_000, Barrier(4)

    def write(file: Path) -> None:
        together.wait()
        write_image_file(file, data)

    with ThreadPoolExecutor(4) as threads:
        for number in range(50):
            file = tmp_path / f"{number}.jpg"
            list(threads.map(write, [file] * 4))
            assert file.read_bytes() == data
    assert list(tmp_path.glob("*.part")) == []


def test_a_file_that_cannot_be_written_whole_leaves_no_part(tmp_path: Path) -> None:
    """An open preview tries again every few seconds: parts would fill the rest of the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_image_file(tmp_path / "large.jpg", b"x" * 500_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
