"""Studies of several labels a row, and of numbers: read, put together, and told on the page."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.compare import compare
from reports.figures.drawn_from.study import response_on
from reports.formats.table import terminal_table
from reports.language.say import speaking
from reports.page import make_page, write_reports
from reports.sections.best_vs_baseline import best_against_baseline
from reports.study.members import read_members
from reports.study.read import read_study
from reports.study.told import read_told
from reports.study.view import StudyRows
from tests.fixtures_core import slow
from tests.reports.of_kinds import FOLDS, NAMES, study_of

KINDS = ("multilabel", "score")


def rows_of(study: Study) -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger)


def dev_of(ledger: Ledger, trials: tuple[str, ...]) -> np.ndarray:
    """Put what the trials of all folds said of dev together, row by row."""
    truth = ledger.labels("dev")
    assert truth is not None
    found: dict[int, np.ndarray] = {}
    for trial in trials:
        rows, said = ledger.dev_rows(trial), ledger.logits(trial, "dev")
        assert rows is not None
        assert said is not None
        found.update(dict(zip(rows.tolist(), said, strict=True)))
    return np.array([found[row] for row in range(len(truth))])


@pytest.mark.parametrize("kind", KINDS)
def test_folds_are_judged_together(study: Study, kind: str) -> None:
    study_of(study, kind, "f1_macro" if kind == "multilabel" else "spearman", space=FOLDS)
    with study.open() as ledger:
        cell = read_study(ledger).cells[1]
        truth, on_test = ledger.labels("dev"), ledger.labels("test")
        for run in cell.pooled or ():
            said = dev_of(ledger, run.trials)
            each = [ledger.logits(trial, "test") for trial in run.trials]
            if kind == "multilabel":
                mean = logit(np.mean([expit(one.astype(np.float64)) for one in each], axis=0))
                expected = [metrics.f1_score(*one, average="macro") for one in ((truth, said > 0), (on_test, mean > 0))]
                assert run.test_metrics["task"]["auc"] == pytest.approx(metrics.roc_auc_score(on_test, mean))
            else:
                mean = np.mean(each, axis=0)
                pairs = ((truth, said[:, 0]), (on_test, mean[:, 0]))
                expected = [stats.spearmanr(*one)[0] for one in pairs]
                off = metrics.root_mean_squared_error(on_test, mean[:, 0])
                assert run.test_metrics["task"]["rmse"] == pytest.approx(off, rel=1e-6)
            assert [run.dev, run.test] == pytest.approx(expected)
        assert len(cell.pooled or ()) == 2


def test_of_errors_the_smallest_is_best(study: Study) -> None:
    study_of(study, "score", "rmse")
    found = rows_of(study)
    assert [cell.index for cell in found.ranking] == [3, 2, 1, 4]
    assert response_on(found, "dev").lower_is_better
    assert found.guesses["task"].bound < 25
    with study.open() as ledger, speaking("en"):
        assert "rmse on test" in terminal_table(ledger)


@pytest.mark.slow  # 1.3 s
def test_rows_with_several_labels_are_right_where_all_are(study: Study) -> None:
    study_of(study, "multilabel", has_test=False)
    found = rows_of(study)
    versus = best_against_baseline(found)
    assert versus is not None
    assert len(versus.seeds) == 2
    with study.open() as ledger:
        truth = ledger.labels("dev")
        first, second = (
            [((ledger.logits(run.trial, "dev") > 0) == truth).all(axis=1) for run in cell.runs]
            for cell in (found.ranking[0], found.baseline)
        )
    for pair, mine, other in zip(versus.seeds, first, second, strict=True):
        assert pair.rows.n_only_first == (mine & ~other).sum()
        assert pair.rows.n_only_second == (other & ~mine).sum()
    assert "A row that may have several labels is right where all of them are." in " ".join(
        make_page(found).format().split()
    )


def test_numbers_are_not_right_or_wrong(study: Study) -> None:
    study_of(study, "score")
    versus = best_against_baseline(rows_of(study))
    assert versus is not None
    assert versus.seeds == ()
    assert versus.bootstrap.interval[0] < versus.bootstrap.difference < versus.bootstrap.interval[1]
    assert "McNemar" not in make_page(rows_of(study)).format()


def test_each_label_of_the_best_cell(study: Study) -> None:
    study_of(study, "multilabel")
    with study.open() as ledger:
        found = read_study(ledger)
        truth, best = ledger.labels("dev"), found.ranking[0]
        assert truth is not None
        told = read_told(ledger, found).labels["task"]
        said = [ledger.logits(run.trial, "dev") for run in best.runs]
    assert [one.label for one in told] == list(NAMES)
    assert [one.n_rows for one in told] == truth.sum(axis=0).tolist()
    for place, one in enumerate(told):
        own = truth[:, place]
        assert one.f1 == pytest.approx(np.mean([metrics.f1_score(own, logits[:, place] > 0) for logits in said]))
        assert one.auc == pytest.approx(np.mean([metrics.roc_auc_score(own, logits[:, place]) for logits in said]))
        precision = [metrics.average_precision_score(own, logits[:, place]) for logits in said]
        assert one.average_precision == pytest.approx(np.mean(precision))


def test_how_far_off_numbers_are_beside_the_true_ones(study: Study) -> None:
    study_of(study, "score", "pearson")
    with study.open() as ledger:
        found = read_study(ledger)
        truth, told = ledger.labels("dev"), read_told(ledger, found)
    assert truth is not None
    numbers = told.numbers["task"]
    assert numbers.sd == pytest.approx(truth.std())
    assert numbers.from_median == pytest.approx(metrics.mean_absolute_error(truth, np.full(90, np.median(truth))))


@pytest.mark.parametrize("kind", KINDS)
def test_a_study_is_compared_with_one_of_the_same_kind_alone(tmp_path: Path, kind: str) -> None:
    names = {"multilabel": "f1_macro", "score": "rmse"}
    studies = [Study(tmp_path / name) for name in ("a", "b")]
    for place, one in enumerate(studies):
        study_of(one, kind, names[kind], qualities=(1.0, 1.2, 1.4, 1.6 + place))
    assert compare(*map(rows_of, studies)).same_measure
    other = Study(tmp_path / "c")
    study_of(other, "multilabel", "f1_micro")
    assert not compare(rows_of(studies[0]), rows_of(other)).same_measure


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folds", [slow(False), True])
def test_the_page(study: Study, kind: str, folds: bool) -> None:
    study_of(study, kind, **({"space": FOLDS} if folds else {}))
    section = {
        "multilabel": {"en": "Label by label", "zh": "逐个标签"},
        "score": {"en": "How far predictions are off", "zh": "预测的偏差"},
    }[kind]
    averages = {"en": "Averages of several runs", "zh": "多次运行的平均"}
    for language in ("en", "zh"):
        out = study.folder / language
        for path in write_reports(study, out, ("md", "html", "csv", "latex", "json"), language):
            text = path.read_text(encoding="utf-8")
            assert "nan |" not in text
            if path.suffix in (".md", ".html"):
                assert section[language] in text
                assert averages[language] in text
            if path.suffix == ".html":
                assert "<u>" not in text
    numbers = json.loads((study.folder / "en" / "page.json").read_text(encoding="utf-8"))
    assert (numbers["by_label"] is None) == (kind == "score")
    assert (numbers["how_far_off"] is None) == (kind == "multilabel")
    assert numbers["result"]["lower_is_better"] == (kind == "score")


@pytest.mark.parametrize("kind", KINDS)
def test_members_of_averages(study: Study, kind: str) -> None:
    study_of(study, kind)
    with study.open() as ledger:
        members = read_members(ledger, read_study(ledger))
    assert members is not None
    assert members.rows.labelling.kind == kind
    assert len(members.members) == 8
