"""The command line: what each command is called and takes. Every library beyond the standard one is imported late."""

import argparse
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from gridsearch import __version__
from reports.schemas.schema import KINDS
from runners.attending.options import add_skip
from runners.endings.codes import (
    EXIT_DONE,
    EXIT_INCOMPLETE,
    EXIT_INTERNAL_ERROR,
    EXIT_INTERRUPTED,
    EXIT_WRONG_REQUEST,
)
from runners.endings.ending import ended, ended_process
from runners.ensembling.options import add_ensemble
from runners.exporting.options import add_export
from runners.import_options import add_import
from runners.init_options import add_init
from runners.options import duration, execution, halving, kept, one_part, only_folds, question, tracked, workers
from runners.predicting.options import add_predict
from runners.programs.answer import Answer
from runners.programs.output import OPTION, asks_for_json, show

Arguments = argparse.Namespace
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"

__all__ = ["EXIT_DONE", "EXIT_INCOMPLETE", "EXIT_INTERNAL_ERROR", "EXIT_INTERRUPTED", "EXIT_WRONG_REQUEST", "Arguments"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without ``arguments``, as the process's own."""
    if arguments is None:
        return ended_process(run)
    return run(arguments)


def run(arguments: Sequence[str] | None = None) -> int:
    """Read the words of a command and do it."""
    return ended(parse(sys.argv[1:] if arguments is None else arguments))


def parse(words: Sequence[str], parser: "type[Parser] | None" = None) -> Arguments:
    """Read the words of a command, which stay beside what they mean: what a study keeps of how it was made."""
    parsed = build_parser(parser or Parser).parse_args(words)
    parsed.words = [word for word in words if word != OPTION]
    return parsed


class Parser(argparse.ArgumentParser):
    """A parser whose sentences stay in a line, whatever words they quote."""

    _words: Sequence[str] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False  # an option that is made later would change what is meant
        super().__init__(*args, **kwargs)

    # It is called so by argparse, also for the words of a command.
    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        """Read the words, and keep them for errors."""
        self._words = args
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Show how the command is called, then say what is wrong with this call; exit code 2."""
        from gridsearch.errors import in_one_line

        sentence = in_one_line(message) + self.meant(message)
        if asks_for_json(self._words):
            # The parser of a command is called after it; this one is asked where no command is, or words are left over.
            command = self.prog.partition(" ")[2] or next((word for word in self._words if word[:1] != "-"), None)
            show(command, Answer({"error": sentence}, exit_code=EXIT_WRONG_REQUEST), as_json=True)
        super().error(sentence)

    def meant(self, message: str) -> str:
        """Name the option that a word which is none may have meant."""
        unknown = next((word for word in message.split() if word.startswith("--")), None)
        commands = next((one for one in self._actions if isinstance(one, argparse._SubParsersAction)), None)
        command = next((word for word in self._words if commands is not None and word in commands.choices), None)
        if not message.startswith("unrecognized arguments") or unknown is None or commands is None or command is None:
            return ""
        from gridsearch.errors import nearest

        near = nearest(unknown.partition("=")[0], commands.choices[command]._option_string_actions)
        return "" if near is None else f" (did you mean {near}?)"


def build_parser(kind: "type[Parser]" = Parser) -> argparse.ArgumentParser:
    """Describe every command with its options and an example; ``kind`` says how a wrong word is told."""
    parser = kind(
        prog="gridsearch",
        description="Which fine-tuning tricks matter? Grid search for BERT-like encoders.",
        epilog="exit codes: 0 done, 1 ran but incomplete, 2 a wrong request, or a machine that cannot do it as it is, "
        "70 an error in gridsearch itself, 130 interrupted",
    )
    parser.add_argument("--version", action="version", version=f"gridsearch {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _init,
        _knobs,
        _schema,
        _plan,
        _sweep,
        _optimize,
        _pretrain,
        _verify,
        _status,
        _stop,
        _skip,
        _report,
        _export,
        _dashboard,
        _compare,
        _import,
        _annotate,
        _predict,
        _ensemble,
        _rerun,
        _doctor,
    ):
        add(commands)
    return parser


def _add(
    commands: Commands, name: str, help_text: str, example: str, folder: str = "commands", *, answers: bool = True
) -> argparse.ArgumentParser:
    """Describe a command; one that ``answers`` ends with something to say, and does so as JSON on demand."""

    def load() -> Callable[[Arguments], Answer]:
        from importlib import import_module

        module = import_module(f"runners.{folder}.{name if name != 'import' else 'import_table'}")
        command: Callable[[Arguments], Answer] = module.run
        return command

    parser = commands.add_parser(
        name,
        help=help_text,
        description=textwrap.fill(help_text[0].upper() + help_text[1:] + ".", 78),
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(load=load)
    if answers:
        parser.add_argument(OPTION, action="store_true", help="as one JSON object, for programs: docs/json.md")
    return parser


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", metavar="STUDY", help="the study's folder")


def _language(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", default="en", metavar="L", help="language of the page: en (default), zh")


def _init(commands: Commands) -> None:
    parser = _add(
        commands,
        "init",
        "write a task TOML for your own data, columns and labels guessed and checked",
        "gridsearch init reviews.csv -o reviews.toml",
    )
    add_init(parser)


def _knobs(commands: Commands) -> None:
    parser = _add(
        commands,
        "knobs",
        "list what a space can vary: every knob with its values, meaning and source",
        "gridsearch knobs reinit_layers",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="one knob (default: all)")


def _schema(commands: Commands) -> None:
    parser = _add(
        commands,
        "schema",
        "print the JSON Schema of space files or task files, by which editors complete and check them",
        "gridsearch schema space > space.schema.json\n\n"
        "Even Better TOML and taplo use it in files that begin with\n  #:schema ./space.schema.json",
    )
    parser.add_argument("kind", choices=KINDS, metavar="FILE", help="space or task")


def _plan(commands: Commands) -> None:
    parser = _add(
        commands,
        "plan",
        "show the cells and trials of a space, and what they cost; nothing is trained",
        "gridsearch plan finetune64 --task docstrings --model tiny --measure --workers 2",
    )
    question(parser)
    parser.add_argument("--all", action="store_true", help="list every cell, however many there are")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="measure on this machine what trials cost: some steps of each kind (half a minute for tiny)",
    )
    kept(parser)
    workers(parser)
    halving(parser)


def _sweep(commands: Commands) -> None:
    parser = _add(
        commands,
        "sweep",
        "run every trial that the study lacks; running it again is resuming it",
        "gridsearch sweep finetune64 --workers 2",
    )
    question(parser)
    only_folds(parser)
    parser.add_argument(
        "--runner",
        choices=["ray", "serial", "processes"],
        help="where trials run (default: ray; processes where Ray is not installed)",
    )
    halving(parser)
    execution(parser)
    tracked(parser)
    parser.add_argument(
        "--gpus-per-trial", type=float, metavar="F", help="share of a GPU for a trial (default: 1 where there is one)"
    )
    parser.add_argument("--address", metavar="A", help="a running Ray cluster: HOST:PORT of its head, or auto")
    _language(parser)


def _pretrain(commands: Commands) -> None:
    parser = _add(
        commands,
        "pretrain",
        "let an encoder read texts before it is fine-tuned; the result is a folder for --model",
        "gridsearch pretrain task.toml --model minilm --set pretraining.steps=3000 -o minilm-read",
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="a built-in task, a task's TOML file, or files with a text a line"
    )
    parser.add_argument("--model", metavar="M", help="tiny (default), minilm, a folder, or a Hugging Face name")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KNOB=VALUE",
        help="a knob of the pretraining, such as pretraining.rate=0.2 (gridsearch knobs lists them); repeatable",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="the folder to write")
    parser.add_argument("--force", action="store_true", help="replace an existing folder")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="where the task's files are (default: beside its TOML, $GRIDSEARCH_DATA)"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    parser.add_argument(
        "--time-limit", type=duration, metavar="T", help="give up after 90 (seconds), 30m, 2h; what is done is kept"
    )


def _optimize(commands: Commands) -> None:
    parser = _add(
        commands,
        "optimize",
        "run the cells that Optuna proposes, on this machine; running it again goes on",
        "gridsearch optimize finetune64 --trials 50 --workers 2",
    )
    question(parser)
    parser.add_argument("--trials", type=int, metavar="N", help="trials that the study is to hold in the end")
    parser.add_argument("--hours", type=float, metavar="H", help="begin no trial after so many hours")
    parser.add_argument("--sampler", default="tpe", metavar="S", help="tpe (default), gp, random")
    parser.add_argument(
        "--pruner", default="none", metavar="P", help="none (default), median, hyperband, wilcoxon (over seeds, folds)"
    )
    parser.add_argument(
        "--objectives", default="metric", metavar="O", help="metric (default), or metric,seconds for a Pareto set"
    )
    parser.add_argument(
        "--runner", choices=["processes", "serial"], default="processes", help="where trials run (default: processes)"
    )
    execution(parser)
    tracked(parser)
    _language(parser)


def _verify(commands: Commands) -> None:
    _study(
        _add(
            commands,
            "verify",
            "print the coverage certificate; exit 0 only when it is complete",
            "gridsearch verify studies/finetune64-docstrings-tiny",
        )
    )


def _status(commands: Commands) -> None:
    _study(
        _add(
            commands,
            "status",
            "tell from a second terminal how far a sweep is",
            "gridsearch status studies/finetune64-docstrings-tiny",
        )
    )


def _stop(commands: Commands) -> None:
    _study(
        _add(
            commands,
            "stop",
            "ask the sweep or search that is at work to end in order: no new trials, those that run go on to their end",
            "gridsearch stop studies/finetune64-docstrings-tiny",
            folder="attending",
        )
    )


def _skip(commands: Commands) -> None:
    parser = _add(
        commands,
        "skip",
        "leave cells out on purpose, with the reason, which certificate and page repeat; also while a sweep runs",
        "gridsearch skip studies/finetune64-docstrings-tiny --cell 12 --why 'diverges, as cell 11 did'",
        folder="attending",
    )
    _study(parser)
    add_skip(parser)


def _report(commands: Commands) -> None:
    parser = _add(
        commands,
        "report",
        "write the page of a study",
        "gridsearch report studies/finetune64-docstrings-tiny --format md,csv",
    )
    _study(parser)
    parser.add_argument("-o", "--output", metavar="DIR", help="where to write (default: the study's folder)")
    parser.add_argument(
        "--format",
        metavar="F,F",
        help="html, md, csv (with trials.csv, one row a trial), latex, json, with commas between (default: html,md)",
    )
    one_part(parser)
    _language(parser)


def _export(commands: Commands) -> None:
    parser = _add(
        commands,
        "export",
        "write a study as other tools read it: tables, experiment trackers, a model; no network is needed",
        "gridsearch export studies/finetune64-docstrings-tiny --to parquet -o tables",
    )
    _study(parser)
    add_export(parser)


def _dashboard(commands: Commands) -> None:
    parser = _add(
        commands,
        "dashboard",
        "look at a study with optuna-dashboard, in a browser",
        "gridsearch dashboard studies/finetune64-docstrings-tiny",
        answers=False,
    )
    _study(parser)
    parser.add_argument("--host", default="localhost", metavar="H", help="name to serve under (default: localhost)")
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="port to serve at (default: 8080)")


def _compare(commands: Commands) -> None:
    parser = _add(
        commands,
        "compare",
        "put two studies side by side: the cells that both have, and their paired differences; or losses of trainings",
        "gridsearch compare studies/finetune64-sst2-minilm studies/published",
    )
    parser.add_argument("first", metavar="STUDY", help="the folder of a study: A")
    parser.add_argument("second", metavar="STUDY", help="the folder of another one: B; differences are B less A")
    one_part(parser)
    parser.add_argument("-o", "--output", metavar="FILE", help="write Markdown to a file (default: the terminal)")
    parser.add_argument("--lang", default="en", metavar="LANG", help="language: en (default) or zh")


def _import(commands: Commands) -> None:
    parser = _add(
        commands,
        "import",
        "turn what others measured into a study: a table, notes, a training log, what trackers keep",
        "gridsearch import results.md --response result --study studies/published\n"
        "  gridsearch import mlflow.db --response accuracy\n"
        "  gridsearch import notes.md --rows 'run \\d+' --column 'attack=(fgm|pgd)'\n"
        "  gridsearch import train.log --curve epoch --response loss",
    )
    add_import(parser)


def _annotate(commands: Commands) -> None:
    parser = _add(
        commands,
        "annotate",
        "keep outside scores of rows or trials, such as a leaderboard's, as a column",
        "gridsearch annotate studies/finetune64-docstrings-tiny leaderboard 12=0.8778",
    )
    _study(parser)
    parser.add_argument("name", metavar="NAME", help="what the scores are called")
    parser.add_argument(
        "scores",
        nargs="+",
        metavar="ROW=SCORE",
        help="a row's index or name (all its trials together), or a trial's id or its first digits; 12=0.87 replaces "
        "what was there, 12= removes it",
    )


def _predict(commands: Commands) -> None:
    parser = _add(
        commands,
        "predict",
        "label new text with a trial's classifier, or with the mean of several",
        "gridsearch predict studies/reviews --trial best new_reviews.csv -o labels.csv\n"
        "  gridsearch predict studies/afqmc --ensemble 3,9 test.json --columns id,label=prediction -o out.jsonl",
    )
    _study(parser)
    add_predict(parser)


def _ensemble(commands: Commands) -> None:
    add_ensemble(
        _add(
            commands,
            "ensemble",
            "average the predictions of several runs, and tell what that gains",
            "gridsearch ensemble studies/afqmc --cells 9,11 --add zzdu_dev.csv zzdu_test.csv -o test.csv",
        )
    )


def _rerun(commands: Commands) -> None:
    parser = _add(
        commands,
        "rerun",
        "run one trial again in this process; the ledger is not touched",
        "gridsearch rerun studies/finetune64-docstrings-tiny --trial 3fa9c1d0",
    )
    _study(parser)
    parser.add_argument("--trial", required=True, metavar="ID", help="a trial's id or its first digits, or best")


def _doctor(commands: Commands) -> None:
    parser = _add(
        commands,
        "doctor",
        "say what this machine has, what will be used of it, and what would go wrong; the network is not asked",
        "gridsearch doctor --json\n\nexit codes:\n  0  nothing stands in the way of a sweep\n"
        "  1  something would make a sweep fail: see what it says",
    )
    parser.add_argument("--study", metavar="DIR", help="the folder that a study is to be in (default: studies)")


if __name__ == "__main__":
    sys.exit(main())
