"""Optuna on one box: each cell once, answered from the ledger, resumed, pruned; trained for real where it matters."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from gridsearch.encoders.card import EncoderCard
from gridsearch.errors import RequestError, StudyLockedError
from gridsearch.planning.planner import make_plan
from gridsearch.recipe.recipe import Recipe
from gridsearch.space.space import Space, parse_space
from gridsearch.study.study import Study
from gridsearch.tasks.lengths import Lengths, TaskLengths
from gridsearch.tasks.target import target_of
from gridsearch.tasks.task import Split, Task
from gridsearch.training.materials import Materials
from gridsearch.trial import Failure
from reports.study.read import read_study
from runners.cli import main
from runners.driver import Driven, Settings, drive
from runners.progress.live import Progress
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import Search
from tests.fixtures_core import slow
from tests.runners.driving import sweep
from tests.runners.pretending import N_DEV, Pretending, by_rate
from tests.runners.waiting import SECONDS, attempts_by_state, wait_until

RATE = "[factors.learning_rate]\nrange = { low = 1e-5, high = 1e-3, log = true }\n"
FORTY = """
[factors]
learning_rate = [1e-5, 2e-5, 3e-5, 5e-5, 1e-4]
weight_decay = [0.0, 0.01]
warmup_proportion = [0.0, 0.1]
bert_adam = [false, true]
"""


def texts(count: int) -> Split:
    return Split(tuple(f"text {number}" for number in range(count)), tuple(number % 2 for number in range(count)))


TASK = Task("small", "single", "accuracy", ("no", "yes"), texts(640), texts(N_DEV))
CARD = EncoderCard("tiny", "files-0123456789abcdef", "bert", 12, True, 512, dropout=0.1)


SOURCES = {"space": "test", "encoders": {"tiny": CARD.identity}}


@dataclass
class About:
    """What a search is about."""

    space: Space
    task: Task = TASK

    def lengths(self, card: EncoderCard) -> TaskLengths:
        return TaskLengths({"task": {"train": Lengths({3: len(TASK.train)}, len(TASK.train), 0)}}, "[UNK]")

    def describe(self, encoder: str) -> EncoderCard:
        return CARD

    def sources(self, cards: Mapping[str, EncoderCard]) -> Mapping[str, object]:
        return SOURCES


@pytest.fixture
def optimised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Driven]:
    """Return a short way to search a space with the pretending runner, in a study of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.schedules.search.materials_on_demand", lambda *_: Materials({CARD.identity: None}, {}))

    def run(space: str | Space, runner: Pretending, n_trials: int | None = None, **search: Any) -> Driven:
        study = Study(Path("study"))
        asked = About(parse_space(space, "test") if isinstance(space, str) else space)
        return drive(
            OptunaSearch(asked, study, Search(n_trials=n_trials, **search), {}),
            study,
            runner,
            Settings(),
            provenance=lambda: {"command": ["gridsearch", "optimize", "test"]},
            progress=Progress(target_of("accuracy"), {}, Console(quiet=True)),
        )

    return run


def swept(space: str, runner: Pretending, monkeypatch: pytest.MonkeyPatch) -> str:
    """Sweep a space with the pretending runner; return the certificate."""
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))
    plan = make_plan(parse_space(space, "test"), TASK, lambda name: CARD)
    return str(sweep(plan, Study(Path("study")), runner, SOURCES).coverage)


def ledger_rows(query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect("study/ledger.sqlite") as connection:
        return connection.execute(query).fetchall()


def attempts() -> dict[str, int]:
    return dict(ledger_rows("SELECT state, count(*) FROM attempts GROUP BY state"))


def cells() -> list[dict[str, str]]:
    return [json.loads(levels) for (levels,) in ledger_rows("SELECT levels FROM cells ORDER BY position")]


@pytest.mark.slow  # 1.1 s
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_forty_cells_on_eight_workers_are_forty_trials(optimised, sampler: str) -> None:
    runner = Pretending(n_workers=8)
    result = optimised(FORTY, runner, 50, sampler=sampler)
    assert str(result.coverage) == "complete: 40 planned, 40 finished, 0 failed, 0 pending"
    assert result.stopped == "every cell of the space is done"
    assert len({trial.id for trial in runner.begun}) == len(runner.begun) == 40
    assert attempts() == {"finished": 40}


@pytest.mark.parametrize("sampler", ["tpe", slow("gp"), slow("random")])
def test_a_search_spends_its_budget_and_the_two_better_samplers_find_the_valley(optimised, sampler: str) -> None:
    result = optimised(RATE, Pretending(n_workers=2), 24, sampler=sampler)
    assert str(result.coverage) == "complete: 24 planned, 24 finished, 0 failed, 0 pending"
    rates = [float(levels["learning_rate"]) for levels in cells()]
    assert all(1e-5 <= rate <= 1e-3 and float(f"{rate:.3g}") == rate for rate in rates)
    near = sum(2e-5 < rate < 4.5e-5 for rate in rates[10:])
    assert sampler == "random" or near > 14 * 0.18 * 1.5, "a random search has 18 % of its cells there"


def test_resumed_it_goes_on_to_the_same_budget_and_never_repeats_a_cell(optimised) -> None:
    runner = Pretending(n_workers=2)
    optimised(RATE, runner, 7)
    assert attempts() == {"finished": 7}
    optimised(RATE, runner, 12)
    assert attempts() == {"finished": 12}
    optimised(RATE, runner, 12)
    assert attempts() == {"finished": 12}
    assert len({trial.id for trial in runner.begun}) == 12


@pytest.mark.slow  # 4 s; a resumed one is quick
def test_what_an_interrupted_search_left_is_run_first(optimised) -> None:
    with pytest.raises(KeyboardInterrupt):
        optimised(RATE, Pretending(n_workers=2, stop_after=5), 8)
    begun = {row[0] for row in ledger_rows("SELECT trial FROM attempts WHERE failure_kind = 'lost_driver'")}
    assert len(begun) == 2, "both leases are closed"
    runner = Pretending(n_workers=2)
    assert optimised(RATE, runner, 8).coverage.complete
    assert {trial.id for trial in runner.begun[:2]} == begun
    assert len(ledger_rows("SELECT * FROM trials")) == 8


@pytest.mark.slow  # 0.8 s
def test_a_finished_sweep_warms_the_study(optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    swept(FORTY, Pretending(), monkeypatch)
    wider = FORTY.replace("1e-4]", "1e-4, 2.5e-5]")
    runner = Pretending()
    result = optimised(wider, runner, 43)
    assert result.coverage.finished == 43
    assert {trial.recipe.learning_rate for trial in runner.begun} == {2.5e-5}, "only new cells, and near the best"


def test_a_sweep_goes_on_from_a_search_and_runs_what_was_pruned(optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    optimised(FORTY, Pretending(), 25, pruner="median", sampler="random")
    n_finished, n_pruned = attempts()["finished"], attempts()["pruned"]
    assert n_finished + n_pruned == 25
    runner = Pretending()
    assert swept(FORTY, runner, monkeypatch) == "complete: 40 planned, 40 finished, 0 failed, 0 pending"
    assert len(runner.begun) == 40 - n_finished


@pytest.mark.slow  # 1.0 s
def test_a_study_that_holds_its_budget_stays_what_it_is(optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    swept(FORTY, Pretending(), monkeypatch)
    for budget in (40, 400):
        runner = Pretending()
        assert optimised(FORTY, runner, budget).coverage.complete
        assert runner.begun == []
    with Study(Path("study")).open() as ledger:
        assert ledger.trials_manifest().design.kind == "full", "a factorial is analysed as one"


@pytest.mark.slow  # 2 s
def test_seeds_are_replicates_below_the_cell_and_averaged(optimised) -> None:
    seeds = "[design]\nseeds = [0, 1, 2]\n"
    runner = Pretending(n_workers=2)
    result = optimised(RATE + seeds, runner, 20)
    assert str(result.coverage) == "complete: 18 planned, 18 finished, 0 failed, 0 pending", "a cell is whole"
    assert len(cells()) == 6
    with Study(Path("study")).open() as ledger:
        best = read_study(ledger).ranking[0]
    assert best.dev.n == 3
    seeds_begun = {trial.id: trial.seed for trial in runner.begun}
    orders: dict[Recipe, list[int]] = {}
    for trial in runner.begun:
        orders.setdefault(trial.recipe, []).append(seeds_begun[trial.id])
    assert all(order == [0, 1, 2] for order in orders.values()), "one after the other"


@pytest.mark.slow  # 3 s
def test_a_new_seed_is_run_for_the_cells_that_are_there(optimised) -> None:
    optimised(RATE, Pretending(), 4)
    runner = Pretending()
    optimised(parse_space(RATE, "test").with_design(seeds=[0, 1]), runner, 8)
    assert [trial.seed for trial in runner.begun] == [1, 1, 1, 1]


def test_what_a_rule_leaves_out_is_never_run_and_never_counted(optimised) -> None:
    rule = '[[rules]]\nskip = "bert_adam and weight_decay > 0"\nwhy = "known"\n'
    runner = Pretending(n_workers=3)
    result = optimised(FORTY + rule, runner, 40, sampler="random")
    assert str(result.coverage) == "complete: 30 planned, 30 finished, 0 failed, 0 pending"
    assert not any(trial.recipe.bert_adam and trial.recipe.weight_decay for trial in runner.begun)
    assert ledger_rows("SELECT DISTINCT why FROM excluded") == [("known",)]
    assert len(ledger_rows("SELECT * FROM excluded")) == 10


def test_cells_of_one_recipe_share_their_trial(optimised) -> None:
    dead = '[factors]\nwarmup_proportion = [0.0, 0.1]\nreinit_pooler = [false, true]\n[design]\non_dead = "collapse"\n'
    runner = Pretending(n_workers=2)
    result = optimised(dead, runner, 8)
    assert result.coverage.finished == 2
    assert len(cells()) == 4


def test_a_contradiction_that_only_a_range_brings_is_left_out(optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.schedules.search.N_CHECKED", 1)
    space = "[factors.reinit_layers]\nrange = { low = 0, high = 12 }\n[factors.frozen_layers]\nlevels = [1]\n"
    assert optimised(space, Pretending(), 20).coverage.finished == 12
    assert [json.loads(row[0]) for row in ledger_rows("SELECT levels FROM excluded")] == [
        {"reinit_layers": "12", "frozen_layers": "1"}
    ]
    (why,) = ledger_rows("SELECT why FROM excluded")
    assert why[0].startswith("frozen and re-initialised layers may not exceed")
    again = Pretending()
    assert optimised(space, again, 20).coverage.finished == 12
    assert again.begun == []


def test_failures_are_told_and_retried_as_in_a_sweep(optimised) -> None:
    plan = make_plan(parse_space(FORTY, "test"), TASK, lambda name: CARD)
    one, other, third = (plan.cells[place].trials[0].id for place in (3, 7, 11))
    failures = {
        one: [Failure("lost_worker", "gone")],
        other: [Failure("out_of_memory", "too large")] * 2,
        third: [Failure("code_error", "no such kernel")],
    }
    runner = Pretending(n_workers=4, failures=failures)
    result = optimised(FORTY, runner, 40, sampler="random")
    assert str(result.coverage) == "settled: 40 planned, 39 finished, 1 failed, 0 pending"
    resources = [json.loads(row[0]) for row in ledger_rows(f"SELECT resources FROM attempts WHERE trial = '{other}'")]
    assert [row["alone"] for row in resources] == [False, True, True]


@pytest.mark.slow  # 3 s; a sweep's stop has a quick test
def test_the_same_error_at_the_start_stops_the_search(optimised) -> None:
    class Broken(dict[str, list[Failure]]):
        def get(self, key: str, default: object = None) -> list[Failure]:
            return [Failure("code_error", "no such kernel")]

        def __getitem__(self, key: str) -> list[Failure]:
            return self.get(key)

    result = optimised(RATE, Pretending(n_workers=2, failures=Broken()), 20)
    assert result.stopped == "the first 3 trials all failed alike: no such kernel"
    assert not result.coverage.complete
    assert optimised(RATE, Pretending(), 20).coverage.complete


def pruned_trials() -> dict[str, int]:
    """Map pruned trials to their number of epochs."""
    query = (
        "SELECT trial, (SELECT count(*) FROM epochs WHERE attempt = attempts.id) FROM attempts WHERE state = 'pruned'"
    )
    return dict(ledger_rows(query))


@pytest.mark.slow  # 3 s
@pytest.mark.parametrize("pruner", ["median", slow("hyperband")])
def test_pruned_trials_keep_their_epochs_and_their_schedule(optimised, pruner: str) -> None:
    space = "[recipe]\nepochs = 9\n" + RATE
    runner = Pretending(n_workers=2)
    result = optimised(space, runner, 20, pruner=pruner, sampler="random")
    pruned = pruned_trials()
    assert pruned
    assert str(result.coverage) == (
        f"complete: 20 planned, {20 - len(pruned)} finished, 0 failed, 0 pending, {len(pruned)} pruned"
    )
    assert all(1 <= n_epochs < 9 for n_epochs in pruned.values())
    assert runner.n_epochs == 9 * (20 - len(pruned)) + sum(pruned.values())
    assert {trial.recipe.epochs for trial in runner.begun} == {9}, "the schedule's steps are those of the recipe"
    again = Pretending()
    assert optimised(space, again, 20, pruner=pruner, sampler="random").coverage.complete
    assert again.begun == [], "pruned is done"


@pytest.mark.slow  # 1.8 s
def test_the_first_seed_decides_and_the_others_are_spared(optimised) -> None:
    space = "[recipe]\nepochs = 3\n" + RATE + "[design]\nseeds = [0, 1]\n"
    optimised(space, Pretending(), 30, pruner="median", sampler="random")
    pruned = pruned_trials()
    seeds = dict(ledger_rows("SELECT id, seed FROM trials"))
    assert {seeds[trial] for trial in pruned} == {0, 1}
    assert all((n_epochs > 0) == (seeds[trial] == 0) for trial, n_epochs in pruned.items())


@pytest.mark.slow  # 4 s
def test_wilcoxon_compares_over_seeds(optimised) -> None:
    space = "[recipe]\nepochs = 1\n" + RATE + "[design]\nseeds = [0, 1, 2, 3, 4, 5]\n"
    runner = Pretending()
    result = optimised(space, runner, 60, pruner="wilcoxon", sampler="random")
    assert result.coverage.complete
    assert result.coverage.pruned > 0
    assert set(pruned_trials().values()) == {0}, "only whole seeds are spared"
    with Study(Path("study")).open() as ledger:
        study = read_study(ledger)
    assert study.ranking[0].dev.n == 6, "the best cell has all of its seeds"
    assert {cell.dev.n for cell in study.cells} == {4, 6}, "four seeds that all are worse have p = 1/16"


@pytest.mark.slow  # a search of its own
def test_hours_end_a_search(optimised, monkeypatch: pytest.MonkeyPatch) -> None:
    n_epochs = [0]

    def five_minutes(recipe: Recipe, seed: int, epoch: int) -> float:
        n_epochs[0] += 1
        return by_rate(recipe, seed, epoch)

    monkeypatch.setattr("runners.schedules.campaign.time.monotonic", lambda: 300.0 * n_epochs[0])
    result = optimised("[recipe]\nepochs = 3\n" + RATE, Pretending(five_minutes), hours=1.0)
    assert str(result.coverage) == "complete: 4 planned, 4 finished, 0 failed, 0 pending"


@pytest.mark.slow  # 3 s
def test_two_objectives_have_a_pareto_set(optimised) -> None:
    optimised(RATE, Pretending(n_workers=2), 30, objectives=("metric", "seconds"))
    with Study(Path("study")).open() as ledger:
        search = ledger.trials_manifest().search
    assert search is not None
    assert search.objectives == ["metric", "seconds"]


@pytest.mark.parametrize("pruner", ["median", slow("hyperband"), slow("wilcoxon")])
def test_a_pruner_compares_one_objective(optimised, pruner: str) -> None:
    with pytest.raises(RequestError, match=f"--pruner {pruner} compares one objective, but there are 2"):
        optimised(RATE, Pretending(), 5, pruner=pruner, objectives=("metric", "seconds"))
    assert not Path("study").exists()


@pytest.mark.parametrize(
    ("space", "search", "sentence"),
    [
        (RATE + '[[rules]]\nskip = "learning_rate > 0"\nwhy = "all"\n', {}, "the rules leave no cell to run"),
        ("[factors]\nreinit_pooler = [false, true]\n", {}, "reinit_pooler cannot act"),
        ("[factors]\nreinit_layers = [0, 13]\n", {}, "frozen and re-initialised layers may not exceed"),
        slow(
            RATE, {"sampler": "tpee"}, "--sampler: unknown sampler 'tpee' (did you mean 'tpe'?); known: tpe, gp, random"
        ),
        slow(RATE, {"pruner": "mean"}, "--pruner: unknown pruner 'mean'"),
        slow(
            RATE, {"pruner": "wilcoxon"}, "--pruner wilcoxon compares cells over at least 5 seeds or folds, but has 1"
        ),
        (RATE + "[recipe]\nepochs = 1\n", {"pruner": "median"}, "every trial has one epoch only"),
    ],
)
def test_what_cannot_be_searched_is_told_before_anything_is_written(
    optimised, space: str, search: Mapping[str, str], sentence: str
) -> None:
    with pytest.raises(RequestError) as caught:
        optimised(space, Pretending(), 5, **search)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("study").exists()


@pytest.mark.slow  # 1.3 s
def test_another_study_and_a_locked_one_are_refused(optimised) -> None:
    optimised(FORTY, Pretending(), 3)
    before = Path("study/ledger.sqlite").read_bytes()
    with pytest.raises(RequestError, match="holds another study: factor learning_rate has no level"):
        optimised("[factors]\nlearning_rate = [7e-5, 8e-5]\n", Pretending(), 5)
    with pytest.raises(RequestError, match="holds another study: epochs was not set, now it is 7"):
        optimised(FORTY.replace("[factors]", "[recipe]\nepochs = 7\n[factors]"), Pretending(), 5)
    assert Path("study/ledger.sqlite").read_bytes() == before
    with Study(Path("study")).driven():
        before = Path("study/ledger.sqlite").read_bytes()
        with pytest.raises(StudyLockedError, match="is being driven by process"):
            optimised(FORTY, Pretending(), 5)
        assert Path("study/ledger.sqlite").read_bytes() == before


BAD = {
    "no trials": (["--trials", "0"], "--trials must be at least 1, but is 0"),
    "no budget": ([], "a search needs an end: --trials N, or --hours H"),
    "no time": (["--hours", "0"], "--hours must be more than 0, but is 0"),
    "unknown sampler": (["--trials", "2", "--sampler", "grid"], "unknown sampler 'grid'"),
    "unknown pruner": (["--trials", "2", "--pruner", "grid"], "unknown pruner 'grid'"),
    "unknown objective": (["--trials", "2", "--objectives", "metric,memory"], "unknown objective 'memory'"),
    "twice the same": (["--trials", "2", "--objectives", "metric,metric"], "must differ"),
    "no workers": (["--trials", "2", "--workers", "0"], "--workers must be at least 1"),
    "workers of serial": (["--trials", "2", "--workers", "2", "--runner", "serial"], "no meaning for --runner serial"),
}


@pytest.mark.parametrize(("words", "sentence"), BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_sentence_and_exit_code_2(
    words: list[str], sentence: str, project: Path, encoder_folder: Path, capsys
) -> None:
    before = sorted(os.listdir(project))
    command = ["optimize", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), *words]
    assert main([*command, "--study", "study"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("gridsearch optimize: ")
    assert sentence in printed
    assert len(printed.strip().splitlines()) == 1, printed
    assert sorted(os.listdir(project)) == before, "nothing half-written is left"


def logits(study: str) -> dict[str, tuple[object, ...]]:
    """Map finished trials to all that they computed."""
    query = (
        "SELECT trial, (SELECT group_concat(hex(data)) FROM logits WHERE attempt = attempts.id), dev, chosen_epoch, "
        "(SELECT group_concat(train_loss) FROM epochs WHERE attempt = attempts.id) "
        "FROM attempts JOIN outcomes ON attempts.id = outcomes.attempt WHERE state = 'finished'"
    )
    with sqlite3.connect(f"{study}/ledger.sqlite") as connection:
        return {trial: rest for trial, *rest in connection.execute(query)}


@pytest.mark.slow  # starts Ray and workers; test_contract compares the runners to the last bit
def test_a_search_and_sweeps_of_the_same_cells_agree_to_the_last_bit(
    project: Path, encoder_folder: Path, capsys
) -> None:
    asked = ["question.toml", "--task", "task.toml", "--model", str(encoder_folder)]
    ways = {
        "serial": ["sweep", "--runner", "serial"],
        "ray": ["sweep", "--runner", "ray", "--workers", "2"],
        "search": ["optimize", "--trials", "8", "--sampler", "random", "--workers", "2"],
    }
    found = {}
    for name, (command, *words) in ways.items():
        assert main([command, *asked, *words, "--study", name]) == 0
        assert main(["verify", name]) == 0
        found[name] = logits(name)
    assert len(found["serial"]) == 8
    assert found["ray"] == found["serial"]
    assert found["search"] == found["serial"]
    printed = capsys.readouterr().out
    assert "The best cells" in printed
    assert "Optuna's sampler `random` proposed 8 cells" in Path("search/page.md").read_text().replace("\n", " ")


@pytest.mark.slow  # 1.5 s
def test_values_are_found_where_they_were_put(optimised) -> None:
    """The oracle of the pretending runner: what the ledger holds is what it computed."""
    optimised(RATE, Pretending(), 3)
    with Study(Path("study")).open() as ledger:
        for cell in read_study(ledger).cells:
            recipe = Recipe(**cell.recipe)
            assert cell.dev.mean == by_rate(recipe, 0, recipe.epochs)
            assert np.isfinite(cell.replicates[0].seconds or np.nan)


@pytest.mark.slow  # 2 s
def test_the_order_of_the_seeds_is_the_spaces(optimised) -> None:
    space = parse_space(RATE, "test")
    reseeded = replace(space, design=space.design.model_copy(update={"order_seed": 1}))
    optimised(space, Pretending(), 4)
    first = cells()
    optimised(reseeded, Pretending(), 8)
    assert cells()[:4] == first
    assert len({levels["learning_rate"] for levels in cells()}) == 8


@pytest.mark.slow  # starts workers twice; test_kill has a search killed and resumed
def test_interrupted_politely_it_ends_its_workers_and_says_so(project: Path, encoder_folder: Path, capsys) -> None:
    command = ["optimize", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    command += ["--trials", "8", "--workers", "2"]
    # A test run in the background has SIGINT ignored, and hands that down.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    words = [sys.executable, "-m", "runners.cli", *command]
    with subprocess.Popen(words, preexec_fn=listen, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait_until(attempts_by_state, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert b"the same command goes on from here" in errors
    assert b"Traceback" not in errors
    assert "running" not in attempts()
    workers = [int(worker.split(":")[1]) for (worker,) in ledger_rows("SELECT DISTINCT worker FROM attempts")]
    assert workers
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert main(command) == 0
    assert "complete: 8 planned, 8 finished, 0 failed, 0 pending" in capsys.readouterr().out
