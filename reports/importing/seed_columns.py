"""Which columns tell the seed, fold or repetition of a row: no factors, but which run of its recipe a row is."""

from collections.abc import Collection, Sequence

from gridsearch.errors import RequestError, one_of

NONE = "none"
"""What is asked for where a column with such a name shall be a factor all the same."""
NAMES = frozenset(
    {"seed", "seeds", "random_seed", "fold", "rep", "repetition", "replicate", "run", "种子", "随机种子", "折"}
)
"""What such columns are called, in any case, with spaces or hyphens for underscores."""


def seed_columns(
    asked: Sequence[str], columns: Sequence[str], response: str, scores: Collection[str]
) -> tuple[str, ...]:
    """Return the columns asked for; without any, those with such a name, if another one is left to compare.

    ``columns`` are those that may be factors or seeds. Raises RequestError for a name that is none of them.

    >>> seed_columns([], ["lr", "Random Seed"], "f1", [])
    ('Random Seed',)
    >>> seed_columns(["none"], ["lr", "seed"], "f1", [])
    ()
    """
    if list(asked) == [NONE] and NONE not in columns:
        return ()
    for place, name in enumerate(asked):
        if name == response:
            raise RequestError(f"--seed: column {name!r} holds the results")
        if name in scores:
            raise RequestError(f"--seed and --score both name column {name!r}")
        if name not in columns:
            raise RequestError(f"--seed: {one_of('column', name, columns)}")
        if name in asked[:place]:
            raise RequestError(f"--seed names column {name!r} twice")
    if asked:
        return tuple(asked)
    named = tuple(name for name in columns if name.casefold().replace(" ", "_").replace("-", "_") in NAMES)
    return named if len(named) < len(columns) else ()
