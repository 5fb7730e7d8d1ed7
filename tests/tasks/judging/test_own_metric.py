"""A metric that is a function of the user's own: what it is given, what is refused, how it travels."""

import functools
import importlib.util
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsearch.errors import MetricError, RequestError
from gridsearch.repetition import Division
from gridsearch.tasks.encode import encode_task
from gridsearch.tasks.folds import with_folds
from gridsearch.tasks.judging.guesses import guess_of
from gridsearch.tasks.judging.judge import measured, probabilities
from gridsearch.tasks.judging.labelling import Labelling
from gridsearch.tasks.judging.own_metric import OwnMetric
from gridsearch.tasks.judging.with_metric import with_metric
from gridsearch.tasks.learned import why_not_learned
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.target import Target
from gridsearch.tasks.task import Task
from gridsearch.tasks.tfidf_yardstick import tfidf_yardstick

FALSE_ALARM = 5.0


def cost(truth: np.ndarray, said: np.ndarray) -> float:
    return -FALSE_ALARM * float((said.argmax(axis=1) != truth).mean())


def own(function: Callable[..., Any] = cost, name: str = "cost", version: str = "1") -> OwnMetric:
    return OwnMetric(function, name, version)


@pytest.mark.parametrize(
    ("kind", "truth", "outputs"),
    [
        ("class", np.array([0, 1, 2, 1]), np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)),
        ("multilabel", np.array([[0, 1], [1, 1]], dtype=np.int8), np.array([[-1, 2], [3, -4]], dtype=np.float32)),
        ("score", np.array([1.5, 2.0, 7.0]), np.array([[1.0], [3.0], [6.0]], dtype=np.float32)),
    ],
)
def test_it_is_told_beside_the_others(kind: Any, truth: np.ndarray, outputs: np.ndarray) -> None:
    given = []

    def spoils_what_it_gets(truth: np.ndarray, said: np.ndarray) -> float:
        given.append((truth.copy(), said.copy()))
        truth[:] = 0
        said[:] = 0
        return 0.25

    plain = Labelling(kind, outputs.shape[1])
    before = truth.copy(), outputs.copy()
    found = measured(truth, outputs, replace(plain, own=own(spoils_what_it_gets)))
    assert found == measured(truth, outputs, plain) | {"cost": 0.25}
    ((truth_given, said),) = given
    assert (truth_given.dtype, said.dtype) == (truth.dtype, np.float64)
    expected = outputs[:, 0] if kind == "score" else probabilities(outputs, kind)
    np.testing.assert_array_equal(truth_given, truth)
    np.testing.assert_array_equal(said, expected)
    np.testing.assert_array_equal(truth, before[0])
    np.testing.assert_array_equal(outputs, before[1])


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"function": 3}, "a metric is a function of truth and said, but got 3"),
        ({"name": "my cost"}, "letters, digits and underscores, such as 'cost', but got 'my cost'"),
        ({"name": "", "function": eval("lambda truth, said: 0")}, "1 to 40 letters, digits and underscores"),
        ({"name": "c" * 41}, "1 to 40 letters"),
        ({"name": "f1_macro"}, "f1_macro is a metric that gridsearch has"),
        ({"name": "AUC"}, "AUC is a metric that gridsearch has"),
        ({"version": " "}, "the version of the metric cost is a text"),
        ({"version": 1}, "such as '1', but got 1"),
        ({"version": "1\n2"}, "the version of the metric cost is a text"),
        ({"function": eval("lambda truth, said: 0")}, "the source of the metric cost cannot be read"),
        ({"function": functools.partial(cost)}, "write it as a function in a file or in a cell of a notebook"),
    ],
)
def test_what_cannot_be_told_is_refused(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        own(**asked)


def test_it_is_called_as_its_function_is() -> None:
    assert (OwnMetric(cost).name, OwnMetric(cost).version) == ("cost", "1")


@pytest.mark.parametrize(
    ("returned", "told"),
    [(float("nan"), "nan"), (np.inf, "inf"), ("0.5", "'0.5'"), (None, "None"), (np.ones(2), r"array\(\[1\., 1\.\]\)")],
)
def test_what_is_no_finite_number_is_none(returned: Any, told: str) -> None:
    metric = own(lambda truth, said: returned)
    with pytest.raises(MetricError, match=rf"^the metric cost \(version 1\) must return a finite number.*{told}"):
        metric.value(np.zeros(2), np.zeros(2))


@pytest.mark.parametrize("returned", [1, True, np.float32(1), np.array(1.0)])
def test_a_number_of_any_kind_is_one(returned: Any) -> None:
    value = own(lambda truth, said: returned).value(np.zeros(2), np.zeros(2))
    assert (value, type(value)) == (1.0, float)


def test_an_error_of_its_own_is_told() -> None:
    with pytest.raises(MetricError, match=r"^the metric cost \(version 1\) raised ZeroDivisionError: division by"):
        own(lambda truth, said: 1 / 0).value(np.zeros(2), np.zeros(2))


OF_A_USER = """
import numpy as np
from of_a_user_too import half

WEIGHT = 3.0

def cost(truth, said):
    return -WEIGHT * half(np.abs(truth - said).mean())

scaled = lambda truth, said: -2 * WEIGHT * half(np.abs(truth - said).mean())

def made(weight):
    def closed(truth, said):
        return -weight * half(np.abs(truth - said).mean())
    return closed
"""
THERE = """
import pickle, sys
import numpy as np
own = [pickle.loads(bytes.fromhex(line)) for line in sys.stdin]
again = pickle.loads(pickle.dumps(own))
for metrics in (own, again):
    print([metric.value(np.array([1.0, 2.0]), np.array([2.0, 4.0])) for metric in metrics])
print([(metric.name, metric.version, metric.source.split("(")[0]) for metric in again])
print({name for name in sys.modules if name.startswith("of_a_user")})
"""


def test_it_travels_with_the_modules_of_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function in a module, a lambda and a closure, and all that they call: a worker has none of the files."""
    (tmp_path / "of_a_user_too.py").write_text("def half(value):\n    return value / 2\n")
    (tmp_path / "of_a_user.py").write_text(OF_A_USER)
    for name in ("of_a_user_too", "of_a_user"):
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    metrics = [own(one) for one in (module.cost, module.scaled, module.made(5.0))]
    sent = "\n".join(pickle.dumps(metric).hex() for metric in metrics)
    there = subprocess.run([sys.executable, "-c", THERE], input=sent, capture_output=True, text=True, check=False)
    numbers = str([-2.25, -4.5, -3.75])
    sources = str([("cost", "1", "def cost"), ("cost", "1", "scaled = lambda truth, said: -2 * WEIGHT * half"),
                   ("cost", "1", "def closed")])  # fmt: skip
    assert there.stdout.splitlines() == [numbers, numbers, sources, "set()"], there.stderr


def test_all_workers_get_the_same_function() -> None:
    """Whatever becomes of what it refers to."""
    weights = [1.0]
    metric = own(lambda truth, said: weights[0])
    first = pickle.loads(pickle.dumps(metric))
    weights[0] = 2.0
    assert [pickle.loads(pickle.dumps(metric)).value(np.zeros(1), np.zeros(1)) for metric in (metric, first)] == [1, 1]


def test_what_does_not_unpack_fails_where_it_is_called() -> None:
    function, (_, *told) = own().__reduce__()
    arrived = function(pickle.dumps(own())[:-5], *told)
    with pytest.raises(MetricError, match=r"^the metric cost \(version 1\) raised "):
        arrived.value(np.zeros(1), np.zeros(1))


def test_what_holds_a_lock_cannot_leave(task: Task) -> None:
    lock = threading.Lock()

    def locked(truth: np.ndarray, said: np.ndarray) -> float:
        with lock:
            return 0.0

    with pytest.raises(RequestError, match=r"cannot go to other processes \(cannot pickle '_thread.lock' object\)"):
        with_metric(task, own(locked))


def test_the_task_is_another_by_name_version_and_source(task: Task) -> None:
    def dearer(truth: np.ndarray, said: np.ndarray) -> float:
        return 2 * cost(truth, said)

    judged = with_metric(task, own())
    assert (judged.metric, judged.target, judged.train) == ("cost", Target((("task", "cost"),)), task.train)
    assert judged.fingerprint == with_metric(task, own()).fingerprint
    others = (own(name="price"), own(version="2"), own(dearer))
    fingerprints = {task.fingerprint, judged.fingerprint, *(with_metric(task, one).fingerprint for one in others)}
    assert len(fingerprints) == 5
    assert replace(judged, metric=task.metric, own_metric=None).fingerprint == task.fingerprint


def test_what_workers_get_has_it(task: Task, tokenizer: Any) -> None:
    (part,) = pickle.loads(pickle.dumps(encode_task(with_metric(task, own()), tokenizer, 8))).parts
    truth, outputs = np.array([0, 1, 2]), np.eye(3)[[0, 1, 1]]
    assert measured(truth, outputs, part.labelling)["cost"] == pytest.approx(-5 / 3)


def test_what_it_cannot_judge_is_refused(task: Task) -> None:
    joint = JointTask("both", {"one": task, "other": task}, Target((("one", "f1_macro"),)), {"one": 1, "other": 1}, ())
    with pytest.raises(RequestError, match=r"both has several parts, and the metric cost judges a task of one"):
        with_metric(joint, own())
    with pytest.raises(RequestError, match=r"judges dev rows and no folds: .* leave folds out, and give dev"):
        with_metric(with_folds(task, Division(3)), own())


def test_what_fails_on_random_outputs_is_refused_before_anything_runs(task: Task) -> None:
    with pytest.raises(RequestError, match=r"^small: the metric cost \(version 1\) raised IndexError: .* its dev rows"):
        with_metric(task, own(lambda truth, said: said[:, 3].mean()))
    longer = replace(task, test=None if task.test is None else task.test.take(range(7)))
    with pytest.raises(RequestError, match=r"must return a finite number, but returned None, tried on its test rows"):
        with_metric(longer, own(lambda truth, said: 1.0 if len(truth) > 7 else None))


@pytest.mark.parametrize(
    ("labelling", "truth"),
    [
        (Labelling("class", 3), np.arange(60) % 3),
        (Labelling("multilabel", 2), np.stack([np.arange(60) % 2, np.arange(60) % 3 == 0], axis=1).astype(np.int8)),
        (Labelling("score", 1), np.arange(60.0)),
    ],
)
def test_what_a_guess_reaches_is_unknown_and_how_well_it_goes_with_labels_is_not(
    labelling: Labelling, truth: np.ndarray
) -> None:
    guess = guess_of("cost", truth, replace(labelling, own=own(lambda truth, said: 1.0)))
    assert guess == replace(guess_of("cost", truth, labelling), bound=None)
    assert guess.reaches({"cost": 1e9})
    right = {"class": np.eye(3)[truth.astype(int) % 3], "multilabel": 2.0 * truth - 1, "score": truth[:, None]}
    knows = measured(truth, right[labelling.kind], labelling)
    same = measured(truth, np.ones_like(right[labelling.kind], dtype=float), labelling)
    for dev, learned in ((knows, True), (same, False)):
        assert (why_not_learned(dev | {"cost": 1.0}, "all alike", [0.1], 1.0, guess) == "") is learned


def test_the_yardstick_is_scored_by_it(task: Task) -> None:
    plain, found = tfidf_yardstick(task), tfidf_yardstick(with_metric(task, own()))
    assert (found.name, plain.test is not None) == (plain.name, True)
    for one, other in ((found.dev, plain.dev), (found.test, plain.test)):
        assert one is not None
        assert other is not None
        assert one == other | {"cost": pytest.approx(-5 * (1 - other["accuracy"]))}


def test_no_study_fails_for_a_function_that_fails_on_the_yardstick(task: Task) -> None:
    def for_random_outputs(truth: np.ndarray, said: np.ndarray) -> float:
        return cost(truth, said) if cost(truth, said) < -2.5 else float("nan")

    plain, found = tfidf_yardstick(task), tfidf_yardstick(with_metric(task, own(for_random_outputs)))
    assert found == plain._replace(name=f"{plain.name} (cost failed on it)")
