PRAGMA user_version = 2;
BEGIN TRANSACTION;
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
    collapsed TEXT,
    failure_kind TEXT,
    final INTEGER CHECK (final IN (0, 1)),
    forgiven INTEGER NOT NULL DEFAULT 0 CHECK (forgiven IN (0, 1)),  -- failed before the trial was reopened
    message TEXT,
    traceback TEXT,
    CHECK ((state = 'running') = (ended IS NULL)),
    CHECK ((state = 'finished') = (chosen_epoch IS NOT NULL)),
    CHECK ((state = 'failed') = (failure_kind IS NOT NULL AND final IS NOT NULL))
) STRICT;
INSERT INTO "attempts" VALUES(1,'897a1d89b03a083e314ce4ee0c203a20','finished',1,'desk','worker','{"threads":1}',1.79583658414227342612e+09,1.79583658414227342612e+09,1.79583658415828824046e+09,2,2.5,1000000000,'',NULL,NULL,0,NULL,NULL);
INSERT INTO "attempts" VALUES(2,'2de9a9438ccc72bbac01353401150c63','finished',1,'desk','worker','{"threads":1}',1.79583658417812061305e+09,1.79583658417812061305e+09,1.79583658419016814226e+09,2,2.5,1000000000,'one label for all',NULL,NULL,0,NULL,NULL);
INSERT INTO "attempts" VALUES(3,'7c63ac01cab6b5384ca70286f6693dcb','failed',1,'desk','worker','{}',1.79583658420611953733e+09,1.79583658420611953733e+09,1.79583658422210025789e+09,NULL,NULL,NULL,NULL,'code_error',1,0,'bad','');
INSERT INTO "attempts" VALUES(4,'228d733784dee2c15cd2fd04c047020f','running',1,'desk','worker','{}',1.7958365842363293171e+09,1.7958365842363293171e+09,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL);
CREATE TABLE cell_trials (
    position INTEGER NOT NULL REFERENCES cells,
    replicate INTEGER NOT NULL,
    trial TEXT NOT NULL REFERENCES trials,
    PRIMARY KEY (position, replicate)
) STRICT;
INSERT INTO "cell_trials" VALUES(1,0,'897a1d89b03a083e314ce4ee0c203a20');
INSERT INTO "cell_trials" VALUES(2,0,'2de9a9438ccc72bbac01353401150c63');
INSERT INTO "cell_trials" VALUES(3,0,'7c63ac01cab6b5384ca70286f6693dcb');
INSERT INTO "cell_trials" VALUES(4,0,'228d733784dee2c15cd2fd04c047020f');
CREATE TABLE cells (position INTEGER PRIMARY KEY, levels TEXT NOT NULL UNIQUE, recipe TEXT NOT NULL, dead TEXT NOT NULL) STRICT;
INSERT INTO "cells" VALUES(1,'{"bert_adam": "0", "warmup_proportion": "0.0"}','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":false,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.0,"weight_decay":0.0}','{}');
INSERT INTO "cells" VALUES(2,'{"bert_adam": "0", "warmup_proportion": "0.1"}','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":false,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.1,"weight_decay":0.0}','{}');
INSERT INTO "cells" VALUES(3,'{"bert_adam": "1", "warmup_proportion": "0.0"}','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":true,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.0,"weight_decay":0.0}','{}');
INSERT INTO "cells" VALUES(4,'{"bert_adam": "1", "warmup_proportion": "0.1"}','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":true,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.1,"weight_decay":0.0}','{}');
CREATE TABLE epochs (
    attempt INTEGER NOT NULL REFERENCES attempts,
    number INTEGER NOT NULL,
    train_loss REAL,
    train_seconds REAL NOT NULL,
    dev_seconds REAL NOT NULL,
    dev TEXT NOT NULL,
    PRIMARY KEY (attempt, number)
) STRICT;
INSERT INTO "epochs" VALUES(1,1,0.75,1.0,0.125,'{"task":{"accuracy":0.5}}');
INSERT INTO "epochs" VALUES(1,2,0.75,1.0,0.125,'{"task":{"accuracy":0.5}}');
INSERT INTO "epochs" VALUES(2,1,0.75,1.0,0.125,'{"task":{"accuracy":0.75}}');
INSERT INTO "epochs" VALUES(2,2,0.75,1.0,0.125,'{"task":{"accuracy":0.75}}');
CREATE TABLE excluded (levels TEXT PRIMARY KEY, why TEXT NOT NULL) STRICT;
CREATE TABLE labels (split TEXT NOT NULL, part TEXT NOT NULL, labels BLOB NOT NULL, PRIMARY KEY (split, part)) STRICT;
INSERT INTO "labels" VALUES('dev','task',X'934E554D5059010076007B276465736372273A20273C6934272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A202832302C292C207D20202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200A0000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000');
CREATE TABLE observations (position INTEGER PRIMARY KEY, levels TEXT NOT NULL, response TEXT NOT NULL, value REAL NOT NULL) STRICT;
CREATE TABLE outcomes (
    attempt INTEGER NOT NULL REFERENCES attempts,
    part TEXT NOT NULL,
    dev TEXT NOT NULL,
    test TEXT,
    dev_logits BLOB NOT NULL,
    test_logits BLOB,
    PRIMARY KEY (attempt, part)
) STRICT;
INSERT INTO "outcomes" VALUES(1,'task','{"accuracy":0.5}','{"accuracy":0.25}',X'934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A2028312C2032292C207D202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200A0000003E000040BF',X'934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A2028312C2032292C207D202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200A0000003F000040C0');
INSERT INTO "outcomes" VALUES(2,'task','{"accuracy":0.75}','{"accuracy":0.375}',X'934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A2028312C2032292C207D202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200A0000403E000090BF',X'934E554D5059010076007B276465736372273A20273C6634272C2027666F727472616E5F6F72646572273A2046616C73652C20277368617065273A2028312C2032292C207D202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020202020200A0000003F000040C0');
CREATE TABLE provenance (id INTEGER PRIMARY KEY, content TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO "provenance" VALUES(1,'{"host":"here"}');
CREATE TABLE scores (trial TEXT NOT NULL REFERENCES trials, name TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (trial, name)) STRICT;
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "study" VALUES('kind','"trials"');
INSERT INTO "study" VALUES('space','"small"');
INSERT INTO "study" VALUES('title','"A small question"');
INSERT INTO "study" VALUES('space_text','"title = \"A small question\"\n\n[recipe]\nepochs = 2\nlearning_rate = 1e-3\npooling = \"pooler\"\nmax_length = 32\n\n[factors]\nbert_adam = [false, true]\nwarmup_proportion = [0.0, 0.1]\n"');
INSERT INTO "study" VALUES('fixed','{"epochs":2,"learning_rate":0.001,"max_length":32,"pooling":"pooler"}');
INSERT INTO "study" VALUES('design','{"cells":null,"kind":"full","on_dead":"refuse","order_seed":0,"resolution":null,"rows":[],"seed_policy":"shared","seeds":[0]}');
INSERT INTO "study" VALUES('optimised','null');
INSERT INTO "study" VALUES('halving','null');
INSERT INTO "study" VALUES('factors','[{"baseline":"0","column":"bert_adam","levels":[["0",{"bert_adam":false}],["1",{"bert_adam":true}]],"name":"bert_adam"},{"baseline":"0.0","column":"warmup_proportion","levels":[["0.0",{"warmup_proportion":0.0}],["0.1",{"warmup_proportion":0.1}]],"name":"warmup_proportion"}]');
INSERT INTO "study" VALUES('rules','[]');
INSERT INTO "study" VALUES('task','"small"');
INSERT INTO "study" VALUES('task_fingerprint','"0e5e98de5241515f55fd80efedbe3a90"');
INSERT INTO "study" VALUES('task_kind','"single"');
INSERT INTO "study" VALUES('task_notes','[]');
INSERT INTO "study" VALUES('task_rows','{"dev":20,"test":0,"train":320}');
INSERT INTO "study" VALUES('test_is_labelled','false');
INSERT INTO "study" VALUES('metric','"accuracy"');
INSERT INTO "study" VALUES('label_names','["no","yes"]');
INSERT INTO "study" VALUES('encoders','{"tiny":"files-0123456789abcdef"}');
INSERT INTO "study" VALUES('encoder_notes','[]');
INSERT INTO "study" VALUES('sources','{}');
CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    recipe TEXT NOT NULL,
    seed INTEGER NOT NULL,
    fold INTEGER NOT NULL,
    task TEXT NOT NULL,
    encoder TEXT NOT NULL
) STRICT;
INSERT INTO "trials" VALUES('897a1d89b03a083e314ce4ee0c203a20','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":false,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.0,"weight_decay":0.0}',0,0,'0e5e98de5241515f55fd80efedbe3a90','files-0123456789abcdef');
INSERT INTO "trials" VALUES('2de9a9438ccc72bbac01353401150c63','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":false,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.1,"weight_decay":0.0}',0,0,'0e5e98de5241515f55fd80efedbe3a90','files-0123456789abcdef');
INSERT INTO "trials" VALUES('7c63ac01cab6b5384ca70286f6693dcb','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":true,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.0,"weight_decay":0.0}',0,0,'0e5e98de5241515f55fd80efedbe3a90','files-0123456789abcdef');
INSERT INTO "trials" VALUES('228d733784dee2c15cd2fd04c047020f','{"adam_epsilon":1e-08,"adversarial":"none","adversarial_alpha":0.3,"adversarial_epsilon":1.0,"adversarial_norm":"published","adversarial_start":1,"adversarial_steps":3,"batch_size":32,"bert_adam":true,"class_weights":"none","classifier_dropout":0.1,"clip_norm":"none","cooccurrence":"none","decay_exclude":"bias_and_norm","ema_decay":0.0,"encoder":"tiny","encoder_dropout":"checkpoint","epochs":2,"focal_gamma":0.0,"freelb_init":0.0,"frozen_dropout":false,"frozen_layers":0,"gradient_accumulation":1,"head":"linear","head_activation":"gelu","head_width":2048,"label_smoothing":0.0,"layer_decay":1.0,"learning_rate":0.001,"lookahead_alpha":0.5,"lookahead_steps":0,"max_length":32,"multi_sample_dropout":1,"multi_sample_mode":"independent","optimizer":"adamw","patience":"none","pooling":"pooler","pooling_layers":"all","precision":"fp32","r_drop":0.0,"reinit_layers":0,"reinit_pooler":false,"schedule":"linear","selection":"best","swa_every":1,"swa_learning_rate":"schedule","swa_start":"none","token_types":"segments","warmup_proportion":0.1,"weight_decay":0.0}',0,0,'0e5e98de5241515f55fd80efedbe3a90','files-0123456789abcdef');
CREATE TABLE yardsticks (name TEXT PRIMARY KEY, dev TEXT NOT NULL, test TEXT) STRICT;
CREATE UNIQUE INDEX one_finished_attempt ON attempts (trial) WHERE state = 'finished';
CREATE UNIQUE INDEX one_running_attempt ON attempts (trial) WHERE state = 'running';
CREATE VIEW trial_states AS
SELECT trials.id AS trial,
    CASE
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'finished') THEN 'finished'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'running') THEN 'running'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND final = 1 AND forgiven = 0) THEN 'failed'
        WHEN EXISTS (SELECT 1 FROM attempts WHERE trial = trials.id AND state = 'pruned') THEN 'pruned'
        ELSE 'planned'
    END AS state
FROM trials;
COMMIT;
