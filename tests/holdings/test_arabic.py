"""What an officer who reads Arabic takes for the same word is found: particles, seats of hamza, names, numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.holdings import browsing, purge
from app.holdings.query import parse
from app.intel import fold
from app.intel.fold import index_text, spellings, terms
from app.jobs import quiet
from tests.support.sites import copied, indicator, problems, take


def places(written: Sequence[str], query: str) -> list[int]:
    """Which texts an index of words finds by `query`."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'unicode61 remove_diacritics 0')")
        base.executemany("INSERT INTO t (rowid, text) VALUES (?, ?)", enumerate(map(index_text, written)))
        asked = parse(query)
        matches = [f"({one})" for one in (asked.match, *(one.match for one in asked.either)) if one]
        rows = base.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid", (" AND ".join(matches),))
        return [row[0] for row in rows]
    finally:
        base.close()


def found(document: str, query: str) -> bool:
    return places([document], query) == [0]


@pytest.mark.parametrize(
    "document, query",
    [
        # The conjunctions.
        ("سوريا وإيران", "إيران"),
        ("سوريا وإيران", "وإيران"),
        ("سوريا وإيران", "ايرا"),
        ("سوريا والعراق", "العراق"),
        ("سوريا والعراق", "عراق"),
        ("فإيران", "إيران"),
        ("إيران", "وإيران"),
        ("وقطر", "قطر"),
        ("الكشف والرد", "رد"),
        ("الكشف والرد", "الرد"),
        ("وألمانيا", "ألمانيا"),
        ("ألمانيا", "وألمانيا"),
        ("ألمانيا", "بألمانيا"),
        # The prepositions.
        ("بيروت", "ببيروت"),
        ("بيروت", "لبيروت"),
        ("بيروت", "وببيروت"),
        ("بيروت", "كبيروت"),
        ("ببيروت", "بيروت"),
        ("لبيروت", "بيروت"),
        ("ولبيروت", "بيروت"),
        ("فلبيروت", "بيروت"),
        ("لبيروت", "ببيروت"),
        ("وببيروت", "ولبيروت"),
        ("للبنان", "لبنان"),
        ("لبنان", "ولبنان"),
        ("لبنان", "بلبنان"),
        ("للمصرف", "مصرف"),
        ("مصرف", "للمصرف"),
        ("المصرف", "للمصرف"),
        ("وللمصرف", "بالمصرف"),
        ("هجوم على بيروت", "هجوم ببيرو"),
        # What begins with these letters itself.
        ("وزارة الخارجية", "وزارة"),
        ("ليبيا", "ليبيا"),
        ("ولليبيا", "ليبيا"),
        ("بكر", "بكر"),
        ("بكر", "بك"),
        ("بطاقة", "بطاقة"),
        # The seats of hamza.
        *((a, b) for a in ("مسئول", "مسؤول", "مسؤل") for b in ("مسئول", "مسؤول", "مسؤل", "مسوول")),
        ("المسئولون", "مسؤول"),
        ("والمسؤولية", "مسئولية"),
        ("ومسئولين", "مسؤولين"),
        ("مسؤولين", "بمسئولين"),
        ("م\u0640س\u0640ئ\u0640ول", "مسؤول"),
        ("مسي\u064f\u0654ول", "مسؤول"),
        ("شؤون", "شئون"),
        ("شئون", "شؤون"),
        ("للشئون", "الشؤون"),
        ("وشؤون", "شئون"),
        ("داوود", "داود"),
        ("داود", "داوود"),
        # Names.
        ("عبد الله", "عبدالله"),
        ("عبدالله", "عبد الله"),
        ("عبدالله", "عبد ال"),
        ("عبد الله", "عبد الل"),
        ("لعبد الله", "عبدالله"),
        ("لعبدالله", "وعبد الله"),
        ("عبد الرحمن", "عبدالرحمن"),
        ("عبدالرحمن", "عبد الرحمن"),
        ("أبو بكر", "ابوبكر"),
        ("أبوبكر", "أبو بكر"),
        ("بأبوظبي", "أبو ظبي"),
        ("في أبو\u00a0ظبي", "أبوظبي"),
        ("نصر الله", "نصرالله"),
        ("نصرالله", "نصر الله"),
        ("ونصر الله", "نصرالله"),
        ("نصرالله", "ونصر الله"),
        ("فضل الله", "فضلالله"),
        ("فضلالله", "فضل الله"),
        ("صلاح الدين", "صلاحالدين"),
        ("السيد عبد الله", '"السيد عبدالله"'),
        ("السيد عبدالله", '"السيد عبد الله"'),
        # Numbers.
        *(
            (a, b)
            for a in ("٥٠٠٬٠٠٠", "500,000", "500000", "٥٠٠٠٠٠", "۵۰۰٬۰۰۰", "٥٠٠،٠٠٠")
            for b in ("500,000", "٥٠٠٬٠٠٠", "500000", "٥٠٠٠٠٠")
        ),
        ("١٬٢٣٤٬٥٦٧ حساب", "1234567"),
        ("1234567", "١٬٢٣٤٬٥٦٧"),
        ("٣٫٥", "3.5"),
        ("3.5", "٣٫٥"),
    ],
)
def test_it_is_found(document: str, query: str) -> None:
    assert found(document, query)


@pytest.mark.parametrize(
    "document, query",
    [
        # Fewer than three letters are no word behind a particle; in a query fewer than four.
        ("بنك", "نك"),
        ("فريق", "يق"),
        ("علي", "فعلي"),
        ("احد", "واحد"),
        ("آلة", "وكالة"),
        # Words of a query that begin with these letters themselves, and go on like another.
        ("طاقة", "بطاقة"),
        ("عالية", "فعالية"),
        ("لديه", "بلدية"),
        ("حرية", "البحرية"),
        ("حرية", "بحرية"),
        # No seat of hamza: few letters are left, or another letter.
        ("روسيا", "رؤوس"),
        ("يوم", "ووم"),
        # In quotation marks is what was typed.
        ("ببيروت اليوم", '"بيروت اليوم"'),
        ("أبو العلاء", "أبوبكر"),
        ("500 001", "500000"),
        ("1500000", "500000"),
    ],
)
def test_it_is_not_found(document: str, query: str) -> None:
    assert not found(document, query)


def test_a_word_is_found_at_each_key() -> None:
    for word in ("إيران", "والعراق", "ببيروت", "مسؤول", "عبدالله", "عبد الله", "500000", "500,000"):
        for most in range(1, len(word) + 1):
            assert found(f"رصد {word} اليوم", word[:most]), word[:most]
            assert found(f"رصد {word} اليوم", f"رصد {word[:most]}"), word[:most]


def test_few_are_asked_for() -> None:
    for query in ("ولبنان", "وبمسئولين", "فبمسئولين", "شؤون", "500,000", "وعبد الله"):
        assert parse(query).match.count(" OR ") <= 5, query


LETTERS = st.text(st.sampled_from("اوفبكليئؤدعنسرةءٔ0٥٬,- \u0640"), max_size=14)
WORDS = st.lists(
    st.sampled_from(
        [
            *("وإيران", "ببيروت", "والعراق", "للجنة", "مسئول", "مسؤول", "شئون", "عبد", "الله", "أبو", "بكر"),
            *(
                "عبدالله",
                "نصر",
                "الدين",
                "٥٠٠٬٠٠٠",
                "500000",
                "APT",
                "28",
                "وكالة",
                "فعالية",
                "l'attaque",
                "داوود",
            ),
        ]
    )
    | LETTERS,
    min_size=1,
    max_size=6,
).map(" ".join)


def before(query: str, ended: bool) -> str:
    """What this query asked for when nothing but the article was looked past."""
    quoted = ['"' + one.replace('"', '""') + '"' for one in terms(query)]
    return " ".join(quoted) + ("" if ended else "*")


@given(WORDS, WORDS, st.booleans())
@example("عبدالله", "عبد الله", False)
def test_what_was_found_is_found(document: str, query: str, ended: bool) -> None:
    if not terms(query):
        return
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'unicode61 remove_diacritics 0')")
        base.executemany("INSERT INTO t (text) VALUES (?)", [(index_text(document),), (index_text(query),)])
        rows = base.execute("SELECT rowid FROM t WHERE t MATCH ?", (before(query, ended),)).fetchall()
    finally:
        base.close()
    now = places([document, query], query + " " * ended)
    assert {row[0] - 1 for row in rows} <= set(now)


@given(WORDS)
def test_every_text_finds_itself(document: str) -> None:
    if terms(document):
        assert found(document, document)
        assert found(document, f'"{document}"')


@given(WORDS)
def test_the_same_text_is_indexed_the_same(document: str) -> None:
    once = index_text(document)
    assert index_text(document) == once
    assert once.split("\n")[0] == index_text(once.split("\n")[0]).split("\n")[0]


@pytest.mark.parametrize(
    "piece", ["و", "ل", "وو", "ي\u0654", "ي\u0640", "\u0654", "عبد ", "ا الله ", "ال", "وبئو", "٬000"]
)
def test_a_long_text_takes_no_longer_for_each_letter(piece: str) -> None:
    text = piece * (300_000 // len(piece))
    for around in (f"{text} وو يو ئو", f"ئو ي{text}", f"{text}ئ"):
        index_text(around)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_all_that_was_put_in_can_be_taken_out(documents: list[str]) -> None:
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE t USING fts5 (text, content = '')")
        base.execute("CREATE VIRTUAL TABLE words USING fts5vocab (t, row)")
        base.executemany("INSERT INTO t (rowid, text) VALUES (?, ?)", enumerate(map(index_text, documents)))
        fold._carried.cache_clear()
        for number, document in reversed(list(enumerate(documents))):
            base.execute(
                "INSERT INTO t (t, rowid, text) VALUES ('delete', ?, ?)", (number, index_text(document))
            )
        assert not base.execute("SELECT * FROM words").fetchall()
    finally:
        base.close()


def test_other_spellings_of_names() -> None:
    assert spellings("السيد عبد الله") == ("السيد عبدالله",)
    assert spellings("السيد عبدالله") == ("السيد عبد الله",)
    assert spellings("حرب وسلم") == ()


# --- in a store ---------------------------------------------------------------------------------------------


HELD = {
    "beirut": indicator(1, name="هجمات ببيروت وإيران", description="صرّح مسئول أن ٥٠٠٬٠٠٠ حساب سُرق"),
    "tehran": indicator(2, name="عبد الله وأبو بكر في إيران", description="شؤون الأمن والرد"),
    "card": indicator(3, name="بطاقة ائتمان", description="مسؤول"),
}


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("arabic")) as found:
        take(found.alpha, *HELD.values())
        yield found.alpha


@pytest.mark.parametrize(
    "query, expected",
    [
        ("إيران", {"beirut", "tehran"}),
        ("بيروت", {"beirut"}),
        ("لبيروت", {"beirut"}),
        ("مسؤول", {"beirut", "card"}),
        ("مسئول إيران", {"beirut"}),
        ("500000", {"beirut"}),
        ("عبدالله", {"tehran"}),
        ("أبوبكر عبدالله", {"tehran"}),
        ("شئون", {"tehran"}),
        ("type:indicator ببيروت", {"beirut"}),
    ],
)
def test_of_a_store(site, query: str, expected: set[str]) -> None:
    found = browsing.ids(site, browsing.selection(query))
    assert {name for name, value in HELD.items() if value["id"] in found} == expected


def test_what_is_called_so_in_another_spelling_comes_first(holdings_template, tmp_path):
    """A name with the word as it is mostly written, or in one of several ways."""
    named = [indicator(10, name="المسئول الأول"), indicator(11, name="عبدالله")]
    with copied(holdings_template, tmp_path) as found:
        take(found.alpha, *named)
        take(
            found.alpha,
            *(
                indicator(number, name="x", description="مسؤول مسؤول عبد الله عبدالله مسؤول")
                for number in range(12, 16)
            ),
        )
        for query, one in (("مسؤول", 0), ("مسئول", 0), ("عبد الله", 1), ("لعبد الله", 1)):
            page = browsing.page(found.alpha, browsing.selection(query), order=browsing.RANK)
            assert (len(page.rows), page.rows[0].id) == (5, named[one]["id"]), query


def test_a_purge_leaves_no_word(holdings_template, tmp_path):
    with copied(holdings_template, tmp_path) as found:
        take(found.alpha, indicator(20, name="بيروت"), *HELD.values())
        purge.purge_listed(found.alpha, [one["id"] for one in HELD.values()], quiet())
        assert problems(found.alpha) == []
        for query in ("إيران", "مسؤول", "500000", "عبدالله", "بطاقة", "رد"):
            assert browsing.ids(found.alpha, browsing.selection(query)) == (), query
        assert len(browsing.ids(found.alpha, browsing.selection("ببيروت"))) == 1
