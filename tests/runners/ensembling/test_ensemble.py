"""``gridsearch ensemble``: of one study and of several, with files from outside; and what it refuses."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from gridsearch.study.study import Study
from gridsearch.tasks.metrics import probabilities
from runners.cli import EXIT_DONE, EXIT_WRONG_REQUEST, main
from tests.reports.conftest import SMALL_SPACE, Writer, small_plan
from tests.reports.ensembled import (
    FOLDS,
    FOLDS_AND_SEEDS,
    LABELS,
    N_DEV,
    N_TEST,
    SEEDS,
    ensemble_study,
    finish,
    said,
    task_of_rows,
)

LISTED = SMALL_SPACE + (
    '[design]\nkind = "list"\nrows = [{ row = "kfold-9" }, { row = "kfold-10", bert_adam = true }, '
    '{ row = "kfold-11", frozen_layers = 6 }]\n'
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]):
    def ensemble(*words: str, code: int = EXIT_DONE) -> str:
        capsys.readouterr()
        assert main(["ensemble", *words]) == code
        printed = capsys.readouterr()
        if code != EXIT_DONE:
            assert printed.err.startswith("gridsearch ensemble: ")
            assert printed.err.count("\n") == 1
        return printed.out + printed.err

    return ensemble


@pytest.fixture
def numbers(call):
    def ask(*words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(call(*words, "--json"))
        return found

    return ask


def probabilities_in(path: str) -> np.ndarray:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return np.array([[float(row["p(bad)"]), float(row["p(good)"])] for row in csv.DictReader(file)])


def write_probabilities(path: str, logits: np.ndarray) -> None:
    Path(path).write_text("".join(f"{one:.17g}\n" for one in softmax(logits.astype(float), axis=1)[:, 1]))


def trials_of(study: str, cell: int) -> list[str]:
    with Study(Path(study)).open() as ledger:
        query = "SELECT trial FROM cell_trials WHERE position = ? ORDER BY replicate"
        return [row["trial"] for row in ledger.connection.execute(query, (cell,))]


def test_what_a_terminal_shows(call) -> None:
    ensemble_study(Study(Path("study")), task_of_rows("auc"))
    text = call("study")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    for method in ("probabilities", "logits", "ranks", "weighted", "greedy"):
        assert sum(line.startswith(f"{method} ") for line in lines) == 1
    assert "auc on 120 rows." in text
    (best,) = (line for line in lines if line.startswith("2 "))
    assert best.split()[2] == "x"
    assert call("study", "--method", "greedy").count("\nprobabilities") == 0


def test_the_page_and_the_command_say_the_same(numbers) -> None:
    study = Study(Path("study"))
    ensemble_study(study, space=FOLDS)
    assert main(["report", "study", "--format", "json"]) == EXIT_DONE
    page = json.loads(study.page_path.with_suffix(".json").read_text())["ensembles"]
    found = numbers("study")
    assert (found["found"], found["n_folds"], found["left_out"]) == (page["found"], 3, page["left_out"])


@pytest.mark.parametrize("space", [SMALL_SPACE, FOLDS, FOLDS_AND_SEEDS])
def test_what_is_written_is_the_mean_of_the_named(call, space: str) -> None:
    ensemble_study(Study(Path("study")), space=space)
    told = call("study", "--cells", "1,3", "--output", "test.csv", "--digits", "17")
    assert f"test.csv: probabilities of {N_TEST} test rows, by probabilities" in told
    with Study(Path("study")).open() as ledger:
        # As many folds and seeds in both: the mean of means is the mean of all.
        each = [
            softmax(logits.astype(float), axis=1)
            for cell in (1, 3)
            for trial in trials_of("study", cell)
            if (logits := ledger.logits(trial, "test")) is not None
        ]
    np.testing.assert_allclose(probabilities_in("test.csv"), np.mean(each, axis=0), rtol=1e-6)


def test_the_mean_of_one_is_that_one_to_the_last_bit(call, numbers) -> None:
    ensemble_study(Study(Path("study")))
    call("study", "--cells", "2", "--output", "test.csv", "--digits", "17")
    with Study(Path("study")).open() as ledger:
        logits = ledger.logits(trials_of("study", 2)[0], "test")
    assert logits is not None
    spelled = [[float(f"{one:.17f}") for one in row] for row in probabilities(logits)]
    np.testing.assert_array_equal(probabilities_in("test.csv"), spelled)
    assert numbers("study", "--cells", "2")["why_not"] == "fewer than two members"


def test_rows_of_a_list_by_their_names(numbers) -> None:
    ensemble_study(Study(Path("study")), space=LISTED)
    assert [one["name"] for one in numbers("study", "--cells", "kfold-9,kfold-11")["members"]] == ["1", "3"]
    found = numbers("study", "--cells", "kfold-9, 2")
    assert [one["name"] for one in found["members"]] == ["1", "2"]
    assert found["most"] is None
    assert found["found"][0]["final"]["weights"] == [1.0, 1.0]


def test_seeds_are_members_of_their_own(numbers) -> None:
    ensemble_study(Study(Path("study")), space=SEEDS)
    found = numbers("study", "--cells", "1,2")
    assert [one["name"] for one in found["members"]] == ["1 seed 0", "1 seed 1", "2 seed 0", "2 seed 1"]


class TestSeveralStudies:
    def test_members_of_both(self, numbers, call) -> None:
        ensemble_study(Study(Path("one")), space=FOLDS)
        other = FOLDS.replace("epochs = 2", "epochs = 3")
        ensemble_study(Study(Path("two")), space=other, first_seed=7)
        found = numbers("one", "two")
        assert [one["name"] for one in found["members"]] == [
            f"{study}:{cell}" for study in "AB" for cell in range(1, 5)
        ]
        assert found["remarks"] == ["A: one", "B: two"]
        named = numbers("one", "two", "--cells", "1", "--cells", "2,3")
        assert [one["name"] for one in named["members"]] == ["A:1", "B:2", "B:3"]
        call("one", "two", "--cells", "1", "--cells", "2", "--output", "both.csv")
        assert len(probabilities_in("both.csv")) == N_TEST
        told = call("one", "two", "--cells", "1", code=EXIT_WRONG_REQUEST)
        assert "--cells is given once for each study, in their order, but there are 2 studies and 1 --cells" in told

    def test_the_same_trials_are_members_once(self, numbers) -> None:
        ensemble_study(Study(Path("one")))
        ensemble_study(Study(Path("two")))
        found = numbers("one", "two")
        assert len(found["members"]) == 4
        assert "the same trials as in a study before" in found["remarks"][-1]

    @pytest.mark.parametrize(
        ("first", "second", "sentence"),
        [
            ({}, {"task": replace(task_of_rows(), train=task_of_rows().dev)}, "has other rows"),
            ({}, {"task": task_of_rows("auc")}, "has other rows"),
            ({"space": FOLDS}, {"space": FOLDS.replace("3", "4")}, "rows that are divided into other folds"),
            ({"space": FOLDS}, {"space": f"{FOLDS}fold_seed = 1\n"}, "rows that are divided into other folds"),
            ({}, {"space": FOLDS}, "has other rows"),
        ],
    )
    def test_studies_of_other_rows_are_refused(
        self, call, first: dict[str, Any], second: dict[str, Any], sentence: str
    ) -> None:
        ensemble_study(Study(Path("one")), **first)
        ensemble_study(Study(Path("two")), **second)
        told = call("one", "two", code=EXIT_WRONG_REQUEST)
        assert "one and two cannot be averaged: the second study" in told
        assert sentence in told


class TestFromOutside:
    def test_a_member_with_a_gain(self, call, numbers) -> None:
        ensemble_study(Study(Path("study")), task_of_rows("auc"))
        own = said(1.9, LABELS, 999)
        write_probabilities("zzdu.csv", own)
        found = numbers("study", "--cells", "1,2", "--add", "zzdu.csv")
        assert [one["name"] for one in found["members"]] == ["1", "2", "zzdu"]
        assert found["members"][2]["trials"] == []
        told = call("study", "--cells", "1,2", "--add", "zzdu.csv", "-o", "x.csv", code=EXIT_WRONG_REQUEST)
        assert "member zzdu says nothing of test: name its file for test behind the one for the rows that judge" in told
        assert not Path("x.csv").exists()

    def test_its_test_file_too(self, call) -> None:
        ensemble_study(Study(Path("study")))
        write_probabilities("dev.csv", said(1.9, LABELS, 999))
        on_test = said(1.9, np.arange(N_TEST) % 2, 998)
        write_probabilities("test.csv", on_test)
        call("study", "--cells", "2", "--add", "dev.csv", "test.csv", "-o", "out.csv", "--digits", "17")
        with Study(Path("study")).open() as ledger:
            logits = ledger.logits(trials_of("study", 2)[0], "test")
        assert logits is not None
        expected = (softmax(logits.astype(float), axis=1) + softmax(on_test.astype(float), axis=1)) / 2
        np.testing.assert_allclose(probabilities_in("out.csv"), expected, rtol=1e-9)

    @pytest.mark.slow  # 1.1 s
    def test_of_test_alone_it_joins_the_plain_means_without_a_gain(self, call, numbers) -> None:
        ensemble_study(Study(Path("study")))
        on_test = said(1.9, np.arange(N_TEST) % 2, 998)
        write_probabilities("zzdu.csv", on_test)
        before, found = numbers("study", "--cells", "1,2"), numbers("study", "--cells", "1,2", "--add", "zzdu.csv")
        assert (found["found"], found["for_test_alone"]) == (before["found"], ["zzdu"])
        told = call("study", "--cells", "1,2", "--add", "zzdu.csv", "-o", "with.csv", "--digits", "17")
        assert "Known on test alone" in told
        call("study", "--cells", "1,2", "-o", "without.csv", "--digits", "17")
        expected = (2 * probabilities_in("without.csv") + softmax(on_test.astype(float), axis=1)) / 3
        np.testing.assert_allclose(probabilities_in("with.csv"), expected, rtol=1e-9)
        call("study", "--cells", "1,2", "--add", "zzdu.csv", "-o", "g.csv", "--method", "greedy", "--digits", "17")
        call("study", "--cells", "1,2", "-o", "h.csv", "--method", "greedy", "--digits", "17")
        np.testing.assert_array_equal(probabilities_in("g.csv"), probabilities_in("h.csv"))

    def test_what_the_command_wrote_can_be_added(self, call, numbers) -> None:
        ensemble_study(Study(Path("study")))
        call("study", "--cells", "1,2", "-o", "ours.tsv")
        found = numbers("study", "--cells", "3", "--add", "ours.tsv", "--add", "ours.tsv")
        assert found["for_test_alone"] == ["ours", "ours (2)"]

    def test_of_a_folded_study_it_has_all_rows(self, numbers, call) -> None:
        writer = ensemble_study(Study(Path("study")), space=FOLDS)
        labels = np.array(writer.plan.task.train.labels)
        write_probabilities("all.csv", said(2.0, labels, 5))
        assert len(numbers("study", "--add", "all.csv")["members"]) == 5
        write_probabilities("dev.csv", said(2.0, LABELS, 5))
        told = call("study", "--add", "dev.csv", code=EXIT_WRONG_REQUEST)
        assert f"dev.csv has {N_DEV} rows, but the rows that judge are 180, and those of test {N_TEST}" in told


class TestTest:
    def test_ranks_are_written_as_shares_of_the_rows(self, call) -> None:
        ensemble_study(Study(Path("study")), task_of_rows("auc"))
        told = call("study", "--method", "ranks", "--cells", "2", "-o", "ranks.csv")
        assert "mean of ranks, as a share of the rows, of 40 test rows" in told
        assert sorted(probabilities_in("ranks.csv")[:, 1]) == pytest.approx(np.arange(1, 41) / 40)

    def test_with_the_columns_of_its_file(self, call) -> None:
        writer = ensemble_study(Study(Path("study")))
        columns = {"separator": ",", "header": True, "text": "text", "label": "label"}
        with Study(Path("study")).driven() as ledger:
            sources = {**ledger.trials_manifest().sources, "columns": columns}
            ledger.adopt(writer.plan, sources)
        Path("test.csv").write_text("id,text\n" + "".join(f"{7 * n},test {n}\n" for n in range(N_TEST)))
        form = ("--columns", "id,label=prediction", "--format", "jsonl", "--test-file", "test.csv")
        call("study", "--cells", "1,2", *form, "-o", "out.jsonl")
        lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
        assert [line["id"] for line in lines[:3]] == ["0", "7", "14"]
        assert {line["label"] for line in lines} == {"bad", "good"}
        Path("short.csv").write_text("id,text\n1,a\n")
        told = call("study", "-o", "x.csv", "--test-file", "short.csv", code=EXIT_WRONG_REQUEST)
        assert f"short.csv has 1 rows, but those of test are {N_TEST}" in told

    def test_a_labelled_one_is_scored(self, call, numbers) -> None:
        ensemble_study(Study(Path("study")), task_of_rows(test_labels=True))
        found = numbers("study", "--cells", "1,2")["test"]
        call("study", "--cells", "1,2", "-o", "out.csv")
        right = (probabilities_in("out.csv").argmax(axis=1) == np.arange(N_TEST) % 2).mean()
        assert found["probabilities"] == pytest.approx(right)
        assert "On test, which chose nothing: probabilities" in call("study", "--cells", "1,2")


class TestRefused:
    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (("study", "--method", "vote"), "--method: unknown method 'vote'"),
            (("study", "--method", "ranks"), "a mean of ranks is for auc, average_precision of two labels"),
            (("study", "--cells", "9"), "the table has no row '9'"),
            (("study", "--cells", "4"), "row 4 of study cannot be a member: 0 of its 1 trials are finished"),
            (("nowhere",), "there is no study at nowhere"),
            (("study", "--add", "nowhere.csv"), "nowhere.csv cannot be read"),
            (("study", "--test-file", "x.csv"), "--test-file is for --output FILE"),
            (("study", "-o", "no/out.csv"), "there is no folder no to write out.csv into"),
            (("study", "-o", "there.csv"), "there.csv exists; --force replaces it"),
        ],
    )
    def test_with_a_sentence(self, call, words: tuple[str, ...], sentence: str) -> None:
        ensemble_study(Study(Path("study")), qualities=(1.8, 2.0, 2.2))
        Path("there.csv").write_text("")
        assert sentence in call(*words, code=EXIT_WRONG_REQUEST)

    def test_nothing_finished(self, call) -> None:
        Writer(Study(Path("study")), small_plan())
        assert "study has no finished run that learned" in call("study", code=EXIT_WRONG_REQUEST)

    def test_without_test_rows(self, call) -> None:
        ensemble_study(Study(Path("study")), task_of_rows(has_test=False))
        assert "there are no test rows to be predicted" in call("study", "-o", "out.csv", code=EXIT_WRONG_REQUEST)
        assert not Path("out.csv").exists()

    def test_a_cell_that_lacks_a_fold(self, call) -> None:
        writer = ensemble_study(Study(Path("study")), space=FOLDS, qualities=(1.8, 2.2, 2.1))
        finish(writer, 4, 0, writer.plan.cells[3].trials[0], 1.8)
        assert "left out (lack some of their folds): 4" in call("study")
        told = call("study", "--cells", "1,4", code=EXIT_WRONG_REQUEST)
        assert "row 4 of study cannot be a member: 1 of its 3 trials are finished" in told

    def test_a_published_table(self, call) -> None:
        Path("table.csv").write_text("a,b,result\n0,0,0.5\n0,1,0.6\n1,0,0.7\n1,1,0.8\n")
        assert main(["import", "table.csv", "--study", "published"]) == EXIT_DONE
        assert "published is an imported table" in call("published", code=EXIT_WRONG_REQUEST)
