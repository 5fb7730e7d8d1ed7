"""Making the materials: loading the encoders that trials start from, and tokenising what they read."""

from collections.abc import Callable, Mapping
from functools import cache

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.load import EncoderWeights, build_tokenizer, load
from gridsearch.errors import RequestError
from gridsearch.plan.plan import Plan
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Task
from gridsearch.training.materials import Materials, OnDemand
from gridsearch.trial import Trial
from gridsearch.view import View, view_of


def make_materials(plan: Plan, trial_ids: set[str], say: Callable[[str], None]) -> Materials:
    """Load every encoder that some of these trials start from, and tokenise the task as each of them reads it."""
    lazy = materials_on_demand(plan.task, plan.cards, say)
    wanted = [trial for trial in plan.trials.values() if trial.id in trial_ids]
    identities = {trial.encoder for trial in wanted}
    return Materials(
        {card.identity: lazy.encoders[card.identity] for card in plan.cards.values() if card.identity in identities},
        {view: lazy.data[view] for view in sorted({view_of(trial) for trial in wanted})},
    )


def materials_on_demand(task: Task, cards: Mapping[str, EncoderCard], say: Callable[[str], None]) -> Materials:
    """Return materials that load and tokenise what is first asked for; ``cards`` may grow until then."""
    return _on_demand(task, lambda identity: next(n for n, card in cards.items() if card.identity == identity), say)


def materials_of_trial(trial: Trial, task: Task, encoders: Mapping[str, str], say: Callable[[str], None]) -> Materials:
    """Make what one trial of an existing study reads; ``encoders`` maps names to identities."""
    name = next(name for name, identity in encoders.items() if identity == trial.encoder)
    materials = _on_demand(task, lambda identity: name, say)
    if materials.encoder_of(trial).identity != trial.encoder:
        raise RequestError(f"the encoder {name} is no longer the one that the study was made with")
    return materials


def _on_demand(task: Task, name_of: Callable[[str], str], say: Callable[[str], None]) -> Materials:
    """Load and tokenise each thing once; encoders with the same tokenizer share what it makes of the texts."""
    tokenised: dict[tuple[object, int], EncodedTask] = {}

    @cache
    def encoder(identity: str) -> EncoderWeights:
        return load(name_of(identity), task.corpus, say)

    def data(view: View) -> EncodedTask:
        tokenizer = encoder(view.vocabulary).tokenizer
        key = (tuple(sorted(tokenizer.items())), view.max_length)
        if key not in tokenised:
            tokenised[key] = encode_task(task, build_tokenizer(tokenizer), view.max_length)
        return tokenised[key]

    return Materials(OnDemand(encoder), OnDemand(data))
