"""docs/python.md, from top to bottom, as one script."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
CHECKS = """
assert len(plan.cells) == 4 and len(plan.trials) == 8
assert all(len(one) for one in (by_warmup, curves, one, labelled))
assert set(one["split"]) == {"dev"}
assert by_cost.metric == "cost" and (by_cost.trials["dev"] == by_cost.trials["dev_cost"]).all()
assert classify("a great film indeed", truncation=True)[0]["label"] in ("pro", "contra")
assert len(pd.read_parquet("tables/trials.parquet")) == 8
assert found.trials["state"].eq("finished").sum() == 3
"""


@pytest.mark.slow  # 15 trials of `tiny`, which is made anew
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join([*blocks, CHECKS]), encoding="utf-8")
    done = subprocess.run([sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "text is 'review'" in done.stdout
    assert "4 cells x 2 seeds = 8 trials" in done.stdout
    assert "complete: 8 planned, 8 finished" in done.stdout
    assert "unknown knob 'bert_adm' (did you mean 'bert_adam'?)" in done.stdout
