"""Studies of folds: what trains and what judges, what is run and what is refused, with real trials."""

from collections import Counter
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.planning.plan import Plan
from gridsearch.repetition import Division, Repetition
from gridsearch.study.study import Study
from gridsearch.tasks.corpus import corpus_of
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.metrics import score
from gridsearch.tasks.reading import readings_of
from gridsearch.view import Tokens, corpus_view_of, view_of
from reports.study.first_rung import at_first_rung
from reports.study.read import read_study
from runners.backends.serial import SerialRunner
from runners.cli import EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST, main
from runners.driver import Driven
from runners.materials import make_materials
from tests.fixtures_core import reads, slow
from tests.runners.driving import sweep
from tests.runners.staging import Counting, attempts, plan_of_space, space_of

SWAPS = ("both", "random")
SWEEP = ("sweep", "question.toml", "--task", "task.toml", "--study", "study", "--runner", "serial", "--set", "epochs=1")


@pytest.fixture
def asked(project: Path, encoder_folder: Path) -> tuple[str, ...]:
    (project / "question.toml").write_text(
        (project / "question.toml").read_text().replace("frozen_layers = [0, 1]\nwarmup_proportion = [0.0, 0.2]\n", "")
    )
    return (*SWEEP, "--model", str(encoder_folder))


def folded(encoder_folder: Path, *, recipe: str = "", factors: str = "bert_adam = [false]", folds: int = 3) -> Plan:
    return plan_of_space(encoder_folder, f"{space_of(factors, recipe, '[0]')}folds = {folds}\n")


def plain(encoder_folder: Path, *, folds: int = 3, recipe: str = "", factors: str = "bert_adam = [false]") -> Plan:
    """Plan without pretrainings."""
    text = space_of(factors, recipe, "[0]") + f"folds = {folds}\n"
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith('"pretraining.')]
    return plan_of_space(encoder_folder, "".join(lines))


def swept(plan: Plan) -> Driven:
    return sweep(plan, Study(Path("study")), SerialRunner(pretrain=Counting()))


@pytest.mark.slow  # 4 s
def test_a_part_first_and_then_what_is_left(asked: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*asked, "--folds", "3", "--only-folds", "0"]) == EXIT_INCOMPLETE
    assert "incomplete: 6 planned, 2 finished, 0 failed, 4 pending" in capsys.readouterr().out
    assert main([*asked, "--folds", "3", "--only-folds", "0"]) == EXIT_INCOMPLETE, "nothing of it is left to run"
    assert main([*asked, "--folds", "3"]) == EXIT_DONE
    assert main(["verify", "study"]) == EXIT_DONE
    with Study(Path("study")).open() as ledger:
        tried = Counter(row["trial"] for row in ledger.connection.execute("SELECT trial FROM attempts"))
    assert len(tried) == 6
    assert set(tried.values()) == {1}, "every trial was run once"
    assert main(["rerun", "study", "--trial", "best"]) == EXIT_DONE
    assert "equal to the ledger's, to the last bit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        slow(("--folds", "5"), "the rows were divided into 3 folds (fold_seed 0), now they are divided into 5 folds"),
        slow((), "the rows were divided into 3 folds (fold_seed 0), now they are not divided"),
        slow(("--folds", "1"), "folds: input should be greater than or equal to 2, but got 1"),
        (("--folds", "3", "--only-folds", "0,3"), "--only-folds: there are folds 0 to 2, but 3 is asked for"),
        (("--only-folds", "0"), "--only-folds needs folds: --folds 5, or folds = 5 under [design]"),
        slow(("--folds", "3", "--keep-logits", "none"), "a result over folds is of all rows together"),
        (("--folds", "60"), "each of 60 folds needs one; ask for fewer folds"),
    ],
)
def test_what_is_refused(
    asked: tuple[str, ...], options: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked, "--folds", "3", "--only-folds", "0"]) == EXIT_INCOMPLETE
    before = Path("study/ledger.sqlite").read_bytes()
    assert main([*asked, *options]) == EXIT_WRONG_REQUEST
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert Path("study/ledger.sqlite").read_bytes() == before


def test_folds_that_another_scikit_learn_divides_otherwise_are_refused(
    asked: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([*asked, "--folds", "3", "--only-folds", "0"]) == EXIT_INCOMPLETE
    monkeypatch.setattr("gridsearch.tasks.folds.version", lambda name: "another")
    monkeypatch.setattr("gridsearch.tasks.folds._divided", lambda groups, *_: tuple(n % 3 for n in range(len(groups))))
    assert main([*asked, "--folds", "3"]) == EXIT_WRONG_REQUEST
    assert "another version of scikit-learn has divided its rows into other folds" in capsys.readouterr().err


@pytest.mark.slow  # 1.6 s
def test_a_task_without_dev_needs_folds(asked: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("task.toml").read_text()
    Path("task.toml").write_text(text.replace("dev = 0.25\n", ""))
    assert main([*asked]) == EXIT_WRONG_REQUEST
    assert capsys.readouterr().err == (
        "gridsearch sweep: small has no dev rows, by which runs are judged; give dev a file or a share under [files], "
        "or divide the rows: --folds 5\n"
    )
    assert main([*asked, "--folds", "2"]) == EXIT_DONE
    assert not Path("study/ledger.sqlite-journal").exists()


def test_every_row_is_judged_once_by_the_run_that_did_not_see_it(project: Path, encoder_folder: Path) -> None:
    plan = plain(encoder_folder)
    assert swept(plan).coverage.complete
    assert plan.task.folds is not None
    folds = np.array(plan.task.folds.of_rows)
    with Study(Path("study")).open() as ledger:
        labels = ledger.labels("dev")
        np.testing.assert_array_equal(ledger.folds(), folds)
        np.testing.assert_array_equal(labels, plan.task.train.labels)
        numbers = []
        for trial in plan.trials.values():
            rows, logits = ledger.dev_rows(trial.id), ledger.logits(trial.id, "dev")
            assert rows is not None
            assert labels is not None
            assert logits is not None
            np.testing.assert_array_equal(rows, np.flatnonzero(folds == trial.fold))
            assert score(labels[rows], logits) == pytest.approx(ledger.dev_results()[trial.id]["task"], abs=1e-12)
            numbers += rows.tolist()
            assert ledger.trial(trial.id) == trial
    assert sorted(numbers) == list(range(len(plan.task.train)))


@pytest.mark.parametrize(
    "recipe", ["", slow('prediction_order = "both"\n'), *(slow(f'pair_swap = "{one}"\n') for one in SWAPS)]
)
def test_a_fold_reads_what_its_rows_alone_would_be(project: Path, encoder_folder: Path, recipe: str) -> None:
    if recipe:
        make_pairs(project)
    plan = plain(encoder_folder, recipe=recipe)
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    for trial in plan.trials.values():
        asked = trial.recipe
        seen, found = plan.task.of_fold(trial.fold), materials.data_of(trial)
        alone = encode_task(seen, tokenizer_of(encoder_folder), *reads(asked))
        assert found.splits.keys() == alone.splits.keys()
        for name, split in alone.splits.items():
            for array in ("ids", "types", "starts", "labels", "sides", "shared"):
                np.testing.assert_array_equal(getattr(found.splits[name], array), getattr(split, array))


def make_pairs(project: Path) -> None:
    head, *rows = (project / "data.tsv").read_text().splitlines()
    several = [f"{row}\t{row.split(chr(9))[1][::-1]}" for row in rows]
    (project / "data.tsv").write_text("\n".join([f"{head}\tother", *several]) + "\n")
    text = (project / "task.toml").read_text().replace('"single"', '"pair"')
    (project / "task.toml").write_text(f'{text}pair = "other"\n')


def tokenizer_of(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def test_five_folds_are_no_five_copies(project: Path, encoder_folder: Path) -> None:
    plan = plain(encoder_folder, folds=5)
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    pieces = {key: thing for trial in plan.trials.values() for key, thing in materials.pieces_of(trial).items()}
    rows = {key: thing for key, thing in pieces.items() if isinstance(key, Tokens | Division)}
    (tokens,) = (thing for key, thing in rows.items() if isinstance(key, Tokens))
    assert sum(map(n_bytes, rows.values())) < 1.1 * n_bytes(tokens)


def n_bytes(thing: Any) -> int:
    """Count the bytes of all arrays in something."""
    if isinstance(thing, np.ndarray):
        return thing.nbytes
    if not is_dataclass(thing):
        return 0
    return sum(n_bytes(getattr(thing, field.name)) for field in fields(thing))


@pytest.mark.slow  # 1.6 s
def test_a_pretraining_on_the_training_rows_reads_no_row_that_judges_its_trials(
    project: Path, encoder_folder: Path
) -> None:
    recipe = '"pretraining.corpus" = "train"\n"pretraining.steps" = 2\n'
    plan = folded(encoder_folder, recipe=recipe)
    assert len(plan.stages) == 3, "each fold has a pretraining of its own"
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    for trial in plan.trials.values():
        assert trial.stage is not None
        seen = plan.task.of_fold(trial.fold)
        assert trial.stage.corpus == corpus_of(seen, "train").fingerprint
        read = {text for text, _ in readings_of(seen.dev)}
        assert read.isdisjoint(text for text, _ in readings_of(seen.train))
        assert len(materials.corpora[corpus_view_of(trial.stage)]) == len(seen.train)
    assert swept(plan).coverage.complete
    assert [state for _, state, _, _ in attempts()] == ["finished"] * 3


@pytest.mark.parametrize(("corpus", "n_stages"), [("all", 2), ("train", 4)])
def test_a_pretraining_that_reads_the_same_in_all_folds_is_done_once(
    project: Path, encoder_folder: Path, corpus: str, n_stages: int
) -> None:
    recipe = f'"pretraining.corpus" = "{corpus}"\n'
    plan = folded(encoder_folder, recipe=recipe, factors='"pretraining.steps" = [0, 2]')
    assert len(plan.stages) == n_stages, "what takes no step reads nothing"
    assert len(plan.trials) == 6


def test_a_fold_is_a_repetition(project: Path, encoder_folder: Path) -> None:
    plan = plain(encoder_folder)
    (cell,) = plan.cells
    assert [trial.repetition for trial in cell.trials] == [Repetition(0, fold) for fold in range(3)]
    assert [cell.name_of(trial) for trial in cell.trials] == [f"cell 1, fold {fold}" for fold in range(3)]
    assert len({view_of(trial) for trial in cell.trials}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["processes", "ray"])
def test_other_runners_give_the_same_bits(asked: tuple[str, ...], runner: str) -> None:
    def results(study: str) -> dict[str, bytes]:
        with Study(Path(study)).open() as ledger:
            return {one: logits_of(ledger, one).tobytes() for one in ledger.trial_ids()}

    def logits_of(ledger: Any, trial: str) -> np.ndarray:
        found: np.ndarray = ledger.logits(trial, "dev")
        return found

    assert main([*asked, "--folds", "3"]) == EXIT_DONE
    elsewhere = [word.replace("serial", runner) if word == "serial" else word for word in asked]
    assert main([*elsewhere, "--folds", "3", "--study", "other", "--workers", "2"]) == EXIT_DONE
    assert results("study") == results("other")


@pytest.mark.slow  # 15 s
def test_optuna_compares_cells_fold_by_fold(asked: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    words = [word for word in asked if word not in ("--runner", "serial", "sweep")]
    options = ["--folds", "5", "--trials", "10", "--pruner", "wilcoxon", "--set", "epochs=1", "--workers", "1"]
    assert main(["optimize", *words, *options]) == EXIT_DONE
    with Study(Path("study")).open() as ledger:
        assert {ledger.trial(one).fold for one in ledger.trial_ids()} == {0, 1, 2, 3, 4}
        assert ledger.coverage().complete


@pytest.mark.slow  # a halving over folds
def test_a_halving_runs_all_folds_of_what_goes_on(asked: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    question = Path("question.toml")
    question.write_text(f"{question.read_text()}frozen_layers = [0, 1]\n")
    words = [*(word.replace("epochs=1", "epochs=4") for word in asked), "--folds", "2", "--halving", "2"]
    assert main(words) == EXIT_DONE
    assert "2 folds each" in capsys.readouterr().out
    with Study(Path("study")).open() as ledger:
        states = ledger.survey().states
        finished = [ledger.trial(one) for one, state in states.items() if state == "finished"]
        rows = read_study(ledger)
    seen = at_first_rung(rows)
    assert [cell.result for cell in seen.cells] == [cell.folds for cell in seen.cells], "of epochs, no logits are kept"
    assert [cell.result.n for cell in seen.cells] == [2] * 4
    assert [cell.result.n for cell in rows.cells if cell.result.n] == [1], "all rows together, of one seed"
    assert Counter(states.values()) == {"finished": 2, "pruned": 6}
    assert {one.fold for one in finished} == {0, 1}
    assert len({one.recipe for one in finished}) == 1, "both folds of one cell"
    assert main([*words, "--only-folds", "0"]) == EXIT_WRONG_REQUEST
