"""The peak memory of each kind of trial, as ``plan`` says it."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from gridsearch.planning.cost_groups import CostGroup
from gridsearch.recipe.recipe import knobs
from gridsearch.space.factor import label_of
from runners.pricing.price_cache import Price
from runners.sizes import spell_size

N_LISTED = 24
"""Of more kinds of trials than these, only those that take most memory are listed."""
WHOSE: Mapping[str, str] = {
    "device": "in the GPU's memory",
    "process": "in its process's memory, as there is no GPU: Python and its libraries are part of it",
    "process, at most": "at most: this system does not tell what its process had held before",
}


def memory_lines(groups: Sequence[CostGroup], prices: Sequence[Price]) -> list[str]:
    """Say a line for each kind of trial, the largest first: its peak memory, and what makes it one.

    Nothing where an older version measured it.
    """
    kinds = [
        (price.peak_bytes, price.peak_of, text)
        for text, price in zip(_differing(groups), prices, strict=True)
        if price.peak_bytes is not None and price.peak_of is not None
    ]
    if not kinds:
        return []
    kinds.sort(key=lambda kind: -kind[0])
    whose = " and ".join(WHOSE[of] for of in dict.fromkeys(of for _, of, _ in kinds))
    alike = {spell_size(size) for size, _, _ in kinds}
    ending = f"; {alike.pop()} whatever the kind" if len(alike) == 1 < len(kinds) else ":"
    title = f"peak of a trial, {whose}{ending}"
    lines = [textwrap.fill(title, 80, initial_indent="memory   ", subsequent_indent=" " * 9)]
    if ending != ":":
        return lines
    for size, _, text in kinds[:N_LISTED]:
        head = f"{'':9}{spell_size(size):>8}  "
        lines.append(textwrap.fill(text, 80, initial_indent=head, subsequent_indent=" " * len(head)))
    if len(kinds) > N_LISTED:
        n_others = len(kinds) - N_LISTED
        others = "1 other kind of trials takes" if n_others == 1 else f"{n_others} other kinds of trials take"
        lines.append(f"{'':9}... and {others} less")
    return lines


def _differing(groups: Sequence[CostGroup]) -> Iterator[str]:
    """Name for each group the knobs that are set in it and not in all alike, and its encoder where that differs."""
    names = [name for name in knobs() if len({repr(group.cost.get(name)) for group in groups}) > 1]
    has_several = len({group.encoder for group in groups}) > 1
    for group in groups:
        set_here = {name: group.cost[name] for name in names if name in group.cost}
        values = set_here or {name: knobs()[name].neutral for name in names}
        told = {"encoder": group.trials[0].recipe.encoder} if has_several else {}
        yield ", ".join(f"{name} = {label_of(value)}" for name, value in (told | values).items()) or "any"
