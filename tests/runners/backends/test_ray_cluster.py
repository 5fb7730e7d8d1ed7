"""Two nodes: what trials read reaches both by the object store alone, and a node may be lost."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gridsearch.encoders.load import EncoderWeights, describe, read_weights
from gridsearch.encoders.pretraining.made import find
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.execution import Execution
from gridsearch.training.materials import OnDemand
from gridsearch.training.worker import Job
from runners.backends.ray_tune import RayRunner
from runners.materials import materials_on_demand
from tests.runners.backends.test_contract import Heard

pytestmark = pytest.mark.slow  # a cluster of three nodes to start


class Losing(Heard):
    """Loses a node as soon as a trial runs on each, and ends the other one after that."""

    def __init__(self, lose: Callable[[], None]) -> None:
        super().__init__()
        self._lose = lose

    def started(self, trial_id: str, worker: str, resources: Mapping[str, object]) -> None:
        super().started(trial_id, worker, resources)
        if len(self.workers) == 2:
            self._lose()

    def prune_wanted(self, trial_id: str) -> bool:
        return bool(self.failures) and trial_id in ENDLESS


ENDLESS = ("one", "two")


def test_jobs_that_come_later_run_where_a_place_is_left(
    project: Path, encoder_folder: Path, cluster: Any, tmp_path: Path
) -> None:
    nodes = [cluster.add_node(num_cpus=1, env_vars={"GRIDSEARCH_CACHE": str(tmp_path / name)}) for name in ENDLESS]
    task = load_task(project / "task.toml")
    pretraining = {"objective": "mlm", "steps": 2, "batch_size": 8, "max_length": 16}
    fixed = {"encoder": str(encoder_folder), **{f"pretraining.{knob}": value for knob, value in pretraining.items()}}
    plan = make_plan(load_space(project / "question.toml").with_fixed(fixed), task, partial(describe, corpus=()))
    later = list(plan.trials.values())[:3]
    stage = later[0].stage
    assert stage is not None
    heard = Losing(lambda: cluster.remove_node(nodes[0], allow_graceful=False))
    published = materials_on_demand(task, plan.cards, lambda text: None)

    def encoder(identity: str) -> EncoderWeights:
        if identity == stage.base:
            return published.encoders[identity]
        # What the stage has made lies on its node, and is sent.
        assert find(stage.id) is None
        folder = tmp_path / "sent"
        folder.mkdir(exist_ok=True)
        for name, content in heard.outcomes[stage.id].files.items():
            (folder / name).write_bytes(content)
        return read_weights(folder, identity)

    recipe = later[0].recipe.model_copy(update={"epochs": 10**6})
    endless = [replace(later[0], id=name, recipe=recipe, encoder=stage.base, stage=None) for name in ENDLESS]

    def feed() -> Iterator[Job | None]:
        yield from (Job(trial, Execution()) for trial in endless)
        while not heard.failures:
            yield None
        yield Job(stage, Execution())
        while stage.id not in heard.outcomes:
            yield None
        yield from (Job(trial, Execution()) for trial in later)

    with RayRunner(2, gpus_per_trial=0.0, address=cluster.address) as runner:
        runner.run(feed(), replace(published, encoders=OnDemand(encoder)), heard)
    ((lost, failure),) = heard.failures.items()
    assert failure.kind == "lost_worker"
    (left,) = set(ENDLESS) - {lost}
    assert (left, "pruned") in heard.events
    assert set(heard.outcomes) == {stage.id, *(trial.id for trial in later)}
    assert {heard.workers[id_] for id_ in heard.outcomes} == {heard.workers[left]}, "its worker stays warm"
