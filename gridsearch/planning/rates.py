"""Learning rates of a plan that are far from what is usual: it may be meant so, and it may be a slip."""

from gridsearch.encoders.pretraining.start import start_card
from gridsearch.optimizers.usual_rates import FINE_TUNING, PRETRAINING, UnusualRate, unusual_rate
from gridsearch.planning.plan import Plan, PlannedCell

_MOST = 5
"""More are counted and not named: a range may hold many."""
_WHAT = {FINE_TUNING: "fine-tuned", PRETRAINING: "pretrained"}


def rate_warnings(plan: Plan) -> list[str]:
    """Return a sentence for each learning rate that some cell has and that is far from what is usual."""
    trained = [cell.recipe.learning_rate for cell in plan.cells if not _only_the_head_trains(cell, plan)]
    pretrained = [stage.recipe.learning_rate for stage in plan.stages.values()]
    texts = []
    for knob, rates in ((FINE_TUNING, trained), (PRETRAINING, pretrained)):
        unusual = sorted({one for rate in rates if (one := unusual_rate(knob, rate)) is not None})
        texts += [_sentence(knob, one) for one in unusual[:_MOST]]
        if len(unusual) > _MOST:
            texts.append(f"{knob} has {len(unusual) - _MOST} more values that are not usual")
    return texts


def _only_the_head_trains(cell: PlannedCell, plan: Plan) -> bool:
    card = start_card(plan.cards[cell.recipe.encoder], cell.recipe.pretraining)
    return cell.recipe.frozen_layers == card.n_layers


def _sentence(knob: str, unusual: UnusualRate) -> str:
    beyond = f"{unusual.times} times the upper end" if unusual.is_above else f"1/{unusual.times} of the lower end"
    usual = f"what is usual when BERT-like encoders are {_WHAT[knob]} by Adam ({unusual.low:g} to {unusual.high:g})"
    return f"{knob} = {unusual.rate:g} is {beyond} of {usual}"
