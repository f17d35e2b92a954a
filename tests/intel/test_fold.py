"""Folding for search: Arabic, Latin, what cannot be seen, and defanged addresses."""

from __future__ import annotations

import sqlite3
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intel.fold import MAX_DEFANGED, fold, index_text, refang, terms


@pytest.mark.parametrize(
    "a, b",
    [
        ("أحمد", "احمد"),
        ("إيران", "ايران"),
        ("آسيا", "اسيا"),
        ("ٱلله", "الله"),
        ("مُحَمَّد", "محمد"),
        ("مـحـمـد", "محمد"),
        ("مستشفى", "مستشفي"),
        ("مدرسة", "مدرسه"),
        ("مسؤول", "مسوول"),
        ("شيء", "شئ"),
        ("کتاب", "كتاب"),
        ("فارسی", "فارسي"),
        ("٢٠٢٤", "2024"),
        ("۲۰۲۴", "2024"),
        ("ﺍﻟﻬﺠﻮﻡ", "الهجوم"),
        ("ﷲ", "الله"),
        ("ﻻ", "لا"),
        ("رحمٰن", "رحمن"),
        ("Éléphant", "elephant"),
        ("CVE", "cve"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ılık", "ilik"),
        ("Øresund", "oresund"),
        ("ＡＢＣ．ＥＸＥ", "abc.exe"),
        ("Ἀθῆναι", "αθηναι"),
        ("Ёлка", "елка"),
        ("ev\u200bil", "evil"),
        ("\u202eevil\u2066", "evil"),
        ("e\u0301", "é"),
    ],
)
def test_the_same_word(a: str, b: str) -> None:
    assert fold(a) == fold(b)


@pytest.mark.parametrize(
    "a, b", [("حمد", "احمد"), ("سلام", "شلام"), ("كلب", "قلب"), ("evil", "ev il"), ("0", "o")]
)
def test_not_the_same_word(a: str, b: str) -> None:
    assert fold(a) != fold(b)


def test_other_scripts_keep_their_vowels() -> None:
    assert fold("हिन्दी") == "हिन्दी"
    assert fold("한국어") == "한국어"
    assert fold("日本語ガイド") == "日本語ガイド"


def test_every_character_folds_once_and_for_all() -> None:
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            once = fold(f"a{chr(code)}b")
            assert fold(once) == once, hex(code)


MARKS = "\u0301\u0345\u064b\u0651\u0654\u0670\u0640\u0327\u200d\u0308\u031b\u0315"
TEXT = st.text() | st.text(
    st.sampled_from("اأإآىيئؤوةهلءابΑαιIiİıſßﬁÅåéÉ한가" + MARKS + "\u1100\u1161\u11a8 ")
)


@given(TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert unicodedata.is_normalized("NFKC", once)


@given(TEXT)
def test_folding_does_not_depend_on_the_form_of_writing(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)


# --- the article --------------------------------------------------------------------------------------------


def found(document: str, query: str) -> bool:
    """Whether a full text index of `document` finds it by `query`, as the store would ask."""
    base = sqlite3.connect(":memory:")
    try:
        base.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'unicode61 remove_diacritics 0')")
        base.execute("INSERT INTO t VALUES (?)", (index_text(document),))
        quoted = ['"' + term.replace('"', '""') + '"' for term in terms(query)]
        match = " ".join(quoted) + "*"
        return bool(base.execute("SELECT count(*) FROM t WHERE t MATCH ?", (match,)).fetchone()[0])
    finally:
        base.close()


@pytest.mark.parametrize(
    "document, query",
    [
        ("رصدنا الهجوم السيبراني", "هجوم"),
        ("رصدنا الهجوم السيبراني", "الهجوم"),
        ("رصدنا الهجوم السيبراني", "هجوم سيبراني"),
        ("رصدنا هجوماً", "الهجوم"),
        ("هجوم", "بالهجوم"),
        ("والهجوم", "هجوم"),
        ("للهجوم", "الهجوم"),
        ("وبالهجومِ", "هجوم"),
        ("الهجوم", "الهج"),
        ("الهجوم", "اله"),
        ("الهجوم", "ال"),
        # Words that begin with these letters themselves, and with a lam.
        ("البريد الإلكتروني", "إلكتروني"),
        ("البريد الإلكتروني", "بريد الكتروني"),
        ("للإلكتروني", "إلكتروني"),
        ("بريد إلكتروني", "الإلكتروني"),
        ("الألمانية", "ألمانية"),
        ("الألمانية", "المان"),
        ("وبالألعاب", "ألعاب"),
        ("توصيات للجنة", "لجنة"),
        ("توصيات للجنة", "اللجنة"),
        ("توصيات وللجنة", "لجنة"),
        ("اللجنة", "للجنة"),
        ("اللجنة", "وللجنة"),
        ("بنود اللائحة", "لائحة"),
        ("ألمانيا", "المانيا"),
        ("ألمانيا", "ألمان"),
        ("الله", "الله"),
        ("باللغة", "لغه"),
        ("أحمد", "احمد"),
        ("احمد", "أَحْمَد"),
        ("بالون", "بالون"),
        ("CVE-2024-3094 in xz", "cve-2024-3094"),
        ("CVE-2024-3094 in xz", "CVE-2024-30"),
        ("T1059.001", "t1059.001"),
        ("http://evil.example/x", "hxxp://evil[.]example"),
        ("http://evil.example/x", "evil.exam"),
        ("mail of user@evil.example", "user (at) evil (dot) example"),
        ("وقع هجوم سنة ٢٠٢٤", "2024"),
        ('say "hi"', '"hi"'),
    ],
)
def test_it_is_found(document: str, query: str) -> None:
    assert found(document, query)


@pytest.mark.parametrize(
    "document, query",
    [
        ("رصدنا الهجوم", "دفاع"),
        ("وندوز", "بالون"),
        ("CVE-2024-3094", "CVE-2023-3094"),
        ("3094 2024 CVE", "CVE-2024-3094"),
        ("evil example", "example.evil"),
    ],
)
def test_it_is_not_found(document: str, query: str) -> None:
    assert not found(document, query)


ARTICLES = ("", "ال", "وال", "بال", "فال", "كال", "لل", "ولل", "فلل", "وبال", "فبال", "وكال")


def written(article: str, word: str) -> str:
    """`word` behind an article; behind `li` and the article a word's own lam is not written again."""
    return article + (word[1:] if article.endswith("لل") and word[0] == "ل" else word)


@pytest.mark.parametrize(
    "word",
    [
        "هجوم",
        "إلكتروني",
        "لجنة",
        "ألمانيا",
        "مصرف",
        "أمن",
        "ثغرة",
        "فدية",
        "بنك",
        "لبنان",
        "كلب",
        "وزارة",
        "فيروس",
        "بالون",
        "التزام",
        "باب",
        "آلية",
        "ولاية",
    ],
)
def test_a_word_is_found_behind_any_article_by_any_other(word: str) -> None:
    for article in ARTICLES:
        indexed = index_text(f"رصد {written(article, word)} اليوم").split()
        for other in ARTICLES:
            (term,) = terms(written(other, word))
            # Of a word without article nobody knows that it could stand behind two lams of which one is its own.
            if article or not (word[0] == "ل" and other.endswith("لل")):
                assert term in indexed, (article, other)


def test_what_is_indexed() -> None:
    assert index_text("Plain") == "plain"
    assert index_text("قال") == "قال"
    assert index_text("abcالهجوم 7الهجوم _الهجوم") == "abcالهجوم 7الهجوم _الهجوم\nهجوم"
    assert index_text("الإلكتروني الحديث للجنة").split("\n")[1] == "الكتروني حديث جنه كتروني لجنه"
    assert index_text("الهجوم على الهجوم") == "الهجوم علي الهجوم\nهجوم"


@pytest.mark.parametrize(
    "query, expected",
    [
        ("", ()),
        (" - '\" * ", ()),
        ("AND or*", ("and", "or")),
        ("الهجوم،", ("هجوم",)),
        ("a:b (c)", ("a:b", "c")),
    ],
)
def test_terms(query: str, expected: tuple[str, ...]) -> None:
    assert terms(query) == expected


@given(st.text() | TEXT)
def test_any_query_can_be_asked(query: str) -> None:
    if terms(query):
        found("x", query)


@given(
    st.lists(
        st.sampled_from(
            [
                "الهجوم",
                "قال",
                "والبنك",
                "للدفاع",
                "الإلكتروني",
                "للجنة",
                "اللجنة",
                "abc",
                "أحمد",
                "ألمانيا",
                "بالون",
                "كالخيل",
            ]
        ),
        min_size=1,
    )
)
def test_every_word_finds_its_own_text(words: list[str]) -> None:
    document = " ".join(words)
    assert all(found(document, word) for word in words)
    assert found(document, document)


# --- observables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, plain",
    [
        ("hxxp://evil[.]example", "http://evil.example"),
        ("hXXps://evil[.]example/a[.]php", "https://evil.example/a.php"),
        ("h**p://evil.example", "http://evil.example"),
        ("hxxps[:]//evil(.)example", "https://evil.example"),
        ("hxxp[://]evil{.}example", "http://evil.example"),
        ("evil[dot]example", "evil.example"),
        ("evil (DOT) example", "evil.example"),
        ("evil[.example", "evil.example"),
        ("198[.]51[.]100[.]1", "198.51.100.1"),
        ("198.51.100[.]1:80", "198.51.100.1:80"),
        ("user[@]evil[.]example", "user@evil.example"),
        ("user(at)evil(dot)example", "user@evil.example"),
        ("fxp://evil[.]example", "ftp://evil.example"),
        ("2001[:]db8[:]:1", "2001:db8::1"),
        ("[[.]]", "."),
        ("http://evil.example", "http://evil.example"),
        ("meet at (noon) [today]. ok", "meet at (noon) [today]. ok"),
        ("hxxp is a word", "hxxp is a word"),
    ],
)
def test_refang(text: str, plain: str) -> None:
    assert refang(text) == plain


@given(st.text(st.sampled_from("hxtp*s:/[](){}<>.@ dotaevil"), max_size=60))
def test_refanging_twice_is_refanging_once(text: str) -> None:
    assert refang(refang(text)) == refang(text)


@pytest.mark.parametrize("piece", ["[", "( ", "[ . ", " ", "[.", "hxx", "[[[[.]]]]"])
def test_refanging_takes_no_time(piece: str) -> None:
    text = (piece * MAX_DEFANGED)[:MAX_DEFANGED]
    start = time.process_time()
    refang(text)
    refang("[" * 1000 + "." + "]" * 1000)
    refang("[ " * 500 + "." + " ]" * 500)
    assert time.process_time() - start < 5
    assert refang("[.]" + text) == "[.]" + text
