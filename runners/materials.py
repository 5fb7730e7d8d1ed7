"""Making the materials: loading the encoders that trials and stages start from, and tokenising what they read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.files import tokenizer_files
from gridsearch.encoders.load import EncoderWeights, build_tokenizer, encoder_folder, load, read_weights
from gridsearch.encoders.pretraining.made import find
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.encoders.pretraining.scratch import scratch_tokenizer
from gridsearch.errors import GridSearchError, RequestError
from gridsearch.plan.plan import Plan
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.stage import MADE, Vocabulary
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, corpora_of, corpus_of, encode_corpus
from gridsearch.tasks.encode import EncodedTask, encode_task, with_turned
from gridsearch.tasks.task import Task
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Base, Materials, OnDemand
from gridsearch.trial import Trial
from gridsearch.view import CorpusView, View, corpus_view_of, view_of
from runners.pretrain_here import pretrain_here

N_MADE = 8
"""So many encoders of stages are kept in the driver's memory; others are read again."""


def make_materials(plan: Plan, trial_ids: set[str], say: Callable[[str], None]) -> Materials:
    """Load every encoder that some of these trials start from, and tokenise all that is read.

    What a stage has yet to make is read when it is there; the stage itself is prepared now.
    """
    materials = materials_on_demand(plan.task, plan.cards, say)
    wanted = [trial for trial in plan.trials.values() if trial.id in trial_ids]
    for identity in dict.fromkeys(trial.encoder for trial in wanted if trial.stage is None):
        materials.encoders[identity]
    for view in sorted({view_of(trial) for trial in wanted}):
        materials.data[view]
    for stage in dict.fromkeys(trial.stage for trial in wanted if trial.stage is not None):
        if find(stage.id) is None:
            materials.bases[Base(stage.base)]
            materials.corpora[corpus_view_of(stage)]
    return materials


def materials_on_demand(task: Task, cards: Mapping[str, EncoderCard], say: Callable[[str], None]) -> Materials:
    """Return materials that load and tokenise what is first asked for; ``cards`` may grow until then."""
    return _on_demand(task, lambda identity: {card.identity: name for name, card in cards.items()}[identity], say)


def materials_of_trial(
    trial: Trial, task: Task, encoders: Mapping[str, str], say: Callable[[str], None], of_stage: Execution
) -> Materials:
    """Make what one trial of an existing study reads; ``encoders`` maps names to identities.

    ``of_stage`` is how its pretraining was executed: so it is done again where the cache has lost what it made.
    """
    named = trial.encoder if trial.stage is None else trial.stage.base
    name = next(name for name, identity in encoders.items() if identity == named)
    materials = _on_demand(task, lambda identity: name, say)
    if load(name, task.corpus, say).identity != named:
        raise RequestError(f"the encoder {name} is no longer the one that the study was made with")
    if trial.stage is not None and find(trial.stage.id) is None:
        say(f"what pretraining {trial.stage.short_id} made is no longer in the cache: it is done again")
        pretrain_here(trial.stage, materials, of_stage, lambda point: None)
    return materials


def _on_demand(task: Task, name_of: Callable[[str], str], say: Callable[[str], None]) -> Materials:
    """Load and tokenise each thing once; encoders with the same tokenizer share what it makes of the texts."""
    tokenised: dict[tuple[object, int, str], EncodedTask] = {}

    def folder(identity: str) -> Path:
        return encoder_folder(name_of(identity), task.corpus, say)

    @cache
    def published(identity: str) -> EncoderWeights:
        return load(name_of(identity), task.corpus, say)

    @lru_cache(N_MADE)
    def made(identity: str) -> EncoderWeights:
        if (found := find(identity)) is None:
            raise GridSearchError(f"the encoder {identity} that a pretraining made is no longer in the cache")
        return read_weights(found.folder, identity)

    @cache
    def tokenizer(vocabulary: Vocabulary) -> Mapping[str, bytes]:
        files = tokenizer_files(folder(vocabulary.encoder))
        return scratch_tokenizer(files, vocabulary.family) if vocabulary.family else files

    def data(view: View) -> EncodedTask:
        files = tokenizer(view.vocabulary)
        key = (tuple(sorted(files.items())), view.max_length, view.prediction_order)
        if key not in tokenised and view.prediction_order == "both":
            one_order = data(replace(view, prediction_order="as_is"))
            tokenised[key] = with_turned(one_order, task, build_tokenizer(files), view.max_length)
        if key not in tokenised:
            tokenised[key] = encode_task(task, build_tokenizer(files), view.max_length)
        return tokenised[key]

    @cache
    def base(key: Base) -> EncoderWeights:
        return read_base(folder(key.identity), key.identity)

    @cache
    def corpus(view: CorpusView) -> EncodedCorpus:
        several = (corpus_of(task, which, labelled=bool(view.labels)) for which in corpora_of(task))
        if (texts := next((one for one in several if _is_read(one, view)), None)) is None:
            what = "texts, or the labels," if view.labels else "texts"
            raise RequestError(f"the {what} of the pretraining are no longer those that the study was made with")
        form = {name: getattr(view, name) for name in ("max_length", "form", "pair_order", "token_types", "mask")}
        return encode_corpus(texts, PretrainingRecipe(**form), build_tokenizer(tokenizer(view.vocabulary)))

    def encoder(identity: str) -> EncoderWeights:
        return made(identity) if identity.startswith(MADE) else published(identity)

    return Materials(OnDemand(encoder), OnDemand(data), OnDemand(base), OnDemand(corpus))


def _is_read(corpus: Corpus, view: CorpusView) -> bool:
    return corpus.fingerprint == view.corpus and view.labels == (corpus.labels.fingerprint if corpus.labels else "")
