"""One trial in one process: the script that a shell loop calls for every cell of a grid.

    python -m bench.peers.trainer_script --model FOLDER --data FOLDER --output_dir FOLDER --frozen_layers 3 ...

Trainer's defaults, but no checkpoints and no progress bar; every row is padded to the longest length.
"""

from pathlib import Path

from transformers import HfArgumentParser

from bench.peers.training import Arguments, make_trainer, write_results


def main() -> None:
    """Train, and write the best epoch's dev metric."""
    (arguments,) = HfArgumentParser(Arguments).parse_args_into_dataclasses()
    trainer = make_trainer(arguments, padding="max_length", frozen_layers=lambda trial: arguments.frozen_layers)
    trainer.train()
    best = max(entry[f"eval_{arguments.metric}"] for entry in trainer.state.log_history if "eval_loss" in entry)
    Path(str(arguments.output_dir)).mkdir(parents=True, exist_ok=True)
    write_results(arguments, [({}, best)])


if __name__ == "__main__":
    main()
