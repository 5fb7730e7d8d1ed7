"""Pretraining: its mathematics, what it makes, and that it goes on from where it was killed."""

import itertools
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from gridsearch.encoders.files import minilm_folder
from gridsearch.encoders.load import read_weights
from gridsearch.encoders.pretraining import made
from gridsearch.encoders.pretraining.masked_lm_files import encoder_files_of
from gridsearch.errors import DivergedError
from gridsearch.stage import LogPoint, Stage, StageOutcome
from gridsearch.tasks.task import Task
from gridsearch.training import run_state
from gridsearch.training.execution import Execution, computing
from gridsearch.training.masking import masked_rows
from gridsearch.training.pretraining import Run, pretraining
from tests.fixtures_core import ON_CPU
from tests.training.pretraining_bench import PretrainingBench, with_corpus


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bench(bert_folder: Path, task: Task) -> PretrainingBench:
    return PretrainingBench(bert_folder, with_corpus(task))


def run(bench: PretrainingBench, stage: Stage, execution: Execution = ON_CPU) -> tuple[list[LogPoint], StageOutcome]:
    events = pretraining(stage, bench.corpus(stage), bench.base, execution)
    points = []
    while True:
        try:
            points.append(next(events))
        except StopIteration as stop:
            return points, stop.value


def plain_losses(folder: Path, batches: Iterator[Any], total_steps: int, learning_rate: float) -> list[float]:
    """Train transformers' own model in a plain loop on batches of padded ids, mask, types and labels."""
    from transformers import BertForMaskedLM, get_linear_schedule_with_warmup

    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = BertForMaskedLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **none)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, total_steps // 10, total_steps)
    losses = []
    for batch in batches:
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


def padded(bench: PretrainingBench, stage: Stage, objective: Any) -> Iterator[dict[str, torch.Tensor]]:
    """Yield the batches of all steps as transformers takes them: -100 where nothing is to be predicted."""
    corpus = bench.corpus(stage)
    for step in range(stage.total_steps):
        epoch, place = divmod(step, objective.n_steps_per_epoch)
        number, rows = objective.batches(epoch + 1)[place]
        assert number == step
        hidden = masked_rows(corpus, rows, stage.recipe, seed=stage.seed, step=step)
        width = int(hidden.rows.lengths.max())
        ids, labels, mask, types = (np.full((len(rows), width), fill) for fill in (corpus.pad_id, -100, 0, 0))
        for row in range(len(rows)):
            tokens = slice(hidden.rows.starts[row], hidden.rows.starts[row + 1])
            n_tokens = tokens.stop - tokens.start
            ids[row, :n_tokens], mask[row, :n_tokens] = hidden.rows.ids[tokens], 1
            labels[row, :n_tokens] = np.where(hidden.chosen[tokens], hidden.originals[tokens], -100)
            if hidden.rows.types is not None:
                types[row, :n_tokens] = hidden.rows.types[tokens]
        arrays = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types, "labels": labels}
        yield {name: torch.from_numpy(array.astype(np.int64)) for name, array in arrays.items()}


def losses_beside_those_of_transformers(bench: PretrainingBench, folder: Path, **knobs: Any) -> tuple[list[float], ...]:
    """Return the loss of each step of a stage, and that of transformers' own model in a plain loop on its batches."""
    knobs = {"warmup_proportion": 0.1, "adam_beta2": 0.98, "clip_norm": 1.0, "dropout": 0.0, "form": "both", **knobs}
    stage = bench.stage(**knobs)
    with computing(ON_CPU):
        started = Run(stage, bench.corpus(stage), bench.base, ON_CPU)
        folder.mkdir()
        for name, content in encoder_files_of(started.model, started.base).items():
            (folder / name).write_bytes(content)
        ours = [point.loss for point in started.points(lambda: None)]
        batches = padded(bench, stage, started.objective)
        theirs = plain_losses(folder, batches, stage.total_steps, stage.recipe.learning_rate)
    assert len(ours) == stage.total_steps
    return ours, theirs


def test_steps_equal_those_of_transformers(bench: PretrainingBench, tmp_path: Path) -> None:
    ours, theirs = losses_beside_those_of_transformers(bench, tmp_path / "start", steps=20)
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)
    assert ours[-1] < ours[0] - 1, "something was learned, or nothing was compared"


@pytest.mark.slow  # the vocabulary of a published encoder: a minute
def test_fifty_steps_of_a_published_encoder_equal_those_of_transformers(task: Task, tmp_path: Path) -> None:
    bench = PretrainingBench(minilm_folder(), with_corpus(task))
    settings = {"steps": 50, "batch_size": 8, "max_length": 24, "learning_rate": 3e-4}
    ours, theirs = losses_beside_those_of_transformers(bench, tmp_path / "start", **settings)
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)
    assert ours[-1] < ours[0] - 1


@pytest.mark.parametrize("divisor", [2, 3])
def test_a_batch_in_parts_is_the_batch(bench: PretrainingBench, divisor: int) -> None:
    """With dropout, with pairs and single texts, with the answer about pairs: all but rounding."""
    stage = bench.stage(form="both", next_sentence=True, pair_order="random", dropout=0.2)
    losses = [
        [point.loss for point in Run(stage, bench.corpus(stage), bench.base, execution).points(lambda: None)]
        for execution in (ON_CPU, Execution(device="cpu", micro_batch_divisor=divisor))
    ]
    np.testing.assert_allclose(*losses, rtol=2e-5)


@pytest.mark.slow  # 250 steps
def test_the_log_is_that_of_the_steps(bench: PretrainingBench) -> None:
    stage = bench.stage(steps=250, batch_size=4, warmup_proportion=0.1)
    points, outcome = run(bench, stage)
    assert tuple(points) == outcome.log
    assert [point.step for point in points] == [*range(3, 250, 3), 250]
    per_epoch = stage.recipe.steps_per_epoch(len(bench.corpus(stage)))
    assert [point.epoch for point in points] == [point.step / per_epoch for point in points]
    # As transformers' Trainer tells it: the rate of the step that follows.
    assert points[-1].learning_rate == 0
    assert points[0].learning_rate == pytest.approx(5e-3 * 3 / 25)
    assert all(one.seconds < other.seconds for one, other in itertools.pairwise(points))
    assert points[-1].loss < points[0].loss


def test_a_made_encoder_is_found_and_a_damaged_one_is_made_anew(bench: PretrainingBench) -> None:
    stage = bench.stage()
    _, first = run(bench, stage)
    _, again = run(bench, stage)
    assert (first.found, again.found) == (False, True)
    assert again.log == first.log
    assert again.run_seconds == first.run_seconds > again.seconds == 0
    model = made.folder_of(stage.id) / made.MODEL
    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    assert made.find(stage.id) is None
    _, repaired = run(bench, stage)
    assert not repaired.found
    assert repaired.checksum == first.checksum


def test_checkpoints_of_one_run_are_trained_once(bench: PretrainingBench) -> None:
    """The later one goes on from the earlier one, and is what it would have been alone."""
    early, late = (bench.stage(steps=10, checkpoint=step, dropout=0.3, lookahead_steps=4) for step in (7, "last"))
    assert early.run == late.run
    assert early.id != late.id
    steps_taken: list[int] = []
    take = Run.points

    def noting(self: Run, check: Any) -> Iterator[LogPoint]:
        before = self.steps.updates.n_taken
        yield from take(self, check)
        steps_taken.append(self.steps.updates.n_taken - before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "points", noting)
        run(bench, early)
        _, one = run(bench, late)
        assert steps_taken == [7, 3]
        assert not run_state.state_file(late.run).exists()
        _delete(late)
        _, other = run(bench, late)
    assert steps_taken == [7, 3, 10]
    assert one.checksum == other.checksum
    assert [point.loss for point in one.log] == [point.loss for point in other.log]
    assert made.find(early.id) is not None


def _delete(stage: Stage) -> None:
    for path in made.folder_of(stage.id).iterdir():
        path.unlink()


def test_a_run_does_not_go_back_from_what_got_further(bench: PretrainingBench) -> None:
    early, late = (bench.stage(steps=10, checkpoint=step) for step in (4, 8))
    run(bench, late)
    saved = run_state.state_file(late.run).read_bytes()
    run(bench, early)
    assert run_state.state_file(late.run).read_bytes() == saved
    assert made.find(early.id) is not None


KILLED = """
import sys
from pathlib import Path
from gridsearch.training.execution import Execution
from gridsearch.training.pretraining import pretraining
import pickle
stage, corpus, base = pickle.loads(Path(sys.argv[1]).read_bytes())
for point in pretraining(stage, corpus, base, Execution(device="cpu", save_seconds=0.0)):
    print(point.step, flush=True)
"""


@pytest.mark.slow  # each kill is of a process of its own; tests/runners/test_stages_faults.py ends and goes on in one
@pytest.mark.parametrize(
    ("moments", "mask"),
    [
        ((17,), {}),
        ((17,), {"mask": "whole_word", "rate_is": "realised"}),
        ((5, 17, 31), {"mask": "ngram", "rate_is": "realised"}),
    ],
    ids=["once", "whole words", "three times"],
)
def test_killed_on_the_way_it_is_what_it_would_have_been(
    bench: PretrainingBench, tmp_path: Path, moments: tuple[int, ...], mask: dict[str, str]
) -> None:
    """SIGKILL: the weights' checksum is that of a run without a break, and so is the log but for the time."""
    pairs = {"form": "pairs", "pair_order": "random", "next_sentence": True}
    stage = bench.stage(steps=40, dropout=0.3, lookahead_steps=3, **pairs, **mask)
    _, whole = run(bench, stage)
    _delete(stage)
    handed = tmp_path / "work.pickle"
    handed.write_bytes(pickle.dumps((stage, bench.corpus(stage), bench.base)))
    begun_at = []
    for last_seen in moments:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(handed)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
        assert process.stdout is not None
        steps = (int(line) for line in process.stdout)
        begun_at.append(next(steps))
        for step in steps:
            if step >= last_seen:
                os.kill(process.pid, signal.SIGKILL)
                break
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
    assert begun_at[0] == 1
    assert begun_at == sorted(set(begun_at)), "each went on from where the one before had got"
    points, outcome = run(bench, stage)
    assert points[0].step > begun_at[-1]
    assert outcome.checksum == whole.checksum
    assert [(point.step, point.loss) for point in outcome.log] == [(point.step, point.loss) for point in whole.log]
    assert not list(run_state.state_file(stage.run).parent.iterdir())


def test_a_damaged_state_costs_time_and_nothing_else(bench: PretrainingBench) -> None:
    stage = bench.stage(steps=10, checkpoint=5)
    run(bench, stage)
    state = run_state.state_file(stage.run)
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    points, _ = run(bench, bench.stage(steps=10))
    assert points[0].step == 1


def test_what_is_saved_is_not_needed(bench: PretrainingBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when a run saves where it is: the run goes on."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    _, outcome = run(bench, bench.stage(), Execution(device="cpu", save_seconds=0.0))
    assert outcome.checksum


def test_numbers_that_are_not_finite_are_no_encoder(bench: PretrainingBench) -> None:
    stage = bench.stage()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functional, "cross_entropy", lambda logits, *_, **__: logits.sum() * float("nan"))
        with pytest.raises(DivergedError, match="before step 1 of the pretraining, the loss is not finite"):
            run(bench, stage)
    assert made.find(stage.id) is None


def test_the_folder_is_one_for_transformers(bench: PretrainingBench) -> None:
    from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

    stage = bench.stage()
    run(bench, stage)
    folder = made.folder_of(stage.id)
    ours = read_weights(folder, stage.id)
    theirs = AutoModel.from_pretrained(folder).state_dict()
    for name, array in ours.state.items():
        np.testing.assert_array_equal(array, theirs[name].numpy())
    AutoModelForMaskedLM.from_pretrained(folder)
    assert AutoTokenizer.from_pretrained(folder)("a function")["input_ids"]
