"""The places where pictures stand in a mail: how large and how heavy each may be, cut around what matters in it.

All lengths are pixels of the file, twice those of the screen; a focus is fractions of width and height.
"""

from PIL import Image, ImageDraw, ImageFilter, ImageStat

from newsletter.content.images.sandbox_messages import DEFAULT_FOCUS, Focus, RenditionFormat

__all__ = [
    "DEFAULT_FOCUS",
    "LIBRARY_FORMAT",
    "RENDITION_FORMATS",
    "Focus",
    "RenditionFormat",
    "crop_to_format",
    "draw_placeholder",
    "draw_play_button",
    "edge",
]

_EDGE, _EDGE_WIDTH, _DARK_INK = (253, 251, 247), 4, 140
_BACKGROUND_COLOUR, _SHADE, _LINE = (236, 231, 222), (224, 217, 205), (206, 197, 183)


RENDITION_FORMATS = {
    "wide": RenditionFormat(width=1120, max_bytes=140 * 1024),
    "card": RenditionFormat(width=536, max_bytes=34 * 1024, ratio=3 / 2),
    "portrait": RenditionFormat(width=144, max_bytes=16 * 1024, ratio=1.0),
    "signature": RenditionFormat(width=360, max_bytes=20 * 1024),
    "logo": RenditionFormat(width=440, max_bytes=40 * 1024, max_height_ratio=4.0, has_light_edge=True),
}
# What is kept of a picture that staff upload: enough to cut every place from.
LIBRARY_FORMAT = RenditionFormat(width=2400, max_bytes=2 * 1024 * 1024, max_height_ratio=6.0)


def crop_to_format(picture: Image.Image, place: RenditionFormat, *, focus: Focus = DEFAULT_FOCUS) -> Image.Image:
    """The picture cut to the place's shape around its focus, then made as small as the place; never enlarged."""
    width, height = picture.size
    ratio = place.ratio or max(width / height, 1 / place.max_height_ratio)
    cut_width, cut_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    left = min(max(round(focus[0] * width - cut_width / 2), 0), width - cut_width)
    top = min(max(round(focus[1] * height - cut_height / 2), 0), height - cut_height)
    cut = picture.crop((left, top, left + cut_width, top + cut_height))
    if cut.width <= place.width:
        return cut
    return cut.resize((place.width, max(1, round(place.width * cut.height / cut.width))), Image.Resampling.LANCZOS)


def edge(picture: Image.Image) -> Image.Image:
    """A see-through picture in dark ink with a thin near-white edge; one in light ink as it is.

    The edge is not seen on a light page. It keeps a logo readable in mail programs that turn pages dark by themselves
    and leave pictures as they are.
    """
    ink = picture.getchannel("A")
    if not ink.getbbox() or ImageStat.Stat(picture.convert("L"), mask=ink).mean[0] > _DARK_INK:
        return picture
    room = Image.new("RGBA", (picture.width + 2 * _EDGE_WIDTH, picture.height + 2 * _EDGE_WIDTH), (*_EDGE, 0))
    room.paste(picture, (_EDGE_WIDTH, _EDGE_WIDTH))
    under = Image.new("RGBA", room.size, (*_EDGE, 0))
    wide = room.getchannel("A").filter(ImageFilter.MaxFilter(2 * _EDGE_WIDTH - 1))
    under.putalpha(wide.filter(ImageFilter.GaussianBlur(1)).point([level * 7 // 10 for level in range(256)]))
    return Image.alpha_composite(under, room)


def draw_play_button(picture: Image.Image) -> Image.Image:
    """The picture with the sign for playing in its middle, drawn into it because mail can lay nothing over pictures."""
    width, height = picture.size
    radius = max(min(width, height) // 7, 6)
    scale = 4
    disc = Image.new("RGBA", (2 * radius * scale,) * 2, (0, 0, 0, 0))
    draw = ImageDraw.Draw(disc)
    size = 2 * radius * scale
    draw.ellipse((0, 0, size - 1, size - 1), fill=(20, 20, 22, 190), outline=(255, 255, 255, 235), width=size // 28)
    draw.polygon(
        [(size * 0.40, size * 0.29), (size * 0.40, size * 0.71), (size * 0.73, size * 0.5)], fill=(255, 255, 255, 245)
    )
    disc = disc.resize((2 * radius, 2 * radius), Image.Resampling.LANCZOS)
    marked = picture.convert("RGB")
    marked.paste(disc, (width // 2 - radius, height // 2 - radius), disc)
    return marked


def draw_placeholder(*, width: int, height: int) -> Image.Image:
    """What stands where a picture was withdrawn: calm paper with low hills, of the size that the mail reserved."""
    picture = Image.new("RGB", (width, height), _BACKGROUND_COLOUR)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((width * 0.64, height * 0.2, width * 0.64 + height * 0.2, height * 0.4), fill=_SHADE)
    draw.polygon([(0, height), (0, height * 0.78), (width * 0.34, height * 0.56), (width * 0.72, height)], fill=_SHADE)
    draw.polygon(
        [(width * 0.28, height), (width * 0.7, height * 0.66), (width, height * 0.8), (width, height)], fill=_LINE
    )
    return picture
