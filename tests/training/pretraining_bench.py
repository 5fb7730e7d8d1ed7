"""A small pretraining on real text, and short ways to run one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.errors import RequestError
from gridsearch.planning.planner import Planner
from gridsearch.recipe.pretraining.knobs import PREFIX
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.resolve import acting, dead_knobs
from gridsearch.space.design import Design
from gridsearch.space.space import Space
from gridsearch.stage import Stage
from gridsearch.tasks.corpus import EncodedCorpus
from gridsearch.tasks.task import Split, Task
from gridsearch.training.materials import Materials
from runners.materials import materials_on_demand
from tests.liveness_cases import pairs_of

SMALL: dict[str, Any] = {
    "objective": "mlm",
    "steps": 4,
    "batch_size": 16,
    "learning_rate": 5e-3,
    "max_length": 16,
}
"""Knobs of a pretraining that takes a moment."""


def with_corpus(task: Task) -> Task:
    """Make pairs of a task's rows, with further texts beside them."""
    pairs = pairs_of(task)
    files = (Split(task.dev.texts[:8], None), Split(task.dev.texts[8:16], None, task.dev.texts[16:24]))
    return replace(pairs, corpus_files=files)


class PretrainingBench:
    """An encoder in a folder and a task to read; stages are resolved as a plan would."""

    def __init__(self, folder: Path, task: Task) -> None:
        self.folder, self.task = folder, task
        card = read_card(str(folder), folder)
        self._planner = Planner(Space("bench", "", "", {}, (), (), Design()), task, lambda name: card)
        self.materials: Materials = materials_on_demand(task, {str(folder): card}, print)
        self._planner.cards[str(folder)] = card
        self.base: EncoderWeights = read_base(folder, card.identity)

    def resolved(self, knobs: dict[str, Any], *, seed: int = 0, precision: str = "fp32") -> Recipe:
        """Resolve a small pretraining. Raises RequestError for a contradiction."""
        values = {PREFIX + name: value for name, value in (SMALL | knobs).items()}
        fixed = {"encoder": str(self.folder), "max_length": 16, "precision": precision, **values}
        space = Space("bench", "", "", fixed, (), (), Design())
        resolved = self._planner.resolved(space.cell([]))
        assert isinstance(resolved, Recipe)
        return resolved

    def dead(self, recipe: Recipe) -> dict[str, str]:
        """Return the knobs of the pretraining that cannot act, without their prefix."""
        found = dead_knobs(recipe, self._planner._facts_of(recipe))
        return {name.removeprefix(PREFIX): why for name, why in found.items()}

    def acting(self, recipe: Recipe) -> Recipe:
        """Return a recipe without the knobs that cannot act."""
        return acting(recipe, self._planner._facts_of(recipe))

    def stage_of(self, recipe: Recipe, *, seed: int = 0) -> Stage | None:
        """Return the stage of a resolved recipe."""
        return self._planner._trial(recipe, seed, 0).stage

    def stage(self, *, seed: int = 0, precision: str = "fp32", **knobs: Any) -> Stage:
        """Return the stage of a small pretraining."""
        stage = self.stage_of(self.resolved(knobs, precision=precision), seed=seed)
        assert stage is not None, "nothing is pretrained"
        return stage

    def corpus(self, stage: Stage) -> EncodedCorpus:
        """Return what a stage reads."""
        return self.materials.corpus_of(stage)

    def is_refused(self, **knobs: Any) -> str:
        """Return the sentence with which a pretraining is refused; empty where it is not."""
        try:
            self.resolved(knobs)
        except RequestError as error:
            return str(error)
        return ""
