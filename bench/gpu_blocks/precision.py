"""Is bf16 as good as fp32? Three seeds of each, on titles, by a small encoder that learns; all at once."""

import statistics

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.sweeping import plan_of, sweep
from gridsearch.study.study import Study
from runners.backends.processes import ProcessesRunner
from runners.backends.serial import SerialRunner

SPACE = """
[recipe]
epochs = 1
batch_size = 32
max_length = 44
learning_rate = 5e-4
pooling = "pooler"
[factors]
precision = ["fp32", "bf16"]
[design]
seeds = [0, 1, 2]
"""


def answer(asked: Asked) -> None:
    """Sweep; compare the difference of the means with what seeds differ by."""
    plan = plan_of(asked, "many", "small", SPACE)
    study = Study(asked.scratch / "precision")
    result = sweep(plan, study, SerialRunner() if asked.is_rehearsal else ProcessesRunner(len(plan.trials)))
    found: dict[str, dict[int, float]] = {"fp32": {}, "bf16": {}}
    with study.open() as ledger:
        results = ledger.dev_results()
        for trial in plan.trials.values():
            if trial.id in results:
                value = results[trial.id]["task"][plan.task.metric]
                found[trial.recipe.precision][trial.seed] = value
                asked.add("trials", precision=trial.recipe.precision, seed=trial.seed, **{plan.task.metric: value})
        asked.tell(failures=[message for _, _, message in ledger.final_failures()])
    pairs = [found["bf16"][seed] - found["fp32"][seed] for seed in found["fp32"].keys() & found["bf16"].keys()]
    if len(pairs) < 2:
        raise RuntimeError(f"{result.coverage}")
    spreads = [statistics.stdev(of_seeds.values()) for of_seeds in found.values() if len(of_seeds) > 1]
    error = statistics.stdev(pairs) / len(pairs) ** 0.5
    asked.tell(
        metric=plan.task.metric,
        mean_difference=statistics.fmean(pairs),
        standard_error=error,
        sd_over_seeds=statistics.fmean(spreads),
        within_seed_noise=abs(statistics.fmean(pairs)) <= max(2 * error, statistics.fmean(spreads)),
    )
