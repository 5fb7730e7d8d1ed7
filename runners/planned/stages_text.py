"""What ``gridsearch plan`` says of pretrainings: how many there are, what tells them apart, who starts from them."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from gridsearch.planning.plan import Plan
from gridsearch.space.factor import label_of
from gridsearch.stage import Stage

N_LISTED = 12
"""Of more pretrainings than these, only so many are listed."""


def stage_texts(plan: Plan, made: Collection[str]) -> Iterator[str]:
    """Yield the lines; nothing where no trial starts from a pretraining. ``made`` lie in the cache by now."""
    stages = list(plan.stages.values())
    if not stages:
        return
    n_trials = Counter(trial.encoder for trial in plan.trials.values() if trial.stage is not None)
    n_steps = sum(max(one.last_step for one in stages if one.run == run) for run in {one.run for one in stages})
    told = f", {len(made)} made already" if made else ""
    yield (
        f"{len(stages)} pretraining{'s' * (len(stages) > 1)} ({n_steps:,} steps in all{told}); each is done once, and "
        f"{n_trials.total()} of {len(plan.trials)} trials start from them"
    )
    alike: dict[str, list[Stage]] = {}
    for stage in stages:
        alike.setdefault(", ".join(settings(stage, stages)), []).append(stage)
    for text, several in list(alike.items())[:N_LISTED]:
        n_started = sum(n_trials[one.id] for one in several)
        more = f" and {len(several) - 1} on other rows" if len(several) > 1 else ""
        yield f"{several[0].short_id}{more}: {text}; {n_started} trial{'s' * (n_started > 1)}"
    if len(alike) > N_LISTED:
        yield f"... and {len(alike) - N_LISTED} more"
    if shared := _seeds_that_share(plan):
        yield (
            f"trials of {shared} seeds share a pretraining, so the spread over seeds does not hold its noise "
            "(pretraining.seed = 'trial' gives each seed its own)"
        )


def settings(stage: Stage, stages: Sequence[Stage]) -> list[str]:
    """Spell how long a stage is, and what tells it from the others by its knobs."""
    values: dict[str, set[str]] = {}
    for one in stages:
        for name, value in one.knobs.items():
            values.setdefault(name, set()).add(label_of(value))
    told = [f"{name} = {label_of(value)}" for name, value in stage.knobs.items() if len(values[name]) > 1]
    of = "" if stage.last_step == stage.total_steps else f" of {stage.total_steps:,}"
    return [f"{stage.last_step:,}{of} steps", *told]


def _seeds_that_share(plan: Plan) -> int:
    """Count the seeds of the trials that start from one pretraining: the most of any."""
    seeds: dict[str, set[int]] = {}
    for trial in plan.trials.values():
        if trial.stage is not None:
            seeds.setdefault(trial.encoder, set()).add(trial.seed)
    most = max(map(len, seeds.values()), default=0)
    return most if most > 1 else 0
