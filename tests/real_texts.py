"""Published texts beside the project, and tokenizers with the vocabularies of published encoders."""

from pathlib import Path
from typing import Any

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.tasks.corpus import Corpus
from tests.fixtures_core import write_tokenizer


def published_tokenizer(shared_data: Path, name: str, folder: Path) -> Any:
    """Return the tokenizer of "bert-base-chinese" or "bert-base-uncased"."""
    vocabulary = (shared_data / "vocab" / f"{name}.vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]
    write_tokenizer(folder, vocabulary)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return build_tokenizer({"config.json": b'{"model_type": "bert"}'} | files)


def rows_of(path: Path, n_rows: int) -> list[list[str]]:
    """Return the fields of the first rows of a file."""
    return [line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[:n_rows]]


def oppo(shared_data: Path, n_rows: int = 3000) -> Corpus:
    """Return pairs of queries to an assistant: 7.5 characters each."""
    rows = rows_of(shared_data / "oppo_xiaobu_plain" / "dev.txt", n_rows)
    return Corpus((), tuple((one, other) for one, other, _ in rows))


def thucnews(shared_data: Path, n_rows: int = 3000) -> Corpus:
    """Return Chinese headlines: 19 characters each."""
    return Corpus(tuple(text for text, _ in rows_of(shared_data / "thucnews10" / "dev.txt", n_rows)))


def sst2(shared_data: Path, n_rows: int = 3000) -> Corpus:
    """Return English sentences of film reviews: 23 tokens each; there are 872."""
    rows = rows_of(shared_data / "glue" / "SST-2" / "dev.tsv", n_rows + 1)[1:]
    return Corpus(tuple(row[0] for row in rows if row != [""]))
