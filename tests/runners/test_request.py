from pathlib import Path

import pytest

from gridsearch.tasks.task import Split, Task
from runners.cli import main
from runners.request import longest_text


def task_of(test_text: str) -> Task:
    short = Split(("the", "a"), (0, 1))
    return Task("t", "single", "accuracy", ("no", "yes"), short, short, Split((test_text,), (0,)))


@pytest.mark.parametrize(("n_words", "n_tokens"), [(5, 7), (62, 64), (100, 64)])
def test_the_longest_text_is_counted_as_the_encoder_reads_it(encoder_folder: Path, n_words: int, n_tokens: int) -> None:
    """With two special tokens, over all splits, and cut at the encoder's 64 positions."""
    assert longest_text(str(encoder_folder), task_of("the " * n_words)) == n_tokens


def test_lengths_that_cut_nothing_are_refused(project: Path, encoder_folder: Path, capsys) -> None:
    (project / "data.tsv").write_text("which one?\tthe text\n" + "".join(f"{n % 2}\ttext {n}\n" for n in range(16)))
    (project / "lengths.toml").write_text("[factors]\nmax_length = [32, 48]\n")
    assert main(["plan", "lengths.toml", "--task", "task.toml", "--model", str(encoder_folder)]) == 2
    error = capsys.readouterr().err
    assert "lengths: cell max_length = 32 and cell max_length = 48 compute the same: the longest text has" in error
    assert "and neither max_length cuts it" in error
