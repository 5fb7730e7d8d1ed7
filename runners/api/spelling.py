"""What commands say of their options, as a call from Python spells them: ``--only-folds 0`` is ``only_folds=0``."""

import re
from collections.abc import Collection
from typing import Final

FLAGS: Final = frozenset({"all", "drop_unlabelled", "force", "measure", "retry_failed", "train_metric"})
"""Arguments that are True or False."""

NAMES: Final = FLAGS | {
    "address", "cell", "data_dir", "dev", "ensemble", "folds", "gpus_per_trial", "halving", "hours", "keep",
    "keep_logits", "kind", "label", "lang", "metric", "model", "name", "objectives", "only_folds", "output", "pair",
    "part", "pruner", "runner", "sampler", "seeds", "separator", "set", "study", "task", "test", "text", "threads",
    "time_limit", "to", "track", "train_rows", "trial", "trials", "workers",
}  # fmt: skip
"""Arguments that the functions and methods of the Python API take by name."""

_OPTION: Final = re.compile(
    r"`[^`]*`"  # a command to give in a terminal, which stays as it is
    r"|(?<![\w-])--(?P<name>[a-z]+(?:-[a-z]+)*)(?P<value> (?=[A-Z]+\b|\d))?"
)


def in_python(sentence: str, also: Collection[str] = ()) -> str:
    """Spell the options in a sentence as arguments; ``also`` are further names that a call has used.

    >>> in_python("a search needs an end: --trials N, or --hours H")
    'a search needs an end: trials=N, or hours=H'
    >>> in_python("fewer --workers; --force replaces it; `gridsearch predict mine --trial 3fa9`; see --port")
    'fewer workers; force=True replaces it; `gridsearch predict mine --trial 3fa9`; see --port'
    """

    def spelled(found: re.Match[str]) -> str:
        name = (found["name"] or "").replace("-", "_")
        if name in FLAGS:
            return f"{name}=True{found['value'] or ''}"
        if name in NAMES or name in also:
            return name + ("=" if found["value"] else "")
        return found[0]

    return _OPTION.sub(spelled, sentence)
