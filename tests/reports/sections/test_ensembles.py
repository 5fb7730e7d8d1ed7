"""Averages of runs on the page: each number anew from what the ledger holds, and sentences that say no more."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from gridsearch.study.damage.seals import seal
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.language.say import speaking
from reports.page import make_page, write_reports
from reports.sections.context import PageContext
from reports.sections.ensembles import EnsembleSection
from reports.statistics.ensembles.nested import outer_folds
from reports.study.members import read_members
from reports.study.read import read_study
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan
from tests.reports.ensembled import FOLDS, FOLDS_AND_SEEDS, SEEDS, ensemble_study, finish, task_of_rows
from tests.reports.language.test_language import english_in


def numbers(study: Study) -> dict[str, Any]:
    (page,) = write_reports(study, None, ["json"])
    found: dict[str, Any] = json.loads(page.read_text(encoding="utf-8"))["ensembles"]
    return found


def rows(study: Study, **said: Any) -> StudyRows:
    with study.open() as ledger:
        found = read_study(ledger)
        return replace(found, members=read_members(ledger, found, **said))


def section(study: Study) -> str:
    (page,) = write_reports(study, None, ["md"])
    text = page.read_text(encoding="utf-8").split("\n## Averages of several runs\n")
    return "" if len(text) == 1 else text[1].split("\n## ")[0]


@pytest.mark.parametrize("space", [SMALL_SPACE, SEEDS, FOLDS, FOLDS_AND_SEEDS])
def test_the_scores_are_recomputed_from_page_and_ledger(study: Study, space: str) -> None:
    """By NumPy and nothing of ours but how rows without folds are divided."""
    ensemble_study(study, task_of_rows("auc"), space=space)
    found = numbers(study)
    with study.open() as ledger:
        labels, folds = ledger.labels("dev"), ledger.folds()
        chances = np.zeros((len(found["members"]), len(labels), 2))
        for place, member in enumerate(found["members"]):
            for trial in member["trials"]:
                of_trial = ledger.dev_rows(trial)
                powers = np.exp(ledger.logits(trial, "dev").astype(float))
                chances[place, slice(None) if of_trial is None else of_trial] = powers / powers.sum(1, keepdims=True)

    def auc(scores: np.ndarray) -> float:
        parts = [np.arange(len(labels))] if folds is None else [np.flatnonzero(folds == fold) for fold in set(folds)]
        return float(np.average([roc_auc_score(labels[own], scores[own]) for own in parts], weights=[*map(len, parts)]))

    (greedy,) = (one for one in found["found"] if one["method"] == "greedy")
    final = np.average(chances, axis=0, weights=greedy["final"]["weights"])
    assert greedy["naive"]["score"] == pytest.approx(auc(final[:, 1]))
    nested = np.zeros(len(labels))
    for fold, chosen in enumerate(greedy["by_fold"]):
        own = (outer_folds(labels) if folds is None else folds) == fold
        nested[own] = np.average(chances[:, own, 1], axis=0, weights=chosen["weights"])
    assert greedy["nested"]["score"] == pytest.approx(auc(nested))
    assert found["members"][0]["score"] == pytest.approx(auc(chances[0, :, 1]))


def test_a_members_score_is_its_result(study: Study) -> None:
    ensemble_study(study, space=FOLDS_AND_SEEDS)
    (page,) = write_reports(study, None, ["json"])
    told = json.loads(page.read_text())
    cells = {cell["index"]: cell for cell in told["cells"]}
    for cell in cells.values():
        own = [one["score"] for one in told["ensembles"]["members"] if one["cell"] == cell["index"]]
        assert np.mean(own) == pytest.approx(cell["dev"]["mean"])
    assert [one["name"] for one in told["ensembles"]["members"][:2]] == ["1 seed 0", "1 seed 1"]


def test_the_section_of_a_small_study(study: Study) -> None:
    ensemble_study(study)
    text = section(study)
    assert "| the best one alone" in text
    assert "ranks" not in text
    plain = " ".join(text.split())
    assert "Dev is divided into 5 parts: members, weights and the best one alone are chosen on other parts" in plain
    assert "The naive gain is larger for " in plain or "here it is no larger." in plain
    best = sorted(numbers(study)["members"], key=lambda one: -one["score"])
    assert f"The best 4 on all rows: cells {', '.join(one['name'] for one in best)}." in plain
    assert "`gridsearch ensemble study --output FILE` predicts test" in plain
    found = numbers(study)
    assert found["left_out"] == {"ranks": "the metric is none of a ranking"}
    for one in found["found"]:
        gain = one["nested"]["gain"]
        assert f"{one['nested']['score']:.4f}" in text
        assert f"{gain:+.4f}" in text or gain == 0


@pytest.mark.parametrize(
    ("quality", "said"),
    [((1.5, 1.5, 1.5, 1.5), "A gain over the best one alone: "), ((9.0, 9.0, 9.0, 9.0), "No gain: ")],
)
def test_what_is_concluded(study: Study, quality: tuple[float, ...], said: str) -> None:
    ensemble_study(study, task_of_rows("auc"), qualities=quality)
    text = " ".join(section(study).split())
    assert said in text
    assert ("the interval holds 0" in text) == ("No gain" in text)


@pytest.mark.slow  # 1.5 s
def test_folds_are_the_studys(study: Study) -> None:
    ensemble_study(study, task_of_rows("auc"), space=FOLDS)
    assert "chosen on other folds than the one that they are scored on" in " ".join(section(study).split())
    found = numbers(study)
    assert (found["n_folds"], found["has_folds"], found["n_rows"]) == (3, True, 180)
    assert [one["method"] for one in found["found"]] == ["probabilities", "logits", "ranks", "weighted", "greedy"]


@pytest.mark.slow  # 1.1 s
def test_who_is_no_member(study: Study) -> None:
    writer = ensemble_study(study, space=FOLDS, qualities=(1.8, 2.2, 2.1))
    finish(writer, 4, 0, writer.plan.cells[3].trials[0], 1.8)
    with Ledger(study.ledger_path) as ledger, ledger.connection as write:
        (attempt,) = write.execute(
            "SELECT id FROM attempts WHERE trial = ?", (writer.plan.cells[2].trials[1].id,)
        ).fetchone()
        write.execute("UPDATE attempts SET not_learned = 'every dev row gets the same label' WHERE id = ?", (attempt,))
        seal(write, "attempts", attempt)
    found = numbers(study)
    assert [one["cell"] for one in found["members"]] == [1, 2]
    assert (found["unfinished"], found["not_learned"], found["unkept"]) == (["4"], ["3"], [])
    text = " ".join(section(study).split())
    assert "No members: cells 3 (did not learn); cells 4 (lack some of their folds)." in text


def test_cells_that_share_their_trials_are_one_member(study: Study) -> None:
    space = SMALL_SPACE + '[design]\nkind = "list"\n[[design.rows]]\nrow = "a"\n[[design.rows]]\nrow = "b"\n'
    ensemble_study(study, space=space + '[[design.rows]]\nrow = "c"\nbert_adam = true\n', qualities=(2.0,))
    with study.open() as ledger:
        found = read_members(ledger, read_study(ledger))
    assert found is not None
    assert [one.name for one in found.candidates] == ["1"]


def test_no_section_without_two_members(study: Study) -> None:
    writer = Writer(study, small_plan())
    assert (section(study), numbers(study)) == ("", None)
    writer.finish(1, outcome(0.8, 0.8))
    assert (section(study), numbers(study)) == ("", None)


def test_no_section_without_logits(study: Study) -> None:
    ensemble_study(study)
    with Ledger(study.ledger_path) as ledger, ledger.connection as write:
        write.execute("DELETE FROM logits")
    assert (section(study), numbers(study)) == ("", None)


def test_not_more_is_read_than_a_page_has_room_for(study: Study) -> None:
    ensemble_study(study)
    found = rows(study, most_values=2 * 120 * 2)
    assert found.members is not None
    assert [one.name for one in found.members.members] == ["2", "3"]
    text = " ".join(EnsembleSection(PageContext(found)).format().split())
    assert "(2 are left out)" in text


def test_many_rows_are_not_picked_from_on_a_page(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble_study(study)
    monkeypatch.setattr("reports.sections.ensembles.MOST_GREEDY_ROWS", 100)
    assert "Greedy selection would take long on so many rows" in " ".join(section(study).split())
    assert numbers(study)["left_out"]["greedy"] == "so many rows take a while"


@pytest.mark.parametrize("space", [SEEDS, FOLDS])
def test_in_chinese(study: Study, space: str) -> None:
    ensemble_study(study, task_of_rows("auc"), space=space)
    found = rows(study)
    with speaking("zh"):
        text = EnsembleSection(PageContext(found)).format()
    assert text.startswith("## 多次运行的平均")
    assert english_in(text) == []


def test_pages_of_other_kinds_have_none(study: Study) -> None:
    ensemble_study(study)
    with study.open() as ledger:
        assert make_page(read_study(ledger)).numbers()["ensembles"] is None
