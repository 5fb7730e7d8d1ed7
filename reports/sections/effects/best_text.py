"""The sentences about what to use: which rows may be the best, and what to expect of the best one."""

from collections.abc import Mapping

from reports.formats.markdown import escape, first_of, plural
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.effects.effects_text import MOST, Words
from reports.statistics.best_cell import Winner


def winner_text(words: Words, best: Winner, n_cells: int, n_rows: int, indexes: Mapping[int, str]) -> str:
    """Say which rows may be the best, and what to expect of the one that came out best."""
    names = [escape(indexes.get(place, str(place))) for place in best.candidates]
    first = words.row(escape(indexes.get(best.best, str(best.best))))
    if len(names) > 1:
        text = say(
            "{n} of {rows} cannot be told from the best{chosen_on}, {first} ({mean}): {names}. With 95 % chance the "
            "truly best is among them.",
            n=len(names),
            rows=plural(n_cells, "row" if words.is_published else "cell"),
            chosen_on=words.chosen_on,
            first=first,
            mean=decimals(best.mean),
            names=words.rows(first_of(names, MOST)),
        )
    else:
        text = say(
            "{first} ({mean}{chosen_on}) is told from all {n} others.",
            first=first[0].upper() + first[1:],
            mean=decimals(best.mean),
            chosen_on=words.chosen_on,
            n=n_cells - 1,
        )
    alike = say("Rows with the same levels count as one, named after the first of them, with their mean.")
    return sentences([text, alike if n_rows > n_cells else "", _shrunken_text(words, best, first)])


def _shrunken_text(words: Words, best: Winner, first: str) -> str:
    if best.shrunken is None:
        return ""
    return say(
        "The best of many is partly the luckiest: in new runs, expect about {value} of {first}{chosen_on}: its result, "
        "shrunk towards what the effects found predict for it (without any, the common mean).",
        value=decimals(best.shrunken),
        first=first,
        chosen_on=words.chosen_on,
    )
