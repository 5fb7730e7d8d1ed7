"""The choice of an error term: from the design alone, so that it is fixed before there are results."""

from dataclasses import dataclass

from reports.language.say import enumerated, say
from reports.statistics.design_table import Table
from reports.statistics.lenth import MIN_CONTRASTS
from reports.statistics.models import Model
from reports.statistics.results import ErrorKind, ErrorTerm

ENOUGH_DF = 6
"""On five degrees of freedom (a 2^4) a pooled error finds an effect no more often than Lenth's method, which survives a
real high-order interaction better; on six and more it finds more. Simulated; replicates also switch over here."""
LEAST_DF = 2
"""With one degree of freedom, 5 % critical values are above 12: no test to speak of."""


@dataclass(frozen=True)
class Choice:
    """A model and the error that its terms are tested against. ``n_contrasts`` is 0 unless it is Lenth's."""

    model: Model
    error: ErrorTerm
    n_contrasts: int = 0


def replicates_kind(table: Table) -> ErrorKind:
    """Tell whether runs of a cell differ in nothing but factors that cannot act."""
    return ErrorKind.INERT if table.inert and table.n_full_cells == table.n_runs else ErrorKind.REPLICATES


def pure_error(table: Table) -> ErrorTerm:
    """Describe the error from runs that should have been the same but for chance."""
    kind = replicates_kind(table)
    blind_to = say("what all runs share: the split of the data, and one test set")
    if kind is ErrorKind.INERT:
        meaning = say(
            "Pure error: runs that differ only in factors that cannot act ({names}), so only by chance.",
            names=enumerated(table.inert),
        )
    elif table.n_blocks > 1:
        meaning = say(
            "Pure error: how differently the cells react to a change of seed, after taking off what a seed does to "
            "all cells alike."
        )
        blind_to = say("what all seeds share: the split of the data, and one test set")
    else:
        meaning = say("Pure error: how much runs of the same cell differ.")
    return ErrorTerm(kind, table.pure_df, meaning, blind_to)


def pooled_error(table: Table, model: Model) -> ErrorTerm:
    """Describe the error from what the model leaves over."""
    order = max(len(term) for term in model.terms)
    kind = ErrorKind.HIGH_ORDER if order > 1 else ErrorKind.INTERACTIONS
    meaning = say(
        "No run is repeated often enough: {pooled}{also} are pooled, as if they were nothing but noise.",
        pooled=say(kind.value),
        also=say(" and the few replicates") if table.pure_df else "",
    )
    blind_to = say(
        "seed noise as such; a real interaction among the pooled ones makes the error too large, so effects are missed"
    )
    return ErrorTerm(kind, model.residual_df, meaning, blind_to)


def lenth_error(n_contrasts: int) -> ErrorTerm:
    """Describe Lenth's pseudo standard error."""
    meaning = say(
        "No run is repeated and too few high-order interactions remain: noise is what the smaller half of the {n} "
        "contrasts show (Lenth's pseudo standard error, with simulated critical values).",
        n=n_contrasts,
    )
    blind_to = say("seed noise as such; if half of all effects are real they pass for noise")
    return ErrorTerm(ErrorKind.LENTH, n_contrasts / 3, meaning, blind_to)


def saturated(table: Table) -> bool:
    """Tell whether products of factors span all contrasts: a full factorial or a regular fraction, run once."""
    cells = table.n_cells
    return table.n_runs == cells and cells > MIN_CONTRASTS and cells & (cells - 1) == 0


def choose(table: Table, models: list[Model]) -> Choice | None:
    """Take the first of the models that has an acceptable error; less would do when none has a good one."""
    for enough in (ENOUGH_DF, LEAST_DF):
        for model in models:
            if not model.terms:
                continue
            if table.pure_df >= enough:
                return Choice(model, pure_error(table))
            if model.residual_df >= enough and (model.residual_df > table.pure_df):
                return Choice(model, pooled_error(table, model))
            if model.orthogonal and table.two_level and saturated(table):
                return Choice(model, lenth_error(table.n_cells - 1), table.n_cells - 1)
    return None
