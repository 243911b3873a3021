"""The picture that a link to a page shows in a preview: its title, and its first figure."""

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)  # what networks and messengers crop to
BAND = 176  # height of the title's band, over a figure
MARGIN = 56
INK, PAPER, QUIET = "#12263f", "#ffffff", "#b9d3f0"


def social_card(file: Path, title: str, site: str, about: str, figure: Path | None) -> None:
    """Write a card of 1200 × 630 pixels, 15 to 120 kB.

    Args:
        file: the PNG to write; its folder is made.
        title: of the page, of two lines at most.
        site: the site's name, above the title.
        about: a description, which stands where there is no figure.
        figure: a PNG, shown whole; None for none.
    """
    card = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(card)
    draw.rectangle((0, 0, SIZE[0], BAND if figure else SIZE[1]), fill=INK)
    draw.text((MARGIN, 30 if figure else 120), site.upper(), fill=QUIET, font=ImageFont.load_default(26))
    size = 68 if figure else 84
    while draw.textlength(title, ImageFont.load_default(size)) > SIZE[0] - 2 * MARGIN and size > 30:
        size -= 4
    draw.text((MARGIN, 74 if figure else 170), title, fill=PAPER, font=ImageFont.load_default(size))
    if figure:
        with Image.open(figure) as picture:
            picture = picture.convert("RGBA")
        room = (SIZE[0] - 2 * MARGIN, SIZE[1] - BAND - MARGIN)
        scale = min(room[0] / picture.width, room[1] / picture.height)
        picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.LANCZOS)
        place = ((SIZE[0] - picture.width) // 2, BAND + (SIZE[1] - BAND - picture.height) // 2)
        card.paste(picture, place, picture)
    else:
        lines = textwrap.fill(about, 52)
        draw.multiline_text((MARGIN, 310), lines, fill=QUIET, font=ImageFont.load_default(36), spacing=14)
    file.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(128, Image.Quantize.FASTOCTREE).save(file)  # a quarter of the default's time
