"""Knobs that cannot go together: one function a contradiction, each with its sentence."""

from typing import Final

from gridsearch.errors import RequestError
from gridsearch.recipe.knob import Reason
from gridsearch.recipe.poolings import READS
from gridsearch.recipe.pretraining.contradictions import pretraining_contradicts
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.recipe.vocabulary.contradictions import encoder_of_ids, no_id_left, no_token_counts


def refuse_contradictions(recipe: Recipe, facts: TrialFacts) -> None:
    """Raise RequestError when the knobs of a resolved recipe cannot go together on this encoder and task."""
    if sentence := next(filter(None, (contradicts(recipe, facts) for contradicts in _CONTRADICTIONS)), None):
        raise RequestError(sentence)


def _layers_that_do_not_exist(recipe: Recipe, facts: TrialFacts) -> Reason:
    reinit, frozen = int(recipe.reinit_layers), recipe.frozen_layers
    n_frozen = 0 if frozen == "embeddings" else int(frozen)
    if reinit + n_frozen > facts.n_layers:
        return (
            f"frozen and re-initialised layers may not exceed the encoder's {facts.n_layers}, "
            f'but frozen_layers = {n_frozen} and reinit_layers = {reinit}; a share such as "1/2" fits every depth'
        )
    if recipe.pooling_layers != "all" and not 1 <= int(recipe.pooling_layers) <= facts.n_layers:
        return f"pooling_layers must be 1 to the encoder's {facts.n_layers}, but is {recipe.pooling_layers}"
    return None


def _parts_of_the_one_shared_layer(recipe: Recipe, facts: TrialFacts) -> Reason:
    if not facts.shares_layers:
        return None
    for name in ("reinit_layers", "frozen_layers"):
        if getattr(recipe, name) not in (0, "embeddings", facts.n_layers):
            rule = f'{name} must be 0 or all {facts.n_layers} ("100%"), but is {getattr(recipe, name)}'
            return f"{rule}: {facts.family}'s are one"
    if recipe.layer_decay != 1:
        return f"layer_decay has no meaning for {facts.family}, whose layers are one"
    return None


def _too_long(recipe: Recipe, facts: TrialFacts) -> Reason:
    if int(recipe.max_length) > facts.max_tokens:
        return f"max_length may not exceed the encoder's {facts.max_tokens} positions, but is {recipe.max_length}"
    return None


def _overflow(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.precision == "bf16" and facts.overflows_in_half:
        return f"precision = 'bf16' is not for a {facts.family} encoder, whose code in transformers overflows in it"
    return None


def _no_pooler(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.pooling == "pooler" and not facts.has_pooler:
        return f"pooling = 'pooler' needs a pooler, but a {facts.family} encoder has none; choose cls or mean"
    return None


def _no_second_text(recipe: Recipe, facts: TrialFacts) -> Reason:
    if READS[recipe.pooling].sides and facts.has_single_texts:
        has_none = "a task of single texts" if not facts.is_pair else "some part of the task, of single texts,"
        return f"pooling = {recipe.pooling!r} compares two texts, but {has_none} has no second text"
    return None


def _weights_of_no_part(recipe: Recipe, facts: TrialFacts) -> Reason:
    if facts.parts and isinstance(recipe.class_weights, tuple):
        return (
            "a list of class_weights does not say which part's labels it is of; choose 'balanced', which acts in each"
        )
    return None


def _other_number_of_weights(recipe: Recipe, facts: TrialFacts) -> Reason:
    if facts.label_kinds == {"score"}:
        return None
    if isinstance(recipe.class_weights, tuple) and len(recipe.class_weights) != facts.n_labels:
        n_weights = len(recipe.class_weights)
        return f"class_weights needs a weight for each of the {facts.n_labels} labels, but has {n_weights}"
    return None


def _thresholds_of_several_epochs(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.label_thresholds != "half" and recipe.checkpoints > 1:
        several = f"checkpoints = {recipe.checkpoints} takes the mean of several"
        return f"label_thresholds = 'dev' belongs to the logits of one epoch, but {several}"
    return None


def _what_original_bert_adam_does_itself(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.optimizer != "original_bert_adam":
        return None
    if recipe.clip_norm != "none":
        return f"the original BertAdam clips each tensor itself: clip_norm must be 'none', but is {recipe.clip_norm}"
    if recipe.schedule != "linear":
        return f"the original BertAdam has a linear schedule of its own: schedule may not be {recipe.schedule!r}"
    return None


def _two_averages(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.ema_decay and recipe.swa_start != "none":
        return "ema_decay and swa_start both say which mean of the weights is evaluated; choose one"
    return None


def _lookahead_that_never_looks(recipe: Recipe, facts: TrialFacts) -> Reason:
    n_steps = recipe.total_steps(facts.rows)
    if recipe.lookahead_steps > n_steps:
        return f"lookahead_steps may not exceed the {n_steps} steps of a trial, but is {recipe.lookahead_steps}"
    return None


def _average_of_nothing(recipe: Recipe, facts: TrialFacts) -> Reason:
    first_step = recipe.swa_first_step(facts.rows)
    if first_step is not None and first_step + recipe.swa_every > (n_steps := recipe.total_steps(facts.rows)):
        return f"of {n_steps} steps, none is averaged every {recipe.swa_every} steps after step {first_step}"
    return None


def _warmup_without_end(recipe: Recipe, facts: TrialFacts) -> Reason:
    n_steps, n_scheduled = recipe.total_steps(facts.rows), recipe.steps_scheduled(facts.rows)
    if recipe.optimizer == "original_bert_adam" and recipe.warmup_proportion and n_steps == n_scheduled == 1:
        return "the original BertAdam's warm-up begins at a learning rate of 0, and a trial of one step ends there"
    return None


def _attack_after_the_end(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.adversarial != "none" and recipe.adversarial_start > recipe.epochs:
        return f"adversarial_start = {recipe.adversarial_start} lies beyond the last of {recipe.epochs} epochs"
    return None


def _share_that_only_one_kind_cannot_keep(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.closure == "positives" and recipe.closure_ratio == "kept":
        return (
            "closure_ratio = 'kept' keeps the share of positive pairs, but closure = 'positives' adds no others; "
            "choose closure = 'both', or closure_ratio = 'free'"
        )
    return None


_CONTRADICTIONS: Final = (
    _layers_that_do_not_exist,
    _parts_of_the_one_shared_layer,
    _too_long,
    _overflow,
    _no_pooler,
    _no_second_text,
    _weights_of_no_part,
    _other_number_of_weights,
    _thresholds_of_several_epochs,
    _what_original_bert_adam_does_itself,
    _two_averages,
    _lookahead_that_never_looks,
    _average_of_nothing,
    _warmup_without_end,
    _attack_after_the_end,
    _share_that_only_one_kind_cannot_keep,
    pretraining_contradicts,
    encoder_of_ids,
    no_id_left,
    no_token_counts,
)
