"""The core's own words about rows, in Chinese: notes on what was read, left out and divided, and on references."""

from collections.abc import Mapping
from typing import Final

NOTES: Final[Mapping[str, str]] = {
    "all labelled rows are divided into {n} folds of {rows} rows (fold_seed {seed})": (
        "全部有标签的数据分为 {n} 折，每折 {rows} 条（fold_seed {seed}）"
    ),
    "rows with a text in common are in one fold: up to {n} of them": "有相同文本的数据在同一折中：最多 {n} 条",
    "tiny is a toy made from the task's own texts in seconds: a trick may act otherwise on a pretrained encoder": (
        "编码器 tiny 是用任务自身的文本在数秒内做成的玩具模型：同一技巧在预训练编码器上的效果可能不同"
    ),
    "sentences of docstrings, the libraries' names masked as {mask}, read from {libraries}; {n} more of them have no "
    "label: what an encoder may be made from": (
        "docstring 的首句，库名以 {mask} 遮盖，读自 {libraries}；另有 {n} 句没有标签，可用来制作编码器"
    ),
    "not installed, and so no labels here: {libraries}": "未安装，因而不在标签之列：{libraries}",
    "pairs of sentences, of one docstring or of two of the same library, the libraries' names masked as {mask}, read "
    "from {libraries}": "句对，取自同一个 docstring，或同一个库的两个 docstring；库名以 {mask} 遮盖，读自 {libraries}",
    "not installed, and so not read: {libraries}": "未安装，因而未读：{libraries}",
    "{n_left_out} of {n_rows} training rows left out as duplicates ({counts})": (
        "{n_rows} 条训练数据中有 {n_left_out} 条因重复而去除（{counts}）"
    ),
    "duplicates among {n_rows} training rows: {counts}; drop_duplicates = true under [files] leaves them out": (
        "{n_rows} 条训练数据中有重复：{counts}；在 [files] 下写 drop_duplicates = true 可去除"
    ),
    "{n_texts} training texts carry two labels or more; their rows are kept": (
        "{n_texts} 段训练文本带有两个或更多标签；这些数据予以保留"
    ),
    "texts that differ only in case, accents, width or spacing count as the same": (
        "仅在大小写、重音符号、全角半角或空白上不同的文本视为相同"
    ),
    "{texts}, and so does a pair in the other order": "{texts}，交换次序的文本对也视为相同",
    "{n_rows} dev rows stand in test too; they are kept": "{n_rows} 条验证集数据也出现在测试集中；予以保留",
    "{n_rows} rows of {file} left out, their label being {labels}": "{file} 中有 {n_rows} 条因标签为 {labels} 而去除",
    "{n_left} of {n_rows} rows of {file} left out, having no label": (
        "{file} 的 {n_rows} 条中有 {n_left} 条因没有标签而去除"
    ),
    "{n_rows} rows of {file} have an empty text; they are kept": "{file} 中有 {n_rows} 条的文本为空；予以保留",
    "dev is {share} of the training rows, stratified (split_seed {n_seed}): {n_dev} rows, leaving {n_train}": (
        "验证集是训练数据的 {share}，分层抽取（split_seed {n_seed}）：{n_dev} 条，剩余 {n_train} 条"
    ),
    "test is unlabelled: it can be predicted, not judged": "测试集没有标签：可以预测，不能评分",
    "no {split} row has the label {labels}": "{split}中没有标签为 {labels} 的数据",
    "{n_used} of {n_rows} training rows are used (train_rows = {n_asked}, stratified)": (
        "{n_rows} 条训练数据中只用了 {n_used} 条（train_rows = {n_asked}，分层抽取）"
    ),
    "{n_outside} outside pairs can be added to the training rows (outside_pairs)": (
        "{n_outside} 个外部文本对可加入训练数据（outside_pairs）"
    ),
    "each text is ids: {n} different numbers": "每段文本都是 id：共 {n} 个不同的数",
    "{n_rows} also in {split}, {others}": "{n_rows} 条也在{split}中，{others}",
    "{n_rows} also in {split}": "{n_rows} 条也在{split}中",
    "{n_rows} repeated": "{n_rows} 条重复",
    "train": "训练集",
    "dev": "验证集",
    "test": "测试集",
}
