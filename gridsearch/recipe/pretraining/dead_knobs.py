"""Why a knob of a pretraining cannot act: one function a knob, or for knobs that share the reason.

Each is asked for a resolved recipe in which the knob is not neutral, and returns the reason, or None when it acts.
"""

from typing import TYPE_CHECKING

from gridsearch.recipe.knob import Reason
from gridsearch.recipe.shares import whole_steps
from gridsearch.recipe.trial_facts import TrialFacts

if TYPE_CHECKING:
    from gridsearch.recipe.recipe import Recipe


def nothing_pretrained(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why nothing of a pretraining acts."""
    return "pretraining.objective = 'none' trains nothing" if recipe.pretraining.objective == "none" else None


def leaves_the_encoder_as_it_is(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why an objective does not act."""
    if recipe.pretraining.has_another_shape or recipe.pretraining_steps(facts):
        return None
    return "pretraining.steps = 0 leaves the encoder as it is"


def no_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why what happens in steps does not act."""
    is_untrained = recipe.pretraining_steps(facts) == 0
    return nothing_pretrained(recipe, facts) or ("pretraining.steps = 0 takes none" if is_untrained else None)


def has_its_own_shape(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a shape is not taken."""
    if reason := nothing_pretrained(recipe, facts):
        return reason
    is_own = recipe.pretraining.base == "encoder"
    return "the encoder has its own shape, and pretraining.base = 'scratch' would have this one" if is_own else None


def has_its_own_depth(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a number of layers is not taken."""
    if reason := nothing_pretrained(recipe, facts):
        return reason
    is_own = recipe.pretraining.base == "encoder"
    return (
        "the encoder has its own depth; pretraining.take_layers says which of its layers are taken" if is_own else None
    )


def takes_no_layers(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why no layers of the encoder are chosen."""
    if reason := nothing_pretrained(recipe, facts):
        return reason
    is_scratch = recipe.pretraining.base == "scratch"
    return "pretraining.base = 'scratch' takes no layer of the encoder" if is_scratch else None


def no_pairs(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why the form of pairs does not act."""
    return no_step(recipe, facts) or ("the corpus holds single texts only" if not facts.is_pair else None)


def reads_no_pairs(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why nothing that is done to pairs acts."""
    if reason := no_pairs(recipe, facts):
        return reason
    return "pretraining.form = 'single' reads no pairs" if recipe.pretraining.form == "single" else None


def no_segments(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why segment ids do not act."""
    if reason := reads_no_pairs(recipe, facts):
        return reason
    has_none = facts.n_token_types < 2
    return f"a {facts.family} encoder like this one has no two segments" if has_none else None


def no_stretches(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a rule for stretches does not act."""
    if reason := no_step(recipe, facts):
        return reason
    mask = recipe.pretraining.mask
    return None if mask == "ngram" else f"pretraining.mask = {mask!r} hides no stretches of tokens"


def hides_the_rate(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why it does not matter which rate is meant."""
    if reason := no_step(recipe, facts):
        return reason
    is_both = recipe.pretraining.mask == "bernoulli"
    return "pretraining.mask = 'bernoulli' hides the share that it draws with" if is_both else None


def one_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a course of the learning rate does not act."""
    if reason := no_step(recipe, facts):
        return reason
    n_steps = recipe.pretraining_steps(facts)
    n_after = n_steps - whole_steps(recipe.pretraining.warmup_proportion, n_steps)
    return "no second step comes after the warm-up" if n_after < 2 else None


def no_warmup_step(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why a warm-up does not act."""
    if reason := no_step(recipe, facts):
        return reason
    n_steps, share = recipe.pretraining_steps(facts), recipe.pretraining.warmup_proportion
    return f"{share:g} of {n_steps} steps is not one step" if whole_steps(share, n_steps) == 0 else None


def no_lookahead(recipe: "Recipe", facts: TrialFacts) -> Reason:
    """Explain why what Lookahead does does not act."""
    if reason := no_step(recipe, facts):
        return reason
    return None if recipe.pretraining.lookahead_steps else "pretraining.lookahead_steps = 0 is no Lookahead"
