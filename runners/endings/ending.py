"""Runs a command to its end: the exit code, and at most one sentence about what stood in the way."""

import atexit
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from runners.endings.codes import EXIT_DONE, EXIT_INTERNAL_ERROR, EXIT_INTERRUPTED, EXIT_WRONG_REQUEST
from runners.endings.interrupts import end_at_once_from_here, forget_interrupts, interruptible, was_interrupted
from runners.endings.streams import prepare_streams, what_was_lost
from runners.programs.answer import Answer
from runners.programs.output import kept_for_one_object, show

GO_ON = ("sweep", "optimize", "pretrain")
"""Commands that go on where they were when they are given again."""


def ended_process(run: Callable[[], int]) -> int:
    """Run the command that this process was started for; nothing that its end meets prints a traceback."""
    prepare_streams()
    with interruptible():
        try:
            code = run()
        except SystemExit as said:  # the parser, after a sentence of its own or the help
            code = int(said.code or EXIT_DONE)
        except KeyboardInterrupt:  # while the words were read
            code = _interrupted("").exit_code
    end_at_once_from_here()
    if (lost := what_was_lost()) is not None:
        print(f"gridsearch: what it prints cannot be written: {lost.strerror}", file=sys.stderr)
        code = code or EXIT_WRONG_REQUEST
    if code == EXIT_INTERRUPTED:
        # Python ends itself by SIGINT where the interrupt fell into exec(), as in the making of a dataclass.
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(code)
    return code


def ended(arguments: Namespace) -> int:
    """Do what was parsed, print what there is to say, and return the exit code, whatever is raised.

    ``arguments.load()`` returns the command, and that its Answer.
    """
    forget_interrupts()
    with interruptible():
        as_json = getattr(arguments, "json", False)
        with kept_for_one_object(as_json):
            answer = _answer(arguments)
        show(arguments.command, answer, as_json=as_json)
    return answer.exit_code


def _answer(arguments: Namespace) -> Answer:
    try:
        _refuse_bad_names(arguments)
        answer: Answer = arguments.load()(arguments)
    except KeyboardInterrupt:
        return _interrupted(arguments.command)
    except BaseException as error:
        # A library that is interrupted while it loads may make anything of it; Ray, while it starts, exits.
        if was_interrupted() or (isinstance(error, SystemExit) and error.code == signal.SIGTERM):
            return _interrupted(arguments.command)
        return _failed(arguments, error)
    return answer


def _refuse_bad_names(arguments: Namespace) -> None:
    """Raise RequestError where the folder of the command is no more, or a name cannot be written down as text."""
    from gridsearch.errors import RequestError

    try:
        here = os.getcwd()
    except OSError as error:
        rule = "the folder that this was started in is gone or closed"
        raise RequestError(f"{rule} ({error.strerror}): cd to another one") from None
    if arguments.command == "doctor":  # it writes nothing down, and says what is wrong with names
        return
    for value in [here, *vars(arguments).values()]:
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str) and not word.isascii() and not _is_text(word):
                encoding = sys.getfilesystemencoding()
                remedy = "give it another name" if encoding == "utf-8" else "set PYTHONUTF8=1"
                raise RequestError(f"the name {word!r} is not in {encoding}: {remedy}")


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:  # it has bytes in it that stand for nothing
        return False
    return True


def _interrupted(command: str) -> Answer:
    sentence = f"interrupted{'; the same command goes on from here' if command in GO_ON else ''}"
    print(sentence, file=sys.stderr)
    return Answer({"error": sentence}, exit_code=EXIT_INTERRUPTED)


def _failed(arguments: Namespace, error: BaseException) -> Answer:
    from gridsearch.errors import in_one_line
    from runners.endings.internal_error import told_internal_error
    from runners.endings.reasons import sentence_about

    study = Path(arguments.study) if isinstance(getattr(arguments, "study", None), str) else None
    sentence, code = sentence_about(error, study), EXIT_WRONG_REQUEST
    sentence = _damage_of_studies(arguments) if sentence is None else sentence
    if sentence is None:
        sentence, code = told_internal_error(error, study), EXIT_INTERNAL_ERROR
    sentence = in_one_line(sentence)
    print(f"gridsearch {arguments.command}: {sentence}", file=sys.stderr)
    return Answer({"error": sentence}, exit_code=code)


def _damage_of_studies(arguments: Namespace) -> str | None:
    """Say what is wrong with a study that a command could not read; None where its studies are whole."""
    from gridsearch.study.damage.judge import told_damage
    from gridsearch.study.study import Study

    named = [getattr(arguments, name, None) for name in ("study", "first", "second")]
    for folder in (*named, *getattr(arguments, "studies", ())):
        if isinstance(folder, str) and (told := told_damage(Study(Path(folder)).ledger_path)):
            return told
    return None
