"""One spelling for one meaning of a pretraining: see ``spelling.py``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gridsearch.recipe.pretraining.knobs import AUGMENTED, POSITIVES, PREFIX, PretrainingRecipe
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.shares import share_of, whole_steps
from gridsearch.recipe.trial_facts import TrialFacts

Spelling = tuple[Mapping[str, Any], str] | None


def _steps_of_epochs(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    if pretraining.epochs == "none":
        return None
    n_steps = pretraining.total_steps(n_rows)
    return {"epochs": "none", "steps": n_steps}, f"{pretraining.epochs} epochs of the corpus are {n_steps} steps"


def _batch_of_all_rows(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    if pretraining.batch_size <= n_rows or not pretraining.total_steps(n_rows):
        return None
    return {"batch_size": n_rows}, f"no batch is larger than the {n_rows} rows of the corpus"


def _last_step(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    n_steps = pretraining.total_steps(n_rows)
    if pretraining.checkpoint != n_steps:
        return None
    return {"checkpoint": "last"}, f"step {n_steps} of the pretraining is its last"


def _dropout_of_the_checkpoint(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    if pretraining.dropout != facts.dropout:
        return None
    return {"dropout": "checkpoint"}, f"the encoder's own dropout is {facts.dropout}"


def _nothing_taught(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    if pretraining.objective != "mlm_label" or pretraining.total_steps(n_rows):
        return None
    return {"objective": "mlm"}, "without a step no label is read"


def _whole_steps_of_warmup(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    n_steps = pretraining.total_steps(n_rows)
    n_warmup = whole_steps(pretraining.warmup_proportion, n_steps)
    if not n_warmup:
        return None
    return {"warmup_proportion": share_of(n_warmup, n_steps)}, f"the warm-up has {n_warmup} of {n_steps} steps"


def _lookahead_that_only_copies(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    n_steps = pretraining.total_steps(n_rows)
    last = n_steps if pretraining.checkpoint == "last" else pretraining.checkpoint
    every = pretraining.lookahead_steps
    if not every or pretraining.lookahead_alpha != 1 or last % every:
        return None
    what = f"with pretraining.lookahead_alpha = 1 the slow weights are the fast ones at step {last}"
    return {"lookahead_steps": 0, "lookahead_alpha": 0.5}, what


def _nothing_added(pretraining: PretrainingRecipe, n_rows: int, facts: TrialFacts) -> Spelling:
    if not pretraining.reads_added_pairs or facts.n_added is None or facts.n_added.follow + facts.n_added.outside:
        return None
    parts = [part for part in pretraining.corpus.split("+") if part not in (AUGMENTED, POSITIVES)]
    return {"corpus": "+".join(parts)}, "no pairs are added to the training rows"


_RULES: Final[tuple[Callable[[PretrainingRecipe, int, TrialFacts], Spelling], ...]] = (
    _nothing_added,
    _batch_of_all_rows,
    _steps_of_epochs,
    _last_step,
    _nothing_taught,
    _dropout_of_the_checkpoint,
    _whole_steps_of_warmup,
    _lookahead_that_only_copies,
)


def respelled_pretraining(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """Return all changes of a pretraining's spelling at once; nothing where none is asked for."""
    pretraining, changes, reasons = recipe.pretraining, dict[str, Any](), list[str]()
    n_texts, n_pairs = facts.corpora.get(pretraining.corpus, (0, 0))
    for rule in _RULES:
        if pretraining.objective == "none":
            break
        if found := rule(pretraining, pretraining.n_rows(n_texts, n_pairs), facts):
            values, reason = found
            pretraining = pretraining.model_copy(update=dict(values))
            changes |= values
            reasons.append(reason)
    return ({PREFIX + name: value for name, value in changes.items()}, "; ".join(reasons)) if changes else None
