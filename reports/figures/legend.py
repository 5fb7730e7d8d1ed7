"""Keys to a figure, in rows above it: measured here, since the reader's font draws them."""

from dataclasses import dataclass, field

from reports.figures.sheet import MARGIN, WIDTH, Sheet
from reports.figures.style import Look
from reports.figures.texts import SMALL, shortened, text_width

ROW_HEIGHT = 18
LINE_SAMPLE, MARKER_SAMPLE = 26, 10
GAP = 16


@dataclass(frozen=True)
class Key:
    """A sample of a line or marker, as Line2D understands it, and its meaning. Without a sample it is a heading.

    The line is upright or around a box, if not from left to right.
    """

    text: str
    look: Look = field(default_factory=dict)
    upright: bool = False
    boxed: bool = False

    @property
    def is_line(self) -> bool:
        """Whether the sample is a line from left to right."""
        return not self.upright and not self.boxed and str(self.look.get("linestyle", "none")) != "none"

    @property
    def sample_width(self) -> float:
        """Pixels before the text."""
        if not self.look:
            return 0
        return (LINE_SAMPLE if self.is_line else MARKER_SAMPLE) + 6

    @property
    def width(self) -> float:
        """Pixels that it takes, the gap behind it included."""
        return self.sample_width + text_width(self.text, SMALL) + GAP


def legend_rows(keys: list[Key], width: float = WIDTH - 2 * MARGIN) -> list[list[Key]]:
    """Break keys into rows; a heading before more than one row of keys has its own."""
    if keys and not keys[0].look and sum(key.width for key in keys) - GAP > width:
        return [keys[:1], *legend_rows(keys[1:], width)]
    rows: list[list[Key]] = []
    used = width + 1
    for key in keys:
        if used + key.width - GAP > width:
            rows.append([])
            used = 0
        rows[-1].append(key)
        used += key.width
    return rows


def draw_legend(sheet: Sheet, keys: list[Key], left: float, top: float, width: float = WIDTH - 2 * MARGIN) -> None:
    """Draw keys from the upper left corner on, in rows of ``width``."""
    for number, row in enumerate(legend_rows(keys, width)):
        x, y = left, top + ROW_HEIGHT * (number + 0.5)
        for key in row:
            _draw_sample(sheet, key, x, y)
            room = left + width - x - key.sample_width
            sheet.text(x + key.sample_width, y, shortened(key.text, room, SMALL), size=SMALL)
            x += key.width


def _draw_sample(sheet: Sheet, key: Key, x: float, y: float) -> None:
    if key.upright:
        sheet.line([x + MARKER_SAMPLE / 2] * 2, [y - 8, y + 8], **key.look)
    elif key.boxed:
        left, right = x, x + MARKER_SAMPLE
        xs, ys = [left, right, right, left, left], [y - 5, y - 5, y + 5, y + 5, y - 5]
        sheet.line(xs, ys, **key.look)
    elif key.is_line:
        xs = [x, x + LINE_SAMPLE / 2, x + LINE_SAMPLE]
        sheet.line(xs, [y] * 3, **key.look, markevery=[1])
    elif key.look:
        sheet.line([x + MARKER_SAMPLE / 2], [y], **key.look)
