"""A ModernBERT on published text, by the command line: killed on its way, it ends with the bits of one that was not."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runners.cli import main
from search_spaces import find_space
from tests.runners.waiting import attempts_by_state, wait_until

N_TRAIN, N_DEV = 2000, 300
SPECIAL = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "bos": "[CLS]", "eos": "[SEP]"}


def make_encoder(folder: Path, words: list[str]) -> None:
    from transformers import ModernBertConfig, ModernBertModel

    ids = {f"{role}_token_id": words.index(token) for role, token in SPECIAL.items()}
    shape = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4}
    dropouts = dict.fromkeys(("attention_dropout", "mlp_dropout", "embedding_dropout"), 0.1)
    torch.manual_seed(0)
    config = ModernBertConfig(vocab_size=len(words), local_attention=16, **shape, **ids, **dropouts)
    ModernBertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))


def question() -> str:
    """Return finetune64 in eight cells. A ModernBERT has no pooler: how it pools takes that place."""
    text = find_space("finetune64").read_text(encoding="utf-8")
    for old, new in (
        ('pooling = "pooler" ', "# "),
        ("[factors.reinit_pooler]\nlevels = [false, true]", '[factors.pooling]\nlevels = ["cls", "mean"]'),
        ('kind = "full"', 'kind = "fraction"\nresolution = 3'),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


COMPUTED = {
    "epochs": "t.number, t.train_loss, t.dev",
    "outcomes": "t.part, t.dev, t.test",
    "logits": "t.part, t.split, t.chunk, t.data",
}
"""What trials compute, by the tables of a ledger: all but seconds and memory."""


def numbers(study: str) -> list[list[tuple[object, ...]]]:
    """Return what the finished trials of a study computed."""
    of_finished = "JOIN attempts a ON a.id = t.attempt WHERE a.state = 'finished' ORDER BY 1, 2, 3, 4"
    with sqlite3.connect(f"{study}/ledger.sqlite") as connection:
        found = [
            connection.execute(f"SELECT a.trial, {columns} FROM {table} t {of_finished}").fetchall()
            for table, columns in COMPUTED.items()
        ]
    assert all(found)
    return found


@pytest.mark.slow  # two sweeps of 8 trials of 189 steps, on 2,000 published sentences
def test_a_modernbert_of_four_layers(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))
    vocabulary = (shared_data / "vocab" / "bert-base-uncased.vocab.txt").read_text(encoding="utf-8")
    make_encoder(tmp_path / "modernbert", vocabulary.split("\n")[:-1])
    for name, n_rows in (("train", N_TRAIN), ("dev", N_DEV)):
        lines = (shared_data / "glue" / "SST-2" / f"{name}.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
        Path(f"{name}.tsv").write_text("".join(lines[: n_rows + 1]), encoding="utf-8")
    Path("question.toml").write_text(question(), encoding="utf-8")
    assert main(["init", "train.tsv", "dev.tsv", "-o", "task.toml"]) == 0
    words = ["sweep", "question.toml", "--task", "task.toml", "--model", "./modernbert", "--runner", "serial"]
    assert main([*words, "--study", "whole"]) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.cli", *words, "--study", "killed"], start_new_session=True
    )
    wait_until(lambda: attempts_by_state("killed")["finished"] >= 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert main([*words, "--study", "killed"]) == 0
    for study in ("whole", "killed"):
        assert main(["verify", study]) == 0
        assert "complete: 8 planned, 8 finished, 0 failed, 0 pending" in capsys.readouterr().out
    assert numbers("whole") == numbers("killed")
