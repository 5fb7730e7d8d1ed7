"""The errors a user can meet. Each carries one sentence: the rule, the value, the known choices."""

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import ValidationError


class GridSearchError(Exception):
    """Base of all errors that the command line shows as one sentence, without a traceback."""


class RequestError(GridSearchError):
    """What was asked for is wrong (a file, a knob, a column): nothing has been run or written."""


class NotBegunError(RequestError):
    """The study's file is there and empty: its driver died before it wrote the plan."""


class DamagedError(RequestError):
    """A file that was written here is no longer what was written."""


class StudyLockedError(RequestError):
    """Another driver is at work on the same study."""


class DivergedError(GridSearchError):
    """A trial's numbers are no longer finite, and no epoch is left that could be its result."""


class MetricError(GridSearchError):
    """A metric that is the user's own function raised an error, or returned no finite number."""


@contextlib.contextmanager
def about(what: str) -> "Iterator[None]":
    """Say what it is about before the sentence of whatever request turns out to be wrong."""
    try:
        yield
    except RequestError as error:
        raise RequestError(f"{what}: {error}") from None


def safe_name(name: str) -> str:
    """Return a name that a ledger gives to a file, where it is one: letters, digits, dashes, underscores and points.

    Raises RequestError for what leads out of the folder that it is to be in: a study may be a stranger's.

    >>> safe_name("mlm-3f2a")
    'mlm-3f2a'
    """
    from re import fullmatch

    if not fullmatch(r"(?!\.)[A-Za-z0-9._-]{1,200}", name):
        raise RequestError(
            f"the study is damaged, or was made to do harm: {name[:80]!r} is no name of an encoder or a trial"
        )
    return name


N_NAMED, N_NEAREST = 40, 8
"""Of up to so many known values a sentence names all, of more only so many, the nearest."""


def nearest(word: str, known: "Iterable[str]") -> str | None:
    """Return the known word that a misspelt one may have meant.

    >>> nearest("--seed", ["--task", "--seeds"]), nearest("--colour", ["--task", "--seeds"])
    ('--seeds', None)
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), n=1)), None)


def one_of(what: str, value: object, known: "Sequence[str]") -> str:
    """Build the sentence for a value outside a closed set, with the nearest known one where there is one.

    >>> one_of("metric", "f1_marco", ["accuracy", "f1_macro"])
    "unknown metric 'f1_marco' (did you mean 'f1_macro'?); known: accuracy, f1_macro"
    """
    from difflib import get_close_matches

    near = nearest(str(value), known)
    hint = f" (did you mean {near!r}?)" if near is not None else ""
    told = f"known: {', '.join(known)}"
    if len(known) > N_NAMED:
        closest = get_close_matches(str(value), known, n=N_NEAREST, cutoff=0.0)
        told = f"the nearest of {len(known)}: {', '.join(closest)}"
    return f"unknown {what} {value!r}{hint}; {told}"


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's words, or its type's name where it has none.

    >>> first_line(ValueError("no good\\nsee below")), first_line(EOFError())
    ('no good', 'EOFError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


LONGEST_SENTENCE = 2500
"""Letters of a sentence: the names of all knobs are 1,800. What is longer quotes a file at length."""


def in_one_line(sentence: str) -> str:
    """Return a sentence as a terminal shows it: in one line, without letters that steer a terminal, without secrets.

    >>> in_one_line("no file 'a\\nb\\x1b[2J'")
    "no file 'a b\\\\x1b[2J'"
    """
    from gridsearch.withheld import without_secrets

    text = without_secrets(" ".join(sentence.split()))
    if len(text) > LONGEST_SENTENCE:
        half = LONGEST_SENTENCE // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def validation_sentence(error: "ValidationError") -> str:
    """Say in one sentence what pydantic found wrong first: the field, the rule, the value."""
    found = error.errors(include_url=False)[0]
    # A union reports one error per branch and names the branch behind the field: the field is what a user wrote.
    place = found["loc"][0] if found["loc"] else "it"
    rules = [item["msg"] for item in error.errors(include_url=False) if item["loc"][:1] == found["loc"][:1]]
    own = (text.removeprefix("Value error, ") for text in rules)
    rule = " or ".join(dict.fromkeys(text[0].lower() + text[1:] for text in own))
    rule = rule.replace("a valid boolean", "a valid boolean (true or false)")
    return f"{place}: {rule}, but got {found['input']!r}"
