"""What a killed process left half written is gone after the next start; what a living one writes is not."""

import subprocess
import sys
from pathlib import Path

from gridsearch.cache import cache_folder
from gridsearch.study.study import Study
from gridsearch.this_process import mark
from runners.cli import EXIT_DONE, main
from tests.runners.lasting.test_damaged_studies import SPACE


def test_leftovers_are_cleared_at_the_next_start(project: Path, encoder_folder: Path) -> None:
    (project / "question.toml").write_text(SPACE)
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--runner", "serial"]
    assert main([*words, "--study", "study"]) == EXIT_DONE
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with Study(Path("study")).open() as ledger:
        half_made = Path("study/weights", f"{min(ledger.trial_ids())}.part")
    namespace = mark().rpartition("-")[0]
    gone, elsewhere = f"{namespace}-{dead.pid}", f"0-{dead.pid}"
    left = [
        Path("study", f"page.md.{gone}.part"),
        Path("study/figures", f"curves.svg.{gone}.part"),
        cache_folder() / "lengths" / f"x.json.{gone}.part",
        cache_folder() / "encoders" / f"tiny.draft-{gone}-a_b1" / "tiny" / "model.safetensors",
        half_made / "classifier.safetensors",
    ]
    others = [
        Path("study", f"another.{mark()}.part"),
        Path("study", f"page.md.{elsewhere}.part"),
        cache_folder() / "encoders" / f"tiny.draft-{elsewhere}-a_b1" / "x",
        Path("study", "mine.part"),
        Path("study/weights/mine.part/x"),
    ]
    for file in (*left, *others):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("half")
    assert main([*words, "--study", "study"]) == EXIT_DONE
    assert not [file for file in (*left, half_made) if file.exists()]
    assert all(file.exists() for file in others)
