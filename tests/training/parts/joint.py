"""A joint task of pairs and of single texts, and ways to run a trial of it."""

from collections.abc import Mapping
from dataclasses import replace

from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Split, Task
from gridsearch.trial import Trial, make_trial
from tests.fixtures_core import recipe_of
from tests.liveness_cases import pairs_of


def joint_of(parts: Mapping[str, Task], **weights: float) -> JointTask:
    """Put tasks together; the target is the mean of their metrics."""
    target = Target(tuple((name, part.metric) for name, part in parts.items()))
    return JointTask("joint", parts, target, {name: weights.get(name, 1.0) for name in parts})


def joint_task(docstrings: Task) -> JointTask:
    """Return 24 pairs of two labels, and 31 texts of three with an unlabelled test."""
    train, dev = docstrings.train.take(range(1, 94, 3)), docstrings.dev.take(range(0, 30, 3))
    topics = replace(docstrings, train=train, dev=dev, test=Split(docstrings.dev.texts[:5], None))
    return joint_of({"pairs": replace(pairs_of(docstrings), outside=()), "topics": topics}, topics=2.0)


def joint_recipe(**knobs: object) -> Recipe:
    """Return the small recipe; a knob ``parts_x`` is ``parts.x``."""
    return recipe_of(**{name.replace("parts_", "parts."): value for name, value in knobs.items()})


def trial_of_joint(seed: int = 0, **knobs: object) -> Trial:
    """Return a trial of a joint task."""
    return make_trial(joint_recipe(**knobs), seed=seed, task="a task", encoder="an encoder")
