"""What officers type and paste, as they think of it, finds what they mean."""

from __future__ import annotations

import pytest

from app.holdings import browsing
from app.holdings.query import parse
from app.messages import Refused
from tests.support.sites import copied, indicator, take, thing

SHA256 = "abcdef0123456789" * 4
MD5 = "0123456789abcdef" * 2
HELD = {
    "host": indicator(1, name="one", pattern="[domain-name:value = 'login.evil.example']"),
    "ip": thing("ipv4-addr", 2, value="198.51.100.7"),
    "ip6": thing("ipv6-addr", 3, value="2001:0DB8::0001"),
    "url": thing("url", 4, value="http://bad.example:8080/path/Drop.PHP?id=1"),
    "mail": thing("email-addr", 5, value="Phisher@Evil-Mail.example"),
    "file": thing("file", 6, name="Invoice_2024.pdf.exe", hashes={"SHA-256": SHA256, "MD5": MD5}),
    "mac": thing("mac-addr", 7, value="00:1b:44:11:3a:b7"),
    "folder": thing("directory", 8, path="C:\\Windows\\System32\\evil"),
    "software": thing("software", 9, name="xz", cpe="cpe:2.3:a:tukaani:xz:5.6.0:*:*:*:*:*:*:*"),
    "cve": thing(
        "vulnerability", 10, external_references=[{"source_name": "cve", "external_id": "CVE-2024-3094"}]
    ),
    "french": indicator(11, name="L’équipe noire", description="Étude de l'énergie, rien qu'utilisée hier"),
    "arabic": indicator(12, name="الهجوم السيبراني على المَصارِف", description="وبالتصيّد للمؤسسات وكالهجمات"),
    "note": thing("note", 14, content=f"one x-of {thing('malware', 99)['id']}"),
    "network": indicator(15, pattern="[ipv4-addr:value ISSUBSET '203.0.112.0/22']"),
    "network6": thing("ipv6-addr", 16, value="2001:db8:7::/48"),
    "electronic": indicator(17, name="البريد الإلكتروني الحديث للجنة"),
    "bear": thing("threat-actor", 13, name="APT-28", aliases=["Fancy Bear", "Sofacy"]),
    "storm": thing(
        "campaign", 18, name="Storm 0558", description="Not by FIN_7/Carbanak (APT\u201130); APT-C-36."
    ),
    "glued": thing("intrusion-set", 19, name="UNC2452", aliases=["TA505"], description="Uses CVE2021-44228."),
}

FOUND = {
    "host": (
        *("evil.exam", "LOGIN.EVIL.EXAMPLE", "*.evil.example", "login[.]evil[.]example", "ogin.evil"),
        *("login.evil.example:443", "hxxp://login.evil[.]example", "https://login.evil.example/any/path?x=1"),
        *("https://user@login.evil.example:8443/", "evil\\.example", "domain:*.evil.example"),
    ),
    "ip": (
        *(
            "198.51.100.7",
            "198[.]51[.]100[.]7",
            "198.51.100.7/32",
            "198.51.100.",
            "١٩٨.٥١.١٠٠.٧",
            "１９８.51.100.7",
        ),
        *(
            "198.51.100.7:443",
            "198[.]51.100.7:8080",
            "[198.51.100.7]",
            "hxxp://198.51.100.7/a",
            "tcp://198.51.100.7:443",
        ),
        "value:198.51.100.7:443",
    ),
    "ip6": (
        "2001:db8::1",
        "2001:DB8:0:0::1",
        "[2001:db8::1]",
        "[2001:db8::1]:443",
        "http://[2001:db8::1]:80/x",
    ),
    "url": (
        *("hxxp://bad[.]example:8080/path/Drop.PHP?id=1", "drop.php", "ath/dro", "BAD.EXAMPLE"),
        "value:hxxp://bad[.]example:8080/path/Drop.PHP?id=1",
    ),
    "mail": (
        *("phisher[at]evil-mail[.]example", "phisher (at) evil-mail (dot) example", "@evil-mail.example"),
        *(
            "mailto:phisher@evil-mail.example",
            "MAILTO:Phisher[@]evil-mail.example",
            "<phisher@evil-mail.example>",
        ),
    ),
    "file": (
        *(
            SHA256,
            SHA256.upper(),
            SHA256[:8],
            "hash:" + SHA256.upper(),
            MD5.upper(),
            "nvoice_2024",
            "*.pdf.exe",
        ),
        *(
            f"sha256:{SHA256}",
            f"SHA-256: {SHA256.upper()}",
            f"SHA256={SHA256}",
            f"md5 {MD5}",
            f"(MD5: {MD5})",
        ),
    ),
    "mac": ("00-1B-44-11-3A-B7", "001b.4411.3ab7", "00:1b:44"),
    "folder": ("c:\\windows\\system32\\evil", "C:\\Windows", "c:/windows", "C:", "system32\\ev"),
    "software": ("cpe:2.3:a:tukaani:xz", "CPE:2.3:a:tukaani:xz:5.6.0"),
    "cve": ("CVE 2024 3094", "cve-2024-3094", "2024-3094", "CVE–2024–3094", "CVE_2024_3094", "CVE-2024-٣٠٩٤"),
    "french": (
        *(
            "equipe",
            "l'équipe",
            "L’EQUIPE",
            "d'équipe",
            "d’équi",
            "étude",
            "ETUDE",
            "qu'utilisee",
            "énergie",
            "l'energie hier",
        ),
        "«équipe noire»",
    ),
    "arabic": (
        *(
            "هجوم",
            "الهجوم",
            "والهجوم",
            "بالهجوم",
            "للهجوم",
            "مصارف",
            "بالمَصارف",
            "تصيد",
            "والتصيد",
            "مؤسسات",
            "المؤسسات",
        ),
        *("الهجمات", "هجمات", "سيبراني هجوم", "ســيبراني", '"الهجوم السيبراني"', "المصا"),
    ),
    "note": (thing("note", 14)["id"], f"x-of {thing('malware', 99)['id']}"),
    "network": ("203.0.113.9", "203[.]0.112.0", "hxxp://203.0.115.255:81/x", "value:203.0.112.0/22"),
    "network6": ("2001:db8:7::1", "[2001:db8:7:ffff::1]:443"),
    "electronic": ('"إلكتروني حديث"', "بريد الكتروني", "البريد الالكترونى", "اللجنة", "لجنة"),
    "bear": (
        thing("threat-actor", 13)["id"],
        thing("threat-actor", 13)["id"].upper(),
        "apt-28",
        "bear sofacy",
        "fancy AND sofacy",
        '"fancy bear"',
        "BEAR FANCY",
        *("APT28", "apt 28", "apt_28", "Apt–28", "APT٢٨", "apt ٢٨", "APT-۲۸", '"APT 28"', '"apt28"'),
        *("apt2", "apt-2", "apt 2", "apt28 fancy", "fancy apt 28", "APT28,", "(APT 28)", "l'APT 28"),
    ),
    "storm": (
        *(
            "Storm-0558",
            "storm0558",
            "STORM 0558",
            "storm-05",
            "storm05",
            "by fin7",
            "FIN-7",
            "fin 7",
            "APT30",
        ),
        *("apt-c-36", "APT-C36", "apt c 36", '"storm0558 not"', '"not by fin7"'),
    ),
    "glued": (
        *("unc-2452", "UNC 2452", "unc2452", "TA-505", "ta 505", "ta-5", "CVE-2021-44228", "CVE2021-44228"),
        *("cve-2021-442", '"uses cve-2021-44228"'),
    ),
}


@pytest.fixture(scope="module")
def site(holdings_template, tmp_path_factory):
    with copied(holdings_template, tmp_path_factory.mktemp("typed")) as found:
        take(found.alpha, *HELD.values())
        yield found.alpha


@pytest.mark.parametrize("what, text", [(what, text) for what, texts in FOUND.items() for text in texts])
def test_it_is_found(site, what, text):
    assert HELD[what]["id"] in browsing.ids(site, browsing.selection(text))


@pytest.mark.parametrize(
    "text",
    [
        *("203.0.116.1", "203.0.111.255", "value:203.0.113.9", "2001:db8:8::1"),
        *("198.51.100.70", "198.51.100.7:x", "http://evil.example", "CVE-2023-3094", "md5 " + "0" * 32),
        *("value:http://198.51.100.7/", "APT-29", "fancy AND kitten", "d'attaque", "الدفاع"),
        *("apt29", "APT 27", "apt-8", "storm 558", "apt2 fancy", "unc-2453", "UNC 245 "),
    ],
)
def test_it_is_not_found(site, text):
    assert browsing.ids(site, browsing.selection(text)) == ()


def test_figures_of_filters_may_be_arabic():
    assert parse("after:٢٠٢٥-٠١-٠١ confidence:٣٠..۵۰ technique:T١٠٥٩") == parse(
        "after:2025-01-01 confidence:30..50 technique:T1059"
    )


def test_a_level_is_asked_for_as_tlp_writes_it(site):
    assert parse("tlp:AMBER+STRICT TLP:none") == parse("marking:AMBER+STRICT marking:none")
    with pytest.raises(Refused, match="query-value"):
        parse("tlp:pink")


@pytest.mark.parametrize(
    "text, at",
    [("fancy OR sofacy", 7), ("fancy NOT sofacy", 7), ("NOT sofacy", 1), ("type:tool OR type:malware", 11)],
)
def test_operators_that_there_are_not_are_refused_rather_than_looked_for(text, at):
    with pytest.raises(Refused) as caught:
        parse(text)
    assert (caught.value.code, caught.value.facts["at"]) == ("query-operator", at)


def test_what_is_no_operator_is_a_word():
    assert parse("fancy or sofacy").match == '"fancy" "or" "sofacy"*'
    assert parse("fancy OR").match == '"fancy" "or"*'
    assert parse('fancy "OR" sofacy').match == '"or" "fancy" "sofacy"*'
    assert parse("OR sofacy").match == '"or" "sofacy"*'
    assert parse("Beacon: cobalt").match == '"beacon" "cobalt"*'
    assert parse("AND").match == '"and"*'


def test_a_name_that_only_ends_like_a_domain_is_not_below_it(site):
    beside = [
        thing("domain-name", 30, value="not-evil.example"),
        thing("url", 31, value="http://notevil.example/evil.example"),
        thing("email-addr", 32, value="evil.example@not-evil.example"),
    ]
    take(site, *beside)
    found = browsing.ids(site, browsing.selection("domain:evil.example"))
    assert HELD["host"]["id"] in found
    assert not {value["id"] for value in beside} & set(found)


@pytest.mark.parametrize(
    "text, other, what",
    [
        ("oice", "part:oice", "file"),
        ("Ogin type:indicator", "part:Ogin type:indicator", "host"),
        ('ogin type:"indicator"', 'part:ogin type:"indicator"', "host"),
        ("oic 2024", "part:oic part:2024", "file"),
        ("fancy oice", "", ""),
        ("ancy", "", ""),
        ("qq", "", ""),
        ("zzzz\0\u202e", "", ""),
        ("x" * 996, "", ""),
        ("؟!", "", ""),
    ],
)
def test_the_middle_of_a_word_is_offered_where_no_word_is_found(site, text, other, what):
    assert browsing.ids(site, browsing.selection(text)) == ()
    assert browsing.in_the_middle(site, text) == other
    if other:
        assert HELD[what]["id"] in browsing.ids(site, browsing.selection(other))
