"""``gridsearch init``: a stranger's data becomes a task TOML."""

from pathlib import Path

from gridsearch.tasks.guess import guess_task, write_toml
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Guess, write, read back, and show what was guessed."""
    output = Path(arguments.output)
    draft, sentences = guess_task([Path(file) for file in arguments.files], arguments.name or output.stem)
    task = write_toml(draft, output, sentences, overwrite=arguments.force)
    for sentence in [*sentences, *task.notes]:
        print(sentence)
    print(f"{output}: {len(task.train)} train and {len(task.dev)} dev rows, {len(task.label_names)} labels")
    print(f"look it over, then: gridsearch plan finetune64 --task {output}")
    return EXIT_DONE
