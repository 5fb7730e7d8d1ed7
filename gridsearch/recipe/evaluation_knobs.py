"""Knobs of which weights are evaluated and on what, and when training ends."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.begins import after_the_last, average_begins
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Probability

PredictionOrder = Literal["as_is", "both"]


class EvaluationKnobs(KnobGroup):
    """Knobs of which weights are evaluated and on what, and when training ends."""

    # Which weights are evaluated and on what, and when training ends.
    lookahead_steps: Annotated[
        int,
        Field(ge=0),
        Knob(
            "steps between two moves of Lookahead's slow weights, which are the ones evaluated; 0 is no Lookahead",
            "arXiv:1907.08610",
            neutral=0,
            cannot_act=why.lookahead_changes_nothing,
        ),
    ] = 0
    lookahead_alpha: Annotated[
        float,
        Field(gt=0, le=1),
        Knob(
            "how far the slow weights move towards the fast ones",
            "arXiv:1907.08610",
            neutral=0.5,
            cannot_act=why.no_lookahead,
            cost="none",
        ),
    ] = 0.5
    ema_decay: Annotated[
        Probability,
        Knob(
            "evaluate a running mean of the weights that keeps this share of itself every step; it starts at the "
            "initial weights",
            "Polyak & Juditsky 1992; arXiv:1412.6980, section 7.2",
            neutral=0.0,
            cost="on",
        ),
    ] = 0.0
    swa_start: Annotated[
        Probability | Literal["none"],
        Knob(
            "evaluate the plain mean of the weights since this share of all steps; before it, the weights themselves",
            "arXiv:1803.05407",
            neutral="none",
            cannot_act=why.averages_alone_what_is_evaluated,
            begins=average_begins,
        ),
    ] = "none"
    swa_every: Annotated[
        int,
        Field(ge=1),
        Knob(
            "steps between two weights that are averaged",
            "arXiv:1803.05407",
            neutral=1,
            cannot_act=why.no_average,
            begins=average_begins,
        ),
    ] = 1
    swa_learning_rate: Annotated[
        Annotated[float, Field(gt=0, le=1)] | Literal["schedule"],
        Knob(
            "constant learning rate while weights are averaged; 'schedule' goes on with the schedule",
            "arXiv:1803.05407",
            neutral="schedule",
            cannot_act=why.no_average,
            begins=average_begins,
            cost="none",
        ),
    ] = "schedule"
    patience: Annotated[
        Annotated[int, Field(ge=1)] | Literal["none"],
        Knob(
            "end after this many epochs in a row without a better dev metric; the schedule stays that of all epochs",
            "Prechelt 1998",
            neutral="none",
            cannot_act=why.never_runs_out,
            begins=after_the_last,
            cost="none",
        ),
    ] = "none"
    selection: Annotated[
        Literal["best", "last"],
        Knob(
            "the epoch that is reported: best on dev (ties to the earlier), or the last",
            neutral="best",
            cannot_act=why.one_epoch,
            begins=after_the_last,
            cost="none",
        ),
    ] = "best"
    checkpoints: Annotated[
        int,
        Field(ge=1),
        Knob(
            "predict by the mean of the probabilities after so many epochs: those that are best on dev (ties to the "
            "earlier), or the last, as selection says; as many copies of the weights are held in memory",
            "arXiv:1710.03282",
            neutral=1,
            cannot_act=why.one_checkpoint,
            begins=after_the_last,
        ),
    ] = 1
    prediction_order: Annotated[
        PredictionOrder,
        Knob(
            "how a pair of dev and test, or of new text, is read: as it stands, or in both orders, with the mean of "
            "the logits of the two; training reads it as it stands",
            neutral="as_is",
            cannot_act=why.no_second_text,
            in_view=True,
        ),
    ] = "as_is"
    label_thresholds: Annotated[
        Literal["half", "dev"],
        Knob(
            "when one of several labels is told: from a probability of one half on, or, for each label, from where its "
            "F1 on dev is best; its logits are moved so that this is one half, and what is measured on dev is too good",
            "arXiv:1402.1892",
            neutral="half",
            cannot_act=why.no_several_labels,
            begins=after_the_last,
            cost="none",
        ),
    ] = "half"
