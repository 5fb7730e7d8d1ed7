"""Which encoding the bytes of a text are in. Unicode shows; of the older encodings the likeliest is found."""

import codecs
import re

from gridsearch.tasks.tables.alphabets import latin_encoding

N_BYTES_LOOKED_AT = 200_000
N_BYTES_SURELY_ENOUGH = 60  # above ASCII: with fewer, pairs of bytes are taken for Chinese, the commonest of such files
N_WORDS_SHOWN = 5

_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""Byte order marks, the longer before those that they begin with."""
_WIDER = {"big5": "big5hkscs", "euc_kr": "cp949", "shift_jis": "cp932", "gb2312": "gb18030", "koi8_r": "koi8_u"}
"""Encodings with more characters, of which the file may have one that the bytes looked at had not."""
_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_PAIRS = re.compile(rb"(?:[\xa1-\xfe]{2})+")
_NO_CANDIDATES = ("utf_7", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le")


def sniff_encoding(raw: bytes) -> str:
    """Return the encoding of a text, by its mark or by what fits: any kind of UTF wherever it does, else the likeliest.

    Bytes that are UTF-8 but for a few are taken for damaged UTF-8, which reading them then tells.
    """
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    if wide := _utf16_without_mark(raw):
        return wide
    if b"\x1b$B" in raw and raw.isascii():
        return "iso2022_jp"
    if _decodes(raw, "utf-8") or _is_damaged_utf8(raw):
        return "utf-8"
    found = _likeliest(_telling_lines(raw))
    return found if _decodes(raw, found) else _WIDER.get(found, found)


def is_wide(raw: bytes) -> bool:
    """Tell whether a text is UTF-16, with a mark or without, or UTF-32 with a mark: these have many zero bytes."""
    marked = any(raw.startswith(mark) for mark, encoding in _MARKS.items() if encoding != "utf-8")
    return marked or bool(_utf16_without_mark(raw))


def begins_as_utf8(head: bytes) -> bool:
    """Tell whether bytes are the beginning of a text in UTF-8; its last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def is_certain(encoding: str) -> bool:
    """Tell whether an encoding that was found shows in the bytes, as UTF does, or is the likeliest of several."""
    return encoding.startswith("utf")


def doubt(raw: bytes, encoding: str) -> str | None:
    """Say, with words of the text, that its encoding is a guess; None where it is certain, as UTF is."""
    if is_certain(encoding):
        return None
    text = _telling_lines(raw).decode(encoding, errors="replace")
    words = dict.fromkeys(re.findall(r"[\w’]*[^\x00-\x7f]\w*", text))
    shown = " ".join([word[:20] for word in words][:N_WORDS_SHOWN])
    wrong = "if that is wrong, name the right one as encoding under [columns]"
    return f"the encoding {encoding} is a guess, by which the text has words such as {shown!r}; {wrong}"


def _utf16_without_mark(raw: bytes) -> str:
    """Return utf-16-le or utf-16-be where a text without a mark is that, else "".

    Then the signs of ASCII that any table has, line ends and separators, each have a zero byte beside them: always on
    the same side. A text in UTF-8 may hold zero bytes, but not at its line ends.
    """
    head = raw[: N_BYTES_LOOKED_AT // 2 * 2]
    n_zero = head.count(0)
    may_be_utf8 = n_zero < 0.2 * len(head) and begins_as_utf8(head)
    for encoding, line_feed in (("utf-16-le", b"\n\x00"), ("utf-16-be", b"\x00\n")):
        if not n_zero or (may_be_utf8 and head.count(line_feed) <= 0.5 * head.count(b"\n")):
            continue
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        n_ascii = len(re.findall(r"[\t\n\r -~]", text))
        if "\x00" not in text and n_ascii > 0.5 * n_zero:
            return encoding
    return ""


def _is_damaged_utf8(raw: bytes) -> bool:
    """Tell whether nearly all that is not ASCII are characters of UTF-8, which chance does not bring about."""
    text = raw.decode("utf-8", errors="replace")
    n_wrong = text.count("\ufffd")
    n_right = len(re.findall(r"[^\x00-\x7f]", text)) - n_wrong
    return n_right > 10 * n_wrong


def _telling_lines(raw: bytes) -> bytes:
    """Return the lines that are not ASCII, so many as are looked at; they end where a character surely does."""
    lines, n_bytes = [], 0
    for line in re.split(rb"[\r\n]+", raw):
        if not line.isascii():
            lines.append(line)
            n_bytes += len(line)
        if n_bytes > N_BYTES_LOOKED_AT:
            break
    joined = b"\n".join(lines)
    if len(joined) <= N_BYTES_LOOKED_AT:
        return joined
    ends = [found.start() for found in re.finditer(rb"[\n ,;\t]", joined[:N_BYTES_LOOKED_AT])]
    return joined[: ends[-1]] if ends else joined


def _likeliest(lines: bytes) -> str:
    """Choose among the encodings that are not Unicode.

    In Latin scripts bytes above ASCII stand alone, or two or three together, among letters of ASCII: which letters they
    would be tells the encoding. Elsewhere the statistics of charset-normalizer do, which are poor at Latin ones. Of
    few bytes that all stand in pairs, it knows less than the rule that these are Chinese.
    """
    runs = [len(run) for run in _HIGH_RUNS.findall(lines)]
    n_high = sum(runs)
    if sum(run for run in runs if run > 3) < 0.2 * n_high and (found := latin_encoding(lines)):
        return found
    are_paired = sum(map(len, _PAIRS.findall(lines))) > 0.8 * n_high and _decodes(lines, "gb18030")
    if are_paired and n_high < N_BYTES_SURELY_ENOUGH:
        return "gb18030"
    return _by_statistics(lines) or ("gb18030" if are_paired else "cp1252")


def _by_statistics(lines: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(lines, cp_exclusion=list(_NO_CANDIDATES)).best()
    return best.encoding if best else None


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
