"""A halved study as its first rung saw it: every cell after the same few epochs."""

from dataclasses import replace

from gridsearch.planning.rungs import Standing
from reports.study.view import Replicate, StudyRows


def at_first_rung(study: StudyRows) -> StudyRows:
    """Return the study with the results on dev after the epochs of the first rung; itself where there is no halving.

    Only there is every cell of the design measured alike: what went on was chosen by its results.
    """
    standing = study.standing
    if standing is None:
        return study
    n_epochs = standing.first_epochs
    cells = tuple(
        replace(
            cell,
            has_test=False,
            replicates=tuple(_seen(one, standing, n_epochs) for one in cell.replicates),
            pooled=None,  # of single epochs, no logits are kept to put together
        )
        for cell in study.cells
    )  # fmt: skip
    return replace(study, cells=cells, seen_after=(n_epochs, standing.halving.n_epochs), predictions=None)


def _seen(one: Replicate, standing: Standing, n_epochs: int) -> Replicate:
    about = Replicate(one.trial, one.seed, one.fold, one.state)
    if len(curve := standing.curves.get(one.trial, ())) < n_epochs:
        return replace(about, state="planned") if one.state in ("finished", "pruned") else about
    return replace(
        about, state="finished", dev=curve[n_epochs - 1], dev_by_epoch=tuple(curve[:n_epochs]), n_epochs=n_epochs
    )
