"""Making the materials: loading the encoders that trials and stages start from, and tokenising what they read."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer, tokenizer_files
from gridsearch.encoders.ids.encoder import with_ids
from gridsearch.encoders.ids.start import start_of_ids
from gridsearch.encoders.ids.tokenizer import tokenizer_as_read
from gridsearch.encoders.ids.vocabulary import ids_vocabulary
from gridsearch.encoders.load import EncoderWeights, describe, encoder_folder, read_weights
from gridsearch.encoders.pretraining.made import find
from gridsearch.encoders.pretraining.published_head import read_base
from gridsearch.encoders.pretraining.scratch import scratch_tokenizer
from gridsearch.errors import GridSearchError, RequestError
from gridsearch.planning.plan import Plan
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.recipe.pretraining.knobs import PretrainingRecipe
from gridsearch.stage import MADE, Vocabulary
from gridsearch.tasks.augmentation.added import added_to
from gridsearch.tasks.corpus import Corpus, EncodedCorpus, corpora_of, corpus_of, encode_corpus
from gridsearch.tasks.parts.joint_task import AnyTask, JointTask
from gridsearch.training.execution import Execution
from gridsearch.training.materials import Base, Materials, OnDemand
from gridsearch.trial import Trial, make_trial
from gridsearch.view import CorpusView, corpus_view_of, view_of
from runners.pretrain_here import pretrain_here
from runners.rows import rows_on_demand

N_MADE = 8
"""So many encoders of stages are kept in the driver's memory; others are read again."""


def make_materials(plan: Plan, trial_ids: set[str], say: Callable[[str], None]) -> Materials:
    """Load every encoder that some of these trials start from, and tokenise all that is read.

    What a stage has yet to make is read when it is there; the stage itself is prepared now.
    """
    materials = materials_on_demand(plan.task, plan.starts, say)
    wanted = [trial for trial in plan.trials.values() if trial.id in trial_ids]
    for identity in dict.fromkeys(trial.encoder for trial in wanted if trial.stage is None):
        materials.encoders[identity]
    say("tokenising the texts")
    for piece in dict.fromkeys(piece for trial in wanted for piece in view_of(trial).pieces):
        materials.data[piece]
    for stage in dict.fromkeys(trial.stage for trial in wanted if trial.stage is not None):
        if find(stage.id) is None:
            materials.bases[Base(stage.base)]
            materials.corpora[corpus_view_of(stage)]
    return materials


def materials_on_demand(task: AnyTask, cards: Mapping[str, EncoderCard], say: Callable[[str], None]) -> Materials:
    """Return materials that load and tokenise what is first asked for; ``cards`` may grow until then."""
    return _on_demand(task, lambda identity: {card.identity: card for card in cards.values()}[identity], say)


def materials_of_trial(
    trial: Trial, task: AnyTask, encoders: Mapping[str, str], say: Callable[[str], None], of_stage: Execution
) -> Materials:
    """Make what one trial of an existing study reads; ``encoders`` maps names to identities.

    ``of_stage`` is how its pretraining was executed: so it is done again where the cache has lost what it made.
    """
    _refuse_other_added(trial, task)
    named = trial.encoder if trial.stage is None else trial.stage.base
    card = _card_of(named, trial, task, encoders)
    materials = _on_demand(task, lambda identity: card, say)
    if trial.stage is not None and find(trial.stage.id) is None:
        say(f"what pretraining {trial.stage.short_id} made is no longer in the cache: it is done again")
        pretrain_here(trial.stage, materials, of_stage, lambda point: None)
    return materials


def _refuse_other_added(trial: Trial, task: AnyTask) -> None:
    """Raise RequestError where other pairs would be added to the training rows: outside files may have changed."""
    augmentation = augmentation_of(trial.recipe)
    if augmentation is None or isinstance(task, JointTask):
        return
    added = added_to(task.of_fold(trial.fold), augmentation).fingerprint
    about = {name: getattr(trial, name) for name in ("seed", "fold", "task", "encoder", "stage", "division")}
    if make_trial(trial.recipe, **about, added=added).id != trial.id:
        raise RequestError("the pairs added to the training rows are no longer those that the study was made with")


def _card_of(named: str, trial: Trial, task: AnyTask, encoders: Mapping[str, str]) -> EncoderCard:
    """Describe again what a trial starts from. Raises RequestError where it has become something else."""
    names = {identity: name for name, identity in encoders.items()}
    if task.ids:
        ids = ids_vocabulary(task.id_counts, trial.recipe.vocabulary, task.token_counts)
        names |= {ids.identity(identity): name for identity, name in names.items()}
    if named not in names:
        raise RequestError("the ids of the task, or its token counts, are no longer those that the study was made with")
    card = describe(name := names[named], task.corpus)
    start = start_of_ids(card, task.id_counts, trial.recipe.vocabulary, task.token_counts)
    if start.identity != named:
        raise RequestError(f"the encoder {name} is no longer the one that the study was made with")
    return start


def _on_demand(task: AnyTask, card_of: Callable[[str], EncoderCard], say: Callable[[str], None]) -> Materials:
    """Load and tokenise each thing once; encoders with the same tokenizer share what it makes of the texts."""

    def folder(card: EncoderCard) -> Path:
        if card.folder is not None:
            return card.folder
        return encoder_folder(card.name, task.corpus, say, card.ids.tokens if card.ids else ())

    def as_read(encoder: EncoderWeights, card: EncoderCard) -> EncoderWeights:
        """Return an encoder that reads the task's ids; what is made of them does so already."""
        return encoder if card.ids is None or card.is_made_of_the_texts else with_ids(encoder, card.ids)

    @cache
    def published(identity: str) -> EncoderWeights:
        card = card_of(identity)
        return as_read(read_weights(folder(card), identity), card)

    @lru_cache(N_MADE)
    def made(identity: str) -> EncoderWeights:
        if (found := find(identity)) is None:
            raise GridSearchError(f"the encoder {identity} that a pretraining made is no longer in the cache")
        return read_weights(found.folder, identity)

    @cache
    def tokenizer(vocabulary: Vocabulary) -> Mapping[str, bytes]:
        card = card_of(vocabulary.encoder)
        files = tokenizer_as_read(tokenizer_files(folder(card)), card)
        return scratch_tokenizer(files, vocabulary.family) if vocabulary.family else files

    @cache
    def base(key: Base) -> EncoderWeights:
        card = card_of(key.identity)
        return as_read(read_base(folder(card), key.identity), card)

    @cache
    def corpus(view: CorpusView) -> EncodedCorpus:
        if (texts := next((one for one in _corpora(task, view) if _is_read(one, view)), None)) is None:
            what = "texts, or the labels," if view.labels else "texts"
            raise RequestError(f"the {what} of the pretraining are no longer those that the study was made with")
        form = {name: getattr(view, name) for name in ("max_length", "form", "pair_order", "token_types", "mask")}
        return encode_corpus(texts, PretrainingRecipe(**form), build_tokenizer(tokenizer(view.vocabulary)))

    def encoder(identity: str) -> EncoderWeights:
        return made(identity) if identity.startswith(MADE) else published(identity)

    return Materials(OnDemand(encoder), OnDemand(rows_on_demand(task, tokenizer)), OnDemand(base), OnDemand(corpus))


def _corpora(task: AnyTask, view: CorpusView) -> Iterator[Corpus]:
    """Yield all that a pretraining may read, in any fold."""
    for fold in range(1 if task.division is None else task.division.n_folds):
        seen, augmentation = task.of_fold(fold), view.augmentation
        added = None if augmentation is None or isinstance(seen, JointTask) else added_to(seen, augmentation).split
        for which in corpora_of(seen, added):
            yield corpus_of(seen, which, labelled=bool(view.labels), added=added)


def _is_read(corpus: Corpus, view: CorpusView) -> bool:
    return corpus.fingerprint == view.corpus and view.labels == (corpus.labels.fingerprint if corpus.labels else "")
