"""Files tell their encodings. The sentences are made up; what real prose gives is in docs/decisions."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsearch.errors import RequestError
from gridsearch.tasks.guess import guess_task, write_toml
from gridsearch.tasks.tables.encoding import doubt, sniff_encoding
from gridsearch.tasks.tables.text import read_text
from gridsearch.tasks.task import Task

PROSE = {
    "french": "L’été dernier, nous avons été très étonnés par la qualité de ce café où l’on dîne à côté du théâtre.",
    "german": "Größere Bestellungen können übrigens nur während der Geschäftszeiten geprüft werden, das ärgert mich.",
    "spanish": "¿Cuándo llegará mi pedido? Pagué más de lo que decía la página y todavía no está aquí, señor.",
    "portuguese": "Não há solução: a atenção é péssima, a refeição vem fria e ninguém dá informações às pessoas.",
    "swedish": "Vi väntade på maten i över två timmar, och när den äntligen kom var den både kall och för salt.",
    "dutch": "Het hotel was geweldig, maar de kamer was één grote teleurstelling; de geïrriteerde gastvrouw ook.",
    "polish": "Obsługa była świetna, ale zupa zimna; następnym razem pójdziemy gdzieś indziej, choć żal nam trochę.",
    "czech": "Příště určitě přijdeme zase, protože obsluha byla milá a večeře výborná, jen hluk nás trochu rušil.",
    "hungarian": "Őszintén szólva többet vártunk ettől a helytől, a kiszolgálás lassú volt és az étel kihűlt, sajnos.",
    "turkish": "Çalışanlar çok ilgiliydi, yemekler güzeldi ama gürültü yüzünden konuşmak imkânsızdı, üzüldük açıkçası.",
    "russian": "Обслуживание было отличным, но суп принесли холодным; в следующий раз пойдём куда-нибудь ещё. Номер "
    "оказался меньше, чем на фотографиях, зато из окна открывается вид на реку. Телефон пришёл через неделю, коробка "
    "была помята. Батарея держит два дня, камера снимает хорошо даже вечером. Жаль, что нет наушников в комплекте.",
    "greek": "Η εξυπηρέτηση ήταν εξαιρετική, αλλά η σούπα ήταν κρύα και περιμέναμε πάρα πολλή ώρα για το κρέας. Το "
    "δωμάτιο ήταν μικρό, όμως καθαρό και ήσυχο. Το τηλέφωνο έφτασε μετά από μία εβδομάδα, με το κουτί του σκισμένο. "
    "Η μπαταρία κρατάει δύο μέρες και η κάμερα βγάζει ωραίες φωτογραφίες. Θα το αγόραζα ξανά χωρίς δεύτερη σκέψη.",
    "japanese": "サービスはとても良かったのですが、スープが冷めていて残念でした。次は別の店に行くつもりです。部屋は"
    "写真よりも狭かったけれど、窓から川が見えて気持ちがよかった。電話は一週間後に届き、箱がつぶれていました。電池は"
    "二日もつし、カメラは夜でもきれいに撮れます。値段を考えれば十分だと思います。",
    "korean": "서비스는 아주 좋았지만 수프가 식어서 아쉬웠습니다. 다음에는 다른 식당에 가려고 합니다. 방은 사진보다 "
    "작았지만 창문으로 강이 보여서 기분이 좋았어요. 전화기는 일주일 뒤에 도착했고 상자가 찌그러져 있었습니다. 배터리"
    "는 이틀 정도 가고 카메라는 밤에도 잘 찍힙니다. 가격을 생각하면 충분히 만족합니다.",
    "traditional": "服務非常好，但是湯已經冷了，讓人覺得很可惜。下次我們會去別的餐廳，雖然這裡的風景確實很漂亮。房間"
    "比照片上小，不過很乾淨，也很安靜。電話過了一個星期才送到，盒子已經壓壞了。電池可以用兩天，晚上拍的相片也很清楚"
    "。考慮到價錢，我還是滿意的。",
    "simplified": "服务非常好，但是汤已经冷了，让人觉得很可惜。下次我们会去别的餐厅，虽然这里的风景确实很漂亮。房间"
    "比照片上小，不过很干净，也很安静。电话过了一个星期才送到，盒子已经压坏了。电池可以用两天，晚上拍的照片也很清楚"
    "。考虑到价钱，我还是满意的。",
}
OLD = [
    *[(language, "cp1252") for language in ("french", "german", "spanish", "portuguese", "swedish", "dutch")],
    *[(language, encoding) for language in ("french", "german") for encoding in ("mac_roman", "cp850")],
    *[(language, encoding) for language in ("polish", "czech", "hungarian") for encoding in ("cp1250", "iso8859_2")],
    ("turkish", "cp1254"),
    *[("russian", encoding) for encoding in ("cp1251", "koi8_r", "iso8859_5", "cp866")],
    ("greek", "cp1253"),
    *[("japanese", encoding) for encoding in ("cp932", "euc_jp", "iso2022_jp")],
    ("korean", "cp949"),
    ("traditional", "big5"),
    ("simplified", "gb18030"),
]
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


def table(language: str) -> str:
    """Return a table of the clauses of a language's prose, and of words from them, each with a label."""
    clauses = [clause.strip() for clause in re.split(r"[,.;:?!，。、]", PROSE[language]) if clause.strip()]
    words = [word for clause in clauses for word in clause.split()]
    return "text,label\n" + "".join(f"{text},{'ab'[number % 2]}\n" for number, text in enumerate(clauses + words))


@pytest.mark.parametrize(("language", "encoding"), [*OLD, *[(one, code) for one in PROSE for code in UNICODE]])
def test_prose_is_decoded_as_it_was_encoded(language: str, encoding: str) -> None:
    raw = table(language).encode(encoding, errors="ignore")  # some lack typographic quotes
    found = sniff_encoding(raw)
    assert raw.decode(found).removeprefix("\ufeff") == raw.decode(encoding).removeprefix("\ufeff")
    assert (doubt(raw, found) is None) == (encoding in UNICODE)


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16-le"])
def test_a_table_is_guessed_and_read_in_its_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(table("russian").encode(encoding))
    guessed, sentences = guess_task([tmp_path / "a.csv"])
    task = write_toml(guessed, tmp_path / "a.toml", sentences)
    assert isinstance(task, Task)
    assert "Батарея держит два дня" in (*task.train.texts, *task.dev.texts)
    assert any("the encoding cp1251 is a guess" in sentence for sentence in sentences) == (encoding == "cp1251")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_utf8_is_never_taken_for_another(text: str) -> None:
    raw = text.encode()
    if b"\x00" not in raw and not raw.startswith((b"\xff", b"\xfe")):
        assert raw.decode("utf-8-sig" if sniff_encoding(raw) == "utf-8" else sniff_encoding(raw)) in (
            text,
            text.removeprefix("\ufeff"),
        )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@given(rows=st.lists(st.text("体育新闻上不是的一 abc,\t", min_size=1), min_size=1))
def test_utf16_needs_no_mark(encoding: str, rows: list[str]) -> None:
    text = "text,label\n" + "\n".join(rows)
    assert sniff_encoding(text.encode(encoding)) == encoding


@pytest.mark.parametrize("n_rows", [1, 2, 3, 20])
def test_a_few_chinese_words_are_enough(n_rows: int) -> None:
    rows = ["双色球走势", "体彩大乐透", "女子跳水夺冠", "楼市调控"] * 5
    assert sniff_encoding("\n".join(rows[:n_rows]).encode("gb18030")) == "gb18030"


def test_the_encoding_is_found_where_most_is_english() -> None:
    rows = ["plain words of English, as most of them are"] * 5000
    rows[4000], rows[4500] = "Größe und Maß für alle", "日本語のテキストです"
    assert sniff_encoding("\n".join(rows[:4400]).encode("cp1252")) == "cp1252"
    assert sniff_encoding("\n".join(rows[4400:]).encode("cp932")) == "cp932"


@pytest.mark.slow  # texts of 100,000 characters and more
def test_a_long_text_is_not_cut_within_a_character() -> None:
    assert sniff_encoding(("服務非常好，但是湯已經冷了" * 20_000).encode("big5")) in ("big5", "big5hkscs")
    assert sniff_encoding((PROSE["japanese"] * 10_000).encode("cp932")) == "cp932"


def test_utf8_with_a_few_wrong_bytes_is_called_damaged_utf8(tmp_path: Path) -> None:
    raw = table("russian").encode()
    (tmp_path / "a.csv").write_bytes(raw[:300] + b"\xff" + raw[300:])
    assert sniff_encoding((tmp_path / "a.csv").read_bytes()) == "utf-8"
    with pytest.raises(RequestError, match=r"a.csv is not utf-8: byte \d+ \(row \d\) cannot be decoded; save it"):
        guess_task([tmp_path / "a.csv"])


def test_a_guess_shows_words_of_the_text() -> None:
    raw = "text\nПривет, мир\nПривет ещё раз\nplain\n".encode("cp1251")
    assert doubt(raw, "cp1251") == (
        "the encoding cp1251 is a guess, by which the text has words such as 'Привет мир ещё раз'; if that is wrong, "
        "name the right one as encoding under [columns]"
    )
    assert doubt(raw, "utf-8") is None


def test_a_mark_of_bytes_is_no_text(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        (tmp_path / "a").write_bytes("text".encode(encoding))
        assert read_text(tmp_path / "a", sniff_encoding((tmp_path / "a").read_bytes())) == "text"
