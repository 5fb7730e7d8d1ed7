"""The command line as a user meets it: from a stranger's CSV to labels; bad input gets one sentence and exit code 2."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from gridsearch.tasks.judging.labelling import BY_CONTRAST
from gridsearch.tasks.taskfile import load_task
from runners.cli import build_parser, main
from tests.runners.waiting import SECONDS, attempts_by_state, wait_until

COMMANDS = (
    *(
        "init",
        "knobs",
        "schema",
        "plan",
        "sweep",
        "optimize",
        "verify",
        "status",
        "report",
        "dashboard",
        "compare",
        "import",
    ),
    *("annotate", "predict", "ensemble", "rerun", "doctor"),
)


def run(*words: object, code: int = 0, capsys: pytest.CaptureFixture[str] | None = None) -> str:
    assert main([str(word) for word in words]) == code
    if capsys is None:
        return ""
    printed = capsys.readouterr()
    return printed.out + printed.err


def question(encoder_folder: Path, *more: object) -> list[object]:
    return ["question.toml", "--task", "task.toml", "--model", encoder_folder, "--study", "study", *more]


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_has_an_example_and_is_quick(command: str | None) -> None:
    """Timed by what it loads: nothing heavier than the standard library."""
    words = [command, "--help"] if command else ["--help"]
    heavy = {"torch", "transformers", "ray", "pandas", "numpy", "pydantic", "sklearn", "rich"}
    code = (
        "import sys; from runners.cli import main\n"
        f"try: main({words!r})\nexcept SystemExit: pass\n"
        f"heavy = {heavy!r} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert command is None or f"example:\n  gridsearch {command}" in done.stdout


def test_every_command_is_known_to_the_parser() -> None:
    assert set(COMMANDS) <= set(build_parser().format_help().split())


def test_a_strangers_csv_goes_all_the_way(project: Path, encoder_folder: Path, capsys) -> None:
    lines = (project / "data.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t", 1) for line in lines]
    table = "\ufeffÜber;Was steht da?;Welche 库\n" + "".join(
        f'{i};"{text}";{label}\n' for i, (label, text) in enumerate(rows)
    )
    (project / "my data.csv").write_text(table, encoding="utf-8")
    assert "label is 'Welche 库'" in run("init", "my data.csv", "-o", "mine.toml", capsys=capsys)
    asked = ["question.toml", "--task", "mine.toml", "--model", encoder_folder]
    planned, warning = (
        run("plan", *asked, capsys=capsys),
        "learning_rate = 0.003 is 3 times the upper end of what is usual",
    )
    assert "8 cells x 1 seed = 8 trials" in planned
    assert f"warning  {warning}" in " ".join(planned.split("\n         "))
    swept = run("sweep", *asked, "--runner", "serial", "--keep", "best", capsys=capsys)
    assert "complete: 8 planned, 8 finished, 0 failed, 0 pending" in swept
    assert f"warning: {warning} when " in swept
    opened = "page: 'studies/question-mine-small bert/page.html'\ntext: 'studies/question-mine-small bert/page.md'\n"
    assert opened in swept
    study = Path("studies") / "question-mine-small bert"
    assert run("verify", study, capsys=capsys).strip() == "complete: 8 planned, 8 finished, 0 failed, 0 pending"
    assert "study.csv" not in run("report", study, "--format", "md,csv,json", "-o", "out", capsys=capsys)
    assert {path.name for path in Path("out").iterdir()} == {
        "page.md",
        "page.csv",
        "trials.csv",
        "page.json",
        "figures",
    }
    (project / "new.txt").write_text("Return the tensor.\nStart the actor, then wait.\n", encoding="utf-8")
    run("predict", study, "new.txt")
    predicted, remark = capsys.readouterr()
    assert remark.startswith("2 rows labelled by trial ")
    header, *rows = csv.reader(predicted.splitlines())
    assert header[:2] == ["text", "predicted"]
    assert [row[0] for row in rows] == ["Return the tensor.", "Start the actor, then wait."]
    assert all(abs(float(row[2]) + float(row[3]) - 1) < 1e-5 for row in rows)
    (project / "new.csv").write_text('id;"Was steht da?"\n7;"Return; the tensor."\n', encoding="utf-8")
    run("predict", study, "new.csv", "-o", "labels.csv")
    header, row = csv.reader(Path("labels.csv").read_text(encoding="utf-8").splitlines())
    assert (header[:3], row[:2]) == (["id", "Was steht da?", "predicted"], ["7", "Return; the tensor."])
    assert "exists; --force replaces it" in run("predict", study, "new.csv", "-o", "labels.csv", code=2, capsys=capsys)
    assert "may not be the input" in run("predict", study, "new.csv", "-o", "new.csv", "--force", code=2, capsys=capsys)
    assert "no folder" in run("predict", study, "new.csv", "-o", "no/where.csv", code=2, capsys=capsys)
    assert "complete: 8 planned" in run("status", study, capsys=capsys)


def test_predict_is_the_same_after_moving_the_study_and_from_retrained_weights(
    project: Path, encoder_folder: Path, capsys
) -> None:
    run("sweep", *question(encoder_folder, "--runner", "serial", "--keep", "best"))
    capsys.readouterr()
    (project / "new.txt").write_text("Return the tensor.\nStart the actor.\n", encoding="utf-8")
    run("predict", "study", "new.txt")
    first = capsys.readouterr().out
    shutil.move("study", "elsewhere")
    run("predict", "elsewhere", "new.txt")
    assert capsys.readouterr().out == first
    shutil.rmtree("elsewhere/weights")
    run("predict", "elsewhere", "new.txt")
    again = capsys.readouterr()
    assert "training it again" in again.err
    assert again.out == first


def test_rerun_gives_the_ledgers_numbers_and_leaves_it_alone(
    project: Path, encoder_folder: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    run("report", "study", "--format", "json")
    before = Path("study/ledger.sqlite").read_bytes()
    capsys.readouterr()
    page = json.loads(Path("study/page.json").read_text())
    trial = page["cells"][3]["replicates"][0]["trial"]
    monkeypatch.chdir(project.parent)  # and from anywhere
    study = project / "study"
    assert "equal to the ledger's, to the last bit" in run("rerun", study, "--trial", trial[:8], capsys=capsys)
    assert (study / "ledger.sqlite").read_bytes() == before


PAIRS = """
[recipe]
learning_rate = 3e-3
batch_size = 16
max_length = 24
epochs = 1
[factors]
pooling = ["cls", "segments"]
prediction_order = ["as_is", "both"]
"""


@pytest.mark.slow  # every command, one after the other; their parts have quick tests
def test_pairs_are_read_in_both_orders_by_every_command(project: Path, encoder_folder: Path, capsys) -> None:
    (project / "pairs.toml").write_text(PAIRS)
    single = question(encoder_folder)[1:]
    assert "a task of single texts has no second text" in run("plan", "pairs.toml", *single, code=2, capsys=capsys)
    rows = [line.split("\t", 1) for line in (project / "data.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    table = [f"{label}\t{one}\t{other}" for (label, one), (_, other) in zip(rows[::2], rows[1::2], strict=True)]
    (project / "data.tsv").write_text("label\tone\tother\n" + "\n".join(table) + "\n", encoding="utf-8")
    columns = '[columns]\ntext = "one"\npair = "other"\nlabel = "label"\n'
    files = '[files]\ntrain = "data.tsv"\ndev = 0.25\n'
    (project / "task.toml").write_text(f'name = "small"\nkind = "pair"\nmetric = "accuracy"\n{files}{columns}')
    run("sweep", "pairs.toml", *single, "--runner", "serial", "--keep", "all")
    run("report", "study", "--format", "json")
    capsys.readouterr()
    cells = json.loads(Path("study/page.json").read_text())["cells"]
    for cell in cells:
        trial = cell["replicates"][0]["trial"]
        assert "equal to the ledger's, to the last bit" in run("rerun", "study", "--trial", trial, capsys=capsys)
        labelled = []
        for texts in ("the tensor\tan actor", "an actor\tthe tensor"):
            (project / "new.tsv").write_text(f"one\tother\n{texts}\n", encoding="utf-8")
            run("predict", "study", "new.tsv", "--trial", trial)
            labelled.append(capsys.readouterr().out.splitlines()[1].split(",")[2:])
        assert (labelled[0] == labelled[1]) == (cell["levels"]["prediction_order"] == "both")


@pytest.mark.slow  # 8 s; test_stages.py has growth by stages
def test_growth_runs_only_the_new_cells(project: Path, encoder_folder: Path, capsys) -> None:
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    space = (project / "question.toml").read_text()
    (project / "question.toml").write_text(space.replace("[0.0, 0.2]", "[0.0, 0.2, 0.4]"))
    assert "8 of these trials need no run" in run("plan", *question(encoder_folder), capsys=capsys)
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    (project / "question.toml").write_text(space + "clip_norm = ['none', 1.0]\n")
    printed = run("sweep", *question(encoder_folder, "--runner", "serial"), code=2, capsys=capsys)
    assert "no longer has level 0.4" in printed
    grown = space.replace("[0.0, 0.2]", "[0.0, 0.2, 0.4]") + "clip_norm = ['none', 1.0]\n"
    (project / "question.toml").write_text(grown)
    printed = run("sweep", *question(encoder_folder, "--runner", "serial"), capsys=capsys)
    assert "12 of 24 trials are finished already" in printed
    assert "complete: 24 planned, 24 finished" in printed
    from gridsearch.study.study import Study

    with Study(Path("study")).open() as ledger:
        assert ledger.connection.execute("SELECT count(*) FROM attempts").fetchone()[0] == 24


def test_a_finished_sweep_does_nothing_when_run_again(project: Path, encoder_folder: Path, capsys) -> None:
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    assert "complete: 8 planned" in run("sweep", *question(encoder_folder), capsys=capsys)
    with sqlite3.connect("study/ledger.sqlite") as connection:
        assert connection.execute("SELECT count(*), max(ended) < ? FROM attempts", (time.time(),)).fetchone() == (8, 1)


def test_import_of_a_table(project: Path, capsys) -> None:
    (project / "table.md").write_text("| a | result |\n|---|---|\n| 0 | 0.5 |\n| 1 | 0.75 |\n")
    assert "2 rows imported" in run("import", "table.md", "--study", "old", capsys=capsys)
    assert "| 1   | **0.75** |" in Path("old/page.md").read_text()
    assert "<strong>0.75</strong>" in Path("old/page.html").read_text()
    assert run("report", "old", "-o", "out", capsys=capsys).splitlines() == ["out/page.html", "out/page.md"]
    for command in ("verify", "status"):
        assert "old is an imported table: there are no trials in it" in run(command, "old", code=2, capsys=capsys)
    assert "no trials in it" in run("predict", "old", "table.md", code=2, capsys=capsys)
    run("import", "table.md", "--study", "old", code=2)


def test_compare_on_the_terminal_and_in_a_file(project: Path, capsys) -> None:
    (project / "table.md").write_text("| a | result |\n|---|---|\n| 0 | 0.5 |\n| 1 | 0.75 |\n")
    for name in ("old", "new"):
        run("import", "table.md", "--study", name)
    assert "2 cells are in both studies." in run("compare", "old", "new", capsys=capsys)
    assert "两个研究共有" in run("compare", "old", "new", "--lang", "zh", capsys=capsys)
    assert run("compare", "old", "new", "-o", "both.md", capsys=capsys).strip() == "both.md"
    assert "| a   | index A" in Path("both.md").read_text()
    assert "both are old" in run("compare", "old", "old", code=2, capsys=capsys)
    assert "is a folder" in run("compare", "old", "new", "-o", "old", code=2, capsys=capsys)


SWEEP = ["sweep", "--task", "task.toml", "--model", "ENCODER", "--study", "study"]
BAD = {
    "unknown task": ["plan", "question.toml", "--task", "nothing"],
    "no such file": ["plan", "missing.toml"],
    "unknown knob": ["plan", "question.toml", "--task", "task.toml", "--set", "learning_rte=1"],
    "wrong type": ["plan", "question.toml", "--task", "task.toml", "--set", "epochs=three"],
    "no equals": ["plan", "question.toml", "--set", "epochs"],
    "factor fixed": ["plan", "question.toml", "--set", "bert_adam=true"],
    "unreadable encoder": ["plan", "question.toml", "--task", "task.toml", "--model", "./nowhere"],
    "folder without encoder": ["plan", "question.toml", "--task", "task.toml", "--model", "."],
    "no data": ["plan", "question.toml", "--task", "nodata.toml"],
    "no column": ["plan", "question.toml", "--task", "nocolumn.toml"],
    "one class": ["plan", "question.toml", "--task", "oneclass.toml"],
    **{
        f"{command}: {metric} of one label": [command, "question.toml", "--task", f"{metric}.toml", *more]
        for command, more in (("plan", ()), ("sweep", ("--study", "study")), ("optimize", ("--trials", "2")))
        for metric in BY_CONTRAST
    },
    "too few layers": [*SWEEP, "deep.toml"],
    "dead knob": [*SWEEP, "dead.toml"],
    "too long": [*SWEEP, "question.toml", "--set", "max_length=65"],
    "no workers": [*SWEEP, "question.toml", "--workers", "0"],
    "keep": [*SWEEP, "question.toml", "--keep", "two"],
    "workers of serial": [*SWEEP, "question.toml", "--runner", "serial", "--workers", "2"],
    "too many rows": ["plan", "question.toml", "--task", "task.toml", "--train-rows", "0"],
    "no study": ["verify", "nowhere"],
    "no study to report": ["report", "nowhere"],
    "study in a file": ["import", "table.md", "--study", "task.toml"],
    "study in a data file": [*SWEEP[:-1], "data.tsv", "question.toml"],
    "no data folder": ["plan", "question.toml", "--task", "task.toml", "--data-dir", "nowhere"],
    "no table": ["import", "question.toml", "--study", "imported"],
    "nothing to compare": ["compare", "nowhere", "elsewhere"],
    "not a table": ["init", "missing.csv", "-o", "x.toml"],
}  # fmt: skip


@pytest.mark.parametrize("words", BAD.values(), ids=BAD.keys())
def test_bad_input_gets_one_sentence_and_exit_code_2(
    words: list[str], project: Path, encoder_folder: Path, capsys
) -> None:
    task = (project / "task.toml").read_text()
    (project / "nodata.toml").write_text(task.replace("data.tsv", "missing.tsv"))
    (project / "nocolumn.toml").write_text(task.replace('"the text"', '"the words"'))
    lines = (project / "data.tsv").read_text().splitlines()
    one_class = [line for line in lines if line.startswith(("which", lines[1].split("\t")[0]))]
    (project / "oneclass.tsv").write_text("\n".join(one_class))
    (project / "oneclass.toml").write_text(task.replace("data.tsv", "oneclass.tsv"))
    (project / "onedev.tsv").write_text("\n".join(one_class))
    for metric in BY_CONTRAST:
        text = task.replace("0.25", '"onedev.tsv"').replace("accuracy", metric)
        (project / f"{metric}.toml").write_text(text)
    (project / "deep.toml").write_text("[factors]\nreinit_layers = [0, 3]\n[recipe]\nmax_length = 24\n")
    (project / "dead.toml").write_text("[factors]\nreinit_pooler = [false, true]\n[recipe]\nmax_length = 24\n")
    (project / "table.md").write_text("| a | result |\n|---|---|\n| 0 | 0.5 |\n")
    before = sorted(os.listdir(project))
    printed = run(*(encoder_folder if word == "ENCODER" else word for word in words), code=2, capsys=capsys)
    _, begins, printed = printed.rpartition(f"gridsearch {words[0]}: ")  # behind a caution on texts that are cut
    assert begins
    assert len(printed.strip().splitlines()) == 1, printed
    assert "Traceback" not in printed
    assert sorted(os.listdir(project)) == before, "nothing half-written is left"


@pytest.mark.slow  # 2.0 s
def test_plan_tells_which_label_f1_binary_is_of(project: Path, encoder_folder: Path, capsys) -> None:
    task = (project / "task.toml").read_text().replace('"accuracy"', '"f1_binary"')
    (project / "task.toml").write_text(task)
    names = load_task("task.toml").label_names
    printed = " ".join(run("plan", *question(encoder_folder), capsys=capsys).split())
    assert f"metric f1_binary of {names[1]!r}" in printed
    (project / "task.toml").write_text(f'{task}[labels]\npositive = "{names[0]}"\n')
    printed = " ".join(run("plan", *question(encoder_folder), capsys=capsys).split())
    assert f"metric f1_binary of {names[0]!r}" in printed
    run("sweep", *question(encoder_folder, "--runner", "serial", "--set", "epochs=1"), capsys=capsys)
    assert f"dev f1_binary of '{names[0]}'" in " ".join(run("status", "study", capsys=capsys).split())
    (project / "task.toml").write_text(task)
    printed = run("sweep", *question(encoder_folder, "--runner", "serial", "--set", "epochs=1"), code=2, capsys=capsys)
    assert f"the positive label was {names[0]}, now it is {names[1]}" in printed


@pytest.mark.slow  # 2.0 s
def test_a_study_of_another_task_is_refused(project: Path, encoder_folder: Path, capsys) -> None:
    run("sweep", *question(encoder_folder, "--runner", "serial"))
    (project / "task.toml").write_text((project / "task.toml").read_text().replace('"accuracy"', '"f1_macro"'))
    printed = run("sweep", *question(encoder_folder, "--runner", "serial"), code=2, capsys=capsys)
    assert (
        "holds another study: the rows of the task" in printed
        or "the metric was accuracy, now it is f1_macro" in printed
    )


def test_a_second_driver_is_refused(project: Path, encoder_folder: Path, capsys) -> None:
    from gridsearch.study.study import Study

    with Study(Path("study")).driven():
        printed = run("sweep", *question(encoder_folder, "--runner", "serial"), code=2, capsys=capsys)
    assert "is being driven by process" in printed


@pytest.mark.parametrize(
    ("runner", "name"),
    [
        pytest.param("serial", "SIGTERM", marks=pytest.mark.slow),  # becomes the same interrupt, as with Ray below
        ("serial", "SIGINT"),
        pytest.param("ray", "SIGTERM", marks=pytest.mark.slow),  # starts Ray, which takes most of a minute
        pytest.param("ray", "SIGINT", marks=pytest.mark.slow),  # starts Ray once more
    ],
)
def test_interrupted_politely_it_says_so_and_goes_on(
    runner: str, name: str, project: Path, encoder_folder: Path, capsys
) -> None:
    import signal

    command = [sys.executable, "-m", "runners.cli", "sweep", *map(str, question(encoder_folder, "--runner", runner))]
    # A test run in the background has SIGINT ignored, and hands that down.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=listen, **pipes) as process:
        wait_until(lambda: attempts_by_state()["finished"] >= 2, process)
        process.send_signal(getattr(signal, name))
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 130, errors
    assert "the same command goes on from here" in errors
    from gridsearch.study.study import Study

    with Study(Path("study")).open() as ledger:
        assert ledger.coverage().running == 0
    assert "complete: 8 planned" in run("sweep", *question(encoder_folder, "--runner", "serial"), capsys=capsys)


@pytest.mark.parametrize("text", ["soon", "", "0", "-5", "1e3", "nan", "inf", "5 min", "h", "1h30m", "1_000", "99999d"])
@pytest.mark.parametrize("command", ["sweep", "optimize"])
def test_a_time_limit_is_a_duration(command: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "finetune64", f"--time-limit={text}"])
    assert ended.value.code == 2
    *_, sentence = capsys.readouterr().err.strip().splitlines()
    assert sentence.endswith(f"a duration is a number of seconds, or one with s, m, h or d behind it, but got {text!r}")


@pytest.mark.slow  # 3 s; test_contract.py has the limit on every runner
@pytest.mark.parametrize("command", ["sweep", pytest.param("optimize", marks=pytest.mark.slow)])
def test_trials_beyond_their_limit_have_failed_and_a_longer_one_tries_them_again(
    command: str, project: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--trials", "8"] if command == "optimize" else []
    asked = [command, *question(encoder_folder, "--runner", "serial", *more)]
    shown = run(*asked, "--time-limit", "0.000001", code=1, capsys=capsys)
    assert "failed (time_limit): not finished within 1e-06s, its --time-limit" in shown
    assert "settled: 8 planned, 0 finished, 8 failed, 0 pending" in shown, "no stop after three that say the same"
    assert "`time_limit`, 8 attempts" in " ".join(Path("study/page.md").read_text().split())
    assert "8 failed" in run(*asked, "--time-limit", "1h", code=1, capsys=capsys), "a limit alone reopens nothing"
    assert "complete: 8 planned, 8 finished" in run(*asked, "--time-limit", "1h", "--retry-failed", capsys=capsys)


@pytest.mark.slow  # 1.6 s
def test_a_plan_says_how_large_the_ledger_gets_and_a_sweep_may_keep_no_logits(
    project: Path, encoder_folder: Path, capsys
) -> None:
    asked = question(encoder_folder)
    printed = " ".join(run("plan", *asked, capsys=capsys).split())
    assert "2 kB of it are logits, as float32 (8 trials x 24 rows x 2 labels)" in printed
    printed = " ".join(run("plan", *asked, "--keep-logits", "float16", capsys=capsys).split())
    assert "a logit loses at most 1/2048 of itself" in printed
    printed = run("sweep", *asked, "--keep-logits", "half", "--runner", "serial", code=2, capsys=capsys)
    assert "--keep-logits: unknown choice 'half'; known: auto, float32, float16, none" in printed
    run("sweep", *asked, "--keep-logits", "none", "--runner", "serial", "--set", "epochs=1")
    page = Path("study/page.md").read_text(encoding="utf-8")
    assert "complete: 8 planned, 8 finished" in page
    assert "None" not in page
    printed = " ".join(run("plan", *asked, "--set", "epochs=1", capsys=capsys).split())
    assert "without logits (8 trials x 24 rows x 2 labels would be 2 kB)" in printed
