-- The ledger of a study: what was planned, tried and found. One writer: the driver. JSON columns hold canonical JSON.
PRAGMA user_version = 4;

CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- One row of the table. `levels` maps factors to labels, after "row" and the row's name where the design is a list: its
-- rows may have the same levels. `dead` maps knobs that cannot act in this cell to the reason.
CREATE TABLE cells (position INTEGER PRIMARY KEY, levels TEXT NOT NULL UNIQUE, recipe TEXT NOT NULL, dead TEXT NOT NULL) STRICT;
CREATE TABLE excluded (levels TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT;

CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    task TEXT NOT NULL,
    encoder TEXT NOT NULL
) STRICT;

-- Several cells may map to one trial; a cell has one trial for each replicate (seed x fold).
CREATE TABLE cell_trials (
    position INTEGER NOT NULL REFERENCES cells,
    replicate INTEGER NOT NULL,
    trial TEXT NOT NULL REFERENCES trials,
    PRIMARY KEY (position, replicate)
) STRICT;

-- Where the trials of a cell, and of a pretraining, are found without reading all of them.
CREATE INDEX IF NOT EXISTS cells_of_trial ON cell_trials (trial, position);
CREATE INDEX IF NOT EXISTS trials_of_encoder ON trials (encoder);

-- Cells that somebody leaves out on purpose, and why. A trial is left out where all cells that have it are.
CREATE TABLE IF NOT EXISTS skipped (position INTEGER PRIMARY KEY REFERENCES cells, why TEXT NOT NULL) STRICT;

-- Pretrainings: a stage is what trials start from whose `encoder` is its id. Those of one `run` are checkpoints of one
-- training; `last_step` of `total_steps` makes the encoder. `recipe` has the knobs without their prefix.
CREATE TABLE IF NOT EXISTS stages (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    precision TEXT NOT NULL,
    base TEXT NOT NULL,
    corpus TEXT NOT NULL,
    last_step INTEGER NOT NULL,
    total_steps INTEGER NOT NULL,
    labels TEXT NOT NULL DEFAULT ''
) STRICT;

-- Versions, machine, commit, driver: what was the same for all attempts of one start of a driver.
CREATE TABLE provenance (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    trial TEXT NOT NULL REFERENCES trials,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'pruned', 'failed')),
    provenance INTEGER NOT NULL REFERENCES provenance,
    driver TEXT NOT NULL,
    worker TEXT NOT NULL,
    resources TEXT NOT NULL,
    started REAL NOT NULL,
    heartbeat REAL NOT NULL,
    ended REAL,
    chosen_epoch INTEGER,
    seconds REAL,
    peak_bytes INTEGER,
    not_learned TEXT,  -- why the run is degenerate; until schema 3 the column was called collapsed
    failure_kind TEXT,
    final INTEGER CHECK (final IN (0, 1)),
    forgiven INTEGER NOT NULL DEFAULT 0 CHECK (forgiven IN (0, 1)),  -- failed before the trial was reopened
    message TEXT,
    traceback TEXT,
    seal TEXT,  -- the checksum of what came of it, its epochs and outcomes included (damage/seals.py)
    CHECK ((state = 'running') = (ended IS NULL)),
    CHECK ((state = 'finished') = (chosen_epoch IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_kind IS NOT NULL AND final IS NOT NULL))
) STRICT;
-- The certificate rests on these two: no trial can finish twice, or run twice at once.
CREATE UNIQUE INDEX one_finished_attempt ON attempts (trial) WHERE state = 'finished';
CREATE UNIQUE INDEX one_running_attempt ON attempts (trial) WHERE state = 'running';
-- All that trial_states asks of a trial's attempts: without it, counting the trials reads all attempts once a trial.
CREATE INDEX IF NOT EXISTS attempts_of_trial ON attempts (trial, state, final, forgiven);

CREATE TABLE epochs (
    attempt INTEGER NOT NULL REFERENCES attempts,
    number INTEGER NOT NULL,
    train_loss REAL,
    train_seconds REAL NOT NULL,
    dev_seconds REAL NOT NULL,
    dev TEXT NOT NULL,
    PRIMARY KEY (attempt, number)
) STRICT;

-- Attempts at stages, as `attempts` are at trials. `found`: another study or driver had made the encoder already, and
-- nothing was trained; `run_seconds` are those of the whole training, wherever it was done; `checksum` is the SHA-256 of
-- the weights; `zero_shot` has the metrics on dev of what the encoder says by itself, where it was taught labels.
CREATE TABLE IF NOT EXISTS stage_attempts (
    id INTEGER PRIMARY KEY,
    stage TEXT NOT NULL REFERENCES stages,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'failed')),
    provenance INTEGER NOT NULL REFERENCES provenance,
    driver TEXT NOT NULL,
    worker TEXT NOT NULL,
    resources TEXT NOT NULL,
    started REAL NOT NULL,
    heartbeat REAL NOT NULL,
    ended REAL,
    seconds REAL,
    run_seconds REAL,
    peak_bytes INTEGER,
    found INTEGER CHECK (found IN (0, 1)),
    checksum TEXT,
    failure_kind TEXT,
    final INTEGER CHECK (final IN (0, 1)),
    forgiven INTEGER NOT NULL DEFAULT 0 CHECK (forgiven IN (0, 1)),
    message TEXT,
    traceback TEXT,
    zero_shot TEXT,
    seal TEXT,
    CHECK ((state = 'running') = (ended IS NULL)),
    CHECK ((state = 'finished') = (checksum IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_kind IS NOT NULL AND final IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS one_finished_stage_attempt ON stage_attempts (stage) WHERE state = 'finished';
CREATE UNIQUE INDEX IF NOT EXISTS one_running_stage_attempt ON stage_attempts (stage) WHERE state = 'running';

CREATE INDEX IF NOT EXISTS attempts_of_stage ON stage_attempts (stage, state, final, forgiven);

-- How a pretraining went: `loss` is the mean since the point before, `learning_rate` that of the next step, `epoch` the
-- passes over the corpus, `seconds` those of the training so far, `hidden_share` the share of the tokens so far that was
-- hidden. A finished attempt has all points of its run.
CREATE TABLE IF NOT EXISTS stage_log (
    attempt INTEGER NOT NULL REFERENCES stage_attempts,
    step INTEGER NOT NULL,
    epoch REAL NOT NULL,
    loss REAL NOT NULL,
    learning_rate REAL NOT NULL,
    seconds REAL NOT NULL,
    hidden_share REAL,
    PRIMARY KEY (attempt, step)
) STRICT;

-- Results at the chosen epoch, one row a part; `train` has the metrics on the training rows, where they are asked for.
CREATE TABLE outcomes (
    attempt INTEGER NOT NULL REFERENCES attempts,
    part TEXT NOT NULL,
    dev TEXT NOT NULL,
    test TEXT,
    train TEXT,
    PRIMARY KEY (attempt, part)
) STRICT;

-- Logits at the chosen epoch, in chunks of rows: a large matrix is more than one SQLite blob can hold. Each chunk is
-- .npy bytes, and so says its own type: float32, or float16 in a large study. A study may keep none.
CREATE TABLE IF NOT EXISTS logits (
    attempt INTEGER NOT NULL REFERENCES attempts,
    part TEXT NOT NULL,
    split TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (attempt, part, split, chunk)
) STRICT;

-- Where rows are divided into folds: the numbers of the rows that an attempt's dev logits are of, as .npy bytes, and the
-- fold of each row. Dev is all of these rows then, and each is judged once.
CREATE TABLE IF NOT EXISTS dev_rows (attempt INTEGER NOT NULL REFERENCES attempts, part TEXT NOT NULL, row_numbers BLOB NOT NULL, PRIMARY KEY (attempt, part)) STRICT;
CREATE TABLE IF NOT EXISTS folds (part TEXT PRIMARY KEY, fold_of_row BLOB NOT NULL) STRICT;

-- The labels of the rows that outcomes are about, as .npy bytes: with the logits, what two trials get right and wrong.
-- (What is created IF NOT EXISTS is added to a ledger of an older schema: see schema.py.)
CREATE TABLE IF NOT EXISTS labels (split TEXT NOT NULL, part TEXT NOT NULL, labels BLOB NOT NULL, PRIMARY KEY (split, part)) STRICT;

-- Cheap references on the same split, such as TF-IDF + logistic regression.
CREATE TABLE yardsticks (name TEXT PRIMARY KEY, dev TEXT NOT NULL, test TEXT) STRICT;

-- What somebody else measured of a trial, such as a leaderboard.
CREATE TABLE IF NOT EXISTS scores (trial TEXT NOT NULL REFERENCES trials, name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (trial, name)) STRICT;

-- Who drives the study: its one row is there while a driver lives, or after it died without a chance to tidy up. `beats`
-- grows as long as it lives. No clock is compared with another: clocks of two machines differ.
CREATE TABLE IF NOT EXISTS driver (
    place INTEGER PRIMARY KEY CHECK (place = 1),
    name TEXT NOT NULL,
    machine TEXT NOT NULL,
    token TEXT NOT NULL,
    beats INTEGER NOT NULL
) STRICT;

-- Imported rows of a published table: factors and a response, no recipe.
CREATE TABLE observations (position INTEGER PRIMARY KEY, levels TEXT NOT NULL, response TEXT NOT NULL, value REAL NOT NULL) STRICT;

-- Views are made anew in a ledger of an older schema. What has run, or runs, is never told as left out.
DROP VIEW IF EXISTS stage_states;
DROP VIEW IF EXISTS trial_states;
CREATE VIEW trial_states AS
SELECT trials.id AS trial,
    CASE
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'finished') THEN 'finished'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'running') THEN 'running'
        WHEN EXISTS (SELECT 1 FROM cell_trials CROSS JOIN skipped USING (position) WHERE trial = trials.id)
            AND NOT EXISTS (
                SELECT 1 FROM cell_trials LEFT JOIN skipped USING (position) WHERE trial = trials.id AND why IS NULL
            ) THEN 'skipped'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND final = 1 AND forgiven = 0) THEN 'failed'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'pruned') THEN 'pruned'
        ELSE 'planned'
    END AS state
FROM trials;

CREATE VIEW stage_states AS
SELECT stages.id AS stage,
    CASE
        WHEN EXISTS (SELECT 1 FROM stage_attempts WHERE stage = stages.id AND state = 'finished') THEN 'finished'
        WHEN EXISTS (SELECT 1 FROM stage_attempts WHERE stage = stages.id AND state = 'running') THEN 'running'
        WHEN EXISTS (
                SELECT 1 FROM trials CROSS JOIN trial_states ON trial = trials.id
                WHERE encoder = stages.id AND state = 'skipped'
            ) AND NOT EXISTS (
                SELECT 1 FROM trials CROSS JOIN trial_states ON trial = trials.id
                WHERE encoder = stages.id AND state != 'skipped'
            ) THEN 'skipped'
        WHEN EXISTS (SELECT 1 FROM stage_attempts WHERE stage = stages.id AND final = 1 AND forgiven = 0) THEN 'failed'
        ELSE 'planned'
    END AS state
FROM stages;
