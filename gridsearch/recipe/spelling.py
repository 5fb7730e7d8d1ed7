"""One spelling for one meaning: other values of the knobs that train exactly alike get one of them.

A knob that is set and changes nothing is another matter, and the user is told: see ``dead_knobs.py``. Here both values
do something, and it is the same.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

from gridsearch.optimizers.schedule import build_schedule
from gridsearch.optimizers.settings import settings_of
from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.parts.quotas import TEMPERATURES
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.prefixes import PARTS
from gridsearch.recipe.pretraining.spelling import respelled_pretraining
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.shares import decimal, share_of
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.recipe.vocabulary.spelling import respelled_vocabulary

Spelling = tuple[Mapping[str, Any], str] | None
"""Knobs with the values that mean the same, and why they do; None where the recipe has this spelling already."""


def respellings(recipe: Recipe, facts: TrialFacts) -> Iterator[tuple[Recipe, str]]:
    """Yield the recipe after each change of spelling, and why it means the same. Shares of the depth are numbers."""
    for rule in _RULES:
        found = rule(recipe, facts)
        if found is not None:
            values, reason = found
            changed = recipe.model_copy(update=dict(values))
            if changed != recipe:
                recipe = changed
                yield recipe, reason


def _batch_of_all_rows(recipe: Recipe, facts: TrialFacts) -> Spelling:
    n_rows = max(recipe.rows_together(facts.rows))
    if recipe.batch_size <= n_rows:
        return None
    return {"batch_size": n_rows}, f"no batch is larger than the {n_rows} training rows"


def _step_of_all_batches(recipe: Recipe, facts: TrialFacts) -> Spelling:
    n_batches = recipe.batches_per_epoch(facts.rows)
    if n_batches == 1 or recipe.gradient_accumulation <= n_batches:
        return None
    return {"gradient_accumulation": n_batches}, f"no step adds up more than the {n_batches} batches of an epoch"


def _checkpoints_of_all_epochs(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.epochs == 1 or recipe.checkpoints <= recipe.epochs:
        return None
    return {"checkpoints": recipe.epochs}, f"there are no more than {recipe.epochs} epochs to average"


def _temperature_by_name(recipe: Recipe, facts: TrialFacts) -> Spelling:
    temperature = recipe.parts.sampling
    name = next((name for name, one in TEMPERATURES.items() if one == temperature), None)
    return None if name is None else ({PARTS + "sampling": name}, f"a temperature of {temperature} is {name}")


def _dropout_of_the_checkpoint(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.encoder_dropout != facts.dropout:
        return None
    return {"encoder_dropout": "checkpoint"}, f"the encoder's own dropout is {facts.dropout}"


def _ratios_of_weights(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """Labels without training rows weigh nothing. Weights in the ratios of those that have a name are these."""
    asked, counts = recipe.class_weights, {label: count for label, count in enumerate(facts.label_counts) if count}
    if facts.parts or facts.labels_are != "class":  # weighed apart, and not by their ratios
        return None
    named = _named_ratios(counts)
    if isinstance(asked, str):
        if asked not in named:
            return None
        ratios = named[asked]
    elif len(asked) == facts.n_labels:
        weights = [decimal(weight) for weight in asked]
        ratios = {label: float(weights[label] / weights[next(iter(counts))]) for label in counts}
    else:
        return None
    for name, of_name in named.items():
        if all(math.isclose(ratios[label], of_name[label], rel_tol=1e-14) for label in counts):
            return {"class_weights": name}, f"these weights are in the ratios of {name} ones"
    own = tuple(ratios.get(label, 1.0) for label in range(facts.n_labels))
    return {"class_weights": own}, "only the ratios of class weights matter, of labels that train has"


def _named_ratios(counts: Mapping[int, int]) -> dict[str, dict[int, float]]:
    """Return the weights that have a name, over that of the first label; none where they weigh all labels alike."""
    if len(set(counts.values())) == 1:
        return {}
    n_rows, n_first = sum(counts.values()), next(iter(counts.values()))
    return {
        "balanced": {label: float(Fraction(n_first, count)) for label, count in counts.items()},
        "log_counts": {label: math.log(n_rows / count) / math.log(n_rows / n_first) for label, count in counts.items()},
    }


_OF_ONE_LAYER: Final = {"cls_cat": "cls", "mean_cat": "mean", "dynamic": "cls"}


def _pooling_of_one_layer(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.pooling == "first_last_avg" and facts.n_layers == 1:
        return {"pooling": "mean"}, "the encoder's first layer is its last"
    if not READS[recipe.pooling].layers:
        return None
    n_layers = facts.n_layers if recipe.pooling_layers == "all" else recipe.pooling_layers
    if n_layers == 1 and recipe.pooling in _OF_ONE_LAYER:
        alike = _OF_ONE_LAYER[recipe.pooling]
        return {"pooling": alike, "pooling_layers": "all"}, f"pooling {recipe.pooling} of one layer is {alike}"
    if n_layers == facts.n_layers:
        return {"pooling_layers": "all"}, f"the encoder has {facts.n_layers} layers"
    return None


def _attack_of_one_step(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """A single step from the clean text is as long as alpha and the ball allow."""
    if why.attack_finds_nothing(recipe, facts):
        return None
    length = min(recipe.adversarial_alpha, recipe.adversarial_epsilon)
    if recipe.adversarial == "pgd" and recipe.adversarial_steps == 1:
        neutral = {"adversarial_alpha": 0.3, "adversarial_steps": 3}
        return {"adversarial": "fgm", "adversarial_epsilon": length, **neutral}, "PGD of one step is FGM"
    if recipe.adversarial == "freelb" and recipe.adversarial_steps == 2 and recipe.freelb_init == 0:
        return {"adversarial_alpha": length}, "FreeLB's only step ends at its ball, however much longer it is"
    return None


def _norm_of_freelb(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.adversarial != "freelb" or recipe.adversarial_norm != "text":
        return None
    return {"adversarial_norm": "published"}, "FreeLB as published measures each text"


def _ball_that_holds_nothing_back(recipe: Recipe, facts: TrialFacts) -> Spelling:
    reach = recipe.reach_of_attack()
    if not reach or recipe.adversarial_epsilon <= reach or why.no_ball(recipe, facts):
        return None
    return {"adversarial_epsilon": reach}, f"the attack's steps reach no further than {reach}"


def _mean_of_one(recipe: Recipe, facts: TrialFacts) -> Spelling:
    averaged = recipe.steps_averaged(facts.rows)
    if (
        len(averaged) != 1
        or recipe.swa_learning_rate != "schedule"
        or why.averages_alone_what_is_evaluated(recipe, facts)
    ):
        return None
    what = f"the only weights that are averaged are those after step {averaged[0]}"
    return {"swa_start": 0.0, "swa_every": averaged[0]}, what


def _lookahead_that_nobody_looks_at(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """A move after the last step changes the fast weights alone; so it does not matter where they are not evaluated."""
    n_steps, averaged = recipe.total_steps(facts.rows), recipe.steps_averaged(facts.rows)
    if recipe.lookahead_steps != n_steps or not averaged or n_steps in averaged:
        return None
    return {"lookahead_alpha": 1.0}, "Lookahead moves after the last step alone, and these weights are not averaged"


def _weights_of_single_steps(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """Lookahead with alpha = 1 and a mean of one evaluate weights of some steps before: which ones tells them apart."""
    if recipe.ema_decay or (recipe.lookahead_steps and recipe.lookahead_alpha != 1):
        return None
    if why.lookahead_changes_nothing(recipe, facts) or why.averages_alone_what_is_evaluated(recipe, facts):
        return None
    every, averaged = recipe.lookahead_steps or 1, recipe.steps_averaged(facts.rows)
    if not recipe.lookahead_steps and not averaged:
        return None
    evaluated = {end: end - end % every for end in why.slow_steps(recipe, facts)}
    if len(averaged) <= 1 and recipe.swa_learning_rate == "schedule":
        ends = why.ends_of_epochs(recipe, facts)
        all_evaluated = {end: evaluated[end] if end in evaluated else averaged[0] for end in ends}
        last = all_evaluated[ends[-1]]
        if all(step == min(end, last) for end, step in all_evaluated.items()):
            mean = {"lookahead_steps": 0, "lookahead_alpha": 0.5, "swa_start": 0.0, "swa_every": last}
            return mean, f"from step {last} on, the weights after that step are evaluated"
        alone = _smallest_lookahead(all_evaluated)
        if alone is not None:
            values = {"lookahead_steps": alone, "lookahead_alpha": 1.0, "swa_start": "none", "swa_every": 1}
            return values, f"Lookahead of {alone} steps with lookahead_alpha = 1 evaluates the same weights"
    if not recipe.lookahead_steps:
        return None
    smallest = _smallest_lookahead(evaluated)
    return {"lookahead_steps": smallest}, "with lookahead_alpha = 1 the same fast weights are evaluated"


def _smallest_lookahead(evaluated: Mapping[int, int]) -> int | None:
    """Return the smallest k whose largest multiples up to some steps are these; None where there is no such k."""
    moves = math.gcd(*evaluated.values())
    smallest = max(end - move for end, move in evaluated.items()) + 1
    return next((k for k in range(smallest, (moves or smallest) + 1) if moves % k == 0), None)


def _rate_that_nothing_follows(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """The peak matters to the steps of the schedule alone, unless there is none, or one whose rate is 0."""
    if recipe.swa_learning_rate == "schedule" or recipe.swa_start == "none":
        return None
    n_steps, n_scheduled = recipe.total_steps(facts.rows), recipe.steps_scheduled(facts.rows)
    own = {"learning_rate": recipe.swa_learning_rate}
    if n_scheduled == 0:
        return own, "weights are averaged from the first step on, with a learning rate of their own"
    if n_scheduled == 1 and build_schedule(settings_of(recipe, facts.rows))(0) == 0:
        what = "the only step before weights are averaged with a learning rate of their own has the rate 0"
        return own | {"warmup_proportion": share_of(1, n_steps)}, what
    return None


def _own_rate_of_the_schedule(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.swa_learning_rate == "schedule" or recipe.swa_start == "none":
        return None
    rows, scheduled = facts.rows, recipe.model_copy(update={"swa_learning_rate": "schedule"})
    first, last = recipe.steps_scheduled(rows), recipe.total_steps(rows) - 1
    rate_at = build_schedule(settings_of(scheduled, rows))
    what = "the averaged weights' learning rate is that of the schedule"
    if first == last and rate_at(last) == recipe.swa_learning_rate:
        return {"swa_learning_rate": "schedule"}, what
    n_warmup, falls = recipe.warmup_steps(rows), recipe.schedule != "constant"
    if recipe.optimizer != "adamw" or recipe.swa_learning_rate != recipe.learning_rate or not 0 < first >= n_warmup:
        return None
    if falls and first - n_warmup > 1:  # more than the peak
        return None
    return {"schedule": "constant", "swa_learning_rate": "schedule"}, what


def _constant_rate_from_the_first_step(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if not _is_constant(recipe) or recipe.warmup_proportion or recipe.swa_learning_rate != "schedule":
        return None
    if recipe.swa_first_step(facts.rows) != 0 or recipe.total_steps(facts.rows) == 1:
        return None
    what = "where weights are averaged from the first step on, the schedule's constant rate is a rate of their own"
    return {"schedule": "linear", "swa_learning_rate": recipe.learning_rate}, what


def _is_constant(recipe: Recipe) -> bool:
    return recipe.schedule == "constant" and recipe.optimizer == "adamw"


def _warmup_to_the_same_rate(recipe: Recipe, facts: TrialFacts) -> Spelling:
    """Of two steps the first has the rate 0, and the second lies as far below the peak before it as after it."""
    if recipe.optimizer != "original_bert_adam" or recipe.total_steps(facts.rows) != 2:
        return None
    if recipe.warmup_proportion <= 0.5:
        return None
    what = "of two steps, the second has the same learning rate as far before the peak as after it"
    return {"warmup_proportion": float(1 - decimal(recipe.warmup_proportion))}, what


def _whole_steps_of_warmup(recipe: Recipe, facts: TrialFacts) -> Spelling:
    if recipe.optimizer == "original_bert_adam" or not recipe.warmup_steps(facts.rows):
        return None
    n_warmup, n_steps = recipe.warmup_steps(facts.rows), recipe.total_steps(facts.rows)
    return {"warmup_proportion": share_of(n_warmup, n_steps)}, f"the warm-up has {n_warmup} of {n_steps} steps"


def _whole_steps_before_an_average(recipe: Recipe, facts: TrialFacts) -> Spelling:
    first_step, n_steps = recipe.swa_first_step(facts.rows), recipe.total_steps(facts.rows)
    if first_step is None:
        return None
    return {"swa_start": share_of(first_step, n_steps)}, f"weights are averaged after step {first_step} of {n_steps}"


_RULES: Final[tuple[Callable[[Recipe, TrialFacts], Spelling], ...]] = (
    _temperature_by_name,
    _batch_of_all_rows,
    _step_of_all_batches,
    _checkpoints_of_all_epochs,
    _dropout_of_the_checkpoint,
    _ratios_of_weights,
    _pooling_of_one_layer,
    _attack_of_one_step,
    _norm_of_freelb,
    _ball_that_holds_nothing_back,
    _rate_that_nothing_follows,
    _own_rate_of_the_schedule,
    _mean_of_one,
    _lookahead_that_nobody_looks_at,
    _weights_of_single_steps,
    _constant_rate_from_the_first_step,
    _warmup_to_the_same_rate,
    _whole_steps_of_warmup,
    _whole_steps_before_an_average,
    respelled_pretraining,
    respelled_vocabulary,
)
"""In an order in which none undoes the one before: what decides on the number of steps comes first."""
