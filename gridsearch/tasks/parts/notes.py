"""What plan and page tell of a task of several parts: what is said of each, and which texts two of them have."""

from collections.abc import Iterable, Mapping

from gridsearch.tasks.reading import readings_of
from gridsearch.tasks.task import Split, Task


def notes_by_part(notes: Mapping[str, Iterable[str]]) -> list[str]:
    """Return what is told of each part, its name before each note."""
    return [f"part {name}: {note}" for name, several in notes.items() for note in several]


def notes_across(parts: Mapping[str, Task]) -> list[str]:
    """Count the texts that judge one part, in dev or test, and stand in the training rows of another.

    The encoder that they share has read them, with labels of the other part. What reads the same is the same text.
    """
    trained = {name: _texts_in(part.train) for name, part in parts.items()}
    notes = []
    for name, part in parts.items():
        judging = _texts_in(part.judged, *([part.test] if part.test else []))
        for other, texts in trained.items():
            if other != name and (n_texts := len(judging & texts)):
                notes.append(f"texts that judge {name} and stand in the training rows of {other} too: {n_texts}")
    return notes


def _texts_in(*splits: Split) -> set[str]:
    return {text for split in splits for row in readings_of(split) for text in row if text}
