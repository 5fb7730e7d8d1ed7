"""Does a trial repeat with torch's deterministic algorithms, and what do they cost? Which operation has none?"""

import os

from bench.gpu_blocks.asked import Asked


def answer(asked: Asked) -> None:
    """Train twice; an operation without a deterministic algorithm is warned of by name."""
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # read when the card is first used
    import torch

    from bench.gpu_blocks.repeats import compare

    torch.use_deterministic_algorithms(True, warn_only=True)
    compare(asked)
