"""What a figure looks like on a dark screen: one style sheet inside each picture, which works in an image too.

Every colour of style.py has its dark counterpart. Rules find an element by the colour that it is drawn with, so paper,
and a viewer that knows no style sheets, show what they always did. What is not of style.py stays: a heat map's shades,
and what is written on them (shades.py).
"""

from reports.figures import style

GROUND = "#14171a"
"""The page's own, in page.css."""
DARK = {
    style.PAPER: GROUND,
    style.INK: "#e3e6ea",
    style.AXIS: "#a3abb5",
    style.QUIET: "#9aa2ac",
    style.GRID: "#454c54",
    style.BAND: "#2b3138",
    style.BLACK: "#f5f6f8",
    style.BLUE: "#3ba0e6",
    style.VERMILLION: "#f0743a",
    style.GREEN: "#2fbf92",
    style.PURPLE: "#dc96bd",
    style.ORANGE: "#e9ac27",
    style.SKY: "#a3d8f7",
}
"""Colour on white to colour on the dark ground; text has a contrast of 4.5 and more, lines of 3."""


def dark_style() -> str:
    """Return the ``<style>`` element of a picture."""
    rules = [
        f'[style*="{part}: {light.lower()}"] {{ {part}: {dark} !important }}'
        for light, dark in DARK.items()
        for part in ("fill", "stroke")
    ]
    lines = "\n".join(rules)
    return f"<style>@media screen and (prefers-color-scheme: dark) {{\n{lines}\n}}</style>\n"
