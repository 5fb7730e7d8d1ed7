"""A block in its process: its module's ``answer``, and its own word on why it failed."""

import sys
import traceback
from importlib import import_module

from bench.gpu_blocks.asked import Asked


def run_and_tell(asked: Asked) -> None:
    """Run a block; what it raises is left as its error, in one line, and in full in the log."""
    try:
        import_module(asked.module).answer(asked)
    except Exception as error:
        traceback.print_exc()
        said = next(iter(str(error).strip().splitlines()), "")
        asked.fail(f"{type(error).__name__}: {said}")
        sys.exit(1)
