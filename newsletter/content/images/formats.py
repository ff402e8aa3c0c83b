"""The rendition formats of images in a mail, and drawing: crop, light edge, play button, placeholder.

All lengths are pixels of the file, three times those of a phone's screen. A focus is fractions of width and height.
"""

from PIL import Image, ImageDraw, ImageFilter, ImageStat

from newsletter.content.images.sandbox_messages import DEFAULT_FOCUS, Focus, RenditionFormat

_EDGE, _EDGE_WIDTH, _DARK_INK = (253, 251, 247), 4, 140
_BACKGROUND_COLOUR, _SHADE, _LINE = (236, 231, 222), (224, 217, 205), (206, 197, 183)


RENDITION_FORMATS = {
    "wide": RenditionFormat(width=1280, max_bytes=140 * 1024),
    "card": RenditionFormat(width=804, max_bytes=34 * 1024, ratio=3 / 2),
    "portrait": RenditionFormat(width=216, max_bytes=16 * 1024, ratio=1.0),
    "signature": RenditionFormat(width=360, max_bytes=20 * 1024),
    "logo": RenditionFormat(width=440, max_bytes=40 * 1024, max_height_ratio=4.0, has_light_edge=True),
}
# The version kept of an image that staff upload: large enough for every format.
LIBRARY_FORMAT = RenditionFormat(width=2400, max_bytes=2 * 1024 * 1024, max_height_ratio=6.0, only_stills=True)


def crop_to_format(
    image: Image.Image, rendition_format: RenditionFormat, *, focus: Focus = DEFAULT_FOCUS
) -> Image.Image:
    """Crop an image to a format's shape around its focus, then reduce it to the format's width. Never enlarge it."""
    width, height = image.size
    ratio = rendition_format.ratio or max(width / height, 1 / rendition_format.max_height_ratio)
    crop_width, crop_height = min(width, round(height * ratio)), min(height, round(width / ratio))
    left = min(max(round(focus[0] * width - crop_width / 2), 0), width - crop_width)
    top = min(max(round(focus[1] * height - crop_height / 2), 0), height - crop_height)
    cropped = image.crop((left, top, left + crop_width, top + crop_height))
    if cropped.width <= rendition_format.width:
        return cropped
    new_height = max(1, round(rendition_format.width * cropped.height / cropped.width))
    return cropped.resize((rendition_format.width, new_height), Image.Resampling.LANCZOS)


def add_light_edge(image: Image.Image) -> Image.Image:
    """Add a thin near-white edge to a transparent image in dark ink. Return one in light ink as it is.

    The edge is invisible on a light page. It keeps a logo readable in mail programs that make pages dark and leave
    images unchanged.
    """
    ink = image.getchannel("A")
    if not ink.getbbox() or ImageStat.Stat(image.convert("L"), mask=ink).mean[0] > _DARK_INK:
        return image
    padded = Image.new("RGBA", (image.width + 2 * _EDGE_WIDTH, image.height + 2 * _EDGE_WIDTH), (*_EDGE, 0))
    padded.paste(image, (_EDGE_WIDTH, _EDGE_WIDTH))
    glow = Image.new("RGBA", padded.size, (*_EDGE, 0))
    wide = padded.getchannel("A").filter(ImageFilter.MaxFilter(2 * _EDGE_WIDTH - 1))
    glow.putalpha(wide.filter(ImageFilter.GaussianBlur(1)).point([level * 7 // 10 for level in range(256)]))
    return Image.alpha_composite(glow, padded)


def draw_play_button(image: Image.Image) -> Image.Image:
    """Draw a play button in the middle of an image, because mail cannot lay one over it."""
    width, height = image.size
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
    marked = image.convert("RGB")
    marked.paste(disc, (width // 2 - radius, height // 2 - radius), disc)
    return marked


def draw_placeholder(*, width: int, height: int) -> Image.Image:
    """Return low hills on plain paper, in the size that a mail reserved for a withdrawn image."""
    image = Image.new("RGB", (width, height), _BACKGROUND_COLOUR)
    draw = ImageDraw.Draw(image)
    draw.ellipse((width * 0.64, height * 0.2, width * 0.64 + height * 0.2, height * 0.4), fill=_SHADE)
    draw.polygon([(0, height), (0, height * 0.78), (width * 0.34, height * 0.56), (width * 0.72, height)], fill=_SHADE)
    draw.polygon(
        [(width * 0.28, height), (width * 0.7, height * 0.66), (width, height * 0.8), (width, height)], fill=_LINE
    )
    return image
