"""From the arguments of a Python call to the words of the command of the same name: one way through the house."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from gridsearch.errors import GridSearchError, RequestError, in_one_line
from gridsearch.tasks.guess import toml_value
from gridsearch.tasks.judging.own_metric import OwnMetric
from runners.api.spelling import in_python
from runners.cli import Arguments, Parser, parse


class QuestionOptions(TypedDict, total=False):
    """Options that say what is asked, as ``gridsearch plan --help`` tells them."""

    data_dir: str | Path
    train_rows: int
    seeds: int | Sequence[int]
    folds: int
    set: Mapping[str, object]
    keep: str
    keep_logits: str
    workers: int
    threads: int


class PlanOptions(QuestionOptions, total=False):
    """Those of ``gridsearch plan``."""

    study: str | Path
    all: bool
    measure: bool
    halving: int | bool


class _RunOptions(QuestionOptions, total=False):
    train_metric: bool
    retry_failed: bool
    time_limit: float | str
    lang: str
    runner: str
    track: str


class SweepOptions(_RunOptions, total=False):
    """Those of ``gridsearch sweep``."""

    only_folds: int | Sequence[int]
    halving: int | bool
    gpus_per_trial: float
    address: str


class OptimizeOptions(_RunOptions, total=False):
    """Those of ``gridsearch optimize``."""

    trials: int
    hours: float
    sampler: str
    pruner: str
    objectives: str


class _Parser(Parser):
    """A parser that raises what it has to say."""

    def error(self, message: str) -> NoReturn:
        """Raise RequestError with the sentence; unlike an option of a command, an argument has any name."""
        used = re.findall(r"--([a-z0-9-]+)", " ".join(self._words))
        sentence = in_one_line(message) + self.meant(message)
        raise RequestError(in_python(sentence, {name.replace("-", "_") for name in used}))


def arguments_of(
    command: str, names: Sequence[str], options: Mapping[str, object], metric: OwnMetric | None = None
) -> Arguments:
    """Parse a call as the command is parsed that it stands for; options that are None or False are left out.

    ``metric`` is a function that judges, which no command has.

    Raises RequestError for an option that the command has not, or for a value that is none of its.
    """
    words = [command, *names]
    for name, value in options.items():
        words += _words(f"--{name.replace('_', '-')}", value)
    if metric is not None and not isinstance(metric, OwnMetric):
        rule = "metric must be a function of your own, as gridsearch.Metric(function, name='cost', version='1')"
        raise RequestError(f"{rule}, but is {metric!r:.80}; one of gridsearch's is named by the task")
    arguments = parse(words, _Parser)
    arguments.metric = metric
    return arguments


def _words(option: str, value: object) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [option]
    if isinstance(value, Mapping):
        return [word for key, one in value.items() for word in (option, f"{key}={_toml(one, key)}")]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [f"{option}={','.join(map(str, value))}"]
    return [f"{option}={value}"]


def _toml(value: object, key: str) -> str:
    """Spell a knob's value as TOML does; no knob takes a table."""
    try:
        if isinstance(value, Mapping):
            raise TypeError
        return toml_value(plain(value))
    except (TypeError, ValueError):
        raise RequestError(f"set: {key} must be a number, a text, a truth value or a list, but is {value!r}") from None


def plain(value: Any) -> Any:
    """Return a value of TOML's types: None is left out of tables, and numbers of numpy and torch are numbers."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, (list, tuple, range)):
        if any(one is None for one in value):
            raise TypeError("None among others; a knob that does nothing is mostly spelled 'none'")
        return [plain(one) for one in value]
    if isinstance(value, Path):
        return str(value)
    return plain(value.tolist()) if hasattr(value, "tolist") else value


@dataclass
class Call:
    """A call from Python while it is at work: the study that it is about, as far as it is known."""

    study: str | Path | None
    arguments: Arguments | None = None
    """What the command was asked, whose study may be found on the way."""

    @property
    def folder(self) -> Path | None:
        """The study's folder."""
        study = getattr(self.arguments, "study", None) or self.study
        return Path(study) if study else None


@contextlib.contextmanager
def called(study: str | Path | None = None) -> Iterator[Call]:
    """Do what a command does, but raise what the command would print: one sentence, as GridSearchError.

    Options are spelled in it as arguments. Errors of gridsearch's own making are raised as they are.
    """
    from runners.endings.interrupts import forget_interrupts, interruptible, was_interrupted
    from runners.endings.reasons import sentence_about

    call = Call(study)
    forget_interrupts()
    with interruptible():
        try:
            yield call
        except GridSearchError as error:
            error.args = (in_python(str(error)),)
            raise
        except Exception as error:
            if was_interrupted():  # a library that is interrupted while it loads may make anything of it
                raise KeyboardInterrupt from error
            sentence = sentence_about(error, call.folder)
            if sentence is None:
                raise
            raise GridSearchError(in_python(in_one_line(sentence))) from error
