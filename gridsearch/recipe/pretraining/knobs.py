"""Knobs of a pretraining: work that several trials share. In a recipe each is called ``pretraining.NAME``."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Probability, TokenCount, Weight
from gridsearch.recipe.prefixes import PRETRAINING, prefixed
from gridsearch.recipe.pretraining import dead_knobs as why

PREFIX = PRETRAINING
BERT = "arXiv:1810.04805"


def _knob(meaning: str, source: str = "", **declared: Any) -> Knob:
    """Declare a knob that acts in the steps of a pretraining; to a trial itself it costs nothing."""
    return Knob(meaning, source, **{"cannot_act": why.no_step, "cost": "none", **declared})


CorpusName = Literal[
    "train",
    "all",
    "files",
    "train+files",
    "all+files",
    "train+augmented",
    "all+augmented",
    "train+augmented+files",
    "all+augmented+files",
    "train+augmented_positives",
    "all+augmented_positives",
    "train+augmented_positives+files",
    "all+augmented_positives+files",
]
AUGMENTED, POSITIVES = "augmented", "augmented_positives"
"""Parts of a corpus's name: the pairs that a recipe adds to the training rows, and those of the positive label."""


class PretrainingRecipe(KnobGroup):
    """Every knob of one pretraining, by its name without the prefix.

    ``neutral`` is the value that an id leaves out; all of them together are no pretraining.
    """

    # What is trained.
    objective: Annotated[
        Literal["none", "mlm", "mlm_label"],
        Knob(
            "what the encoder learns from texts before the trial: nothing, to predict hidden tokens, or these and the "
            "labels of training rows, each at its row's first token",
            "arXiv:2004.10964; arXiv:1810.04805, section 3.1; github.com/bojone/oppo-text-match",
            of_the_loss=True,
            neutral="none",
            cannot_act=why.leaves_the_encoder_as_it_is,
            cost="none",
        ),
    ] = "none"
    base: Annotated[
        Literal["encoder", "scratch"],
        _knob(
            "what the pretraining starts from: the encoder, or random weights with the encoder's vocabulary",
            "arXiv:2004.10964, section 4",
            neutral="encoder",
            cannot_act=why.nothing_pretrained,
            cost="each",
        ),
    ] = "encoder"
    family: Annotated[
        Literal["bert", "roberta", "electra", "albert", "nezha"],
        _knob("family of an encoder from scratch", BERT, neutral="bert", cannot_act=why.has_its_own_shape, cost="each"),
    ] = "bert"
    layers: Annotated[
        int,
        Field(ge=1, le=96),
        _knob("layers of an encoder from scratch", BERT, neutral=12, cannot_act=why.has_its_own_depth, cost="each"),
    ] = 12
    width: Annotated[
        int,
        Field(ge=8, le=8192),
        _knob(
            "hidden width of an encoder from scratch; a layer's inner width is 4 times it",
            BERT,
            neutral=768,
            cannot_act=why.has_its_own_shape,
            cost="each",
        ),
    ] = 768
    heads: Annotated[
        int,
        Field(ge=1, le=256),
        _knob(
            "attention heads of an encoder from scratch; they divide the width",
            BERT,
            neutral=12,
            cannot_act=why.has_its_own_shape,
            cost="each",
        ),
    ] = 12
    take_layers: Annotated[
        Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=96)] | Literal["all"],
        _knob(
            "layers of the encoder that are taken, counted from 1 at the bottom, such as [1, 3, 5]; one may be taken "
            "more than once; 'all' takes them as they are",
            "arXiv:1910.01108, section 3",
            neutral="all",
            cannot_act=why.takes_no_layers,
            cost="each",
        ),
    ] = "all"

    # What it reads.
    corpus: Annotated[
        CorpusName,
        _knob(
            "texts that are read: of the training rows, of all of train, dev and test, of further files that the task "
            "names under [corpus], and of the pairs that closure and outside_pairs add to the training rows, or of "
            "those of the positive label alone",
            "arXiv:2004.10964, section 4",
            of_the_loss=True,
            neutral="train",
            stage_cost="none",
        ),
    ] = "train"
    form: Annotated[
        Literal["single", "pairs", "both"],
        _knob(
            "how pairs of texts are read: each text by itself, both as the tokenizer joins them, or in all three ways",
            f"{BERT}, section 3",
            of_the_loss=True,
            neutral="single",
            cannot_act=why.no_pairs,
        ),
    ] = "single"
    pair_order: Annotated[
        Literal["as_is", "both", "random"],
        _knob(
            "order of a pair's texts: as it stands, a row for each of the two orders, or drawn at each reading",
            "github.com/bojone/oppo-text-match",
            neutral="as_is",
            cannot_act=why.reads_no_pairs,
        ),
    ] = "as_is"
    max_length: Annotated[
        TokenCount,
        _knob(
            "longest row in tokens, special ones included; longer ones are cut; a percentile is one of the "
            "task's training rows, as that of max_length is",
            of_the_loss=True,
            neutral=128,
            counts_tokens=True,
        ),
    ] = 128
    token_types: Annotated[
        Literal["segments", "zeros"],
        _knob(
            "segment ids of a pair: those of its two texts, or all 0",
            f"{BERT}, section 3",
            neutral="segments",
            stage_cost="none",
            cannot_act=why.no_segments,
        ),
    ] = "segments"

    # What is hidden.
    mask: Annotated[
        Literal["bernoulli", "whole_word", "statistical_word", "ngram"],
        _knob(
            "what is hidden, each by itself with probability rate: tokens; whole words, Chinese ones by a segmenter; "
            "tokens that occur together more than chance, for texts that are only numbers; or stretches of tokens",
            f"{BERT}, section 3.1; arXiv:1906.08101; arXiv:2010.01825; GAIIC 2021, track 3",
            of_the_loss=True,
            neutral="bernoulli",
        ),
    ] = "bernoulli"
    ngram: Annotated[
        Literal["daniellibin", "rank18", "seed002", "seed000"],
        _knob(
            "how long the stretches of mask = 'ngram' are, by whose rule: one to three tokens with a gap behind them, "
            "one to three up to a number for each row, one or two, or tokens that an odd number of draws hits",
            "GAIIC 2021, track 3: daniellibin/gaiic2021_track3_querySim; "
            "yangyang678/2021-Tianchi-GAIIC-Track3-Rank18; ngc7292/tianchi-oppo-matching",
            of_the_loss=True,
            neutral="daniellibin",
            cannot_act=why.no_stretches,
        ),
    ] = "daniellibin"
    rate: Annotated[
        float,
        Field(gt=0, lt=1),
        _knob(
            "share of the tokens that are predicted; see rate_is",
            f"{BERT}, section 3.1",
            of_the_loss=True,
            neutral=0.15,
        ),
    ] = 0.15
    rate_is: Annotated[
        Literal["nominal", "realised"],
        _knob(
            "what rate is: the number that a mask draws with, as published, or the share of tokens that it hides in "
            "the end, so that masks can be compared",
            neutral="nominal",
            of_the_loss=True,
            cannot_act=why.hides_the_rate,
        ),
    ] = "nominal"
    mask_share: Annotated[
        float,
        Field(ge=0, le=1),
        _knob(
            "share of the chosen tokens that the mask token stands for",
            f"{BERT}, section 3.1",
            of_the_loss=True,
            neutral=0.8,
            stage_cost="none",
        ),
    ] = 0.8
    random_share: Annotated[
        float,
        Field(ge=0, le=1),
        _knob(
            "share of the chosen tokens that a random one stands for; the rest are seen as they are",
            f"{BERT}, section 3.1",
            of_the_loss=True,
            neutral=0.1,
            stage_cost="none",
        ),
    ] = 0.1
    next_sentence: Annotated[
        bool,
        _knob(
            "also tell whether a pair belongs together: half of the pairs get the second text of another one",
            f"{BERT}, section 3.1",
            of_the_loss=True,
            neutral=False,
            cannot_act=why.reads_no_pairs,
        ),
    ] = False

    # How long, and how.
    steps: Annotated[
        int,
        Field(ge=0),
        _knob(
            "optimizer steps, and with them the course of the learning rate",
            neutral=0,
            stage_cost="none",
            cannot_act=why.nothing_pretrained,
        ),
    ] = 0
    epochs: Annotated[
        Annotated[int, Field(ge=1)] | Literal["none"],
        _knob(
            "passes over the corpus, in place of steps; 'none' where steps say how long",
            neutral="none",
            stage_cost="none",
            cannot_act=why.nothing_pretrained,
        ),
    ] = "none"
    checkpoint: Annotated[
        Annotated[int, Field(ge=1)] | Literal["last"],
        _knob(
            "the step whose encoder is taken; checkpoints of one run are trained once",
            neutral="last",
            stage_cost="none",
        ),
    ] = "last"
    batch_size: Annotated[int, Field(ge=1), _knob("rows of one optimizer step", neutral=128)] = 128
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        _knob("peak learning rate", f"{BERT}, appendix A.2", neutral=1e-4, stage_cost="none"),
    ] = 1e-4
    schedule: Annotated[
        Literal["linear", "cosine", "constant"],
        _knob(
            "course of the learning rate after the warm-up: linear or half a cosine down to 0, or constant",
            "google-research/bert, optimization.py; arXiv:1608.03983",
            neutral="linear",
            stage_cost="none",
            cannot_act=why.one_step,
        ),
    ] = "linear"
    warmup_proportion: Annotated[
        float,
        Field(ge=0, lt=1),
        _knob(
            "share of all steps in which the learning rate rises linearly from 0",
            "google-research/bert, optimization.py",
            neutral=0.0,
            stage_cost="none",
            cannot_act=why.no_warmup_step,
        ),
    ] = 0.0
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1),
        _knob(
            "decoupled weight decay of all but biases and LayerNorms, multiplied by the learning rate",
            "arXiv:1711.05101",
            neutral=0.0,
            stage_cost="none",
        ),
    ] = 0.0
    adam_beta2: Annotated[
        float,
        Field(gt=0, lt=1),
        _knob(
            "share that Adam's second moment keeps in a step",
            "arXiv:1412.6980; arXiv:1907.11692, section 3.1",
            neutral=0.999,
            stage_cost="none",
        ),
    ] = 0.999
    clip_norm: Annotated[
        Weight | Literal["none"],
        _knob(
            "largest norm of all gradients together; longer ones are scaled down",
            neutral="none",
            stage_cost="on",
        ),
    ] = "none"
    lookahead_steps: Annotated[
        int,
        Field(ge=0),
        _knob(
            "steps between two moves of Lookahead's slow weights, which are what is taken; 0 is no Lookahead",
            "arXiv:1907.08610",
            neutral=0,
        ),
    ] = 0
    lookahead_alpha: Annotated[
        float,
        Field(gt=0, le=1),
        _knob(
            "how far the slow weights move towards the fast ones",
            "arXiv:1907.08610",
            neutral=0.5,
            stage_cost="none",
            cannot_act=why.no_lookahead,
        ),
    ] = 0.5
    dropout: Annotated[
        Probability | Literal["checkpoint"],
        _knob(
            "dropout of hidden states and attention; 'checkpoint' is what the encoder's config says, 0.1 from scratch",
            f"{BERT}, appendix A.2",
            neutral="checkpoint",
            stage_cost="on",
        ),
    ] = "checkpoint"
    seed: Annotated[
        Annotated[int, Field(ge=0, lt=2**63)] | Literal["trial"],
        _knob(
            "seed of the pretraining: a number, so that trials of all seeds start from one pretraining, or 'trial', so "
            "that each seed has one of its own",
            neutral=0,
            stage_cost="none",
            cannot_act=why.nothing_pretrained,
        ),
    ] = 0

    @property
    def has_another_shape(self) -> bool:
        """Whether it starts from another shape than that of the encoder that is named."""
        return self.objective != "none" and (self.base == "scratch" or self.take_layers != "all")

    @property
    def mask_of_words(self) -> str:
        """The mask, where it hides words, which have to be found in the texts; the neutral one elsewhere."""
        return self.mask if self.mask in ("whole_word", "statistical_word") else "bernoulli"

    @property
    def reads_added_pairs(self) -> bool:
        """Whether its corpus has the pairs that a recipe adds to the training rows."""
        return AUGMENTED in self.corpus

    def n_rows(self, n_texts: int, n_pairs: int) -> int:
        """Rows of a corpus of so many single texts and pairs, in the form that is asked for."""
        n_joined = n_pairs * (2 if self.pair_order == "both" else 1)
        return n_texts + {"single": 2 * n_pairs, "pairs": n_joined, "both": 2 * n_pairs + n_joined}[self.form]

    def total_steps(self, n_rows: int) -> int:
        """Optimizer steps of the whole schedule, on a corpus of so many rows."""
        return self.steps if self.epochs == "none" else self.epochs * self.steps_per_epoch(n_rows)

    def steps_per_epoch(self, n_rows: int) -> int:
        """Optimizer steps of one pass over the corpus."""
        return -(-n_rows // self.batch_size)


if TYPE_CHECKING:

    class PretrainingKnobs(KnobGroup):
        """Knobs of a pretraining, by the names that spaces call them."""
else:
    PretrainingKnobs = prefixed(PretrainingRecipe, PREFIX, "PretrainingKnobs")


def set_pretraining_knobs(recipe: PretrainingRecipe) -> dict[str, Any]:
    """Return the knobs that are not neutral, by their names without the prefix."""
    values = recipe.model_dump()
    return {
        name: values[name]
        for name, field in PretrainingRecipe.model_fields.items()
        if values[name] != next(item for item in field.metadata if isinstance(item, Knob)).neutral
    }


def pretraining_of(recipe: KnobGroup) -> PretrainingRecipe:
    """Take the pretraining out of a recipe."""
    values = {name: getattr(recipe, PREFIX + name) for name in PretrainingRecipe.model_fields}
    return PretrainingRecipe.model_construct(**values)
