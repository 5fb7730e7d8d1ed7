"""How fast 16 cells could be: what the card multiplies and copies, over the operations and bytes of the cells.

Nothing of this project or of Trainer's is timed here. The floor counts products of matrices and the traffic of the
optimizer; what is left out (attention's softmax, norms, dropout, loading) can only raise it.
"""

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bench.gpu_blocks.asked import Asked, wait_for
from bench.gpu_blocks.materials import base_recipe, read_materials, workload
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import evaluation_batches
from gridsearch.training.objective import batches_of_steps
from gridsearch.training.used_vocabulary import used_vocabulary

BYTES_OF_A_STEP = 7 * 4
"""Of a trained parameter: AdamW reads it, its gradient and two moments, and writes all but the gradient; in float32."""


def answer(asked: Asked) -> None:
    """Measure two ceilings, count what the cells need, divide."""
    width = asked.size(8192, 256)
    left, right = (torch.randn(width, width, device=asked.device).bfloat16() for _ in range(2))
    products = 2 * width**3 / _median_seconds(asked, lambda: left @ right)
    source = torch.randn(asked.size(2**28, 2**18), device=asked.device)
    target = torch.empty_like(source)
    copied = 2 * source.nbytes / _median_seconds(asked, lambda: target.copy_(source))
    asked.tell(bf16_tflop_per_s=products / 1e12, copy_tb_per_s=copied / 1e12)

    few, (data, weights) = workload(asked), read_materials(asked, "few", "base")
    encoder = used_vocabulary(data, weights).encoder
    shape = Shape.of(encoder.config, sum(array.size for array in encoder.state.values()))
    recipe = base_recipe()
    steps = batches_of_steps(recipe, data.train.lengths, data.train_parts, seed=0, epoch=1)
    padded = [(len(rows), int(data.train.lengths_of(rows).max())) for step in steps for rows in step]
    dev = [(len(rows), int(data.dev.lengths_of(rows).max())) for rows in evaluation_batches(data.dev.lengths)]
    n_frozen = few.grid["frozen_layers"]
    cells = {layers: _cell_seconds(shape, recipe, layers, padded, dev, products, copied) for layers in set(n_frozen)}
    n_of_each = asked.size(16, 2) // len(cells)
    asked.tell(
        steps_of_a_cell=len(steps),
        tokens_of_a_step=float(np.mean([rows * tokens for rows, tokens in padded])),
        trained_parameters=shape.n_parameters,
        cell_s_by_frozen_layers={str(layers): sum(parts) for layers, parts in cells.items()},
        matrix_s_of_all_cells=n_of_each * sum(parts[0] for parts in cells.values()),
        optimizer_s_of_all_cells=n_of_each * sum(parts[1] for parts in cells.values()),
        all_cells_s=n_of_each * sum(sum(parts) for parts in cells.values()),
        step_ms={
            str(layers): 1000 * sum(_cell_seconds(shape, recipe, layers, padded, [], products, copied)) / len(steps)
            for layers in cells
        },
    )


def _median_seconds(asked: Asked, act: Callable[[], object], n_times: int = 15) -> float:
    seconds = []
    for number in range(n_times + 3):
        begun = wait_for(asked.device)
        act()
        if number >= 3:
            seconds.append(wait_for(asked.device) - begun)
        else:
            wait_for(asked.device)
    return statistics.median(seconds)


@dataclass(frozen=True)
class Shape:
    """What decides how much an encoder computes; ``n_parameters`` with the words that occur."""

    n_layers: int
    width: int
    inner: int
    n_parameters: int

    @classmethod
    def of(cls, config: Mapping[str, Any], n_parameters: int) -> "Shape":
        """Read it from a BERT's config."""
        n_layers, width, inner = (
            int(config[name]) for name in ("num_hidden_layers", "hidden_size", "intermediate_size")
        )
        return cls(n_layers, width, inner, n_parameters)

    def layer_parameters(self) -> int:
        """Count the numbers in the matrices of one layer."""
        return 4 * self.width**2 + 2 * self.width * self.inner

    def forward(self, n_rows: int, n_tokens: int) -> float:
        """Count the operations of one layer on some rows: its matrices, and attention's two products."""
        return 2.0 * n_rows * n_tokens * (self.layer_parameters() + 2 * n_tokens * self.width)


def _cell_seconds(
    shape: Shape,
    recipe: Recipe,
    n_frozen: int,
    steps: list[tuple[int, int]],
    dev: list[tuple[int, int]],
    products: float,
    copied: float,
) -> tuple[float, float]:
    """Return the least seconds of a cell: of its matrices, and of its optimizer's traffic.

    Backward is two products for each one of forward, in the layers that are trained; frozen ones are computed forward.
    """
    n_trained = shape.n_layers - n_frozen
    operations = sum((shape.n_layers + 2 * n_trained) * shape.forward(*step) for step in steps)
    operations += sum(shape.n_layers * shape.forward(*batch) for batch in dev) * recipe.epochs
    frozen_parameters = n_frozen * shape.layer_parameters()
    if n_frozen:  # the embeddings are frozen with the layers above them
        frozen_parameters += shape.n_parameters - shape.n_layers * shape.layer_parameters() - shape.width**2
    n_bytes = BYTES_OF_A_STEP * (shape.n_parameters - frozen_parameters) * len(steps)
    return operations / products, n_bytes / copied
