"""A sweep in a real notebook: its kernel shows one line that is replaced, and the first screen of the page."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = (
    "import gridsearch as gs\n"
    "space = {'recipe': {'epochs': 1, 'max_length': 16}, 'factors': {'bert_adam': [False, True]}}",
    "study = gs.sweep(space, task='task.toml', model={model!r}, study='mine', runner='processes', workers=2)",
    "study",
    "study.cells",
)


@pytest.mark.slow  # a kernel and two workers import torch
def test_progress_is_one_line_and_a_study_is_its_first_screen(project: Path, encoder_folder: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(one.replace("{model!r}", repr(str(encoder_folder)))) for one in CELLS]
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
    _, swept, shown, table = notebook.cells
    lines = [one["data"]["text/plain"] for one in swept.outputs if one.output_type == "display_data"]
    assert [line for line in lines if "2/2 done" in line], lines
    assert len([line for line in lines if "/2 done" in line]) == 1, "the line is replaced, not repeated"
    told = "".join(one.get("text", "") for one in swept.outputs)
    assert "complete: 2 planned, 2 finished" in told
    assert shown.outputs[0]["data"]["text/html"].startswith("<h3>")
    assert "<table" in table.outputs[0]["data"]["text/html"]
