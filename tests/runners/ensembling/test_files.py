"""Predictions from outside: what is understood, and what gets one sentence."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from gridsearch.errors import RequestError
from gridsearch.tasks.judging.labelling import Labelling
from runners.ensembling.files import Wanted, read_added, read_predictions

TWO = Wanted(["bad", "good"], Labelling("class", 2, 1), 3, 2)
THREE = Wanted(["a", "b", "c"], Labelling("class", 3, 1), 3, 0)
EXPECTED = [[0.75, 0.25], [0.5, 0.5], [0.01, 0.99]]


def written(folder: Path, text: str, name: str = "zzdu.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "0.25\n0.5\n0.99\n"),
        ("a.txt", "0.25\n0.5\n0.99"),
        ("a.csv", "\ufeffscore\r\n0.25\r\n\r\n0.5\r\n0.99\r\n"),
        ("a.csv", "0.75,0.25\n0.5,0.5\n0.01,0.99\n"),
        ("a.tsv", "bad\tgood\n0.75\t0.25\n0.5\t0.5\n0.01\t0.99\n"),
        ("a.tsv", "good\tbad\n0.25\t0.75\n0.5\t0.5\n0.99\t0.01\n"),
        ("a.csv", "text,predicted,p(good),p(bad)\nx,bad,0.25,0.75\ny,bad,.5,.5\nz,good,0.99,1e-2\n"),
        ("a.csv", "id,probability\n7,0.25\n8,0.5\n9,0.99\n"),
        ("a.txt", "0.75\t0.25\n0.5\t0.5\n0.01\t0.99\n"),
    ],
)
def test_spellings_of_the_same(tmp_path: Path, name: str, text: str) -> None:
    found = read_predictions(written(tmp_path, text, name), TWO)
    np.testing.assert_allclose(softmax(found, axis=1), EXPECTED)


def test_a_single_column_is_of_the_positive_label(tmp_path: Path) -> None:
    wanted = Wanted(["yes", "no"], Labelling("class", 2, 0), 3, 0)
    found = read_predictions(written(tmp_path, "0.25\n0.5\n0.99\n"), wanted)
    np.testing.assert_allclose(softmax(found, axis=1)[:, 0], [0.25, 0.5, 0.99])


def test_certainty_is_finite_and_rounding_is_undone(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, "1,0\n0.333,0.666\n0,1\n"), TWO)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(softmax(found, axis=1), [[1, 0], [1 / 3, 2 / 3], [0, 1]], atol=1e-12)


def test_several_labels(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, "0.2,0.3,0.5\n1,0,0\n0,0.5,0.5\n"), THREE)
    np.testing.assert_allclose(softmax(found, axis=1)[0], [0.2, 0.3, 0.5])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        ("p\n", "holds no rows"),
        ("0.25\n1.5\n0.9\n", "row 2: a probability is a number from 0 to 1, but this is '1.5'"),
        ("score\n0.25\nnan\n0.9\n", "row 3: a probability is a number from 0 to 1, but this is 'nan'"),
        ("0.25\nmuch\n0.9\n", "row 2: a probability is a number from 0 to 1, but this is 'much'"),
        ("0.25,0.75\n0.5\n0.9,0.1\n", "row 2: a probability is a number from 0 to 1, but this is ''"),
        ("0.2,0.3\n0.5,0.5\n0,1\n", "row 1: the probabilities of a row add up to 1, but here to 0.5"),
        (
            "0.2,0.3,0.5\n",
            "has 3 columns, but probabilities have one, of label 'good', or 2, one a label (bad, good)",
        ),
    ],
)
def test_what_are_no_probabilities(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_predictions(written(tmp_path, text), TWO)
    assert sentence in str(caught.value)


def test_one_column_of_three_labels(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"has 1 column, but probabilities have 3, one a label \(a, b, c\)"):
        read_predictions(written(tmp_path, "0.5\n"), THREE)


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"predictions are read from \.csv and \.tsv files"):
        read_predictions(written(tmp_path, "{}", "a.jsonl"), TWO)
    with pytest.raises(RequestError, match="cannot be read"):
        read_predictions(tmp_path / "nowhere.csv", TWO)


class TestWhichRows:
    def test_their_number_tells(self, tmp_path: Path) -> None:
        dev, test = written(tmp_path, "0.1\n0.2\n0.3\n", "dev.csv"), written(tmp_path, "0.1\n0.2\n", "test.csv")
        both = read_added([str(dev), str(test)], TWO)
        assert both.judged is not None
        assert both.test is not None
        assert (both.name, len(both.judged), len(both.test)) == ("dev", 3, 2)
        assert read_added([str(dev)], TWO).test is None
        alone = read_added([str(test)], TWO)
        assert (alone.name, alone.judged) == ("test", None)
        assert read_added(["none", str(test)], TWO).judged is None

    def test_equal_numbers_do_not_tell(self, tmp_path: Path) -> None:
        wanted, path = Wanted(["bad", "good"], Labelling("class", 2, 1), 2, 2), str(written(tmp_path, "0.1\n0.2\n"))
        with pytest.raises(RequestError, match="are 2 each, so their number does not tell which"):
            read_added([path], wanted)
        assert read_added([path, "none"], wanted).test is None
        assert read_added(["none", path], wanted).judged is None

    def test_other_numbers(self, tmp_path: Path) -> None:
        path, dev = str(written(tmp_path, "0.1\n" * 5)), str(written(tmp_path, "0.1\n" * 3, "dev.csv"))
        with pytest.raises(RequestError, match="has 5 rows, but the rows that judge are 3, and those of test 2"):
            read_added([path], TWO)
        with pytest.raises(RequestError, match=r"zzdu\.csv has 5 rows, but the rows of test are 2"):
            read_added([dev, path], TWO)
        with pytest.raises(RequestError, match=r"zzdu\.csv has 5 rows, but the rows that judge are 3"):
            read_added([path, "none"], TWO)
        with pytest.raises(RequestError, match="but got none"):
            read_added(["none"], TWO)
        with pytest.raises(RequestError, match="another member has an --add of its own"):
            read_added([dev, dev, dev], TWO)


SEVERAL = Wanted(["a", "b"], Labelling("multilabel", 2), 3, 0)
NUMBERS = Wanted(["score"], Labelling("score", 1), 3, 0)


@pytest.mark.parametrize("text", ["0.25,1\n0.5,0\n0.125,0.9\n", "p(b),x,p(a)\n1,?,0.25\n0,?,0.5\n.9,?,0.125\n"])
def test_several_labels_a_row_add_up_to_anything(tmp_path: Path, text: str) -> None:
    found = read_predictions(written(tmp_path, text), SEVERAL)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(expit(found), [[0.25, 1], [0.5, 0], [0.125, 0.9]], atol=1e-12)


@pytest.mark.parametrize("text", ["3.5\n-2\n1e3\n", "id,predicted\n7,3.5\n8,-2\n9,1000\n", "any\n3.5\n-2.0\n1000\n"])
def test_numbers(tmp_path: Path, text: str) -> None:
    assert read_predictions(written(tmp_path, text), NUMBERS).tolist() == [[3.5], [-2.0], [1000.0]]


@pytest.mark.parametrize(
    ("wanted", "text", "sentence"),
    [
        (SEVERAL, "0.5\n0.5\n0.5\n", "has 1 column, but probabilities have 2, one a label (a, b)"),
        (SEVERAL, "0.5,2\n", "row 1: a probability is a number from 0 to 1, but this is '2'"),
        (NUMBERS, "1,2\n3,4\n", "has 2 columns, but numbers have one, or one called prediction"),
        (NUMBERS, "1\ninf\n2\n", "row 2: a prediction is a number, but this is 'inf'"),
    ],
)
def test_what_are_no_such_predictions(tmp_path: Path, wanted: Wanted, text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_predictions(written(tmp_path, text), wanted)
    assert sentence in str(caught.value)
