"""Studies whose trials add pairs to their training rows: they train on them, and are never judged on one."""

from pathlib import Path

import numpy as np
import pytest

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.errors import RequestError
from gridsearch.planning.plan import Plan
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.study.study import Study
from gridsearch.tasks.augmentation.added import added_to
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.reading import reading
from gridsearch.training.finetune import finetune
from gridsearch.view import corpus_view_of
from runners.backends.serial import SerialRunner
from runners.cli import EXIT_DONE, EXIT_WRONG_REQUEST, main
from runners.materials import make_materials
from tests.fixtures_core import ON_CPU, numbers_of, reads, slow
from tests.runners.driving import sweep
from tests.runners.staging import Counting, plan_of_space, space_of, without_pretraining

TASK = """name = "pairs"
kind = "pair"
metric = "accuracy"
[files]
train = "pairs.tsv"
dev = 0.25
[columns]
text = 0
pair = 1
label = 2
header = false
[outside]
files = ["outside.tsv"]
"""
SWEEP = ("sweep", "added.toml", "--task", "task.toml", "--study", "study", "--runner", "serial")


@pytest.fixture
def pairs(project: Path) -> Path:
    """Write 60 pairs: three texts joined by two positive pairs, a negative pair from there to another text, and so on.

    A pair outside is new, and one holds a text of the rows.
    """
    texts = [line.split("\t")[1] for line in (project / "data.tsv").read_text().splitlines()[1:]]
    texts = list({reading(text): text for text in texts}.values())[:84]
    rows = []
    for first, second, third, fourth in zip(*(texts[start:80:4] for start in range(4)), strict=True):
        rows += [(first, second, 1), (second, third, 1), (third, fourth, 0)]
    (project / "pairs.tsv").write_text("".join(f"{text}\t{other}\t{label}\n" for text, other, label in rows))
    outside = [(texts[80], texts[81], 0), (texts[82], texts[0], 0)]
    (project / "outside.tsv").write_text("".join(f"{text}\t{other}\t{label}\n" for text, other, label in outside))
    (project / "task.toml").write_text(TASK)
    return project


def planned(encoder_folder: Path, factors: str, recipe: str = "", design: str = "") -> Plan:
    text = without_pretraining(space_of(factors, recipe, "[0]"))
    return plan_of_space(encoder_folder, text + design)


@pytest.mark.parametrize("design", ["", slow("folds = 3\n")])
@pytest.mark.parametrize(
    "orders",
    ["", slow('pair_swap = "both"\n'), slow('pair_swap = "random"\nprediction_order = "both"\npooling = "segments"\n')],
)
def test_a_trial_reads_the_added_rows_behind_its_own_and_is_judged_on_the_same(
    pairs: Path, encoder_folder: Path, orders: str, design: str
) -> None:
    factors = 'closure = ["off", "positives", "both"]\noutside_pairs = ["none", "negative"]'
    plan = planned(encoder_folder, factors, orders, design)
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    tokenizer = build_tokenizer(tokenizer_files(encoder_folder))
    for cell in plan.cells:
        for trial in cell.trials:
            seen, found = plan.task.of_fold(trial.fold), materials.data_of(trial)
            alone = encode_task(seen, tokenizer, *reads(trial.recipe))
            without = encode_task(seen, tokenizer, *reads(trial.recipe)[:-1])
            assert found.splits.keys() == alone.splits.keys()
            for name, split in alone.splits.items():
                same = split if name == "train" else without.splits[name]
                for array in ("ids", "types", "starts", "labels", "sides", "shared"):
                    np.testing.assert_array_equal(getattr(found.splits[name], array), getattr(same, array))
            *_, augmentation = reads(trial.recipe)
            n_added = len(added_to(seen, augmentation).split) if augmentation else 0
            times = 1 if trial.recipe.pair_swap == "off" else 2
            assert len(found.train) == times * (len(seen.train) + n_added)
            assert n_added > 0 or augmentation is None


def test_no_text_of_a_fold_that_judges_is_in_what_is_added(pairs: Path, encoder_folder: Path) -> None:
    plan = planned(encoder_folder, 'closure = ["both"]\noutside_pairs = ["positive"]', design="folds = 4\n")
    judged_with_outside = 0
    for trial in plan.trials.values():
        seen = plan.task.of_fold(trial.fold)
        *_, augmentation = reads(trial.recipe)
        found = added_to(seen, augmentation)
        judged = {reading(text) for side in (seen.dev.texts, seen.dev.pairs or ()) for text in side}
        added = {reading(text) for side in (found.split.texts, found.split.pairs or ()) for text in side}
        assert judged.isdisjoint(added)
        judged_with_outside += found.counts.outside_judged
    assert judged_with_outside == 1, "the pair with a text of the rows: in the one fold that is judged on it"


def test_a_plan_counts_the_rows_that_an_epoch_reads(pairs: Path, encoder_folder: Path) -> None:
    plan = planned(encoder_folder, 'closure = ["off", "both"]\npair_swap = ["off", "both"]')
    n_train, n_added = len(plan.task.train), len(added_to(plan.task, reads(plan.cells[-1].recipe)[-1]).split)
    expected = [n_train, 2 * n_train, n_train + n_added, 2 * (n_train + n_added)]
    assert [cell.rows for cell in plan.cells] == expected
    (trial,) = (one for one in plan.trials.values() if one.recipe.closure == "both" and one.recipe.pair_swap == "off")
    data = make_materials(plan, {trial.id}, lambda text: None)
    steps = trial.recipe.total_steps(len(data.data_of(trial).train))
    assert steps == trial.recipe.total_steps(n_train + n_added)


def test_other_outside_pairs_are_another_trial_and_no_other_task(pairs: Path, encoder_folder: Path) -> None:
    factors = 'outside_pairs = ["none", "positive"]'
    before = planned(encoder_folder, factors)
    (pairs / "outside.tsv").write_text("something new\tsomething else\t0\n")
    after = planned(encoder_folder, factors)
    assert before.task.fingerprint == after.task.fingerprint
    (plain, added), (plain_again, added_again) = (list(plan.trials) for plan in (before, after))
    assert (plain == plain_again, added == added_again) == (True, False)


@pytest.mark.slow  # 1.5 s
def test_a_trial_that_adds_pairs_computes_what_they_make_of_it(pairs: Path, encoder_folder: Path) -> None:
    """Written down, found again, and predicted with: the same bits."""
    (pairs / "added.toml").write_text(
        without_pretraining(space_of('closure = ["off", "both"]', 'outside_pairs = "positive"\n', "[0]"))
    )
    assert main([*SWEEP, "--model", str(encoder_folder)]) == EXIT_DONE
    assert main(["verify", "study"]) == EXIT_DONE
    with Study(Path("study")).open() as ledger:
        trials = [ledger.trial(one) for one in ledger.trial_ids()]
    assert len({trial.recipe.closure for trial in trials}) == 2
    for trial in trials:
        assert main(["rerun", "study", "--trial", trial.short_id]) == EXIT_DONE
    plan = planned(encoder_folder, 'closure = ["off", "both"]', 'outside_pairs = "positive"\n')
    assert {trial.id for trial in trials} == set(plan.trials)


def test_a_trial_is_not_run_again_on_other_outside_pairs(
    pairs: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = without_pretraining(space_of('outside_pairs = ["none", "positive"]', "", "[0]"))
    (pairs / "added.toml").write_text(text)
    assert main([*SWEEP, "--model", str(encoder_folder)]) == EXIT_DONE
    (pairs / "outside.tsv").write_text("something new\tsomething else\t0\n")
    with Study(Path("study")).open() as ledger:
        trials = {ledger.trial(one).recipe.outside_pairs: one for one in ledger.trial_ids()}
    capsys.readouterr()
    assert main(["rerun", "study", "--trial", trials["none"]]) == EXIT_DONE
    assert main(["rerun", "study", "--trial", trials["positive"]]) == EXIT_WRONG_REQUEST
    told = "the pairs added to the training rows are no longer those that the study was made with"
    assert told in capsys.readouterr().err
    assert main([*SWEEP, "--model", str(encoder_folder)]) == EXIT_WRONG_REQUEST, "it is another study"


def test_what_is_added_changes_what_is_computed(pairs: Path, encoder_folder: Path) -> None:
    plan = planned(encoder_folder, 'closure = ["off", "both"]')
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    one, other = (
        numbers_of(finetune(trial, materials.data_of(trial), materials.encoder_of(trial), ON_CPU))
        for trial in plan.trials.values()
    )
    assert one != other


def pretrained(encoder_folder: Path, corpus: str, recipe: str = 'closure = "both"\n') -> Plan:
    """Plan two folds, each with a pretraining on its own training rows."""
    knobs = f'"pretraining.corpus" = "{corpus}"\n"pretraining.form" = "pairs"\n"pretraining.steps" = 2\n'
    return plan_of_space(encoder_folder, space_of("bert_adam = [false]", knobs + recipe, "[0]") + "folds = 2\n")


@pytest.mark.slow  # 1.2 s
@pytest.mark.parametrize("corpus", ["train+augmented", "train+augmented_positives"])
def test_a_pretraining_reads_the_added_pairs_of_its_fold_alone(pairs: Path, encoder_folder: Path, corpus: str) -> None:
    plan = pretrained(encoder_folder, corpus)
    assert len(plan.stages) == 2, "each fold has a pretraining of its own"
    materials = make_materials(plan, set(plan.trials), lambda text: None)
    for trial in plan.trials.values():
        assert trial.stage is not None
        seen, augmentation = plan.task.of_fold(trial.fold), augmentation_of(trial.recipe)
        assert augmentation is not None
        added = added_to(seen, augmentation).split
        labels = added.labels or ()
        n_added = len(added) if corpus == "train+augmented" else labels.count(plan.task.positive)
        assert 0 < labels.count(plan.task.positive) < len(added)
        assert len(materials.corpora[corpus_view_of(trial.stage)]) == len(seen.train) + n_added
    assert sweep(plan, Study(Path("study")), SerialRunner(pretrain=Counting())).coverage.complete
    with Study(Path("study")).open() as ledger:
        for trial in plan.trials.values():
            kept = ledger.trial(trial.id).stage
            assert kept is not None
            assert trial.stage is not None
            assert corpus_view_of(kept) == corpus_view_of(trial.stage), "what it read is found again"


def test_a_pretraining_that_reads_added_pairs_needs_some(pairs: Path, encoder_folder: Path) -> None:
    with pytest.raises(RequestError, match="reads added pairs, but closure and outside_pairs add none"):
        pretrained(encoder_folder, "all+augmented", recipe="")
    with pytest.raises(RequestError, match=r"reads further files, but the task names none under \[corpus\]"):
        pretrained(encoder_folder, "all+augmented+files")


def test_a_closure_that_adds_nothing_in_any_fold_is_refused(pairs: Path, encoder_folder: Path) -> None:
    rows = [line.split("\t") for line in (pairs / "pairs.tsv").read_text().splitlines()]
    alone = [(first, other, str(number % 2)) for number, (first, other, _) in enumerate(rows[::3])]
    (pairs / "pairs.tsv").write_text("".join("\t".join(row) + "\n" for row in alone))
    with pytest.raises(RequestError, match="closure cannot act: no pair follows from the training pairs"):
        planned(encoder_folder, 'closure = ["off", "both"]', design="folds = 2\n")
    collapsed = planned(encoder_folder, 'closure = ["off", "both"]', design='folds = 2\non_dead = "collapse"\n')
    assert [cell.recipe.closure for cell in collapsed.cells] == ["off", "off"]
    assert len(collapsed.trials) == 2, "both cells share the trials of two folds"
    text = 'on_dead = "collapse"\nfolds = 2\n'
    knobs = '"pretraining.corpus" = "train+augmented"\n"pretraining.form" = "pairs"\n"pretraining.steps" = 2\n'
    space = space_of('closure = ["off", "both"]', knobs, "[0]").replace("[design]", "[design]\n" + text)
    with pytest.raises(RequestError, match="reads added pairs, but closure and outside_pairs add none"):
        plan_of_space(encoder_folder, space)
