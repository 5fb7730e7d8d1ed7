"""Rewrites a labelled task of texts as one of anonymised ids, in a folder of its own.

``python -m tests.ids_of_texts oppo VOCABULARY FOLDER --data-dir DATA`` writes FOLDER/task.toml and its files: each
distinct token that BERT's tokenizer finds in the texts, with the words of a vocab.txt, becomes a number. Which number,
a seeded permutation says, so that nothing of the token shows in it. The rows and labels are the task's, in its order.
"""

import argparse
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from gridsearch.randomness import derived_seed
from gridsearch.tasks.guess import toml_value
from gridsearch.tasks.task import Split, Task
from gridsearch.tasks.taskfile import load_task
from search_spaces import find_task

FIRST_ID = 1


def tokens_of(texts: Sequence[str], vocabulary: Path) -> list[list[str]]:
    """Cut texts as a BERT without case does; special tokens that somebody wrote are cut as any other text."""
    from transformers import BertTokenizer

    words = vocabulary.read_text(encoding="utf-8").split("\n")[:-1]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)}, do_lower_case=True)
    return [tokenizer.tokenize(text) for text in texts]


def rewritten(task: Task, vocabulary: Path, seed: int) -> dict[str, Split]:
    """Return the splits of a task with ids for texts; a text without a token stays an empty one."""
    splits = {"train": task.train, "dev": task.dev, **({"test": task.test} if task.test else {})}
    splits |= {f"further{number}": split for number, split in enumerate(task.corpus_files, start=1)}
    texts = [text for split in splits.values() for several in (split.texts, split.pairs or ()) for text in several]
    tokens = dict(zip(texts, tokens_of(texts, vocabulary), strict=True))
    known = sorted({token for one in tokens.values() for token in one})
    numbers = list(range(FIRST_ID, FIRST_ID + len(known)))
    random.Random(derived_seed(seed, "ids of texts")).shuffle(numbers)
    ids: Mapping[str, str] = {token: str(number) for token, number in zip(known, numbers, strict=True)}
    spelled = {text: " ".join(ids[token] for token in one) for text, one in tokens.items()}

    def of_ids(split: Split) -> Split:
        pairs = None if split.pairs is None else tuple(spelled[text] for text in split.pairs)
        return Split(tuple(spelled[text] for text in split.texts), split.labels, pairs)

    return {name: of_ids(split) for name, split in splits.items()}


def write_ids(task: Task, vocabulary: Path, folder: Path, *, seed: int = 0, counts: Path | None = None) -> Path:
    """Write the rewritten rows and their task file; return the latter. ``counts`` are those of an encoder's tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, split in rewritten(task, vocabulary, seed).items():
        labels = [""] * len(split) if split.labels is None else [task.label_names[label] for label in split.labels]
        columns = [split.texts, *([] if split.pairs is None else [split.pairs]), labels]
        rows = ["\t".join(row) for row in zip(*columns, strict=True)]
        files[name] = f"{name}.tsv"
        (folder / files[name]).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    further = [file for name, file in files.items() if name.startswith("further")]
    lines = [
        f"name = {toml_value(f'{task.name}-ids')}",
        f"kind = {toml_value(task.kind)}",
        f"metric = {toml_value(task.metric)}",
        "ids = true",
        "[files]",
        *(f"{name} = {toml_value(file)}" for name, file in files.items() if not name.startswith("further")),
        "[columns]",
        "header = false",
        "quoting = false",
        "text = 0",
        *(["pair = 1"] if task.kind == "pair" else []),
        f"label = {2 if task.kind == 'pair' else 1}",
        "[labels]",
        f"names = {toml_value(list(task.label_names))}",
        *(["[corpus]", f"files = {toml_value(further)}"] if further else []),
        *(["[vocabulary]", f"counts = {toml_value(str(counts.resolve()))}"] if counts else []),
    ]
    path = folder / "task.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Read what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", help="a built-in task, or a task file")
    parser.add_argument("vocabulary", type=Path, help="a vocab.txt of BERT's")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--counts", type=Path, default=None, help="how often an encoder's tokens occurred, as JSON")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    task = load_task(find_task(asked.task), asked.data_dir)
    print(write_ids(task, asked.vocabulary, asked.folder, seed=asked.seed, counts=asked.counts))


if __name__ == "__main__":
    main()
