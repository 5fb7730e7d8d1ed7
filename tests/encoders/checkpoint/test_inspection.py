"""An encoder's files are looked at once a machine, and again when they have changed."""

import json
import shutil
from pathlib import Path

import pytest

from gridsearch.encoders.checkpoint import inspection
from gridsearch.encoders.files import read_card
from gridsearch.errors import RequestError


def test_what_was_in_order_is_not_looked_at_again(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    looked: list[Path] = []
    inspected = inspection._inspected

    def look(folder: Path, *others: object) -> inspection.Inspection:
        looked.append(folder)
        return inspected(folder, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(inspection, "_inspected", look)
    copied = Path(shutil.copytree(bert_folder, tmp_path / "copy"))
    first = read_card("x", copied)
    assert read_card("x", copied) == first
    assert len(looked) == 1
    path = copied / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vocab_size": 3}))
    for n_looked in (2, 3):  # what is wrong is not remembered
        with pytest.raises(RequestError):
            read_card("x", copied)
        assert len(looked) == n_looked


def test_nothing_has_to_be_kept(bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "a file"))
    assert read_card("x", bert_folder).pooler_is_pretrained
