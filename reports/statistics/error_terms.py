"""The choice of what effects are held against: from the design alone, so that it is fixed before there are results."""

from dataclasses import dataclass, replace

from reports.statistics.design_table import Table
from reports.statistics.models import Model
from reports.statistics.noise.frame import Frame
from reports.statistics.results import ErrorKind, ErrorTerm

ENOUGH_DF = 6
"""With so many degrees of freedom of replicates, three-factor interactions are tested too."""
LEAST_DF = 2
"""With one degree of freedom, 5 % critical values are above 12: no test to speak of."""
FEWEST_CONTRASTS = 7
"""Which contrasts are noise cannot be told from fewer: those of a full factorial of three factors."""


@dataclass(frozen=True)
class Choice:
    """A model, the error that its terms are tested against, and the frame that tells it, where there is one."""

    model: Model
    error: ErrorTerm
    frame: Frame | None


def choose(table: Table, models: list[Model], frame: Frame | None) -> Choice | None:
    """Take the first model that has an acceptable error."""
    models = [model for model in models if model.terms]
    if not models:
        return None
    if table.pure_df >= LEAST_DF and (frame is None or frame.n_layers > 1):
        return Choice(models[0], replace(_pure_error(table), learns_likeness=frame is not None), frame)
    if frame is not None and table.n_cells > FEWEST_CONTRASTS:
        return Choice(models[0], ErrorTerm(ErrorKind.SPARSE, table.n_cells - 1, learns_likeness=True), frame)
    for enough in (ENOUGH_DF, LEAST_DF):
        for model in models:
            if table.pure_df >= enough:
                return Choice(model, _pure_error(table), None)
            if model.residual_df >= enough and model.residual_df > table.pure_df:
                return Choice(model, _pooled_error(table, model), None)
    return None


def _pure_error(table: Table) -> ErrorTerm:
    """Describe the error from runs that should have been the same but for chance."""
    differ_in_inert = table.inert and table.n_full_cells == table.n_runs
    return ErrorTerm(ErrorKind.INERT if differ_in_inert else ErrorKind.REPLICATES, table.pure_df)


def _pooled_error(table: Table, model: Model) -> ErrorTerm:
    """Describe the error from what the model leaves over."""
    order = max(len(term) for term in model.terms)
    kind = ErrorKind.HIGH_ORDER if order > 1 else ErrorKind.INTERACTIONS
    return ErrorTerm(kind, model.residual_df, with_replicates=table.pure_df > 0)
