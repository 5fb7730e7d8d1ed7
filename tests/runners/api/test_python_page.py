"""docs/python.md, from top to bottom."""

import re
from pathlib import Path

import pandas as pd
import pytest

PAGE = Path(__file__).parents[3] / "docs" / "python.md"


@pytest.mark.slow  # 12 trials of `tiny`, which is made anew
def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    names: dict[str, object] = {}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)):
        exec(compile(block, f"block {number} of docs/python.md", "exec"), names)
    told = capsys.readouterr().out
    assert "text is 'review'" in told
    assert "4 cells x 2 seeds = 8 trials" in told
    assert "complete: 8 planned, 8 finished" in told
    assert "unknown knob 'bert_adm' (did you mean 'bert_adam'?)" in told
    for name in ("by_warmup", "curves", "one"):
        found = names[name]
        assert isinstance(found, pd.DataFrame)
        assert len(found)
