"""The release gate: a pure function from what is selected to a verdict for each object (design.md 6).

It knows no database and no clock: the service hands it plain facts, it hands back codes. Its order: what the agreement
is about (kinds, sectors, purposes, exercises); the level at which the object is to be treated against the ceiling;
whether whoever it came from lets it go onward; embargo; then closure: whatever names something withheld is withheld
too, for an id alone can give away what is behind it; last, what has no kind stays unless something that leaves
names it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.exchange import terms as clauses
from app.intel.marking import Level
from app.jobs import Job, quiet

T = TypeVar("T")
LEAVES, ALREADY_HAS = "leaves", "already-has"


@dataclass(frozen=True)
class Terms:
    """What the exchange with one counterpart allows now.

    `ceiling` is the agreement's, or None: no agreement in force. `protected`: a one-time or reusable key
    is at hand; with the card's key alone nothing above CLEAR leaves (protocol.md 3.2). `kinds`, `sectors` and
    `purposes` are what the agreement is about, None: anything. `exercise`: exercises only. `lapsed`: there is an
    agreement, out of its period. `to` is the counterpart's fingerprint, `today` the day by this machine's clock.
    """

    ceiling: Level | None
    protected: bool
    kinds: frozenset[str] | None = None
    sectors: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    exercise: bool = False
    lapsed: bool = False
    to: str = ""
    today: str = ""

    @property
    def narrow(self) -> bool:
        """Whether not every object is what the agreement is about."""
        return self.kinds is not None or self.sectors is not None


@dataclass(frozen=True)
class Stated:
    """What the officer says of a release: its purpose ("": none), whether it is an exercise."""

    purpose: str = ""
    exercise: bool = False


@dataclass(frozen=True)
class About:
    """What an object is about: its kinds (a relationship's are those of its ends) and its sectors (none: not known)."""

    kinds: frozenset[str]
    sectors: frozenset[str] = frozenset()


def by_type(stix_id: str) -> About:
    """What the type in an id tells."""
    kind = clauses.kind_of(stix_id)
    return About(frozenset() if kind is None else frozenset((kind,)))


@dataclass(frozen=True)
class Custody:
    """That a content is somebody else's: `whose` is the fingerprint of the counterpart it came from.

    `given` is the level at which they gave it, `onward` what the agreements with them say of passing it on (the
    strictest; "": none is in force), `consented` whether they consented to its going to this counterpart.
    """

    whose: str
    given: Level
    onward: str = ""
    consented: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """One version that is selected. `level` is the stricter of marking and handling; `refs` the ids it needs, `names`
    every other id that stands anywhere in it, in text too. `custody` None: it is ours. `embargo` is the day before
    which it does not leave for this counterpart, "": none. `barred`: why it is not for them whatever its
    level (recalled, sanitised, made-for-another), "": it may be.
    """

    key: int
    id: str
    level: Level
    refs: tuple[str, ...]
    has: bool = False
    names: Collection[str] = ()
    custody: Custody | None = None
    embargo: str = ""
    barred: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` is leaves, already-has, or why it is held: kind, sector, purpose, exercise, recalled,
    sanitised, made-for-another, unreadable-marking,
    no-agreement, period, ceiling, card-key, onward-red, onward-lapsed, onward-never, onward-consent, embargo,
    withheld-reference.
    """

    key: int
    code: str


@dataclass(frozen=True)
class Caution:
    """Something the officer should know before sealing: `code` (dangling, not-selected, nothing-marked, weakened,
    exercise-mixed, large, clock-behind) and how many objects it is about.
    """

    code: str
    count: int


@dataclass(frozen=True)
class Judgement:
    """A verdict for every candidate, in their order, and the warnings."""

    verdicts: tuple[Verdict, ...]
    warnings: tuple[Caution, ...]


def over(level: Level, terms: Terms) -> str:
    """Why something at `level` may not leave under `terms`; "" if it may."""
    if level is Level.UNREADABLE:
        return "unreadable-marking"
    if level is Level.CLEAR:
        return ""
    if terms.ceiling is None:
        return "period" if terms.lapsed else "no-agreement"
    if level > terms.ceiling:
        return "ceiling"
    return "" if terms.protected else "card-key"


def onward(one: Candidate, terms: Terms) -> str:
    """Why what came from a counterpart may not go to another one; "" if it may, or is ours, or goes back to them.

    RED is for whom it was given to. "Within TLP" is what TLP 2.0 lets a recipient decide about another
    organisation: GREEN, not AMBER, which is for one's own and one's clients.
    """
    custody = one.custody
    if custody is None or custody.whose == terms.to:
        return ""
    level = max(one.level, custody.given)
    if level is Level.CLEAR:
        return ""
    if level >= Level.RED:
        return "onward-red"
    if not custody.onward:
        return "onward-lapsed"
    if custody.onward == clauses.NEVER:
        return "onward-never"
    if custody.consented or (custody.onward == clauses.WITHIN_TLP and level <= Level.GREEN):
        return ""
    return "onward-consent"


def withheld(one: Candidate, terms: Terms) -> str:
    """Why an object may not leave for its own sake: not for them, level, whose it is, embargo; "" if it may."""
    if one.barred:
        return one.barred
    return over(one.level, terms) or onward(one, terms) or ("embargo" if terms.today < one.embargo else "")


def outside(stix_id: str, terms: Terms, about: Callable[[str], About]) -> str:
    """Why an object is not what the agreement is about (kind, sector); "" if it is, or has no kind and only follows."""
    if not terms.narrow or _follows(stix_id):
        return ""
    found = about(stix_id)
    if terms.kinds is not None and not (found.kinds and found.kinds <= terms.kinds):
        return "kind"
    if terms.sectors is not None and not (found.sectors and found.sectors <= terms.sectors):
        return "sector"
    return ""


def unstated(stated: Stated, terms: Terms) -> str:
    """Why nothing at all may leave in a release of which the officer says this: purpose, exercise; "" if it may."""
    if terms.purposes is not None and stated.purpose not in terms.purposes:
        return "purpose"
    return "exercise" if terms.exercise and not stated.exercise else ""


def judge(
    candidates: Sequence[Candidate],
    terms: Terms,
    elsewhere: Callable[[str], Sequence[Candidate] | None],
    new_only: bool = False,
    public: Mapping[str, object] | None = None,
    stated: Stated = Stated(),
    about: Callable[[str], About] = by_type,
    job: Job | None = None,
) -> Judgement:
    """Decide for every candidate. Raises `Cancelled`.

    `elsewhere(id)` are the contents in force of an object that is held, to be asked of one that is not selected;
    None of one never held. `public` are ids that everybody has (the TLP definitions). With `new_only`, what they
    already have does not leave again. `about(id)` is asked only where the agreement is not about everything.
    """
    always = unstated(stated, terms)
    job, total = job or quiet(), len(candidates)
    codes = dict[int, str]()
    versions: dict[str, list[int]] = defaultdict(list)
    for one in job.each(candidates, total, "gather"):
        versions[one.id].append(one.key)
    named_by: dict[int, list[int]] = defaultdict(list)
    dangling, unselected = set[str](), set[str]()
    known: dict[str, bool | None] = {}
    given = set[str]()
    for one in job.each(candidates, total, "decide"):
        codes[one.key] = outside(one.id, terms, about) or always or withheld(one, terms)
        needed = set(one.refs)
        for name in needed.union(one.names):
            if name in versions:
                for key in versions[name]:
                    named_by[key].append(one.key)
                continue
            if public is not None and name in public:
                continue
            if name not in known:
                held = elsewhere(name)
                if held and all(c.custody is not None and c.custody.whose == terms.to for c in held):
                    # They gave it: its id tells them nothing, and they have what is behind it.
                    given.add(name)
                known[name] = None if name in given else _stays(name, held, terms, about)
            if name in given:
                continue
            stays = known[name]
            if stays:
                codes[one.key] = codes[one.key] or "withheld-reference"
            elif name in needed:
                (dangling if stays is None else unselected).add(name)
    _close(codes, named_by, job)
    if terms.narrow:
        _follow(candidates, codes, "kind" if terms.kinds is not None else "sector", job)
    verdicts = tuple(
        Verdict(one.key, codes[one.key] or (ALREADY_HAS if new_only and one.has else LEAVES))
        for one in job.each(candidates, total, "gather")
    )
    warnings = [Caution("dangling", len(dangling)), Caution("not-selected", len(unselected))]
    return Judgement(verdicts, tuple(w for w in warnings if w.count))


def hidden(
    name: str, contents: Sequence[Candidate] | None, terms: Terms, about: Callable[[str], About]
) -> bool:
    """Whether the id of an object with these contents in force is not to be named to whom the terms are with."""
    if contents and all(one.custody is not None and one.custody.whose == terms.to for one in contents):
        return False
    return bool(_stays(name, contents, terms, about))


def _stays(
    name: str, contents: Sequence[Candidate] | None, terms: Terms, about: Callable[[str], About]
) -> bool | None:
    """Whether an object that is not selected would be withheld; None of one never held."""
    if contents is None:
        return None
    return not contents or any(withheld(one, terms) for one in contents) or bool(outside(name, terms, about))


def _close(codes: dict[int, str], named_by: Mapping[int, Sequence[int]], job: Job) -> None:
    """Hold back whatever names something withheld, until nothing changes."""
    waiting: deque[int] = deque(key for key, code in codes.items() if code)
    for one in job.each(_taken(waiting), len(codes), "gather"):
        for referrer in named_by.get(one, ()):
            if not codes[referrer]:
                codes[referrer] = "withheld-reference"
                waiting.append(referrer)


def _taken(waiting: deque[T]) -> Iterator[T]:
    """What waits, and what comes to wait meanwhile."""
    while waiting:
        yield waiting.popleft()


def _follows(stix_id: str) -> bool:
    return stix_id.partition("--")[0] in clauses.FOLLOWERS


def _follow(candidates: Sequence[Candidate], codes: dict[int, str], code: str, job: Job) -> None:
    """Hold back what has no kind of its own and is named by nothing that leaves."""
    followers: dict[str, list[Candidate]] = defaultdict(list)
    waiting = deque[Candidate]()
    for one in job.each(candidates, len(candidates), "gather"):
        if _follows(one.id):
            followers[one.id].append(one)
        elif not codes[one.key]:
            waiting.append(one)
    for one in job.each(_taken(waiting), len(candidates), "gather"):
        for name in {*one.refs, *one.names}:
            waiting.extend(followers.pop(name, ()))
    for unneeded in followers.values():
        for one in unneeded:
            codes[one.key] = codes[one.key] or code


@dataclass(frozen=True, slots=True)
class Sign:
    """What of one thing that leaves may give pause: it bears a TLP marking; it came or left as a part of an `exercise`;
    it came as the real thing; an older version of it was marked more strictly (`weakened`).
    """

    marked: bool
    exercise: bool = False
    real: bool = False
    weakened: bool = False


LARGE, TIMES = 1_000, 10
"""A release of more objects than that, and so many times the largest before it, is unusual."""


def cautions(
    leaving: Sequence[Sign], stated: Stated, largest: int = 0, clock_behind: bool = False
) -> tuple[Caution, ...]:
    """What to know of what leaves, all of it together. `largest`: objects in the largest release to them so far."""
    mixed = sum(one.real for one in leaving) if stated.exercise else sum(one.exercise for one in leaving)
    found = [
        Caution("nothing-marked", 0 if any(one.marked for one in leaving) else len(leaving)),
        Caution("weakened", sum(one.weakened for one in leaving)),
        Caution("exercise-mixed", mixed),
        Caution("large", len(leaving) if len(leaving) > max(LARGE, TIMES * largest) else 0),
        Caution("clock-behind", int(clock_behind)),
    ]
    return tuple(one for one in found if one.count)


def stricter(marking: Level | None, handling: Level | None, default: Level) -> Level:
    """The level at which an object is treated: the stricter of marking and handling; `default` if it has neither."""
    if marking is None and handling is None:
        return default
    return max(level for level in (marking, handling) if level is not None)
