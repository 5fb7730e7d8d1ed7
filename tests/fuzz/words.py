"""Commands whose options are spoiled: values of other types, of another command, twice, or none at all."""

from random import Random
from typing import Final

from tests.fuzz import odd

ASKED: Final = ["space.toml", "--task", "task.toml", "--model", "encoder"]
COMMANDS: Final = (
    ["plan", *ASKED, "--seeds", "0,1", "--set", "epochs=2", "--train-rows", "20", "--workers", "2"],
    ["plan", *ASKED, "--folds", "3", "--halving", "2", "--keep-logits", "float16", "--threads", "1"],
    ["plan", "space.toml", "--task", "task.toml", "--model", "encoder", "--set", "pooling=mean", "--data-dir", "."],
    ["sweep", *ASKED, "--study", "study", "--runner", "serial", "--keep", "best", "--keep-logits", "auto"],
    [
        "sweep",
        *ASKED,
        "--study",
        "study",
        "--runner",
        "serial",
        "--time-limit",
        "30m",
        "--lang",
        "en",
        "--workers",
        "1",
    ],
    ["init", "train.tsv", "dev.tsv", "-o", "out.toml", "--text", "text", "--label", "label", "--name", "x"],
    ["init", "--part", "one", "train.tsv", "dev.tsv", "--part", "two", "train.tsv", "-o", "out.toml"],
    ["knobs", "pooling"],
    ["verify", "study"],
    ["status", "study"],
    ["report", "study", "-o", "pages", "--format", "html,md,csv,latex,json", "--lang", "zh"],
    ["compare", "study", "study", "-o", "compared.md", "--lang", "en"],
    [
        "import",
        "table.md",
        "--response",
        "result",
        "--score",
        "dev",
        "--seed",
        "seed",
        "--table",
        "1",
        "--study",
        "new",
    ],
    [
        "import",
        "notes.md",
        "--rows",
        r"run \d",
        "--column",
        "a=(fgm|pgd)",
        "--response",
        r"f=dev (\S+)",
        "--study",
        "new",
    ],
    ["import", "train.log", "--curve", "epoch", "--response", "loss", "--study", "new"],
    ["annotate", "study", "board", "1=0.5", "2="],
    ["predict", "study", "dev.tsv", "--trial", "best", "--columns", "id,label=prediction,p(*)", "--digits", "3"],
    ["predict", "study", "dev.tsv", "--cell", "1", "-o", "out.jsonl", "--format", "jsonl", "--force"],
    ["predict", "study", "dev.tsv", "--ensemble", "1,2", "-o", "out.csv", "--bom", "--no-header"],
    ["ensemble", "study", "--cells", "1,2", "--method", "ranks", "--json"],
    ["ensemble", "study", "--add", "dev.tsv", "none", "--test-file", "dev.tsv", "-o", "out.csv"],
)
VALUES: Final = (
    *(
        "",
        " ",
        "-",
        "--",
        "-1",
        "0",
        "1",
        "1.5",
        "1e9",
        "nan",
        "inf",
        "9" * 40,
        "0,0",
        "0,",
        ",",
        "1,,2",
        "a=b",
        "=",
        "=1",
    ),
    *(
        "best",
        "all",
        "none",
        "auto",
        "top-3",
        "top-0",
        "top-x",
        "99",
        "p(x)",
        "*",
        "p(*",
        "row0",
        "number(text)",
        "a=b=c",
    ),
    *("[", "(", "(?P<a>", "(a+)+$", "\\", "text", "label", "study", ".", "/", "/dev/null", "no/where", "train.tsv"),
    *("epochs=", "epochs=x", "epochs=-1", "epochs=1e400", "epochs=[1]", "epochs={}", "nope=1", "=1", "epochs=true"),
    *("learning_rate=nan", "max_length=99999999999", "batch_size=0", "encoder=x", "pretraining.steps=-1", "x=\n"),
    *(
        "--force",
        "--json",
        "--help",
        "--lang",
        "zh",
        "xx",
        "--study",
        "-o",
        "html,html",
        "docx",
        "1h",
        "0s",
        "-5m",
        "1y",
    ),
)


def of_any_command(random: Random) -> list[str]:
    """Return a command with one or two of its words spoiled."""
    words = list(random.choice(COMMANDS))
    for _ in range(random.randint(1, 2)):
        place = random.randrange(1, len(words)) if len(words) > 1 else len(words)
        found = random.choice(VALUES) if random.random() < 0.7 else random.choice(odd.TEXTS).replace("\0", "\\0")
        match random.randrange(6):
            case 0:
                words.insert(place, found)
            case 1 if len(words) > 1:
                del words[place]
            case 2 if len(words) > 1:
                words.append(words[place])
            case _:
                words[place : place + 1] = [found]
    return words
