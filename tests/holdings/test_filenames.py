"""Names of attachments: whatever comes, a name that acts nowhere comes out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.holdings.filenames import FALLBACK, NAME_BYTES, numbered, safe

HOSTILE = [
    *(
        "",
        ".",
        "..",
        "...",
        " ",
        "-",
        "~",
        "/",
        "\\",
        "../../etc/passwd",
        "..\\..\\x",
        "/etc/shadow",
        "C:\\x",
        "a:b",
    ),
    *(
        "a\0b.txt",
        "a\nb",
        "\u202egpj.exe",
        "\u2066x\u2069",
        "a\u200bb",
        "\ud800",
        "\U000e0001x",
        "x" * 4096,
        "é" * 4096,
    ),
    *(
        "x" * 300 + ".zip",
        "CON",
        "con.txt",
        "nul",
        "NUL .txt",
        "COM1.log",
        "lpt9",
        "CONOUT$",
        "-rf",
        "~root",
        ".bashrc",
    ),
    *(
        "a.",
        "a ",
        "a. .",
        "e\u0301.txt",
        "e\u200d\u0301",
        "a" * 190 + ".tar.gz",
        "." * 500,
        "\ufeffcon",
        "$(reboot)",
        "con" + " " * 300 + "x",
        "con" + " " * 300 + "x.txt",
        ".\u00a0.hidden",
        "a.\u00a0.",
    ),
]


def is_safe(name: str) -> bool:
    return bool(
        name
        and len(name.encode()) <= NAME_BYTES
        and not set(name) & set('/\\:*?"<>|\0')
        and all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in name)
        and name not in (".", "..")
        and name[0] not in ".-~ "
        and name[-1] not in ". "
        and name.split(".")[0].rstrip().lower()
        not in ("con", "prn", "aux", "nul", "com1", "lpt9", "conout$", "conin$")
        and unicodedata.is_normalized("NFC", name)
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name):
    assert is_safe(safe(name)), ascii(safe(name))


@given(st.text(st.characters(), max_size=400))
def test_any_name(name):
    found = safe(name)
    assert is_safe(found)
    assert safe(found) == found


@given(st.text(max_size=300).map(safe), st.integers(2, 2000))
def test_a_number_makes_another_safe_name(name, number):
    found = numbered(name, number)
    assert is_safe(found)
    assert found != name


@pytest.mark.parametrize(
    "name", ["report.pdf", "تقرير الحادث.pdf", "Analyse détaillée.docx", "sample.tar.gz", "README"]
)
def test_ordinary_names_stay(name):
    assert safe(name) == name


def test_what_is_told_apart():
    assert safe("") == FALLBACK
    assert numbered("report.pdf", 2) == "report (2).pdf"
    assert numbered("README", 3) == "README (3)"
    assert safe("x" * 300 + ".zip").endswith(".zip")


@pytest.mark.parametrize("name", ["x" * 200, "x" * 196 + ".zip", "é" * 100, "a." + "x" * 198])
def test_a_name_as_long_as_may_be_has_room_for_its_number(name):
    found = numbered(name, 2)
    assert is_safe(found)
    assert found != name
    assert "(2)" in found
