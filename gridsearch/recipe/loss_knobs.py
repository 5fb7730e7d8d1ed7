"""Knobs of the loss."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Probability, Weight


class LossKnobs(KnobGroup):
    """Knobs of the loss."""

    # The loss.
    class_weights: Annotated[
        Literal["none", "balanced", "log_counts"] | tuple[Weight, ...],
        Knob(
            "weight of a row's loss by its own label, in label order, divided by the sum of the rows' weights; "
            "'balanced': rows / (labels x rows of the label); 'log_counts': ln(rows / rows of the label); both 0 for a "
            "label that train lacks. Of several labels a row: the weight of a label that is there, one that is not "
            "weighs 1; 'balanced': rows without it / rows with it",
            "torch.nn.CrossEntropyLoss; under label smoothing Keras's class_weight, which weighs a row's whole loss; "
            "King & Zeng 2001 for 'balanced'; github.com/rogerrojur/tianchi-multi-task-nlp for 'log_counts'",
            neutral="none",
            cannot_act=why.equal_weights,
            cost="on",
        ),
    ] = "none"
    label_smoothing: Annotated[
        Probability,
        Knob(
            "share of the target that is spread evenly over all labels, the true one included",
            "arXiv:1512.00567, section 7; torch.nn.CrossEntropyLoss",
            neutral=0.0,
            cannot_act=why.no_labels,
            cost="on",
        ),
    ] = 0.0
    focal_gamma: Annotated[
        float,
        Field(ge=0, le=10),
        Knob(
            "power of (1 - p of the true label) that scales each row's loss",
            "arXiv:1708.02002",
            neutral=0.0,
            cannot_act=why.no_labels,
            cost="on",
        ),
    ] = 0.0
    r_drop: Annotated[
        float,
        Field(ge=0, le=100),
        Knob(
            "weight of the symmetric divergence between two forward passes of the same rows, a mean over rows; of "
            "several labels a mean over labels, of numbers half the squared difference in standard deviations",
            "arXiv:2106.14448",
            neutral=0.0,
            cannot_act=why.nothing_drops,
            cost="on",
        ),
    ] = 0.0
    score_loss: Annotated[
        Literal["squared", "huber"],
        Knob(
            "the loss of numbers, in standard deviations of the training rows': the squared difference, or Huber's",
            "torch.nn.MSELoss, torch.nn.HuberLoss",
            neutral="squared",
            cannot_act=why.no_numbers,
            cost="on",
        ),
    ] = "squared"
    huber_delta: Annotated[
        float,
        Field(gt=0, le=100),
        Knob(
            "standard deviations from which on Huber's loss grows no faster than the difference",
            "torch.nn.HuberLoss",
            neutral=1.0,
            cannot_act=why.no_bend,
            cost="none",
        ),
    ] = 1.0
