"""What is said of how much of their texts encoders read: by `plan`, by `sweep`, and on the page."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from gridsearch.planning.texts_read import ENOUGH, MILD, SEVERE, TextsRead, percent
from gridsearch.recipe.recipe import knobs
from gridsearch.space.factor import ends_of
from reports.language.say import enumerated, say

N_SHOWN = 6
"""Of more longest lengths, the shortest ones are told."""
Strength = Literal["mild", "severe"]
_ENDINGS = {1: "{n}st", 2: "{n}nd", 3: "{n}rd"}


def read_lines(texts: Sequence[TextsRead]) -> list[str]:
    """Say of each encoder and part which share of the training rows is cut, and which of the tokens is unknown."""
    return [_line(one, _rows(one, texts)) for one in _in_short(texts)]


def text_cautions(texts: Sequence[TextsRead], strength: Strength) -> list[str]:
    """Return the cautions of one strength, a sentence each without its full stop."""
    of_it = range(MILD + 1, SEVERE + 1) if strength == "mild" else range(SEVERE + 1, 101)
    told = []
    for one in _in_short(texts):
        rows = _rows(one, texts)
        told += [_cut(one, rows)] if one.cut_percent in of_it else []
        told += [_unknown(one, rows)] if one.unknown_percent in of_it else []
    return told


def first_lines(texts: Sequence[TextsRead]) -> list[str]:
    """Return what stands before anything else on a terminal, wrapped: texts of which hardly anything is read."""
    return [textwrap.fill(f"caution: {text}", 80, subsequent_indent="  ") for text in text_cautions(texts, "severe")]


def with_lengths(settings: Mapping[str, object], texts: Sequence[TextsRead]) -> dict[str, object]:
    """Return settings with percentiles of lengths as numbers of tokens, where all encoders have the same."""
    found: dict[str, set[int]] = {}
    for name, length in (item for one in texts for item in one.percentiles.items()):
        found.setdefault(name, set()).add(length)
    counted = {name for name, knob in knobs().items() if knob.counts_tokens}
    return {
        name: min(lengths) if name in counted and len(lengths := found.get(str(value), set())) == 1 else value
        for name, value in settings.items()
    }


def _in_short(texts: Sequence[TextsRead]) -> list[TextsRead]:
    """Call encoders by as much of their paths as tells them apart."""
    names = list(dict.fromkeys(one.encoder for one in texts))
    short = dict(zip(names, ends_of(names), strict=True))
    return [replace(one, encoder=short[one.encoder]) for one in texts]


def _line(one: TextsRead, rows: str) -> str:
    places = [
        say("{share} at max_length {n}{percentile}", share=_share(n_cut, one.n_rows), n=length, percentile=of)
        for length, n_cut in one.cut[:N_SHOWN]
        for of in [_percentile(one, length, n_cut)]
    ]
    if len(one.cut) > N_SHOWN:
        places.append(say("less at longer ones"))
    cut = say("of {rows}, {encoder} cuts {places}", rows=rows, encoder=one.encoder, places=enumerated(places))
    if not one.unknown:
        return cut
    share = _share(one.n_unknown, one.n_tokens)
    return cut + say("; of their tokens, {share} are {unknown}", share=share, unknown=one.unknown)


def _cut(one: TextsRead, rows: str) -> str:
    length, n_cut = one.most_cut
    asked = length in one.percentiles.values()
    found = say(
        "{encoder} cuts {share} of {rows}, which have more tokens than max_length = {n}",
        share=_share(n_cut, one.n_rows),
        rows=rows,
        n=length,
        encoder=one.encoder,
    )
    enough, n_cut_then = one.enough
    if n_cut_then >= n_cut:
        no_more = say("; no percentile of their lengths gives {encoder} more", encoder=one.encoder)
        return found + (no_more if asked else "")
    is_less = 100 * n_cut_then > (100 - ENOUGH) * one.n_rows
    better = say(
        '; max_length = "p{percent}", which is {n} tokens{at_most}, would cut {share}',
        percent=ENOUGH,
        n=enough,
        at_most=say(" with {encoder} and not more", encoder=one.encoder) if is_less else "",
        share=_share(n_cut_then, one.n_rows),
    )
    return found + better


def _unknown(one: TextsRead, rows: str) -> str:
    found = say(
        "{share} of the tokens of {rows} are {unknown}: {encoder} does not know them",
        share=_share(one.n_unknown, one.n_tokens),
        rows=rows,
        encoder=one.encoder,
        unknown=one.unknown,
    )
    if one.of_ids:
        return found + say("; vocabulary.min_count says how often an id has to occur to be a token")
    return found + say("; choose an encoder whose vocabulary is of the language of these texts")


def _percentile(one: TextsRead, length: int, n_cut: int) -> str:
    """Say which percentile a length is, where it was asked for as one; or that it is less, as an encoder has an end."""
    asked = [name for name, n_tokens in one.percentiles.items() if n_tokens == length]
    if not asked:
        return ""
    number = int(asked[0][1:])
    ending = "{n}th" if number in (11, 12, 13) else _ENDINGS.get(number % 10, "{n}th")
    nth = say(ending, n=number)
    if 100 * n_cut > (100 - number) * one.n_rows:
        return say(" (the {nth} percentile of their lengths would be more)", nth=nth)
    return say(" (the {nth} percentile of their lengths)", nth=nth)


def _share(n: int, total: int) -> str:
    """Spell a share: what is not nothing has a digit.

    >>> _share(1, 3), _share(1, 3000), _share(0, 5)
    ('33 %', '0.03 %', '0 %')
    """
    whole = percent(n, total)
    return f"{whole} %" if whole or not n else f"{100 * n / total:.1g} %"


def _rows(one: TextsRead, texts: Sequence[TextsRead]) -> str:
    is_joint = len({other.part for other in texts}) > 1
    return say("the training rows of {part}", part=one.part) if is_joint else say("the training rows")
