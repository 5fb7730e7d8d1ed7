"""The choice of an error term: from the design alone, so that it is fixed before there are results."""

from dataclasses import dataclass

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
    """A model and the error that its terms are tested against."""

    model: Model
    error: ErrorTerm


def pure_error(table: Table) -> ErrorTerm:
    """Describe the error from runs that should have been the same but for chance."""
    differ_in_inert = table.inert and table.n_full_cells == table.n_runs
    return ErrorTerm(ErrorKind.INERT if differ_in_inert else ErrorKind.REPLICATES, table.pure_df)


def pooled_error(table: Table, model: Model) -> ErrorTerm:
    """Describe the error from what the model leaves over."""
    order = max(len(term) for term in model.terms)
    kind = ErrorKind.HIGH_ORDER if order > 1 else ErrorKind.INTERACTIONS
    return ErrorTerm(kind, model.residual_df, with_replicates=table.pure_df > 0)


def lenth_error(n_contrasts: int) -> ErrorTerm:
    """Describe Lenth's pseudo standard error."""
    return ErrorTerm(ErrorKind.LENTH, n_contrasts / 3, n_contrasts)


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
                return Choice(model, lenth_error(table.n_cells - 1))
    return None
