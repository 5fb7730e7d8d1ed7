"""Every sentence of the page in Chinese, by its English template.

One word for each word of the project, in these files and nowhere a second one:

==================  ==========  ====================  ============  ====================  ==============
recipe              配方        study                 研究          effect                效应
knob                超参数      ledger                账本          main effect           主效应
factor              因素        page                  报告          interaction           交互作用
level               水平        seed                  种子          found, not found      检出，未检出
baseline            基线        fold                  折            noise                 噪声
space, rule         空间，规则  epoch                 轮            standard deviation    标准差
design              设计        batch                 批            interval              置信区间
cell                组合        dev, test, train      验证集，      correction            多重比较校正
trial               试验                              测试集，      degrees of freedom    自由度
attempt             尝试                              训练集        fraction, resolution  部分析因，分辨度
run                 运行        row of data           条            alias                 混杂
replicate           重复        row of a table        行            yardstick             参照
task                任务        metric                指标          did not learn         未学到
encoder             编码器      machine, worker       机器，进程    dead knob             不起作用
rung                级          successive halving    逐次减半      stage                 预训练
member              成员        average, ensemble     平均，集成    gain                  增益
part                子任务      target                目标
==================  ==========  ====================  ============  ====================  ==============

Metrics, names of knobs and columns, labels and whatever a user wrote stay as they are. Between Chinese and Latin
letters or digits stands a blank; a bold text ends in no punctuation, because Markdown would not see where it ends.
"""

from collections.abc import Mapping
from typing import Final

from reports.language.chinese.answer import ANSWER
from reports.language.chinese.comparisons import COMPARISONS
from reports.language.chinese.core import KNOBS, REASONS
from reports.language.chinese.encoders import NOTES_OF_ENCODERS
from reports.language.chinese.ensembles import ENSEMBLES
from reports.language.chinese.figures import FIGURES
from reports.language.chinese.findings import FINDINGS
from reports.language.chinese.folds import FOLDS
from reports.language.chinese.halving import HALVED
from reports.language.chinese.imported import IMPORTED
from reports.language.chinese.labels_and_numbers import LABELS_AND_NUMBERS
from reports.language.chinese.own_metric import OWN_METRIC
from reports.language.chinese.page import PAGE
from reports.language.chinese.parts import PARTS
from reports.language.chinese.searches import SEARCHES
from reports.language.chinese.texts_read import TEXTS_READ

SENTENCES: Final[Mapping[str, str]] = {
    **PAGE,
    **ANSWER,
    **FINDINGS,
    **COMPARISONS,
    **ENSEMBLES,
    **IMPORTED,
    **SEARCHES,
    **HALVED,
    **FOLDS,
    **PARTS,
    **LABELS_AND_NUMBERS,
    **FIGURES,
    **TEXTS_READ,
    **OWN_METRIC,
}
"""What the page says itself."""
TEXTS: Final[Mapping[str, str]] = {**REASONS, **KNOBS, **NOTES_OF_ENCODERS}
"""What the core has written into the ledger, or says of a knob: see :func:`reports.language.say.retold`."""
