"""The benchmark for a GPU, rehearsed on the CPU: every block answers, and one that does not costs no other's answer."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import gpu
from bench.gpu_blocks.speed import CellTime, summary
from bench.gpu_blocks.watch import Watched
from tests.test_bench import ROOT


def run_bench(*words: str, code: str = "from bench.gpu import main") -> "subprocess.CompletedProcess[str]":
    """Run it as a user does, or with other blocks."""
    command = [sys.executable, "-c", f"{code}\nif __name__ == '__main__':\n    raise SystemExit(main({list(words)!r}))"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


def report_in(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
def test_every_block_answers_in_a_rehearsal(tmp_path: Path) -> None:
    done = run_bench("--rehearse", "-o", str(tmp_path), "--carried", str(tmp_path / "nothing"))
    blocks = report_in(tmp_path)["blocks"]
    assert {name: block["status"] for name, block in blocks.items()} == {
        block.name: "answered" for block in gpu.BLOCKS
    }, (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == report_in(tmp_path)
    assert len(list(tmp_path.iterdir())) <= 8, "a folder of so many files is all there is to bring home"
    assert blocks["installed"]["lacking"] == {}
    assert {run["system"]: run["cells"] for run in blocks["speed"]["runs"]} == {"trainer": 2, "ours": 2}
    assert blocks["floor"]["all_cells_s"] > 0
    assert blocks["steps"]["operators_of_a_step"] > 100
    assert blocks["liveness"]["bert"]["act"] == blocks["liveness"]["bert"]["cases"] > 5
    assert [row["equal_bits"] for row in blocks["repeats"]["twice"]] == [True, True]
    assert blocks["masks"]["as_on_a_cpu"]
    assert blocks["memory"]["failures"] == ["out_of_memory"] * 3
    assert blocks["memory"]["ladder_works"]
    assert blocks["precision"]["failures"] == []
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert all(f"## {block.name}: {block.question}?" in text for block in gpu.BLOCKS)


FAULTS = {
    "raises": "def answer(asked):\n    asked.tell(half=1)\n    raise ValueError('no good\\nmore of it')\n",
    "dies": "import os\ndef answer(asked):\n    asked.tell(half=1)\n    os.kill(os.getpid(), 9)\n",
    "hangs": "import subprocess, sys, time\n"
    "def answer(asked):\n"
    "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])\n"
    "    asked.tell(half=1, child=child.pid)\n"
    "    time.sleep(1000)\n",
    "fine": "import carried_here\ndef answer(asked):\n    asked.tell(whole=carried_here.VALUE)\n",
}


def with_blocks(names: Sequence[str], limit_of_hangs: float) -> str:
    """Return what replaces the real blocks by others: modules anywhere, for which nothing is imported beforehand."""
    return (
        "from bench import gpu\n"
        "from bench.gpu import main\n"
        "class Block(gpu.Block):\n"
        "    module = property(lambda self: self.name)\n"
        f"gpu.BLOCKS = tuple(Block(name, 60.0 if name != 'hangs' else {limit_of_hangs}, 'what') for name in {names})\n"
        "gpu.PRELOADED = []"
    )


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in FAULTS.items():
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.slow  # starts processes
@pytest.mark.usefixtures("faults")
def test_a_block_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    """Whatever becomes of it: what it had measured stays, what it had started is ended, and the next one runs."""
    (carried := tmp_path / "carried").mkdir()
    with zipfile.ZipFile(carried / "carried_here-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("carried_here.py", "VALUE = 'from a wheel'\n")
    code = with_blocks(list(FAULTS), limit_of_hangs=3.0)
    done = run_bench("--rehearse", "-o", str(tmp_path / "out"), "--carried", str(carried), code=code)
    blocks = report_in(tmp_path / "out")["blocks"]
    assert {name: block["status"] for name, block in blocks.items()} == {
        "raises": "failed: ValueError: no good",
        "dies": "failed: exit code -9",
        "hangs": "out of time",
        "fine": "answered",
    }, done.stderr
    assert [block.get("half") for block in blocks.values()] == [1, 1, 1, None]
    assert blocks["fine"]["whole"] == "from a wheel"
    assert done.returncode == 1
    assert not is_running(blocks["hangs"]["child"])


@pytest.mark.usefixtures("faults")
def test_whoever_ends_the_command_ends_its_blocks(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        f"{with_blocks(['hangs'], limit_of_hangs=60.0)}\nmain(['--rehearse', '-o', {str(out)!r}])",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not (answers := out / "answers.jsonl").is_file() or not answers.read_text().endswith("\n"):
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        _, said = process.communicate()
    assert said == f"interrupted; what was measured is in {answers}\n"
    assert not is_running(json.loads(answers.read_text())["found"]["child"])


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_all_limits_together_are_less_than_eight_minutes() -> None:
    assert sum(block.seconds for block in gpu.BLOCKS) <= gpu.SECONDS_MOST < 8 * 60
    assert [block.name for block in gpu.BLOCKS][:2] == list(gpu.BEFORE_ALL)


def test_the_plan_in_the_readme_is_that_of_the_code() -> None:
    text = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
    planned = {row[0].strip(" `"): row for row in rows if row[0].strip(" `") in {block.name for block in gpu.BLOCKS}}
    assert {name: row[2].strip() for name, row in planned.items()} == {
        block.name: f"{block.seconds:g}" for block in gpu.BLOCKS
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--blocks", "speeed", "-o", "x"), "bench: --blocks: unknown block 'speeed'; known: installed, materials, "),
        ((), "bench: where to? -o FOLDER"),
        (("-o", "/dev/null/x"), "bench: --output must be a folder that can be made, but "),
        (("--pack", "--data-dir", "/nowhere"), "bench: --data-dir or GRIDSEARCH_DATA must hold thucnews10/"),
    ],
)
def test_a_wrong_request_is_a_sentence(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu.main(words) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_cells_a_minute() -> None:
    """Two processes; the first cell of each is warming up, and is left out of the steady rate."""
    times = [
        CellTime(False, 10.0, 30.0, 5.0, 0.5, None, "one", "cpu"),
        CellTime(True, 10.0, 20.0, 5.0, 0.5, None, "two", "cpu"),
        CellTime(True, 20.0, 24.0, 2.0, 0.7, 2**20, "two", "cpu"),
        CellTime(False, 30.0, 38.0, 4.0, 0.7, None, "one", "cpu"),
    ]
    found = summary(Watched(4.0, 36.0, True), times, n_processes=2)
    assert found["start_s"] == 6.0
    assert found["cells_per_minute"] == 60 * 4 / 28
    assert (found["cell_s"], found["cell_s_frozen"]) == (8.0, 4.0)
    assert found["cells_per_minute_steady"] == 60 * 2 / 6.0
    assert (found["trained_s"], found["trained_s_frozen"]) == (4.0, 2.0)
    assert found["mean_dev"] == 0.6
    assert summary(Watched(4.0, 36.0, False), [], n_processes=2)["cells_per_minute_steady"] is None
