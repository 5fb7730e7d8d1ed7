"""From a plan's price to the page: what was measured is kept for this machine, predicted with, and compared."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gridsearch.cache import cache_folder
from gridsearch.encoders.load import describe
from gridsearch.errors import GridSearchError
from gridsearch.planning.cost_groups import groups_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import load_space
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.step_timing import Visit
from gridsearch.trial import Failure
from runners.cli import build_parser, main
from runners.pricing.forecast import (
    Allotment,
    circumstances_of,
    forecast_of,
    foreseen,
    known_prices,
    only,
    worker_allotment,
)
from runners.pricing.forecast_text import price_lines
from runners.pricing.measure import Measurement, _n_visits, measure
from runners.pricing.price_cache import Price, find_price, save_price
from runners.sizes import spell_size
from tests.runners.test_cli import question, run

PRICE = Price(
    seconds=2.0, low=1.5, high=3.0, setup_seconds=0.1, step_seconds=0.1, dev_seconds=0.2, test_seconds=0.3,
    n_steps=10, n_visits=2, n_workers=2, start_seconds=4.0, measured=1_795_000_000.0, core_share=0.5,
)  # fmt: skip
HERE = Allotment(n_workers=2, threads=1, gpus=(), gpu_share=0.0, n_cores=4)


@pytest.fixture
def plan(project: Path, encoder_folder: Path) -> Plan:
    """Plan the 2^3 cells of the small question: Adam and frozen layers cost something, warm-up does not."""
    task = load_task(project / "task.toml")
    space = load_space(project / "question.toml").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(space, task, partial(describe, corpus=task.corpus))


def price_all(plan: Plan, price: Price = PRICE, allotment: Allotment = HERE) -> None:
    for number, group in enumerate(groups_of(plan)):
        save_price(replace(price, seconds=price.seconds + number), group, circumstances_of(plan, allotment))


def test_a_price_comes_back_and_the_nearest_number_of_workers_will_do(plan: Plan) -> None:
    group, circumstances = groups_of(plan)[0], circumstances_of(plan, HERE)
    assert find_price(group, circumstances, 2) is None
    assert "prices" not in {path.name for path in cache_folder().iterdir()}, "looking writes nothing"
    other = replace(PRICE, n_workers=8)
    for price in (replace(PRICE, seconds=9.0), PRICE, other):
        save_price(price, group, circumstances)
    assert [find_price(group, circumstances, count) for count in (1, 2, 8)] == [PRICE, PRICE, other]
    assert find_price(groups_of(plan)[1], circumstances, 2) is None


def test_another_machine_task_or_thread_has_no_price_yet(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    group = groups_of(plan)[0]
    price_all(plan)
    assert find_price(group, circumstances_of(plan, HERE), 2) == PRICE
    assert find_price(group, circumstances_of(plan, replace(HERE, threads=2)), 2) is None
    assert find_price(group, circumstances_of(plan, replace(HERE, gpus=("A GPU",))), 2) is None
    assert find_price(group, replace(circumstances_of(plan, HERE), task="another"), 2) is None
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    assert find_price(group, circumstances_of(plan, HERE), 2) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"price": {}}', '{"price": {"seconds": 1}}', '{"price": 1}'])
def test_a_damaged_price_is_none(plan: Plan, content: str) -> None:
    price_all(plan)
    for file in (cache_folder() / "prices").glob("*/*.json"):
        file.write_text(content)
    assert known_prices(plan, groups_of(plan), HERE) == [None] * 4


def test_hours_follow_from_prices_workers_and_order(plan: Plan) -> None:
    groups = groups_of(plan)
    assert [len(group.trials) for group in groups] == [2, 2, 2, 2]
    found = forecast_of(plan, groups, [PRICE] * 4, HERE)
    # Eight trials of 2 s by two workers that take 4 s to start; each worker holds a core all the while.
    assert (found.wall_seconds, found.core_seconds, found.gpu_seconds) == (12.0, 24.0, 0.0)
    assert (found.low, found.high, found.disturbed) == (4 + 4 * 1.5, 4 + 4 * 3.0, 2 * 12.0)
    crowded = forecast_of(plan, groups, [PRICE] * 4, replace(HERE, n_cores=1))
    assert (crowded.wall_seconds, crowded.core_seconds) == (4 + 2 * 8.0, 2 * 4 + 2 * 16.0)
    on_gpu = forecast_of(plan, groups, [PRICE] * 4, Allotment(3, 2, ("A GPU",), 0.5, 8))
    assert (on_gpu.wall_seconds, on_gpu.core_seconds, on_gpu.gpu_seconds) == (10.0, 56.0, 14.0)
    (last,) = only(groups, {groups[3].trials[1].id})
    assert last.trials == groups[3].trials[1:]
    one = forecast_of(plan, [last], [PRICE], HERE)
    assert (one.n_trials, one.wall_seconds, one.core_seconds) == (1, 6.0, 6.0)
    assert forecast_of(plan, [], [], HERE).wall_seconds == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sweep", "--workers", "3"], Allotment(3, 1, (), 0.0, 4)),
        (["sweep", "--runner", "serial"], Allotment(1, 1, (), 0.0, 4)),
        (["plan", "--threads", "999"], Allotment(1, 999, (), 0.0, 4)),
    ],
)
def test_where_trials_run(words: list[str], expected: Allotment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.pricing.forecast.gpu_names", lambda: ())
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2, 3})
    assert worker_allotment(build_parser().parse_args([words[0], "space", *words[1:]])) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--gpus-per-trial", "0.25"], (8, 0.25)),
        (["--workers", "4"], (4, 0.5)),
        ([], (2, 1.0)),
    ],
)
def test_trials_share_gpus(words: list[str], expected: tuple[int, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.pricing.forecast.gpu_names", lambda: ("A GPU", "A GPU"))
    found = worker_allotment(build_parser().parse_args(["sweep", "space", *words]))
    assert (found.n_workers, found.n_gpus) == expected
    assert worker_allotment(build_parser().parse_args(["sweep", "space", "--gpus-per-trial", "0"])).gpus == ()


def test_nothing_is_foreseen_of_a_cluster_or_where_a_price_lacks(plan: Plan) -> None:
    sweep = build_parser().parse_args(["sweep", "space", "--workers", "2"])
    assert foreseen(plan, set(plan.trials), sweep) == {}
    price_all(plan)
    predicted = foreseen(plan, set(plan.trials), sweep)["predicted"]
    assert json.loads(json.dumps(predicted)) == predicted
    assert foreseen(plan, set(plan.trials), build_parser().parse_args(["sweep", "space", "--address", "x"])) == {}
    next((cache_folder() / "prices").glob("*/*.json")).unlink()
    assert foreseen(plan, set(plan.trials), sweep) == {}


@pytest.mark.parametrize(("n_groups", "n_workers", "expected"), [(3, 1, 2), (3, 2, 2), (4, 2, 2), (1, 4, 4), (4, 6, 3)])
def test_no_worker_rests_while_others_measure(n_groups: int, n_workers: int, expected: int) -> None:
    assert _n_visits(n_groups, n_workers) == expected
    assert n_groups * expected % n_workers == 0


def test_the_quickest_first_visit_tells_the_start_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 9.0, 10.0, 14.0])
    monkeypatch.setattr("runners.pricing.measure.time.perf_counter", lambda: next(ticks))
    heard = Measurement(lambda: None)
    for trial, busy in (("a", 4.0), ("b", 6.0), ("a", 4.5)):
        heard.finished(
            trial, Visit(1, 1, 1, 1, 1, 1, 1, 1, "process", busy_seconds=busy, core_share=1, waited_seconds=1)
        )
    assert heard.start_seconds == 3.0
    assert [len(heard.visits[trial]) for trial in ("a", "b")] == [2, 1]


def test_what_cannot_be_computed_has_no_price(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, *options: object) -> None:
            pass

        def __enter__(self) -> "Broken":
            return self

        def __exit__(self, *exception: object) -> None:
            pass

        def run(self, jobs: object, materials: object, listener: Measurement) -> None:
            listener.failed("a", Failure("out_of_memory", "no room"))
            assert listener.stop_wanted()

    monkeypatch.setattr("runners.pricing.measure.ProcessesRunner", Broken)
    with pytest.raises(GridSearchError, match=r"cannot be measured \(out_of_memory\): no room"):
        measure(plan, groups_of(plan), [], 1, 1)


@pytest.mark.slow  # a process of its own; what is said is tested below as well
def test_a_plan_without_a_price_says_how_to_get_one_and_loads_no_torch(project: Path, encoder_folder: Path) -> None:
    words = ["plan", *map(str, question(encoder_folder))]
    assert main(words) == 0  # looks at the encoder's files with torch, and keeps what it found
    code = f"import sys; from runners.cli import main; main({words!r}); assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "price    not measured yet on this machine" in done.stdout
    assert not (cache_folder() / "prices").exists()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.slow  # 4 s
def test_from_price_to_page(plan: Plan, encoder_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The prices are made up: the page shows them beside what a real sweep took."""
    asked = question(encoder_folder, "--workers", "2")
    assert "not measured yet on this machine" in run("plan", *asked, capsys=capsys)
    assert not (cache_folder() / "prices").exists()
    price_all(plan)
    printed = flat(run("plan", *asked, capsys=capsys))
    assert (
        "about 18.0 s by 2 workers (10.0 s to 16.0 s)" in printed
    )  # 4 to start; then 2, 2, 3, 3, 4, 4, 5, 5 in some order
    assert "measured here on 2026-11-18, 2 at a time" in printed
    assert "as they were then (a worker had a core for 50% of its time) about 36.0 s" in printed
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    run("report", "study", "--format", "json")
    page = json.loads(Path("study/page.json").read_text())
    expected, kept = page["predicted"], page["provenance"][0]["predicted"]
    assert (kept["trials"], kept["workers"], kept["wall_seconds"]) == (8, 1, 4.0 + 28.0)
    assert sum(len(group["trials"]) for group in kept["groups"]) == 8
    assert [group["predicted_seconds"] for group in expected["groups"]] == [2.0, 3.0, 4.0, 5.0]
    assert [group["settings"] for group in expected["groups"]][1] == {"bert_adam": "0", "frozen_layers": "1"}
    assert all(group["seconds"] > 0 and group["n_trials"] == 2 for group in expected["groups"])
    (sweep,) = expected["sweeps"]
    assert sweep["wall_seconds"][0] == 32.0
    assert sweep["wall_seconds"][1] > 0
    assert "as predicted from steps measured on" in " ".join(Path("study/page.md").read_text().split())
    capsys.readouterr()
    assert "8 of these trials need no run" in run("plan", *asked, capsys=capsys)
    grown = run("plan", *question(encoder_folder, "--workers", "2", "--seeds", "0,1"), capsys=capsys)
    assert "8 of these trials need no run, the others about 18.0 s" in flat(grown)


def test_of_many_kinds_of_trials_the_dearest_are_listed(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.pricing.forecast_text.N_LISTED", 2)
    prices = [replace(PRICE, seconds=seconds, core_share=1.0) for seconds in (5.0, 1.0, 2.0, 2.0)]
    *_, text = price_lines(forecast_of(plan, groups_of(plan), prices, HERE))
    assert [line.split()[:3] for line in text.splitlines()[2:4]] == [["0", "0", "2"], ["1", "0", "2"]]
    assert text.splitlines()[4:] == ["... and 2 other kinds of trials, 30% of the time"]


@pytest.mark.parametrize("option", ["--workers", "--threads"])
def test_less_than_one_worker_is_refused(option: str, project: Path, encoder_folder: Path, capsys) -> None:
    printed = run("plan", *question(encoder_folder, option, "0"), code=2, capsys=capsys)
    assert f"{option} must be at least 1, but is 0" in printed


@pytest.mark.slow  # starts two workers, twice; the parts are tested above and in test_price
def test_measured_and_swept(
    plan: Plan, encoder_folder: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real workers measure, and nothing of a study is made; a sweep is predicted from it."""
    listed = sorted(os.listdir(project))
    printed = run("plan", *question(encoder_folder, "--measure", "--workers", "2"), capsys=capsys)
    assert "measuring 4 kinds of trials, 2 at a time" in printed
    assert "by 2 workers" in printed
    memory = printed[printed.index("memory   peak of a trial, ") :].split("ledger ")[0]
    assert sorted(os.listdir(project)) == listed
    prices = [price for price in known_prices(plan, groups_of(plan), HERE) if price]
    assert len(prices) == 4
    alike = len({spell_size(price.peak_bytes) for price in prices if price.peak_bytes is not None}) == 1
    assert ("whatever the kind" in flat(memory)) == alike
    assert memory.count(" MB  ") + memory.count(" GB  ") == (0 if alike else 4)
    for price in prices:
        assert 0 < price.low <= price.seconds <= price.high
        assert (price.n_visits, price.n_workers, price.n_steps) == (2, 2, 10)
        assert price.peak_bytes is not None
        assert price.peak_bytes > 10**7
        assert price.seconds == pytest.approx(
            price.setup_seconds + 10 * price.step_seconds + 2 * price.dev_seconds + price.test_seconds
        )
    run("sweep", *question(encoder_folder, "--runner", "processes", "--workers", "2"))
    assert "as predicted from steps measured on" in " ".join(Path("study/page.md").read_text().split())
