"""Synthetic STIX 2.1 bundles that look like a national team's holdings: `python -m tests.bench.synthetic FILE COUNT`.

One seed always gives the same objects, and a longer bundle begins with the shorter one's. Nothing is kept but
counters: what the n-th domain, indicator or actor is follows from its number alone, so a file of any size is
written in constant memory, and references reach anywhere. Of a hundred objects about 27 are indicators, 30
cyber observables (half of what indicators look for is among them), 25 relationships (a few hubs have very
many), the rest sightings, observed data, reports, actors, malware, techniques, vulnerabilities, notes and
newer versions; some are Arabic or French, some are revoked, one reference in a few hundred leads nowhere.
"""

from __future__ import annotations

import hashlib
import ipaddress
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson

from app.intel import ids, marking
from app.intel.marking import Level

Value = dict[str, Any]

SCHEDULE: dict[str, int] = {
    "indicator": 54,
    "relationship": 50,
    "domain-name": 15,
    "ipv4-addr": 14,
    "file": 13,
    "url": 11,
    "ipv6-addr": 3,
    "email-addr": 3,
    "sighting": 10,
    "observed-data": 5,
    "report": 4,
    "vulnerability": 4,
    "malware": 2,
    "attack-pattern": 2,
    "intrusion-set": 1,
    "threat-actor": 1,
    "campaign": 1,
    "identity": 1,
    "note": 1,
    "version": 5,
}
"""How many of each come among 200 objects; `version` is a later version of an indicator that came before."""

IDENTITIES = 24
STATEMENTS = 4
OPENING = IDENTITIES + STATEMENTS
"""Objects that every bundle begins with: who creates, and the statement markings in use."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_START = datetime(2016, 1, 1, tzinfo=UTC)
_SPAN = 10 * 365 * 86_400
_ENGLISH = _words(
    "the of campaign targets energy sector government phishing lure document macro loader beacon command "
    "control server observed delivers payload through compromised website credential theft lateral "
    "movement using valid accounts scheduled task persistence exfiltration encrypted channel domain "
    "registered infrastructure reused operators ransomware note extortion backup deletion supply chain "
    "vendor update signed driver kernel implant spearphishing attachment archive password protected "
    "shortcut script powershell downloads second stage ministry bank telecom university hospital airport "
    "water port logistics embassy defence contractor exploit vulnerability gateway appliance memory "
    "corruption patch available mitigation segment network rotate keys hunt detection rule"
)
_FRENCH = _words(
    "la le campagne vise secteur énergie ministère hameçonnage pièce jointe piégée charge utile serveur "
    "de commande contrôle déployé depuis un site compromis vol identifiants mouvement latéral persistance "
    "tâche planifiée données exfiltrées chiffrées rançongiciel sauvegardes détruites vulnérabilité "
    "corrigée opérateur télécom hôpital université"
)
_ARABIC = _words(
    "الحملة تستهدف قطاع الطاقة الوزارة رسائل تصيّد مرفق خبيث خادم القيادة والسيطرة برمجية فدية تشفير "
    "البيانات سرقة كلمات المرور ثغرة أمنية تحديث الشبكة المصرف المستشفى الجامعة أحمد مؤسسة الاتصالات هجوم "
    "إلكتروني مجموعة تهديد متقدّم نطاق مسجّل"
)
_SYLLABLES = _words(
    "ba ka lo mi ra ten zu vor sha dri nex pol gar quin tel osh mur fen lyn dax cor hab jal wid sut ekh"
)
_TLDS = ("com", "net", "org", "info", "example", "xyz", "co", "io")
_TACTICS = (
    "initial-access",
    "execution",
    "persistence",
    "command-and-control",
    "exfiltration",
    "impact",
    "discovery",
    "lateral-movement",
)
_UNLIKELY = 0.004
"""The share of references that lead to an object the bundle does not hold."""
_TLP = tuple(sorted(ref for ref in marking.LEVELS if ref not in marking.IDS.values()))
_TLP2 = tuple(
    marking.IDS[level] for level in (Level.CLEAR, Level.GREEN, Level.AMBER, Level.AMBER_STRICT, Level.RED)
)


def _digest(*parts: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=64).digest()


class _Bundle:
    """Makes the objects of one bundle in order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = Random(seed)
        self._made = Counter[str]()
        self._makers: dict[str, Callable[[int], Value]] = {
            "indicator": self._indicator,
            "relationship": self._relationship,
            "sighting": self._sighting,
            "observed-data": self._observed_data,
            "report": self._report,
            "vulnerability": self._vulnerability,
            "malware": self._malware,
            "attack-pattern": self._attack_pattern,
            "intrusion-set": self._intrusion_set,
            "threat-actor": self._threat_actor,
            "campaign": self._campaign,
            "identity": self._identity,
            "note": self._note,
            "marking-definition": self._statement,
        }

    def next(self, kind: str) -> Value:
        """The next object of a type of `SCHEDULE`."""
        if kind == "version":
            return self._newer()
        number = self._made[kind]
        self._made[kind] += 1
        if kind in self._makers:
            return self._makers[kind](number)
        return self._marked(self.observable(kind, number))

    # What the n-th object of a type is called. All but observables are known by a UUID of their own.

    def id(self, kind: str, number: int) -> str:
        """The id of the n-th object of a type."""
        if kind in ids.CONTRIBUTING:
            return str(self.observable(kind, number)["id"])
        return f"{kind}--{uuid.UUID(bytes=_digest(self._seed, kind, number)[:16], version=4)}"

    def value(self, kind: str, number: int) -> str:
        """The value of the n-th observable of a type; of a file its SHA-256."""
        raw = _digest(self._seed, "value", kind, number)
        if kind == "ipv4-addr":
            return f"{raw[0] % 222 + 1}.{raw[1]}.{raw[2]}.{raw[3]}"
        if kind == "ipv6-addr":
            return str(ipaddress.IPv6Address(b"\x20\x01" + raw[:14]))
        if kind == "file":
            return raw[:32].hex()
        host = "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in raw[: 2 + raw[9] % 3])
        host += f"-{raw[10]}" if raw[11] < 90 else str(raw[12] % 10)
        domain = f"{host}{number % 997}.{_TLDS[raw[13] % len(_TLDS)]}"
        if kind == "domain-name":
            return f"{('www', 'mail', 'cdn', 'login')[raw[14] % 4]}.{domain}" if raw[15] < 100 else domain
        if kind == "email-addr":
            return f"{_SYLLABLES[raw[16] % len(_SYLLABLES)]}.{raw[17]}@{domain}"
        path = "/".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in raw[18 : 19 + raw[19] % 4])
        return f"{'https' if raw[20] < 128 else 'http'}://{domain}/{path}?id={raw[21:25].hex()}"

    def observable(self, kind: str, number: int) -> Value:
        """The n-th cyber observable of a type, with the id that the specification gives it."""
        value: Value = {"type": kind, "spec_version": "2.1"}
        if kind == "file":
            raw = _digest(self._seed, "file", number)
            sha256 = self.value(kind, number)
            value |= {
                "hashes": {"MD5": raw[:16].hex(), "SHA-1": raw[16:36].hex(), "SHA-256": sha256},
                "name": f"{_ENGLISH[raw[40] % len(_ENGLISH)]}_{raw[41]}.{('exe', 'dll', 'docm', 'lnk')[raw[42] % 4]}",
                "size": int.from_bytes(raw[43:46]),
            }
        else:
            value["value"] = self.value(kind, number)
        value["id"] = ids.sco_id(value)
        return value

    def _some(self, kind: str, hub: float = 1.0) -> int:
        """The number of an object of a type that stands before (rarely: of one that never comes).

        `hub` above 1 prefers low numbers: a few objects get most of the references.
        """
        if self._random.random() < _UNLIKELY:
            return 1 << 40 | self._random.getrandbits(32)
        return int(max(1, self._made[kind]) * self._random.random() ** hub)

    def _ref(self, kind: str, hub: float = 1.0) -> str:
        return self.id(kind, self._some(kind, hub))

    # What all objects have.

    def _time(self) -> datetime:
        # More of what is held is recent than old.
        return _START + timedelta(milliseconds=int(_SPAN * 1000 * self._random.random() ** 0.5))

    def _domain_object(
        self, kind: str, number: int, created: datetime | None = None, **more: object
    ) -> Value:
        created = created or self._time()
        modified = created
        if self._random.random() < 0.3:
            modified += timedelta(milliseconds=self._random.randrange(1, 90 * 86_400_000))
        digits = (0, 3, 3, 3, 6)[self._random.randrange(5)]
        # A later version without a fraction must not fall before its creation.
        modified += timedelta(seconds=1) if digits == 0 else timedelta()
        value: Value = {
            "type": kind,
            "spec_version": "2.1",
            "id": self.id(kind, number),
            "created_by_ref": self.id("identity", int(IDENTITIES * self._random.random() ** 2)),
            "created": _written(created, 3),
            "modified": _written(modified, digits),
        }
        value |= more
        if self._random.random() < 0.4:
            value["confidence"] = self._random.choice((15, 30, 50, 70, 85, 95))
        if self._random.random() < 0.01:
            value["revoked"] = True
        if self._random.random() < 0.15:
            value["external_references"] = [*value.get("external_references", ()), self._reference()]
        return self._marked(value)

    def _reference(self) -> Value:
        if self._random.random() < 0.5:
            technique = self._some("attack-pattern", 2)
            return {"source_name": "mitre-attack", "external_id": _technique(technique)}
        source = self._random.choice(("CERT advisory", "vendor blog", "sinkhole feed", "passive DNS"))
        return {"source_name": source, "url": f"https://reports.example/{self._random.getrandbits(40):x}"}

    def _marked(self, value: Value) -> Value:
        draw = self._random.random()
        if draw < 0.55:
            level = int(5 * self._random.random() ** 1.4)
            old = self._random.random() < 0.25
            value["object_marking_refs"] = [_TLP[level % len(_TLP)] if old else _TLP2[level]]
            if draw < 0.06:
                statement = self.id("marking-definition", self._random.randrange(STATEMENTS))
                value["object_marking_refs"].append(statement)
        if "description" in value and self._random.random() < 0.02:
            value["granular_markings"] = [{"marking_ref": _TLP2[4], "selectors": ["description"]}]
        return value

    def _text(self, fewest: int, most: int) -> tuple[str, str]:
        """Words that look like a sentence, and the language's tag."""
        draw = self._random.random()
        words, language = (
            (_ARABIC, "ar") if draw < 0.08 else (_FRENCH, "fr") if draw < 0.16 else (_ENGLISH, "en")
        )
        some = self._random.choices(words, k=self._random.randint(fewest, most))
        if self._random.random() < 0.5:
            some.insert(len(some) // 2, self._rare())
        return " ".join(some), language

    def _rare(self) -> str:
        """A word that few objects have: a family, a tool, a place."""
        number = int(60_000 * self._random.random() ** 2)
        return "".join(
            _SYLLABLES[byte % len(_SYLLABLES)] for byte in _digest("word", number)[: 2 + number % 2]
        )

    def _described(self, kind: str, number: int, name: str, **more: object) -> Value:
        text, language = self._text(8, 40)
        value = self._domain_object(kind, number, name=name, description=text.capitalize() + ".", **more)
        if language != "en":
            value["lang"] = language
        return value

    # The types.

    def _identity(self, number: int) -> Value:
        country = ("JO", "FR", "MA", "TN", "DE", "EE")[number % 6]
        name = f"المركز الوطني {number}" if number % 5 == 0 else f"CERT {country} {number}"
        value = self._domain_object("identity", number, _START, name=name, identity_class="organization")
        value["sectors"] = [("government", "energy", "telecommunications", "financial-services")[number % 4]]
        value.pop("created_by_ref")
        return value

    def _statement(self, number: int) -> Value:
        return {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.id("marking-definition", number),
            "created": _written(_START, 3),
            "definition_type": "statement",
            "definition": {"statement": f"Shared under arrangement {number + 1}; name no source."},
        }

    def _indicator(self, number: int) -> Value:
        kinds = ("domain-name", "ipv4-addr", "file", "url", "file", "domain-name", "ipv6-addr", "email-addr")
        kind = self._random.choice(kinds)
        tests = [self._comparison(kind, 2 * max(1, self._made[kind]))]
        if self._random.random() < 0.15:
            tests.append(self._comparison("ipv4-addr", 2 * max(1, self._made["ipv4-addr"])))
        created = self._time()
        value = self._described(
            "indicator",
            number,
            f"{tests[0].partition('= ')[2].rstrip(']').strip(chr(39))[:60]}",
            created=created,
            indicator_types=[
                self._random.choice(("malicious-activity", "anomalous-activity", "compromised"))
            ],
            pattern=f"[{' OR '.join(tests)}]",
            pattern_type="stix",
            valid_from=_written(created, 3),
        )
        if self._random.random() < 0.5:
            value["labels"] = self._random.sample(
                ("phishing", "c2", "osint", "ransomware", "apt", "scanner"), 2
            )
        if self._random.random() < 0.4:
            tactic = self._random.choice(_TACTICS)
            value["kill_chain_phases"] = [{"kill_chain_name": "mitre-attack", "phase_name": tactic}]
        return value

    def _comparison(self, kind: str, among: int) -> str:
        value = self.value(kind, self._random.randrange(among))
        return f"file:hashes.'SHA-256' = '{value}'" if kind == "file" else f"{kind}:value = '{value}'"

    def _newer(self) -> Value:
        number = self._random.randrange(max(1, self._made["indicator"]))
        value = self._indicator(number)
        value["modified"] = _written(
            _START + timedelta(days=3700, seconds=self._random.randrange(10_000_000)), 3
        )
        return value

    def _relationship(self, number: int) -> Value:
        source, verb, target, hub = self._random.choice(
            (
                *(("indicator", "indicates", "malware", 3.0),) * 4,
                ("indicator", "indicates", "intrusion-set", 2.0),
                ("malware", "uses", "attack-pattern", 2.0),
                ("intrusion-set", "uses", "malware", 2.0),
                ("campaign", "attributed-to", "intrusion-set", 2.0),
                ("threat-actor", "targets", "identity", 1.0),
                ("domain-name", "resolves-to", "ipv4-addr", 1.0),
                ("malware", "exploits", "vulnerability", 2.0),
            )
        )
        value = self._domain_object("relationship", number, relationship_type=verb)
        return value | {"source_ref": self._ref(source), "target_ref": self._ref(target, hub)}

    def _sighting(self, number: int) -> Value:
        first = self._time()
        return self._domain_object(
            "sighting",
            number,
            first_seen=_written(first, 3),
            last_seen=_written(first + timedelta(hours=self._random.randrange(900)), 3),
            count=self._random.randrange(1, 500),
            sighting_of_ref=self._ref("indicator"),
            where_sighted_refs=[self.id("identity", self._random.randrange(IDENTITIES))],
        )

    def _observed_data(self, number: int) -> Value:
        first = self._time()
        kinds = [self._random.choice(("ipv4-addr", "domain-name", "url", "file")) for _ in range(3)]
        return self._domain_object(
            "observed-data",
            number,
            first_observed=_written(first, 3),
            last_observed=_written(first + timedelta(minutes=5), 3),
            number_observed=self._random.randrange(1, 50),
            object_refs=list(dict.fromkeys(self._ref(kind) for kind in kinds)),
        )

    def _report(self, number: int) -> Value:
        refs = [self._ref("indicator") for _ in range(self._random.randrange(3, 30))]
        refs += [self._ref("malware", 2), self._ref("intrusion-set", 2)]
        title, _language = self._text(3, 7)
        return self._described(
            "report",
            number,
            title.capitalize(),
            report_types=["threat-report"],
            published=_written(self._time(), 3),
            object_refs=list(dict.fromkeys(refs)),
        )

    def _vulnerability(self, number: int) -> Value:
        name = f"CVE-{2016 + number % 11}-{number + 1000}"
        references = [{"source_name": "cve", "external_id": name}]
        return self._described("vulnerability", number, name, external_references=references)

    def _malware(self, number: int) -> Value:
        return self._described(
            "malware",
            number,
            self._rare().capitalize(),
            is_family=True,
            malware_types=[self._random.choice(("backdoor", "ransomware", "downloader", "keylogger"))],
            aliases=[self._rare().capitalize() for _ in range(self._random.randrange(3))],
        )

    def _attack_pattern(self, number: int) -> Value:
        technique = _technique(number)
        reference = {
            "source_name": "mitre-attack",
            "external_id": technique,
            "url": f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}",
        }
        title, _language = self._text(2, 4)
        return self._described("attack-pattern", number, title.title(), external_references=[reference])

    def _actor(self, kind: str, number: int) -> Value:
        aliases = [self._rare().capitalize() for _ in range(self._random.randrange(1, 4))]
        if number % 7 == 0:
            aliases.append("مجموعة " + self._random.choice(_ARABIC))
        return self._described(
            kind, number, f"{self._rare().capitalize()} {kind[:3].upper()}", aliases=aliases
        )

    def _intrusion_set(self, number: int) -> Value:
        return self._actor("intrusion-set", number)

    def _threat_actor(self, number: int) -> Value:
        return self._actor("threat-actor", number) | {"threat_actor_types": ["nation-state"]}

    def _campaign(self, number: int) -> Value:
        return self._actor("campaign", number)

    def _note(self, number: int) -> Value:
        text, _language = self._text(10, 60)
        return self._domain_object(
            "note", number, abstract=text[:40], content=text, object_refs=[self._ref("indicator")]
        )


def rare_word(number: int) -> str:
    """The n-th of the words that few objects have."""
    return "".join(_SYLLABLES[byte % len(_SYLLABLES)] for byte in _digest("word", number)[: 2 + number % 2])


def vocabulary() -> tuple[str, ...]:
    """The words that many objects have, in three languages."""
    return _ENGLISH + _FRENCH + _ARABIC


def _technique(number: int) -> str:
    base = f"T{1000 + number % 700}"
    return base if number < 700 else f"{base}.{number // 700 % 999 + 1:03}"


def _written(moment: datetime, digits: int) -> str:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06}"[: 20 + digits] + "Z" if digits else text + "Z"


def values(count: int, seed: int = 1) -> Iterator[Value]:
    """The first `count` objects of the bundle of `seed`, in the order of the file."""
    bundle = _Bundle(seed)
    opening = ["identity"] * IDENTITIES + ["marking-definition"] * STATEMENTS
    for kind in opening[:count]:
        yield bundle.next(kind)
    left = count - len(opening)
    block = [kind for kind, times in SCHEDULE.items() for _ in range(times)]
    Random(seed).shuffle(block)
    while left > 0:
        for kind in block[:left]:
            yield bundle.next(kind)
        left -= len(block)


def write(path: Path, count: int, seed: int = 1) -> int:
    """Write a bundle of `count` objects as compact JSON; returns its size in bytes."""
    name = uuid.UUID(bytes=_digest(seed, "bundle")[:16], version=4)
    with path.open("wb", buffering=1 << 20) as file:
        file.write(b'{"type":"bundle","id":"bundle--%s","objects":[' % str(name).encode())
        for number, value in enumerate(values(count, seed)):
            file.write(b"," * (number > 0) + orjson.dumps(value))
        file.write(b"]}")
        return file.tell()


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1), "bytes")
