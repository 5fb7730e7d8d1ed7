"""What a sweep takes of the disk, as ``plan`` says it."""

import textwrap
from collections.abc import Iterator

from gridsearch.cache import cache_folder
from gridsearch.study.study import Study
from runners.pricing.disk_size import DiskSize, WeightsSize, shortages
from runners.sizes import spell_size


def disk_lines(size: DiskSize, keep: str, study: Study) -> list[str]:
    """Say what the study and the cache take at most, and where there is too little room for it."""
    told = [("disk", _bound(size, keep)), *(("caution", text) for text in _cautions(size, study))]
    return [
        textwrap.fill(
            text,
            80,
            initial_indent=f"{label:<9}",
            subsequent_indent=" " * 9,
            break_long_words=False,  # a path is left in one piece, to be copied
            break_on_hyphens=False,
        )
        for label, text in told
    ]


def _bound(size: DiskSize, keep: str) -> str:
    inside = [f"ledger {spell_size(size.ledger_bytes)}", _weights(size.weights, keep)]
    if size.earlier_bytes:
        inside.append(f"kept before and left there {spell_size(size.earlier_bytes)}")
    text = f"at most {spell_size(size.study_bytes)} in the study ({'; '.join(inside)})"
    text += f", and {spell_size(size.cache_bytes)} more than now in the cache"
    if size.n_encoders:
        text += f", {size.n_encoders} pretrained encoder{'s' * (size.n_encoders > 1)} of it"
    if size.passing_bytes:
        text += f"; until they are made, another {spell_size(size.passing_bytes)} there to go on from"
    return text


def _weights(weights: WeightsSize, keep: str) -> str:
    if not weights.n:
        return f"no weights, as --keep is {keep}"
    n = weights.n
    more = ", one of them only while it is written" if keep not in ("none", "all") and n > 1 else ""
    each = f"{n} times {spell_size(weights.each_bytes)} or less, together" if n > 1 else "of 1 trial"
    return f"weights with --keep {keep}: {each} {spell_size(weights.total_bytes)}{more}"


def _cautions(size: DiskSize, study: Study) -> Iterator[str]:
    for folder, wanted, free in shortages(size, study):
        way_out = "set GRIDSEARCH_CACHE to a folder with more room"
        if folder == study.folder:
            way_out = "name another folder with --study, or keep fewer weights with --keep"
        called = "the cache" if folder == cache_folder() else "the study"
        yield (
            f"the disk of {called}, {folder}, has {spell_size(free)} free, and up to {spell_size(wanted)} are still to "
            f"come: make room, or {way_out}"
        )
