"""All that a GPU has to be asked about, in one command of less than eight minutes.

    python -m bench.gpu -o FOLDER              on the machine with the card
    python -m bench.gpu --rehearse -o FOLDER   the same on a CPU, with tiny sizes
    python -m bench.gpu --pack                 here: what a bare machine lacks, into bench/carried

Each block runs in a process of its own and has a time limit: one that fails, hangs or breaks the card's context costs
its own answers and no other's. Nothing but the standard library is imported here.
"""

import argparse
import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from bench.gpu_blocks.asked import Asked  # noqa: E402
from bench.gpu_blocks.carried import lacking_wheels, unpack  # noqa: E402
from bench.gpu_blocks.report import Answered, read_lines, write_report  # noqa: E402

CARRIED = ROOT / "bench" / "carried"
SECONDS_MOST = 470.0
"""Of all blocks together: the rest of eight minutes is for what the command itself does."""
SECONDS_OF_GRACE = 5.0
PRELOADED = ["bench.gpu_blocks.preloaded"]
"""What a rehearsal imports once for all blocks."""
EXIT_DONE, EXIT_INCOMPLETE, EXIT_WRONG_REQUEST, EXIT_INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Block:
    """``name`` is its module in ``bench/gpu_blocks``; ``seconds`` are the most that it may take."""

    name: str
    seconds: float
    question: str
    takes_what_is_left: bool = False

    @property
    def module(self) -> str:
        """Where its ``answer`` is."""
        return f"bench.gpu_blocks.{self.name}"


BLOCKS = (
    Block("installed", 45, "what is there: card, driver, libraries; does the core find all that it needs"),
    Block("materials", 25, "rows and random encoders, for the other blocks"),
    Block("floor", 20, "how fast could 16 cells be: products and copies of this card, their operations and bytes"),
    Block("steps", 45, "what a step waits for: kernels launched, idle share, the ten longest operators"),
    Block("liveness", 50, "does every knob change the numbers"),
    Block("repeats", 35, "does a trial repeat to the last bit, and if not, which operation is the first to differ"),
    Block("repeats_deterministic", 35, "does it with torch's deterministic algorithms, and what do they cost"),
    Block("masks", 20, "has FreeLB the same dropout masks in all passes of a batch"),
    Block("memory", 50, "is out of memory typed, and does the half micro-batch finish the trial"),
    Block("precision", 45, "is bf16 as good as fp32, within what seeds differ by"),
    Block("speed", 100, "cells a minute: Trainer and ours, with 1, 2, 4 and 8 processes", takes_what_is_left=True),
)
"""In the order in which they run. Speed is the last: it can use whatever time the others have left over."""
BEFORE_ALL = ("installed", "materials")


class NoCardError(Exception):
    """There is no GPU, and this is no rehearsal."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the blocks; write report.json and report.md."""
    arguments = _parser().parse_args(words)
    if arguments.pack:
        from bench.gpu_blocks.carried import pack

        return pack(arguments.carried, arguments.data_dir)
    chosen = _chosen(arguments.blocks)
    if isinstance(chosen, str) or arguments.output is None:
        print(f"bench: {chosen if isinstance(chosen, str) else 'where to? -o FOLDER'}", file=sys.stderr)
        return EXIT_WRONG_REQUEST
    try:
        arguments.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"bench: --output must be a folder that can be made, but {error}", file=sys.stderr)
        return EXIT_WRONG_REQUEST
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends the command ends its blocks
    try:
        with tempfile.TemporaryDirectory(prefix="gridsearch-gpu-", ignore_cleanup_errors=True) as scratch:
            answered = _run_all(chosen, arguments, Path(scratch))
    except NoCardError:
        print("bench: torch finds no GPU here; --rehearse runs on the CPU", file=sys.stderr)
        return EXIT_WRONG_REQUEST
    except KeyboardInterrupt:
        print(f"interrupted; what was measured is in {arguments.output / 'answers.jsonl'}", file=sys.stderr)
        return EXIT_INTERRUPTED
    text = write_report(answered, arguments.output, is_rehearsal=arguments.rehearse)
    print(text)
    return EXIT_DONE if all(one.status == "answered" for one in answered) else EXIT_INCOMPLETE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where report.json and report.md are written")
    parser.add_argument(
        "--rehearse", action="store_true", help="on the CPU, with tiny sizes: only to see that all runs"
    )
    parser.add_argument(
        "--blocks", default="", metavar="NAMES", help="some of them, with commas between (default: all)"
    )
    parser.add_argument("--pack", action="store_true", help="fetch what a bare machine lacks into the carried folder")
    parser.add_argument(
        "--carried", type=Path, default=CARRIED, metavar="DIR", help="wheels and rows (default: bench/carried)"
    )
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="for --pack: the data sets (default: $GRIDSEARCH_DATA)"
    )
    return parser


def _chosen(names: str) -> tuple[Block, ...] | str:
    """Return the blocks that are asked for and those that they need, or what is wrong with the names."""
    if not names:
        return BLOCKS
    asked, known = names.split(","), [block.name for block in BLOCKS]
    if unknown := [name for name in asked if name not in known]:
        return f"--blocks: unknown block {unknown[0]!r}; known: {', '.join(known)}"
    return tuple(block for block in BLOCKS if block.name in (*BEFORE_ALL, *asked))


def _run_all(blocks: Sequence[Block], arguments: argparse.Namespace, scratch: Path) -> list[Answered]:
    """Run the blocks one after the other, whatever becomes of each."""
    _set_environment(arguments.carried, scratch)
    # On a card each process starts from nothing: a fork inherits what libraries have begun to do with the driver.
    context = multiprocessing.get_context("forkserver" if arguments.rehearse else "spawn")
    if arguments.rehearse:
        context.set_forkserver_preload(PRELOADED)
    answers = arguments.output / "answers.jsonl"
    answers.write_text("", encoding="utf-8")
    (log := arguments.output / "log.txt").write_text("", encoding="utf-8")
    ends_at = time.monotonic() + SECONDS_MOST
    answered = []
    for block in blocks:
        begun = time.monotonic()
        asked = Asked(
            block=block.name,
            module=block.module,
            scratch=scratch,
            carried=arguments.carried,
            answers=answers,
            is_rehearsal=arguments.rehearse,
            ends_at=ends_at if block.takes_what_is_left else min(begun + block.seconds, ends_at),
        )
        print(f"{block.name:>22} ...", end=" ", flush=True)
        status = _run(context, asked, log)
        one = Answered(block.name, block.question, status, time.monotonic() - begun, answers)
        print(f"{one.seconds:6.1f} s  {status}", flush=True)
        if not arguments.rehearse and one.found.get("torch_sees_a_gpu") is False:
            raise NoCardError
        answered.append(one)
    return answered


def _set_environment(carried: Path, scratch: Path) -> None:
    """Let every process find this code and what was carried, and nobody ask a server."""
    found = unpack(lacking_wheels(carried), scratch / "wheels")
    paths = [str(ROOT), *([str(found)] if found else []), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    if found:
        sys.path.append(str(found))
    os.environ["HF_HUB_OFFLINE"] = "1"
    # One thread a trial, as sweeps have it: eight processes of all cores each would measure their quarrel.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _run(context: "multiprocessing.context.BaseContext", asked: Asked, log: Path) -> str:
    """Run one block to its end or its limit; return "answered", or what went wrong."""
    process = context.Process(target=run_block, args=(asked, log), name=asked.block)  # type: ignore[attr-defined]
    process.start()
    is_late = False
    try:
        process.join(max(0.0, asked.seconds_left()))
        is_late = process.is_alive()
    finally:
        # The block and all that it has started: it leads a group.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()
    if is_late:
        return "out of time"
    if process.exitcode == 0:
        return "answered"
    said = [line["error"] for line in read_lines(asked.answers, asked.block) if "error" in line]
    return f"failed: {said[-1] if said else f'exit code {process.exitcode}'}"


def run_block(asked: Asked, log: Path) -> None:
    """What a block's process does; its output, and that of all that it starts, goes to the log."""
    os.setsid()
    # Should the command itself be killed: nothing of a block outlives its limit by much.
    last = threading.Timer(asked.seconds_left() + SECONDS_OF_GRACE, os.killpg, (os.getpgrp(), signal.SIGKILL))
    last.daemon = True
    last.start()
    with log.open("a", encoding="utf-8") as file:
        file.write(f"\n--- {asked.block}\n")
        file.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from bench.gpu_blocks.running import run_and_tell

    run_and_tell(asked)


if __name__ == "__main__":
    sys.exit(main())
