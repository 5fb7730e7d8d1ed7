"""The built-in task ``docstring-parts``: both built-in tasks as the parts of one, which share an encoder."""

from gridsearch.tasks.built_in import docstring_pairs, docstrings
from gridsearch.tasks.parts.joint_task import JointTask
from gridsearch.tasks.parts.notes import notes_across, notes_by_part
from gridsearch.tasks.target import Target

NAME = "docstring-parts"


def load() -> JointTask:
    """Read both; the target is the mean of their metrics. Raises RequestError as they do."""
    parts = {"library": docstrings.load(), "same": docstring_pairs.load()}
    target = Target(tuple((name, part.metric) for name, part in parts.items()))
    notes = (*notes_by_part({name: part.notes for name, part in parts.items()}), *notes_across(parts))
    return JointTask(NAME, parts, target, dict.fromkeys(parts, 1.0), notes)
