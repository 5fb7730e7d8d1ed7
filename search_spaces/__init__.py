"""The questions: spaces (*.toml) and tasks (tasks/*.toml). The code here only finds them by name."""

import shlex
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.tables.formats import format_of_name
from gridsearch.tasks.taskfile import WITHOUT_FILES

FOLDER = Path(__file__).parent


def names_of_spaces() -> list[str]:
    """Return the names of the built-in spaces, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def names_of_tasks() -> list[str]:
    """Return the names of the built-in tasks, those that need no data file first."""
    return [*WITHOUT_FILES, *sorted(path.stem for path in (FOLDER / "tasks").glob("*.toml"))]


def find_space(name: str) -> Path:
    """Return the path of a space, by its built-in name or its own path; raise RequestError for neither."""
    return FOLDER / f"{name}.toml" if name in names_of_spaces() else _existing("space", name, names_of_spaces())


def find_task(name: str) -> Path:
    """Return the path of a task, by its built-in name or its own path; raise RequestError for neither.

    A task without a file comes back as its bare name, which ``load_task`` knows.
    """
    if name in WITHOUT_FILES:
        return Path(name)
    if name in names_of_tasks():
        return FOLDER / "tasks" / f"{name}.toml"
    path = _existing("task", name, names_of_tasks())
    if format_of_name(path) is not None:
        made = f"`gridsearch init {shlex.quote(name)} -o {shlex.quote(path.stem)}.toml` makes a task of it"
        raise RequestError(f"{path} is a data file, and a task is a TOML file: {made}")
    return path


def _existing(what: str, name: str, known: list[str]) -> Path:
    path = Path(name).expanduser()
    if path.is_file():
        return path
    if path.suffix == ".toml" or path.name != name:
        raise RequestError(f"there is no {what} file {name!r}; built-in names: {', '.join(known)}")
    raise RequestError(f"{one_of(what, name, known)}, or the path of a TOML file")
