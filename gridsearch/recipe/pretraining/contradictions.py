"""Knobs of a pretraining that cannot go together: one function a contradiction, each with its sentence."""

from collections.abc import Callable
from typing import Final

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.pretraining.knobs import AUGMENTED, POSITIVES
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.trial_facts import TrialFacts


def _no_head(recipe: Recipe, facts: TrialFacts) -> Reason:
    if facts.has_token_head:
        return None
    return f"a pretraining needs the head with which {facts.family} tells tokens, and that is not known here"


def _nothing_to_hide_by(recipe: Recipe, facts: TrialFacts) -> Reason:
    if facts.has_mask_token:
        return None
    return (
        "the encoder's tokenizer has no mask token, so nothing can be hidden from it; choose another encoder, or name "
        'one of its tokens as "mask_token" in tokenizer_config.json'
    )


def _two_lengths(recipe: Recipe, facts: TrialFacts) -> Reason:
    pretraining = recipe.pretraining
    if pretraining.epochs == "none" or not pretraining.steps:
        return None
    return (
        "pretraining.steps and pretraining.epochs both say how long; choose one: they are "
        f"{pretraining.steps} and {pretraining.epochs}"
    )


def _no_such_corpus(recipe: Recipe, facts: TrialFacts) -> Reason:
    corpus = recipe.pretraining.corpus
    if corpus in facts.corpora:
        return None
    if AUGMENTED in corpus and corpus.replace(f"+{POSITIVES}", "").replace(f"+{AUGMENTED}", "") in facts.corpora:
        return f"pretraining.corpus = {corpus!r} reads added pairs, but closure and outside_pairs add none"
    return f"pretraining.corpus = {corpus!r} reads further files, but the task names none under [corpus]"


def _no_text(recipe: Recipe, facts: TrialFacts) -> Reason:
    is_empty = sum(facts.corpora[recipe.pretraining.corpus]) == 0
    return f"pretraining.corpus = {recipe.pretraining.corpus!r} holds no text" if is_empty else None


def _no_label_to_read(recipe: Recipe, facts: TrialFacts) -> Reason:
    pretraining = recipe.pretraining
    if pretraining.objective != "mlm_label" or not recipe.pretraining_steps(facts):
        return None
    needs = "pretraining.objective = 'mlm_label' needs labelled rows, and"
    if facts.parts:
        return f"{needs} those of several parts are not of one kind; choose another objective"
    if facts.labels_are != "class":
        return f"{needs} a row's label must be one of several classes"
    if facts.n_labels < 2:
        return f"{needs} the texts have no labels"
    if pretraining.corpus == "files":
        return f"{needs} pretraining.corpus = 'files' reads none: only training rows have their labels read"
    if facts.is_pair and pretraining.form == "single":
        return f"{needs} pretraining.form = 'single' reads none: a label belongs to a pair, not to either text"
    return None


def _checkpoint_past_the_end(recipe: Recipe, facts: TrialFacts) -> Reason:
    checkpoint, n_steps = recipe.pretraining.checkpoint, recipe.pretraining_steps(facts)
    if checkpoint == "last" or checkpoint <= n_steps:
        return None
    return f"pretraining.checkpoint = {checkpoint} lies past the last of {n_steps} steps"


def _shares_above_one(recipe: Recipe, facts: TrialFacts) -> Reason:
    mask_share, random_share = recipe.pretraining.mask_share, recipe.pretraining.random_share
    if mask_share + random_share <= 1 + 1e-9:
        return None
    return (
        "pretraining.mask_share and pretraining.random_share together may not exceed 1, but are "
        f"{mask_share:g} and {random_share:g}"
    )


def _more_than_stretches_hide(recipe: Recipe, facts: TrialFacts) -> Reason:
    pretraining = recipe.pretraining
    rule = (pretraining.mask, pretraining.ngram, pretraining.rate_is)
    if rule != ("ngram", "daniellibin", "realised") or pretraining.rate <= 0.5:
        return None
    return (
        "pretraining.ngram = 'daniellibin' leaves a token behind each stretch, so that no rate above 0.5 is sure to be "
        f"realised, but pretraining.rate is {pretraining.rate:g}"
    )


def _too_long(recipe: Recipe, facts: TrialFacts) -> Reason:
    longest = int(recipe.pretraining.max_length)
    if longest <= facts.max_tokens or not recipe.pretraining_steps(facts):
        return None
    return f"pretraining.max_length may not exceed the encoder's {facts.max_tokens} positions, but is {longest}"


def _no_next_sentence(recipe: Recipe, facts: TrialFacts) -> Reason:
    if not recipe.pretraining.next_sentence or (facts.has_pooler and facts.n_token_types >= 2):
        return None
    return (
        "pretraining.next_sentence needs a pooler and two segments, and "
        f"a {facts.family} encoder like this one lacks them"
    )


def _no_words_in_ids(recipe: Recipe, facts: TrialFacts) -> Reason:
    if recipe.pretraining.mask != "whole_word" or not facts.id_counts or not recipe.pretraining_steps(facts):
        return None
    return (
        "pretraining.mask = 'whole_word' finds no words in texts that are ids; 'statistical_word' finds those that ids "
        "make together"
    )


def _lookahead_that_never_looks(recipe: Recipe, facts: TrialFacts) -> Reason:
    every, n_steps = recipe.pretraining.lookahead_steps, recipe.pretraining_steps(facts)
    if every <= n_steps or n_steps == 0:
        return None
    return f"pretraining.lookahead_steps may not exceed the {n_steps} steps of the pretraining, but is {every}"


_CONTRADICTIONS: Final[tuple[Callable[[Recipe, TrialFacts], Reason], ...]] = (
    _no_head,
    _nothing_to_hide_by,
    _two_lengths,
    _no_such_corpus,
    _no_text,
    _no_label_to_read,
    _checkpoint_past_the_end,
    _shares_above_one,
    _more_than_stretches_hide,
    _too_long,
    _no_next_sentence,
    _no_words_in_ids,
    _lookahead_that_never_looks,
)


def pretraining_contradicts(recipe: Recipe, facts: TrialFacts) -> Reason:
    """Say what of a pretraining cannot be; None where nothing is pretrained."""
    if recipe.pretraining.objective == "none":
        return None
    return next(filter(None, (contradicts(recipe, facts) for contradicts in _CONTRADICTIONS)), None)
