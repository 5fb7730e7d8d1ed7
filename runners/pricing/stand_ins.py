"""What trials are measured with whose encoder a pretraining has yet to make: any weights of the same shape do."""

from collections.abc import Sequence
from dataclasses import replace

from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.start import start_weights
from gridsearch.planning.cost_groups import CostGroup, start_of
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.trial import Trial


def with_stand_ins(groups: Sequence[CostGroup], materials: Materials) -> tuple[list[list[Trial]], Materials]:
    """Return each group's trials such that none waits for a pretraining, and the materials that they read.

    They start from the encoder that would be pretrained, or from one that is not trained at all where that has another
    shape: one for each group, whose trials have the same shape. Pretrained ones of a sweep can be many, and large.
    """
    untrained: dict[str, EncoderWeights] = {}

    def encoder(identity: str) -> EncoderWeights:
        return untrained[identity] if identity in untrained else materials.encoders[identity]

    several = [[replace(trial, encoder=_stand_in(trial, group)) for trial in group.trials] for group in groups]
    for group in groups:
        first = group.trials[0]
        if first.stage is not None and first.stage.recipe.has_another_shape:
            stage = first.stage
            untrained[first.encoder] = start_weights(materials.encoders[stage.base], stage.recipe, stage.seed)
    return several, replace(materials, encoders=OnDemand(encoder))


def _stand_in(trial: Trial, group: CostGroup) -> str:
    """Name what a trial is measured with."""
    is_another = trial.stage is not None and trial.stage.recipe.has_another_shape
    return group.trials[0].encoder if is_another else start_of(trial)
