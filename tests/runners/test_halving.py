"""Successive halving: what runs how far, whatever interrupts it; on a pretending runner, and trained for real."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridsearch.errors import RequestError
from gridsearch.planning.halving import halved
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.planning.rungs import Standing
from gridsearch.recipe.recipe import Recipe
from gridsearch.space.space import parse_space
from gridsearch.study.study import Study
from gridsearch.training.materials import Materials
from gridsearch.trial import Failure
from reports.study.read import read_study
from runners.cli import main
from runners.driver import Driven
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending, by_rate
from tests.runners.test_optimize import CARD, TASK

SPACE = """
[recipe]
epochs = 9
[factors]
learning_rate = [1e-5, 2e-5, 3e-5, 5e-5, 1e-4]
bert_adam = [false, true]
[design]
seeds = [0, 1]
"""
WHOLE = "complete: 20 planned, 2 finished, 0 failed, 0 pending, 18 pruned"


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Driven]:
    """Return a short way to sweep a space with a pretending runner; ``eta`` 0 is a plain sweep."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.schedules.rounds.make_materials", lambda *_: Materials({}, {}))

    def run(runner: Pretending, eta: int = 3, space: str = SPACE, study: str = "study", **options: Any) -> Driven:
        plan = plan_of(space)
        sources = {"space": "test", "encoders": {"tiny": CARD.identity}}
        return sweep(halved(plan, eta) if eta else plan, Study(Path(study)), runner, sources, **options)

    return run


def plan_of(space: str) -> Plan:
    return make_plan(parse_space(space, "test"), TASK, lambda name: CARD)


def standing(study: str = "study") -> Standing:
    with Study(Path(study)).open() as ledger:
        found = ledger.survey().standing
    assert found is not None
    return found


def by_state(study: str = "study") -> dict[str, int]:
    with sqlite3.connect(f"{study}/ledger.sqlite") as connection:
        return dict(connection.execute("SELECT state, count(*) FROM attempts GROUP BY state").fetchall())


def test_all_cells_begin_and_the_best_end_with_all_their_seeds(swept) -> None:
    runner = Pretending(n_workers=3)
    assert str(swept(runner).coverage) == WHOLE
    plan = halved(plan_of(SPACE), 3)
    assert plan.halving is not None
    assert plan.halving.text(n_seeds=2) == "10 cells x 1 epoch, 3 x 3, 1 x 9, 2 seeds each: 56 of 180 epochs"
    assert runner.n_epochs == 56
    found = standing()
    # The score is best at 3e-5 and knows nothing of bert_adam: the earlier row wins ties.
    rates = [[plan.cells[index - 1].recipe.learning_rate for index in members] for members in found.members]
    assert rates[1:] == [[2e-5, 3e-5, 3e-5], [3e-5]]
    assert found.members[1:] == ((3, 5, 6), (5,))
    with Study(Path("study")).open() as ledger:
        study = read_study(ledger)
    assert {cell.index: cell.n_epochs for cell in study.cells if cell.n_epochs > 1} == {3: 3, 5: 9, 6: 3}
    assert [cell.index for cell in study.ranking] == [5]
    assert by_state() == {"pruned": 20 + 6, "finished": 2}


def test_run_again_it_runs_nothing(swept) -> None:
    swept(Pretending())
    runner = Pretending()
    assert str(swept(runner).coverage) == WHOLE
    assert runner.begun == []


class KilledError(Exception):
    """Stands for a driver that dies without a word."""


class Mortal(Pretending):
    """Ends as a killed driver does: its leases stay open."""

    def run(self, *jobs: Any, **options: Any) -> None:
        try:
            super().run(*jobs, **options)
        except KeyboardInterrupt:
            raise KilledError from None


@pytest.mark.parametrize(
    ("moment", "runner", "end"),
    [
        (5, Mortal, KilledError),
        (20, Pretending, KeyboardInterrupt),
        (23, Mortal, KilledError),
        (26, Pretending, KeyboardInterrupt),
        (27, Mortal, KilledError),
    ],
)
def test_stopped_in_any_rung_it_goes_on_to_the_same_cells(swept, moment: int, runner: Any, end: Any) -> None:
    """20 trials begin in the first rung, 6 in the second, 2 in the last."""
    with pytest.raises(end):
        swept(runner(n_workers=2, stop_after=moment))
    with Study(Path("study")).open() as ledger:
        assert not ledger.coverage().complete
    assert str(swept(Pretending(n_workers=2)).coverage) == WHOLE
    assert standing().members[1:] == ((3, 5, 6), (5,))
    states = by_state()
    assert (states["pruned"], states["finished"]) == (20 + 6, 2), "no rung was run twice"


def test_the_certificate_counts_what_is_left_at_every_moment(swept) -> None:
    seen = []

    class Looking(Pretending):
        def run(self, *jobs: Any, **options: Any) -> None:
            with Study(Path("study")).open() as ledger:
                seen.append(str(ledger.coverage()))
            super().run(*jobs, **options)

    swept(Looking())
    assert seen == [
        "incomplete: 20 planned, 0 finished, 0 failed, 20 pending",
        "incomplete: 20 planned, 0 finished, 0 failed, 6 pending, 14 pruned",
        "incomplete: 20 planned, 0 finished, 0 failed, 2 pending, 18 pruned",
    ]


def test_a_plain_sweep_runs_the_rest_in_full_and_a_halving_needs_nothing_of_it(swept) -> None:
    swept(Pretending())
    assert str(swept(Pretending(), 0).coverage) == "complete: 20 planned, 20 finished, 0 failed, 0 pending"
    runner = Pretending()
    assert str(swept(runner).coverage) == "complete: 20 planned, 20 finished, 0 failed, 0 pending"
    assert runner.begun == []
    with Study(Path("study")).open() as ledger:
        assert read_study(ledger).standing is None, "all cells ran to the end: there is nothing to say of a halving"


def test_what_a_plain_sweep_finished_is_not_run_again(swept) -> None:
    with pytest.raises(KeyboardInterrupt):
        swept(Pretending(stop_after=4), 0)
    runner = Pretending()
    swept(runner)
    assert len({trial.id for trial in runner.begun if trial.recipe.epochs == 9}) == 16, "4 of 20 had finished"
    assert standing().members[1:] == ((3, 5, 6), (5,))


def test_a_study_grows(swept) -> None:
    swept(Pretending())
    runner = Pretending()
    more = SPACE.replace("1e-4]", "1e-4, 3.1e-5]")
    # 12 cells go 12, 4, 1: the new rate is the second best.
    assert str(swept(runner, space=more).coverage) == "complete: 24 planned, 2 finished, 0 failed, 0 pending, 22 pruned"
    assert standing().members[1:] == ((5, 6, 11, 12), (5,))
    assert len(runner.begun) == 4 + 4


def test_what_fails_for_good_ranks_last_and_what_is_retried_does_not(swept) -> None:
    best, second = (plan_of(SPACE).cells[index].trials[0].id for index in (4, 5))
    failures = {
        best: [Failure("code_error", "it broke")],
        second: [Failure("lost_worker", "gone"), Failure("out_of_memory", "full")],
    }
    result = swept(Pretending(failures=failures))
    assert str(result.coverage) == "settled: 20 planned, 2 finished, 1 failed, 0 pending, 17 pruned"
    assert standing().members[1:] == ((3, 4, 6), (6,))
    result = swept(Pretending(), retry_failed=True)
    assert standing().members[1:] == ((3, 5, 6), (5,))
    assert str(result.coverage) == "complete: 20 planned, 4 finished, 0 failed, 0 pending, 16 pruned"


def test_failures_in_a_later_rung_are_not_the_first_trials(swept) -> None:
    class Breaking(Pretending):
        def run(self, *jobs: Any, **options: Any) -> None:
            if self.begun:
                self.failures = {trial.id: [Failure("code_error", "alike")] for trial in self.begun}
            super().run(*jobs, **options)

    assert swept(Breaking()).stopped == ""


def test_a_loss_that_is_no_number_ranks_last(swept) -> None:
    def score(recipe: Recipe, seed: int, epoch: int) -> float:
        return float("nan") if recipe.learning_rate == 3e-5 and seed == 1 else by_rate(recipe, seed, epoch)

    class NotANumber(Pretending):
        """The ledger keeps no NaN of a metric: it is the loss that tells."""

        def _goes_on(self, trial: Any, epochs: list[Any], listener: Any) -> bool:
            heard = listener.epoch

            def epoch(trial_id: str, one: Any) -> None:
                if one.dev["task"]["accuracy"] != one.dev["task"]["accuracy"]:
                    one = type(one)(one.number, float("nan"), 1.0, 0.1, {"task": {"accuracy": 0.99}})
                heard(trial_id, one)

            listener.epoch = epoch
            try:
                return super()._goes_on(trial, epochs, listener)
            finally:
                listener.epoch = heard

    swept(NotANumber(score))
    assert standing().members[1:] == ((3, 4, 7), (3,))


CELLS = "[factors]\nlearning_rate = [1e-5, 2e-5, 3e-5, 4e-5, 5e-5, 6e-5, 7e-5, 8e-5, 9e-5]\n"
NINE = "[recipe]\nepochs = 9\n"
LATE = CELLS + 'adversarial = ["none", "fgm"]\n' + NINE + "adversarial_start = "
SCHEDULED = """
[recipe]
epochs = 9
warmup_proportion = %s
[factors]
schedule = ["linear", "cosine", "constant"]
learning_rate = [1e-5, 2e-5, 3e-5]
"""
AVERAGED = CELLS + 'swa_start = ["none", 0.1, %s]\n' + NINE


@pytest.mark.parametrize(
    ("space", "eta", "sentence"),
    [
        (CELLS, 1, "--halving divides the cells by a whole number from 2, but got 1"),
        (CELLS, 4, "--halving 4 needs at least 4 cells of 4 epochs, but there are 9 cells of 3 epochs"),
        ("[factors]\nlearning_rate = [1e-5]\n", 2, "but there are 1 cell of 3 epochs"),
        (CELLS + "epochs = [3, 9]\n", 3, "but here epochs varies"),
        (CELLS + NINE + "patience = 2\n", 3, "--halving and patience both end trials early"),
        (
            CELLS.replace(", 9e-5", "") + "[recipe]\nepochs = 2\n",
            2,
            "saves nothing, as trials that go on begin anew: 8",
        ),
        (CELLS + 'selection = ["best", "last"]\n', 3, "selection acts after the last epoch"),
        (LATE + "9\n", 3, "cannot judge every level before the last epoch: adversarial of cell 2 does not act before"),
        (
            LATE + "4\n",
            3,
            "--halving 3 has no rung from epoch 4 of 9 on, and adversarial of cell 2 does not act before",
        ),
        (AVERAGED % 0.9, 3, "swa_start of cell 3 does not act before epoch 9"),
        (
            AVERAGED % 0.4,
            3,
            "--halving 3 has no rung from epoch 4 of 9 on, and swa_start of cell 3 does not act before",
        ),
    ],
)
def test_what_cannot_be_fair_or_saves_nothing_is_refused(space: str, eta: int, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        halved(plan_of(space), eta)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        (CELLS + NINE, [1, 3, 9]),
        (LATE + "1\n", [1, 3, 9]),
        (LATE + "2\n", [3, 9]),
        (AVERAGED % 0.05, [1, 3, 9]),
        (AVERAGED % 0.2, [3, 9]),
        (SCHEDULED % 0.02, [1, 3, 9]),
        (SCHEDULED % 0.12, [3, 9]),  # all schedules share the warm-up, which is longer than an epoch
        (CELLS + NINE + "adversarial = 'fgm'\nadversarial_start = 8\n", [1, 3, 9]),  # the same in all cells
    ],
)
def test_the_first_rung_is_as_long_as_it_takes_for_every_level_to_act(space: str, expected: list[int]) -> None:
    halving = halved(plan_of(space), 3).halving
    assert halving is not None
    assert [rung.epochs for rung in halving.rungs] == expected


def epochs_by_trial(state: str) -> dict[str, list[tuple[Any, ...]]]:
    """Map trials to the loss and the metrics of each epoch of their attempts in this state, the shortest first."""
    query = (
        "SELECT trial, train_loss, epochs.dev FROM epochs JOIN attempts ON attempts.id = attempt WHERE state = ? "
        "ORDER BY attempts.id, number"
    )
    found: dict[str, list[tuple[Any, ...]]] = {}
    with sqlite3.connect("study/ledger.sqlite") as connection:
        for trial, *rest in connection.execute(query, (state,)):
            found.setdefault(trial, []).append(tuple(rest))
    return found


@pytest.mark.slow  # 7 s; the halvings beside it only pretend to
def test_trained_for_real_what_goes_on_repeats_its_first_epochs_to_the_last_bit(
    project: Path, encoder_folder: Path, capsys
) -> None:
    asked = ["question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--set", "epochs=3"]
    command = ["sweep", *asked, "--study", "study", "--runner", "serial"]
    assert main(["plan", *asked, "--study", "study", "--halving"]) == 0
    assert "halving  8 cells x 1 epoch, 2 x 3: 14 of 24 epochs (the price is" in capsys.readouterr().out
    assert main([*command, "--halving"]) == 0
    certificate = "complete: 8 planned, 2 finished, 0 failed, 0 pending, 6 pruned"
    printed = capsys.readouterr().out
    assert "\nsuccessive halving: 8 cells x 1 epoch, 2 x 3: 14 of 24 epochs\n" in printed
    assert "rung 1 of 2: 8 cells to epoch 1 of 3, 0 of 8 trials there\n" in printed
    assert "rung 2 of 2: 2 cells to epoch 3 of 3, 0 of 2 trials there\n" in printed
    assert printed.endswith(f"{certificate}\n")
    rung, went_on = epochs_by_trial("pruned"), epochs_by_trial("finished")
    assert len(rung) == 8
    assert {trial: epochs[:1] for trial, epochs in went_on.items()} == {trial: rung[trial] for trial in went_on}
    first = {trial: json.loads(epochs[0][1])["task"]["accuracy"] for trial, epochs in rung.items()}
    assert min(first[trial] for trial in went_on) >= max(first[trial] for trial in rung.keys() - went_on)
    assert main(["verify", "study"]) == 0
    assert capsys.readouterr().out == f"rung 2 of 2: 2 cells to epoch 3 of 3, 2 of 2 trials there\n{certificate}\n"
    assert main(["status", "study"]) == 0
    assert "rung 2 of 2" in capsys.readouterr().out
    assert main(command) == 0
    assert "complete: 8 planned, 8 finished, 0 failed, 0 pending\n" in capsys.readouterr().out
    finished = epochs_by_trial("finished")
    assert {trial: epochs[:1] for trial, epochs in finished.items()} == rung
    assert {trial: finished[trial] for trial in went_on} == went_on, "nothing finished was run again"


@pytest.mark.parametrize(("words", "sentence"), [(["--halving", "1"], "from 2, but got 1"), (["--halving"], "needs")])
def test_bad_input_gets_one_sentence_and_nothing_is_written(
    words: list[str], sentence: str, project: Path, encoder_folder: Path, capsys
) -> None:
    command = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]
    assert main([*command, "--runner", "serial", *words]) == 2
    printed = capsys.readouterr().err
    assert sentence in printed
    assert len(printed.strip().splitlines()) == 1
    assert not Path("study").exists()


def test_a_space_behind_the_option_is_told(capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["sweep", "--halving", "question.toml"])
    assert caught.value.code == 2
    assert "ETA is a whole number, but got 'question.toml' (a space is named before it)" in capsys.readouterr().err
