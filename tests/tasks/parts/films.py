"""A small task of two parts: which genre a film is of, and whether one title follows from another."""

from pathlib import Path

GENRES = ("comedy", "drama", "horror")
MOODS = {"comedy": "laughing", "drama": "weeping", "horror": "screaming"}

HEAD = 'name = "films"\nkind = "multi"\n'
GENRE = """
[[parts]]
name = "genre"
kind = "single"
metric = "f1_macro"
[parts.files]
train = "genre_train.csv"
dev = "genre_dev.csv"
test = "genre_test.csv"
[parts.columns]
text = "text"
label = "label"
"""
FOLLOWS = """
[[parts]]
name = "follows"
kind = "pair"
metric = "accuracy"
weight = 2.5
[parts.files]
train = "follows.tsv"
dev = 0.25
[parts.columns]
separator = "\\t"
header = false
text = 0
pair = 1
label = 2
[parts.labels]
names = ["no", "yes"]
"""
FILMS = HEAD + GENRE + FOLLOWS


def genre_rows(n_rows: int, first: int = 0, *, labelled: bool = True) -> str:
    """Return a table of films; what people do at one tells its genre."""
    genres = [GENRES[number % 3] for number in range(first, first + n_rows)]
    rows = [f"film {first + number} left us {MOODS[genre]}" for number, genre in enumerate(genres)]
    if not labelled:
        return "text\n" + "".join(f"{row}\n" for row in rows)
    return "text,label\n" + "".join(f"{row},{genre}\n" for row, genre in zip(rows, genres, strict=True))


def pair_rows(n_rows: int) -> str:
    """Return pairs of titles, every other one of them the same words."""
    lines = (
        f"title {number} seen\t{'title' if number % 2 else 'another'} {number} seen\t{number % 2}"
        for number in range(n_rows)
    )
    return "".join(f"{line}\n" for line in lines)


def write_films(folder: Path, toml: str = FILMS, **files: str) -> Path:
    """Write the task file and its data into a folder; the files by name may be others, or more."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "genre_train.csv": genre_rows(18),
        "genre_dev.csv": genre_rows(9, 100),
        "genre_test.csv": genre_rows(6, 200, labelled=False),
        "follows.tsv": pair_rows(24),
    } | {name.replace("__", "."): text for name, text in files.items()}
    for name, text in content.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "films.toml").write_text(toml, encoding="utf-8")
    return folder / "films.toml"
