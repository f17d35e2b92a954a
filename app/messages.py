"""Every code (error, verdict, warning) with its sentence and its remedy, translatable.

Core code returns codes and values and raises `Refused`; only the window and the command line turn them into sentences,
and they do it here. A sentence says what is, a remedy says what to do; neither blames. Facts in braces come from the
raiser and may be hostile: whoever prints them shows control characters as marks (see `plain`).
"""

from __future__ import annotations

import gettext as _gettext
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from app import direction

CATALOGUES = Path(__file__).resolve().parent.parent / "resources" / "i18n"
DOMAIN = "mithaq"
LANGUAGES = ("en", "ar", "fr")

_translation: _gettext.NullTranslations = _gettext.NullTranslations()


def use_language(language: str) -> None:
    """Speak `language` ("en", "ar", "fr") from now on; a catalogue that is not built falls back to English."""
    global _translation
    _translation = _gettext.translation(DOMAIN, str(CATALOGUES), [language], fallback=True)


def language() -> str:
    """The language in use: "en", "ar" or "fr"."""
    return _translation.info().get("language", "en")[:2]


def translated() -> bool:
    """Whether what is shown is in another language than English, the language of sentences and codes."""
    return type(_translation) is not _gettext.NullTranslations


def right_to_left() -> bool:
    """Whether the language in use is written from right to left."""
    return language() == "ar"


class Sentence(str):
    """A translated text. What it is filled with keeps its own direction (`app.direction`)."""

    __slots__ = ()

    def format(self, *values: object, **facts: object) -> str:
        """As `str.format`; each value is isolated where it could turn, or turn the words beside it."""
        rtl = right_to_left()
        kept = {name: direction.kept(value, rtl) for name, value in facts.items()}
        return direction.led(str.format(self, *(direction.kept(value, rtl) for value in values), **kept), rtl)


def _said(text: str) -> Sentence:
    return Sentence(direction.translated(text, right_to_left()))


def _(text: str) -> str:
    """The translation of `text` in the language in use; of what `NP_` marked, in its context."""
    context, _between, message = text.rpartition(_CONTEXT_END)
    return _said(_translation.pgettext(context, message) if context else _translation.gettext(text))


def ngettext(one: str, many: str, count: int) -> str:
    """The translation of the form of `one`/`many` that `count` needs."""
    return _said(_translation.ngettext(one, many, count))


def pgettext(context: str, text: str) -> str:
    """The translation of `text`, of which `context` tells what it stands for where that is not plain."""
    return _said(_translation.pgettext(context, text))


def listed(things: Iterable[str]) -> str:
    """Several things in one line, parted as the language in use parts them, each with its own direction."""
    rtl = right_to_left()
    return pgettext("between the things of a list", ", ").join(
        str(direction.kept(one, rtl)) for one in things
    )


_number: Callable[[int], str] = str


def write_numbers(how: Callable[[int], str]) -> None:
    """Write the numbers among the facts of a sentence so from now on; those of the terminal stay as they are."""
    global _number
    _number = how


def N_(text: str) -> str:
    """Mark `text` for the catalogues; it is translated where it is shown."""
    return text


def NP_(context: str, text: str) -> str:
    """Mark `text` for the catalogues with its `context`, as `pgettext` does; `_` translates it where it is shown."""
    return f"{context}{_CONTEXT_END}{text}"


_CONTEXT_END = "\x04"  # as gettext itself parts a context from its message


class Refused(Exception):
    """A service says no. `code` is a key of `MESSAGES`; `facts` fill the sentence's braces. Nothing was changed."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True)
class Message:
    """What a code says and what can be done about it (`remedy` may be empty: nothing needs doing). `window` is the
    remedy in the window, where that has a place or a button for what the terminal has a command for.
    """

    sentence: str
    remedy: str = ""
    window: str = ""


def plain(value: object) -> str:
    """`value` as one line in which nothing acts: control, format and line-breaking characters become U+XXXX marks.

    What isolates a value of ours (`app.direction`) is kept, until it is shown.
    """
    text = value if isinstance(value, str) else str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(c):04X}]" if unicodedata.category(c) in _ACTING and c not in direction.OWN else c
        for c in text
    )


_ACTING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


def _filled(text: str, facts: Mapping[str, object] | None) -> str:
    """A sentence with facts from anywhere, as plain text; one that nobody gave is a question mark."""
    rtl = right_to_left()
    given = _Facts()
    for name, value in (facts or {}).items():
        said = _number(value) if type(value) is int else plain(value)
        given[name] = direction.kept(said, rtl, isinstance(value, PurePath))
    return direction.led(str(text).format_map(given), rtl)


def sentence(code: str, facts: Mapping[str, object] | None = None) -> str:
    """The sentence of `code` in the language in use, with `facts` filled in as plain text."""
    message = MESSAGES.get(code)
    if message is None:
        return _("Refused.")
    # What is only said in brackets is left out with them where nobody gave it.
    text = _(message.sentence)
    for name in _IN_BRACKETS.findall(text):
        if name not in (facts or {}):
            text = text.replace(f" ({{{name}}})", "")
    return _filled(text, facts)


_IN_BRACKETS = re.compile(r" \(\{(\w+)\}\)")


def remedy(code: str, facts: Mapping[str, object] | None = None, *, window: bool = False) -> str:
    """What to do about `code`, or "" where nothing needs doing; at the terminal, or in the `window`."""
    message = MESSAGES.get(code)
    if message is None or not message.remedy:
        return ""
    return _filled(_(message.window if window and message.window else message.remedy), facts)


STAGES: dict[str, str] = {
    "read": N_("Reading"),
    "store": N_("Storing"),
    "index": N_("Indexing"),
    "check": N_("Checking"),
    "pages": N_("Checking every page"),
    "structure": N_("Checking the structure"),
    "compare": N_("Comparing the indexes with the texts"),
    "rows": N_("Checking the rows of the indexes"),
    "words": N_("Checking the words of the indexes"),
    "decide": N_("Deciding what may leave"),
    "gather": N_("Putting the list together"),
    "trace": N_("Looking where it came from"),
    "finish": N_("Finishing"),
    "seal": N_("Sealing"),
    "open": N_("Opening"),
    "verify": N_("Reading back"),
    "export": N_("Exporting"),
    "purge": N_("Removing"),
    "copy": N_("Copying the store"),
    "compact": N_("Writing the store anew"),
    "backup": N_("Writing the backup"),
    "restore": N_("Restoring"),
}

MESSAGES: dict[str, Message] = {
    # The program and the installation
    "cancelled": Message(N_("Stopped. Nothing was changed.")),
    "interrupted": Message(
        N_("Stopped. Each act is done whole or not at all."), N_("See `audit list` for what was done before.")
    ),
    "output-lost": Message(
        N_("It is done, but the result could not be printed ({why})."),
        N_("Do not repeat it; see `audit list`."),
    ),
    "unconfirmed": Message(
        N_("It is done, but the disk did not confirm that it would survive a loss of power ({why})."),
        N_("Check the disk; close the installation, open it again, and see whether it is so."),
    ),
    "traces-left": Message(
        N_("It is done, but what was removed could not be wiped from the disk yet ({why})."),
        N_(
            "Check the disk and the room on it, then close the installation and open it again: it is wiped then."
        ),
    ),
    "wrong-passphrase": Message(
        N_("The passphrase does not open this installation."), N_("Type it again; check the keyboard layout.")
    ),
    "passphrase-missing": Message(
        N_("A passphrase is needed and there is no terminal to ask at."),
        N_("Give --passphrase-file, and --new-passphrase-file for a new one."),
    ),
    "rekey-recovery": Message(
        N_("A fresh key needs a passphrase that comes along; a recovery kit does not."),
        N_("Give --passphrase-file in the place of --recovery-file; after it, make the kit anew."),
    ),
    "passphrase-short": Message(
        N_("The passphrase is too short."), N_("Use at least {least} characters; six random words are good.")
    ),
    "no-installation": Message(
        N_("There is no installation in {home}."),
        N_("Create one with `mithaq-cli init`, or name its folder with --home."),
    ),
    "installation-exists": Message(
        N_("{home} is not empty."), N_("Choose another folder, or use the installation that is there.")
    ),
    "in-use": Message(
        N_("Another process works on this installation."),
        N_("Close the window or wait for the other command to end."),
    ),
    "home-unusable": Message(
        N_("The folder {home} cannot be used: {why}."), N_("Check the folder and its permissions.")
    ),
    "slots-damaged": Message(
        N_("The key slots of this installation cannot be read."),
        N_("Restore the installation from a backup."),
    ),
    "slots-old": Message(
        N_(
            "The key slots are not the ones this store knows, and this slot was removed: an older file was put back."
        ),
        N_("Unlock with a passphrase or recovery kit that still counts; then find out who had access."),
    ),
    "slot-needs-device": Message(
        N_("This installation opens only together with the keyring of the workstation it was set up on."),
        N_("Unlock that keyring, or use the recovery kit."),
    ),
    "kdf-memory": Message(
        N_("There is not enough memory to stretch the passphrase."), N_("Close other programs and try again.")
    ),
    "slots-full": Message(N_("There is no room for another key slot."), N_("Remove one first.")),
    "slot-unknown": Message(
        N_("There is no such key slot."),
        N_("See `slot list`."),
        N_("See the ways to unlock in the settings."),
    ),
    "slot-going": Message(
        N_("What was typed opens only the slot that is to be removed."),
        N_("Type a passphrase that stays, or the recovery kit: it shows that somebody can still unlock."),
    ),
    "slot-last": Message(
        N_("This is the last slot that a passphrase opens."), N_("Add another before removing it.")
    ),
    "slot-last-free": Message(
        N_("Only slots would be left that need this workstation's keyring, which is lost with the machine."),
        N_("Add a recovery kit or a passphrase first (`slot add`)."),
        N_("Add a recovery kit or a passphrase first."),
    ),
    "recovery-format": Message(
        N_("These are not the words of a recovery kit."), N_("Type them again; each has five letters.")
    ),
    "keyring-unavailable": Message(
        N_("This workstation's keyring cannot keep the secret ({why})."),
        N_("Set up and unlock a keyring, or use a passphrase alone."),
    ),
    "store-damaged": Message(
        N_("The store cannot be read, or the disk failed while it was written."),
        N_(
            "Do it again; if it fails again, check the disk, run `check`, and restore the installation from a backup."
        ),
        N_(
            "Do it again; if it fails again, check the disk, check everything in the settings, and restore the"
            " installation from a backup."
        ),
    ),
    "store-newer": Message(N_("A later version of Mithaq wrote this store."), N_("Use that version.")),
    "store-busy": Message(N_("The store changed while this was being done."), N_("Do it again.")),
    "store-read-only": Message(
        N_("The store cannot be written."), N_("Check the disk and the folder's permissions.")
    ),
    "disk-full": Message(
        N_("The disk with the installation is full. Nothing was changed."),
        N_("Free some space and do it again."),
    ),
    "officer-unknown": Message(
        N_("{name} is not an officer of this installation."),
        N_("See `officer list`; add one with `officer add`."),
        N_("See the officers in the settings; add one there."),
    ),
    "officer-exists": Message(N_("{name} is an officer already.")),
    "officer-last": Message(N_("{name} is the only officer."), N_("Add another before removing this one.")),
    "name-unusable": Message(
        N_('"{name}" cannot be a name.'), N_("Use 1 to 200 visible characters on one line.")
    ),
    "country-unusable": Message(
        N_('"{country}" is not a country code.'), N_("Use the two letters of ISO 3166, such as JO.")
    ),
    "setting-unknown": Message(
        N_("There is no setting {name} with the value {value}."), N_("See `setting list` and docs/cli.md.")
    ),
    "file-large": Message(
        N_("{path} is too large: at most {most} MiB."),
        N_("Divide it, and work with one part after the other."),
    ),
    "file-unreadable": Message(
        N_("{path} cannot be read: {why}."), N_("Check the path and the permissions.")
    ),
    "reader-died": Message(
        N_("The process that reads files ended before it was done. Nothing was changed."),
        N_("Try again; if the same file does it again, treat the file as hostile."),
    ),
    "reader-hung": Message(
        N_("The process that reads files gave no sign for {seconds} seconds. Nothing was changed."),
        N_("Try again; if the same file does it again, treat the file as hostile."),
    ),
    "ids-missing": Message(N_("{path} holds no id."), N_("Write one STIX id on each line.")),
    "internal": Message(
        N_("Mithaq failed: {what}."),
        N_("See `audit list` for what was done before it; report it with MITHAQ_TRACE=1 set."),
    ),
    "unexpected": Message(
        N_("The program met what it does not know ({what})."),
        N_("What was under way was undone. Lock, unlock, and try again."),
    ),
    # What check and audit verify find
    "problems-found": Message(N_("{count} problems were found."), N_("See the list above.")),
    "page-damaged": Message(
        N_("A page of the store fails its integrity check."), N_("Restore the installation from a backup.")
    ),
    "structure-damaged": Message(
        N_("The store's structure is broken."), N_("Restore the installation from a backup.")
    ),
    "statement-altered": Message(
        N_("A signed statement is not what its hash or its signature says: {where}."),
        N_("Restore the installation from a backup."),
    ),
    "header-missing": Message(
        N_("A package would not be known again if it came a second time: {where}."),
        N_("Restore the installation from a backup."),
    ),
    "record-missing": Message(
        N_("What was said with a sealed package is no longer known here: {where}."),
        N_("Restore the installation from a backup."),
    ),
    "state-old": Message(
        N_(
            "A page of the store is of an earlier time: what it says of counterparts and channels cannot be relied on."
        ),
        N_("Restore a backup; or `check --mend` goes on with what is here, and every channel begins anew."),
        N_(
            "Restore a backup; or make the indexes anew, which checking everything in the settings "
            "offers, and every channel begins anew."
        ),
    ),
    "reference-broken": Message(
        N_("The store refers to a row that is not there."), N_("Restore the installation from a backup.")
    ),
    "content-altered": Message(
        N_("A stored text differs from its hash: {where}."), N_("Restore the installation from a backup.")
    ),
    "counters-wrong": Message(
        N_("The counters of the store do not say what is held."),
        N_("`check --mend` makes them anew."),
        N_("Make them anew: checking everything in the settings offers it."),
    ),
    "index-wrong": Message(
        N_("An index does not say what the texts say: {where}."),
        N_("`check --mend` makes the indexes anew."),
        N_("Make the indexes anew: checking everything in the settings offers it."),
    ),
    "compact-room": Message(
        N_("There is not room for the store a second time: {need} bytes are needed, {free} are free."),
        N_("Free some space and do it again."),
    ),
    "audit-altered": Message(
        N_("The log was altered: entry {where} is not what was logged."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-missing": Message(
        N_("The log misses what was logged as entry {where}."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-truncated": Message(
        N_("The end of the log was cut off: there was an entry {where}."),
        N_("Unless an older backup was restored, keep a copy of the store and look into who had access."),
    ),
    "audit-reordered": Message(
        N_("The log was put into another order: entry {where} belongs elsewhere."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-forked": Message(
        N_("The log was rewritten: something among the entries {where} was another when it was vouched for."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-node": Message(
        N_("A hash that stands for the entries {where} was altered."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-unlogged": Message(
        N_("A package was sealed of which the log does not tell: {where}."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-unwitnessed": Message(
        N_("The log tells of a sealed package that the outbox does not have: entry {where}."),
        N_("Keep a copy of the store and look into who had access."),
    ),
    "audit-unvouched": Message(
        N_("The entries {where} are not covered by the checkpoint they came with."),
        N_("Ask for a new export."),
    ),
    "log-file": Message(
        N_("This is not a log, a proof or a checkpoint of Mithaq, or it is damaged."),
        N_("Ask for the file again."),
    ),
    "log-unsigned": Message(
        N_("The checkpoint is signed by none of these cards."),
        N_("Use the card of the installation whose log it is."),
    ),
    "log-forged": Message(
        N_("The signature or the proof is false."),
        N_("Do not rely on this file; ask whoever gave it to you."),
    ),
    "log-uncompared": Message(
        N_("{path} is a checkpoint or a proof: only a whole log can be held against an earlier checkpoint."),
        N_("Ask for an export of the log."),
    ),
    "log-other": Message(
        N_("The checkpoint is of another log: {path}."), N_("Use a checkpoint of the same installation.")
    ),
    "heard-wrong": Message(
        N_("The code does not fit package {seq} for {name} with these numbers."),
        N_("Let them read the code and the numbers again."),
    ),
    "opening-before": Message(
        N_("Package {seq} was sealed before the log could be opened to others."), N_("Show a later package.")
    ),
    "opening-unreceived": Message(
        N_("Package {seq} from {name} was not received here as this manifest says it."),
        N_("Compare with the package of that number that was received, if there is one."),
    ),
    "opening-differs": Message(
        N_("The manifest commits to another log than this one."),
        N_("Keep both files: one of the two was changed after the package was sealed."),
    ),
    "entry-unknown": Message(N_("The log has no entry {number}."), N_("Look at `audit list`.")),
    "outbox-missing": Message(
        N_("A sealed package is missing from the outbox: {where}."), N_("Restore the file, or release again.")
    ),
    "outbox-altered": Message(
        N_("A sealed package in the outbox was altered: {where}."), N_("Restore the file, or release again.")
    ),
    "attachment-missing": Message(
        N_("The file of an attachment is missing: {where}."),
        N_("Put it back from a backup, or remove the attachment."),
    ),
    "attachment-altered": Message(
        N_("The file of an attachment was altered: {where}."),
        N_("Put it back from a backup, or remove the attachment."),
    ),
    "attachment-stray": Message(
        N_("A file that is no attachment lies among the attachments: {where}."),
        N_("The next unlock removes it; find out who put it there."),
    ),
    "rollback-unanchored": Message(
        N_(
            "No keyring protects against an older copy of the store put back; only what counterparts acknowledge does."
        )
    ),
    # Counterparts
    "not-a-card": Message(
        N_("This is not a card, or its signature is broken."), N_("Ask the counterpart to export it again.")
    ),
    "card-own": Message(N_("This is your own card."), N_("Import the counterpart's.")),
    "card-known": Message(N_("This card is pinned already, as {name}.")),
    "alias-taken": Message(
        N_("The name {alias} is taken."), N_("Give another with --alias."), N_("Give another.")
    ),
    "counterpart-unknown": Message(
        N_("There is no counterpart {name}."), N_("See `counterpart list`."), N_("See the counterparts.")
    ),
    "counterpart-ambiguous": Message(
        N_("{name} means more than one counterpart."), N_("Give more digits of the fingerprint.")
    ),
    "counterpart-unverified": Message(
        N_("{name} is not verified."), N_("Compare the fingerprint with them, then verify.")
    ),
    "replace-unconfirmed": Message(
        N_("Replacing the keys stops the exchange with everybody until each card was compared anew."),
        N_("Give --lost if the old keys are lost or may be in other hands; else use `identity rotate`."),
    ),
    "card-retired": Message(
        N_("That card of {name} was succeeded by another one."), N_("Ask for the card in use now.")
    ),
    "identity-rotated": Message(
        N_(
            "They changed their keys; the old key and the new one both signed that, and the verification carries over."
        ),
        N_("Ask them by another way whether that is so, and compare the new card with `counterpart verify`."),
        N_("Ask them by another way whether that is so, and verify them anew among the counterparts."),
    ),
    "identity-forked": Message(
        N_("An old key of {name} names two successors: one of them is not theirs."),
        N_(
            "Ask them by another way; if the card pinned here is right, verify it anew, else revoke or replace it."
        ),
    ),
    "rotation-wrong": Message(
        N_("A change of keys that one of the two keys did not sign: it counts for nothing."),
        N_("Tell the counterpart."),
    ),
    "successor-known": Message(
        N_("The card that is to follow is pinned here already, as somebody else's."), N_("Ask both of them.")
    ),
    "counterpart-revoked": Message(N_("{name} is revoked; nothing is exchanged with them.")),
    "verify-unconfirmed": Message(
        N_("Compare the fingerprint of {name} with them, by voice or in person: {fingerprint}."),
        N_("If it is the same, repeat with --confirmed."),
    ),
    "verify-unconfirmed-there": Message(
        N_("{name} is not verified: the code did not fit on their side."),
        N_("Start again with fresh digits; if it fails again, get the cards by another way."),
    ),
    "code-format": Message(N_("A code has eight digits."), N_("Type them again, digit by digit.")),
    "verify-order": Message(N_("This step comes later."), N_("Type their eight digits first.")),
    "verify-mismatch": Message(
        N_("The codes of {name} did not fit three times. The card may have been swapped on the way."),
        N_("Start again with fresh digits; if it fails again, get the card by another way."),
    ),
    # The channel
    "channel-frozen": Message(
        N_("The channel with {name} is frozen: they signed two packages with one number."),
        N_(
            "Talk to them; only a new epoch that both confirm thaws it: `channel restart` and `channel confirm`."
        ),
        N_(
            "Talk to them; only a new epoch that both confirm thaws it: in the terminal, `mithaq-cli "
            "channel restart` and `mithaq-cli channel confirm`."
        ),
    ),
    "channel-claimed": Message(
        N_("{name} acknowledged what was never sent."),
        N_(
            "Talk to them: one side may have been restored. Ask them for `channel evidence` and take it in with"
            " `channel prove`; `channel excuse` goes on without."
        ),
        N_(
            "Talk to them: one side may have been restored. The rest is done in the terminal: they "
            "make `mithaq-cli channel evidence`, `mithaq-cli channel prove` takes it in; `mithaq-cli "
            "channel excuse` goes on without."
        ),
    ),
    "channel-proven": Message(
        N_(
            "{name} showed packages with your signature that this installation does not know: it is an older copy."
        ),
        N_(
            "Begin anew with `channel restart --reason restored`; if nothing was restored, `identity replace`."
        ),
        N_(
            "Begin anew in the terminal with `mithaq-cli channel restart --reason restored`; if "
            "nothing was restored, with `mithaq-cli identity replace`."
        ),
    ),
    "rollback-proven": Message(
        N_(
            "They showed a package with your signature that this installation does not know: it is an older copy."
        ),
        N_(
            "Begin anew with `channel restart --reason restored`; if nothing was restored, `identity replace`."
        ),
        N_(
            "Begin anew in the terminal with `mithaq-cli channel restart --reason restored`; if "
            "nothing was restored, with `mithaq-cli identity replace`."
        ),
    ),
    "manifest-returned": Message(
        N_(
            "They returned what you sent them before this installation was restored; it is not known here any more."
        ),
        N_("Its numbers and releases are in the log; ask them what they have of it."),
    ),
    "evidence-wrong": Message(N_("What they show as signed by you is not."), N_("Tell them.")),
    "evidence-file": Message(
        N_("This is not evidence of the counterpart's, or it is damaged."), N_("Ask them to write it again.")
    ),
    "nothing-proven": Message(
        N_("Nothing in it contradicts this installation: the acknowledgement of {name} stays a claim."),
        N_("Record it with `channel excuse`, or begin the channel anew."),
    ),
    "channel-full": Message(
        N_("Too many packages to {name} are not acknowledged."),
        N_("Wait for their answer, or void what was lost."),
        N_("Wait for their answer, or void what was lost in the terminal with `mithaq-cli void`."),
    ),
    "fork": Message(
        N_("{name} signed two packages with number {seq}. The channel is frozen."),
        N_("Talk to them; one side may have been copied or restored."),
    ),
    "channel-mending": Message(
        N_("This installation was restored; {name} has not acknowledged the new epoch yet."),
        N_("Send them a package and wait for their answer before accepting."),
    ),
    "restore-unsettled": Message(
        N_("This installation was restored from a backup and no channel was begun anew yet."),
        N_("Lock and unlock it once more."),
    ),
    "key-lost": Message(
        N_("Sealed for you by {name}, to a key that was lost when this installation was restored."),
        N_("Ask them to release it again once they confirmed your new epoch."),
    ),
    "epoch-pending": Message(
        N_("{name} begins a new epoch ({reason})."),
        N_("Ask them by another way whether that is so; then confirm the epoch and open the file again."),
        N_(
            "Ask them by another way whether that is so; then confirm the epoch in the terminal with "
            "`mithaq-cli channel confirm`, and open the file again."
        ),
    ),
    "epoch-closed": Message(
        N_("Package {seq} from {name} belongs to an epoch that ended."), N_("Ask them to release it again.")
    ),
    "nothing-to-confirm": Message(N_("{name} has announced no new epoch.")),
    "nothing-to-excuse": Message(N_("{name} has acknowledged nothing but what was sent.")),
    "gone": Message(N_("Held back: this version is not held any more."), N_("Release what is held now.")),
    "seal-failed": Message(
        N_("The package could not be sealed ({detail})."),
        N_("Run `check` and report it."),
        N_("Check everything in the settings, and report it."),
    ),
    "too-far": Message(
        N_("Package {seq} from {name} lies too far ahead or behind."),
        N_("Ask them which packages are missing."),
    ),
    "epoch-unknown": Message(
        N_("Package {seq} from {name} belongs to an epoch that was not agreed."),
        N_("Talk to them; one side may have been restored."),
    ),
    # Packages
    "not-a-package": Message(N_("This is not a package."), N_("Check that the right file was chosen.")),
    "package-damaged": Message(
        N_("Not opened: the file is not a package, or it was cut or changed on the way ({detail})."),
        N_("Carry it again from the source."),
    ),
    "package-forged": Message(
        N_("Not opened: the signature does not match the card."), N_("Ask them to send it again.")
    ),
    "not-for-us": Message(
        N_("Not opened: no key here fits. It is for somebody else, or it is void or was opened before."),
        N_("Check with the sender whom it was sealed for."),
    ),
    "sender-unknown": Message(
        N_("Not opened: the sender's card is not pinned here ({fingerprint})."),
        N_("Add and verify their card first."),
    ),
    "reflected": Message(N_("This is your own package {seq} for {name}."), N_("Carry it to them.")),
    "release-twice": Message(
        N_("Package {seq} from {name} repeats a release that came before."), N_("Nothing needs doing.")
    ),
    "too-many-objects": Message(
        N_("The package holds too many objects to review."), N_("Ask for several smaller packages.")
    ),
    "newer-format": Message(
        N_("A part of a newer format could not be read."), N_("Update Mithaq and ask them to send it again.")
    ),
    "keys-bad": Message(
        N_("Some of the one-time keys they published are unusable and were dropped."),
        N_("Tell the counterpart."),
    ),
    "keys-format": Message(N_("The keys they published cannot be read."), N_("Tell the counterpart.")),
    "document-format": Message(N_("A statement in the package cannot be read."), N_("Tell the counterpart.")),
    "signature": Message(
        N_("A statement in the package is not signed by the sender."), N_("Tell the counterpart.")
    ),
    "part-unreadable": Message(N_("A part of the package cannot be read."), N_("Tell the counterpart.")),
    "status-duplicate": Message(N_("This package was opened before."), N_("Nothing needs doing.")),
    "status-gap": Message(
        N_("Packages have not come: {missing}."),
        N_("They may still be on the way; ask for them if not."),
    ),
    "status-closed": Message(
        N_("The sender declared this package void; it is not shown."), N_("Nothing needs doing.")
    ),
    "nothing-accepted": Message(
        N_("Nothing of package {number} is accepted."),
        N_("See `inbox show {number}`."),
        N_("See the package in the inbox."),
    ),
    "undo-released": Message(
        N_("The acceptance cannot be undone: {id} was released onward ({n} in all)."),
        N_("Recall it from whom it was given, or undo the others with --ids."),
        N_(
            "Recall it from whom it was given, or undo the others in the terminal with `mithaq-cli "
            "accept --undo --ids`."
        ),
    ),
    "undo-referenced": Message(
        N_("The acceptance cannot be undone: {id} is named by what came later and stays ({n} in all)."),
        N_("Purge what names it, undo both together, or undo the others with --ids."),
        N_("Purge what names it, or undo the others in the terminal with `mithaq-cli accept --undo --ids`."),
    ),
    "undo-newer": Message(
        N_("The acceptance cannot be undone: a later version of {id} came after it ({n} in all)."),
        N_("Undo that acceptance first, or undo the others with --ids."),
        N_(
            "Undo that acceptance first, or undo the others in the terminal with `mithaq-cli accept "
            "--undo --ids`."
        ),
    ),
    "undo-bound": Message(
        N_(
            "The acceptance cannot be undone: an officer gave {id} a file, an embargo, sectors or a stricter level"
            " since ({n} in all)."
        ),
        N_(
            "Take that away first (`attachment remove`, `embargo`, `sector`, `handling`),"
            " or undo the others with --ids."
        ),
        N_(
            "Take that away first; embargoes and sectors in the terminal, with `mithaq-cli embargo` "
            "and `mithaq-cli sector`. Or undo the others there with `mithaq-cli accept --undo --ids`."
        ),
    ),
    "undo-resolved": Message(
        N_("The acceptance cannot be undone: a conflict over {id} was resolved ({n} in all)."),
        N_("Undo the others with --ids."),
        N_("Undo the others in the terminal with `mithaq-cli accept --undo --ids`."),
    ),
    "remark-recalled": Message(
        N_("Its sender asks it back."),
        N_("It is accepted only with --recalled, on your word."),
        N_("On your word it is accepted all the same, in the terminal, with `mithaq-cli accept --recalled`."),
    ),
    "recalled-pending": Message(
        N_("{name} asks back {id} ({n} in all)."),
        N_("Answer the recall, or accept it on your word with --recalled."),
        N_(
            "Answer the recall above the inbox, or accept it on your word in the terminal with "
            "`mithaq-cli accept --recalled`."
        ),
    ),
    "recalled": Message(
        N_("Held back: it was asked back, by us from them or from us by whom it came from."),
        N_("Withdraw your recall, or answer theirs."),
        N_(
            "Withdraw your recall in the terminal with `mithaq-cli recall withdraw`, or answer theirs "
            "above the inbox."
        ),
    ),
    "sanitised": Message(
        N_("Held back: they get a sanitised form of it."),
        N_("Release that one; or let them have the whole with `sanitise end`."),
        N_("Release that one; or let them have the whole, in the terminal, with `mithaq-cli sanitise end`."),
    ),
    "made-for-another": Message(
        N_("Held back: it is the form that another counterpart gets."), N_("Release the original.")
    ),
    "sanitise-nothing": Message(
        N_("Nothing is to be taken out."), N_("Give --drop, --redact or --pseudonym.")
    ),
    "sanitise-not-ours": Message(
        N_("{id} is not ours, or not known to be: it goes unchanged or not at all."),
        N_("If {creator} is this team, say so with --ours."),
    ),
    "sanitise-type": Message(
        N_("{id} cannot be sanitised: it has no versions, or is a sanitised object itself."),
        N_("Leave it out, or sanitise its original."),
    ),
    "sanitise-conflict": Message(
        N_("{id} is in conflict: more than one content is in force."), N_("Resolve it first.")
    ),
    "sanitise-needed": Message(
        N_("{id} cannot be without {what}."), N_("Leave it out, or sanitise together what it names.")
    ),
    "sanitise-remains": Message(
        N_("{what} stands in {id} where nothing can be taken out."),
        N_("Leave the object out, or write another one."),
    ),
    "sanitise-unknown": Message(N_("{name} gets no sanitised form of {id}."), N_("See `sanitise list`.")),
    "redaction-unusable": Message(
        N_("The texts to take out cannot be used: at most {most}, none of them blank or too long."),
        N_("Give one on each line."),
    ),
    "remark-feedback": Message(
        N_("What they say of something that is held here."),
        N_("Accepted, it stands beside it: see `show`."),
        N_("Accepted, it stands beside it in the holdings."),
    ),
    "receipt-unknown": Message(
        N_("A receipt is about a package that was never sent to them. It does nothing."),
        N_("Ask the counterpart what they meant."),
    ),
    "receipt-contradicts": Message(
        N_(
            "They signed two different answers to one package of ours under one number. The first that came counts."
        ),
        N_("See `channel show`. Both are kept, signed: ask which is right; a newer receipt settles it."),
        N_(
            "In the terminal `mithaq-cli channel show` tells which. Both are kept, signed: ask which "
            "is right; a newer receipt settles it."
        ),
    ),
    "packages-lacking": Message(
        N_("{name} says that packages of ours have not come: {numbers}."),
        N_("Carry them again if you have them (`carry`), or send them again as new ones (`resend`)."),
        N_(
            "Carry them again from Releases if you have them, or send them again as new ones in the "
            "terminal with `mithaq-cli resend`."
        ),
    ),
    "receipt-unreadable": Message(
        N_("A receipt cannot be read, or cannot be true of its package. It does nothing."),
        N_("Tell the counterpart."),
    ),
    "clock-ahead": Message(
        N_("By its sender's clock the package was sealed in days to come."),
        N_("Compare the clocks: agreements and embargoes go by them."),
    ),
    "text-missing": Message(N_("There is no question."), N_("Say in --text what you want to know.")),
    "enquiry-too-large": Message(
        N_("A request has at most {most} characters and names at most {ids} objects."), N_("Ask in parts.")
    ),
    "enquiry-unknown": Message(
        N_("There is no request for information {number} of this counterpart."), N_("See `request list`.")
    ),
    "enquiry-own": Message(
        N_("Request {number} is your own: the counterpart answers it."), N_("See `request list`.")
    ),
    "enquiry-closed": Message(
        N_("Request {number} is closed or declined: that is final."), N_("See `request list`.")
    ),
    "enquiry-unreadable": Message(
        N_("A request for information cannot be read. It does nothing."), N_("Tell the counterpart.")
    ),
    "feedback-unusable": Message(
        N_("That is no sighting, opinion or note: {what}."), N_("Mend it and try again.")
    ),
    "recall-unknown": Message(
        N_("There is no recall {number} here."),
        N_("See `recall list`."),
        N_("The terminal lists it: `mithaq-cli recall list`."),
    ),
    "recall-never-given": Message(
        N_("{id} was never released to {name}, so it cannot be recalled from them."), N_("See `ledger`.")
    ),
    "recall-not-left": Message(
        N_("Nothing of it ever left for {name}: there is nothing to recall."),
        N_("Declare the packages void that carry it."),
    ),
    "recall-standing": Message(
        N_("All of it was recalled from {name} before."), N_("Their answer is in `recall list`.")
    ),
    "recall-too-large": Message(
        N_("One recall names at most {most} contents."), N_("Recall it in several parts.")
    ),
    "recall-ours": Message(
        N_("Recall {number} is your own: the counterpart answers it."), N_("See `recall list`.")
    ),
    "recall-theirs": Message(
        N_("Recall {number} is theirs: only they withdraw it."), N_("Confirm or refuse it.")
    ),
    "recall-closed": Message(
        N_("Recall {number} was answered or withdrawn: that is final."),
        N_("See `recall list`."),
        N_("The terminal lists it: `mithaq-cli recall list`."),
    ),
    "recall-unreadable": Message(
        N_("A recall, or an answer to one, cannot be read. It does nothing."), N_("Tell the counterpart.")
    ),
    "recall-tombstone": Message(
        N_(
            "A recall names something that never came. It is remembered, and shown as recalled should it come."
        ),
        N_("See `recall list`."),
        N_("The terminal lists it: `mithaq-cli recall list`."),
    ),
    "confirmation-other": Message(
        N_("An answer to a recall is over something that the recall does not name. It does nothing."),
        N_("Tell the counterpart."),
    ),
    "confirmation-unknown": Message(
        N_("They answer a recall that was never made here."), N_("Ask the counterpart what they meant.")
    ),
    "backups-past": Message(
        N_("Backups that hold it until {day} are over."),
        N_("Give a day to come, or `none`."),
        N_("Give a day to come, or 0 if no backup holds it."),
    ),
    "reason-too-long": Message(N_("A reason has at most {most} characters."), N_("Say it in fewer words.")),
    "remark-weakened": Message(
        N_("Marked less strictly than what is held here."),
        N_("Accepted, it stays at the stricter level; lower the handling yourself if you may."),
    ),
    "remark-redefinition": Message(
        N_("A marking definition that says another level than its id has."),
        N_("It will not be taken in; tell the counterpart."),
    ),
    "remark-contradicts": Message(
        N_("It gives a file another SHA-256 than an object with the same MD5 or SHA-1 does."),
        N_("They are different files, or one of the two is wrong. Accepted, both stay, in conflict."),
    ),
    "remark-disregarded": Message(
        N_("A revocation by somebody else than whose the object is: it is kept and does not count."),
        N_("If it should, say whose the objects are with `creator`."),
        N_("If it should, say in the terminal whose the objects are, with `mithaq-cli creator`."),
    ),
    "remark-dangling": Message(
        N_("It needs an object that is neither held here nor in the package."),
        N_("Ask them for it, or accept it as it is."),
    ),
    "part-too-large": Message(
        N_("A part of the package is larger than this program reads."), N_("Ask them to send less at once.")
    ),
    "part-repeated": Message(N_("A part came twice; the first one counts."), N_("Tell the counterpart.")),
    "package-unknown": Message(
        N_("There is no package {seq} here."),
        N_("See `inbox list` or `outbox`."),
        N_("See the inbox or the releases."),
    ),
    "carry-outdated": Message(
        N_("Levels or embargoes of what package {seq} has were changed since it was sealed. Nothing left."),
        N_("Send it again as it is now: `resend {seq} --to {name}`."),
        N_("Send it again as it is now, in the terminal, with `mithaq-cli resend`."),
    ),
    "no-longer-leaves": Message(
        N_("Package {seq} holds what may not leave for {name} any more; it is void now."),
        N_("See with `release --dry-run` what holds it back, and release what may leave."),
        N_("A new release says what holds it back; release what may leave."),
    ),
    "package-closed": Message(N_("Package {seq} is acknowledged or void: that is final.")),
    "nothing-pending": Message(N_("Everything in package {number} is decided.")),
    "nothing-received": Message(N_("Nothing has come from {name} yet.")),
    "reason-missing": Message(
        N_("A refusal needs a reason."), N_("Say in a few words why; the counterpart reads it.")
    ),
    # Targets and drops
    "target-exists": Message(N_("{path} exists; it is not replaced."), N_("Choose another name or folder.")),
    "target-full": Message(
        N_("There is not enough room at {path}. No file is left there."),
        N_("Use another medium or free some space."),
    ),
    "target-read-only": Message(
        N_("{path} cannot be written. No file is left there."),
        N_("Check the medium's switch and the permissions."),
    ),
    "target-missing": Message(
        N_("The folder of {path} does not exist."), N_("Check that the medium is plugged in.")
    ),
    "target-failed": Message(N_("{path} could not be written: {why}."), N_("Use another medium.")),
    "target-differs": Message(
        N_("{path} reads back other than it was written, and was removed."), N_("Use another medium.")
    ),
    "carry-failed": Message(
        N_("Package {seq} is sealed and waits in the outbox, but it did not reach {path} ({cause})."),
        N_("Carry it again to another medium."),
    ),
    "outbox-failed": Message(
        N_("The package could not be written to the outbox: {why}. Nothing was sealed."),
        N_("Free some space and do it again."),
    ),
    "drop-missing": Message(
        N_("The drop {path} cannot be reached."), N_("Check that it is mounted and that you may read it.")
    ),
    "drop-crowded": Message(
        N_("The drop {path} holds more than {most} files."), N_("Clear it with whoever runs it.")
    ),
    "drop-exists": Message(N_("There is a drop {name} already."), N_("Give it another name.")),
    "drop-unknown": Message(
        N_("There is no drop {name}."), N_("See `drop list`."), N_("See the drops in the settings.")
    ),
    # Releases
    "nothing-leaves": Message(N_("Nothing may leave."), N_("See what holds each object back.")),
    "decision-changed": Message(
        N_("Something else would leave now than what was shown. Nothing was sealed."),
        N_("Look again, then seal."),
    ),
    "nothing-found": Message(N_('Nothing held fits "{query}".')),
    "leaves": Message(N_("Leaves.")),
    "already-has": Message(N_("They have this version.")),
    "unreadable-marking": Message(
        N_("Held back: a marking cannot be resolved or understood."),
        N_("Import its definition, or ask the author."),
    ),
    "no-agreement": Message(
        N_("Held back: above CLEAR, and no agreement is in force."),
        N_("Propose an agreement, or lower the handling if you may."),
    ),
    "ceiling": Message(
        N_("Held back: above the agreement's ceiling."), N_("Propose an agreement with a higher ceiling.")
    ),
    "period": Message(
        N_("Held back: above CLEAR, and the agreement is not in force today."),
        N_("Wait for its first day, or propose another."),
    ),
    "kind": Message(
        N_(
            "Held back: the agreement does not cover this kind of object, or nothing it covers needs this one."
        ),
        N_("Propose an agreement on this kind."),
    ),
    "sector": Message(
        N_("Held back: not known to be only about sectors that the agreement names."),
        N_("Say with `sector` what it is about, or propose an agreement on its sectors."),
        N_(
            "Say in the terminal what it is about, with `mithaq-cli sector`, or propose an agreement "
            "on its sectors."
        ),
    ),
    "purpose": Message(
        N_("Held back: the agreement does not cover this purpose, or none was stated."),
        N_("State a purpose of the agreement with --purpose."),
        N_("State a purpose of the agreement."),
    ),
    "exercise": Message(
        N_("Held back: the agreement in force is for exercises only."),
        N_("Say with --exercise that this is one, or propose another agreement."),
        N_("Say that this is an exercise, or propose another agreement."),
    ),
    "card-key": Message(
        N_("Held back: above CLEAR, and there is no one-time key of theirs yet."),
        N_("Exchange one package each way first."),
    ),
    "withheld-reference": Message(
        N_("Held back: it names an object that is held back."), N_("Clear what it names, or leave it out.")
    ),
    "onward-red": Message(
        N_("Held back: it came from a counterpart as RED, which is for whom it was given to alone."),
        N_("Ask them to release it to the other side themselves."),
    ),
    "onward-lapsed": Message(
        N_(
            "Held back: no agreement is in force with the counterpart it came from, so it goes to nobody else."
        ),
        N_("Agree with them first; or declare an independent source with `source`, if you have one."),
        N_(
            "Agree with them first; or declare an independent source, if you have one, in the "
            "terminal with `mithaq-cli source`."
        ),
    ),
    "onward-never": Message(
        N_("Held back: the agreement with the counterpart it came from lets it go to nobody else."),
        N_("Propose them an agreement that lets it go on with consent."),
    ),
    "onward-consent": Message(
        N_("Held back: it goes to somebody else only with the consent of the counterpart it came from."),
        N_("Ask them with `request onward`."),
        N_("Ask them in the terminal with `mithaq-cli request onward`."),
    ),
    "embargo": Message(
        N_("Held back: it is under an embargo that is not over."),
        N_("See with `show` until when; wait, or ask whoever set it."),
        N_("The object says until when; wait, or ask whoever set it."),
    ),
    "embargo-theirs": Message(
        N_("{id} came from a counterpart who named {day}; only they shorten that."),
        N_("Ask them to release it again when it is over."),
    ),
    "day-unusable": Message(N_("{day} is not a day."), N_("Give a day as 2027-12-31.")),
    "dangling": Message(N_("They name objects that were never held here.")),
    "nothing-marked": Message(
        N_("Nothing that leaves bears a TLP marking; only the handling given here says who may see it."),
        N_("Look whether the handling is right: the marking is what other tools read."),
    ),
    "weakened": Message(
        N_("An older version was marked more strictly than the one that leaves."),
        N_("Look who weakened it, and raise the handling if that was not meant."),
    ),
    "exercise-mixed": Message(
        N_("Exercise and real intel are mixed."),
        N_("Leave out what does not belong, or see `--exercise`."),
        N_("Leave out what does not belong."),
    ),
    "large": Message(
        N_("This is far more than any release to them before."), N_("Look whether the selection is right.")
    ),
    "clock-behind": Message(
        N_("This machine's clock is behind what the log has seen; what ended by then stays over."),
        N_("Set the clock right. If it was ahead before, and is right now, see `clock correct`."),
        N_(
            "Set the clock right. If it was ahead before, and is right now, the terminal mends it: "
            "`mithaq-cli clock correct`."
        ),
    ),
    "clock-sound": Message(N_("The log has seen no later time than this machine's clock says.")),
    "clock-other-day": Message(
        N_("By this machine's clock it is {day} (UTC), not the day you say. Nothing was changed."),
        N_("Set the machine's clock right first, or say the day as it is."),
    ),
    "clock-unexplained": Message(
        N_("A correction of the clock needs a reason."), N_("Say in a few words why; it stands in the log.")
    ),
    "not-selected": Message(
        N_("They name objects that are held but not selected."),
        N_("Select them too if the counterpart needs them."),
    ),
    "protection-onetime": Message(N_("Sealed to a one-time key.")),
    "protection-reusable": Message(
        N_("Sealed to a reusable key: no one-time key of theirs is left."),
        N_("Ask them to answer, so that new keys come."),
    ),
    "protection-card": Message(N_("Sealed to the card's key: nothing above CLEAR leaves under it.")),
    "note-too-long": Message(N_("The note is longer than {most} characters."), N_("Shorten the note.")),
    # Agreements
    "agreement-unknown": Message(
        N_("There is no agreement {number} here."), N_("See `agreement list`."), N_("See the agreements.")
    ),
    "agreement-period": Message(
        N_("An agreement from {start} until {until} is not open for signing and in force in that order."),
        N_("Give days as 2027-12-31: none is over, and it is signed by its last day."),
    ),
    "agreement-clause": Message(
        N_("The agreement cannot say that: {clause}."),
        N_("Name sectors and purposes in lower-case letters, digits and hyphens."),
    ),
    "agreement-own": Message(
        N_("Agreement {number} was proposed here."), N_("The counterpart signs it; wait for their package.")
    ),
    "agreement-signed": Message(N_("Agreement {number} is signed by both sides.")),
    "agreement-unsigned": Message(
        N_("Agreement {number} is not signed by both sides."), N_("Wait until it is signed.")
    ),
    "agreement-closed": Message(
        N_("The agreement was not signed in time; a later signature does not count."),
        N_("Propose it again."),
    ),
    "agreement-ended": Message(N_("Agreement {number} was ended."), N_("Propose a new one.")),
    "agreement-superseded": Message(
        N_("Agreement {number} was replaced by another."), N_("See the newer one.")
    ),
    "agreement-unreadable": Message(
        N_("A statement about an agreement says nothing that can be read, or is between others."),
        N_("Tell the counterpart."),
    ),
    "countersignature-wrong": Message(
        N_("A countersignature is by the wrong side or for another text; it does not count."),
        N_("Tell the counterpart."),
    ),
    "agreement-file": Message(
        N_("{path} is not an agreement that was exported whole."), N_("Ask for a new export.")
    ),
    "agreement-parties": Message(
        N_("The agreement is not between the holders of these two cards."), N_("Give both parties' cards.")
    ),
    "agreement-forged": Message(
        N_("A signature of the agreement is broken or is over another text."),
        N_("Do not rely on this file; ask both parties."),
    ),
    "names-withheld": Message(
        N_("{id} is held back from {name}: what is written to them must not name it."),
        N_("Leave its id out; see with `release --dry-run` why it is held back."),
        N_("Leave its id out; a new release to them says why it is held back."),
    ),
    "reference-unusable": Message(
        N_('"{reference}" cannot be a reference.'), N_("Use up to {most} visible characters on one line.")
    ),
    "purpose-unusable": Message(
        N_('"{purpose}" cannot name a purpose.'),
        N_("Use lower-case letters, digits and hyphens, as the agreement does."),
    ),
    "sector-unusable": Message(
        N_('"{sector}" cannot name a sector.'),
        N_("Use lower-case letters, digits and hyphens, such as financial-services."),
    ),
    "retention-overdue": Message(
        N_("{count} contents or packages are held beyond what was agreed."),
        N_("Remove what is here with `retention purge`, or ask with `request retention`."),
    ),
    "retention-mixed": Message(
        N_("{id} stays: contents are held of it that may stay."), N_("Decide with `purge`.")
    ),
    # Requests and consents
    "nothing-to-ask": Message(
        N_("Nothing of this is held back for want of the consent of {name}."),
        N_("See with `release --dry-run` what holds it back."),
    ),
    "request-too-large": Message(
        N_("One request names at most {most} contents."), N_("Ask in several requests.")
    ),
    "request-unknown": Message(
        N_("There is no request or consent {number} here."), N_("See `consent list`.")
    ),
    "request-own": Message(
        N_("Request {number} was made here."), N_("The counterpart answers it; wait for their package.")
    ),
    "request-closed": Message(N_("{number} was withdrawn or declined."), N_("A new request may be made.")),
    "not-ours-to-withdraw": Message(
        N_("Consent {number} was given by the counterpart."), N_("Only they take it back.")
    ),
    "not-ours-to-give": Message(
        N_("{id} came from another counterpart, and they do not let it go there ({cause})."),
        N_("Ask them first, or consent to the rest with --ids."),
    ),
    "never-given": Message(
        N_("{id} was not given to {name} in these bytes."), N_("Consent to the rest with --ids.")
    ),
    "consent-period": Message(N_("{until} is over already."), N_("Give a later day with --until.")),
    "consent-unreadable": Message(
        N_("A request, a consent or its withdrawal says nothing that can be read."),
        N_("Tell the counterpart."),
    ),
    "consent-other": Message(
        N_(
            "A consent is for other contents, for somebody else or by another side than was asked; it does nothing."
        ),
        N_("Tell the counterpart."),
    ),
    # Holdings and reading
    "object-unknown": Message(N_("{id} is not held."), N_("Check the id.")),
    "attachment-theirs": Message(
        N_("Attachments stay here: they came from somebody who has not let them go on."),
        N_("Ask whom they came from to send them on themselves."),
    ),
    "attachment-unnamed": Message(N_("An attachment came without a word on what it is, and was not kept.")),
    "attachment-unowned": Message(
        N_("An attachment came that belongs to no object of its package, and was not kept.")
    ),
    "attachment-unknown": Message(
        N_("{called} has no attachment {name}."),
        N_("`attachment list` names those it has."),
        N_("See the attachments of the object."),
    ),
    "attachment-held": Message(N_("{called} has this file already, as {name}.")),
    "attachment-named": Message(
        N_("{called} has a file under that name already: {name}."),
        N_("Attach it under another name, or remove the one that is there."),
    ),
    "attachments-too-many": Message(
        N_("There are too many attachments: at most {most} go."), N_("Attach or release fewer at once.")
    ),
    "attachment-failed": Message(
        N_("The attachment could not be kept: {why}. Nothing was changed."),
        N_("Make room on the disk, or check it, and do it again."),
    ),
    "no-conflict": Message(N_("{id} is not in conflict.")),
    "content-unknown": Message(
        N_("No content, or more than one, begins with {sha256}."), N_("Copy the SHA-256 from `show`.")
    ),
    "level-unknown": Message(N_("{level} is not a level to handle by.")),
    "query-too-long": Message(N_("The query is longer than {most} characters."), N_("Shorten the query.")),
    "query-quote": Message(
        N_("A quotation mark at character {at} of the query has no other."),
        N_('Close it, behind it a space; inside quotation marks write \\" for one.'),
    ),
    "query-filter": Message(
        N_("There is no filter {word} (character {at} of the query)."),
        N_("Put words with a colon between quotation marks."),
    ),
    "query-operator": Message(
        N_(
            "There is no {word} in a query (character {at}): all words must occur, and any one of each filter."
        ),
        N_("Put it between quotation marks to look for the word itself."),
    ),
    "query-value": Message(
        N_("{word}, at character {at} of the query, is nothing that this filter takes."),
        N_("See the search command's help."),
    ),
    "query-twice": Message(
        N_("The filter {word} is given a second time at character {at} of the query."), N_("Leave one.")
    ),
    "source-unknown": Message(
        N_("Nothing came from {word}: it is neither an imported file nor a counterpart."),
        N_("Give a file's name or a counterpart's alias as lists show it."),
    ),
    "order-unknown": Message(N_("There is no order {order}."), N_("See the command's help.")),
    "order-words": Message(
        N_("Only what was searched for by words can be ranked."), N_("Give words, or another order.")
    ),
    "cursor-unknown": Message(N_("The cursor is not one that a list gave."), N_("Start the list again.")),
    "nothing-imported": Message(
        N_("No object could be imported; the first fault: {where} ({cause})."),
        N_("Check the file with whoever made it."),
    ),
    "not-stix": Message(
        N_("This is not STIX: no object was found."), N_("Check that the right file was chosen.")
    ),
    "file-size": Message(N_("The file is larger than {limit} bytes."), N_("Split it.")),
    "json-truncated": Message(N_("The file ends too early."), N_("Fetch it again.")),
    "json-syntax": Message(N_("Not JSON at {where}."), N_("Check the file with whoever made it.")),
    "json-encoding": Message(N_("Not UTF-8 at {where}."), N_("Convert the file to UTF-8.")),
    "json-surrogate": Message(N_("Half a character at {where}."), N_("Check the file with whoever made it.")),
    "json-number": Message(
        N_("A number nobody can read the same at {where}."), N_("Write numbers over 2^53 as text.")
    ),
    "json-duplicate-key": Message(
        N_("A key given twice at {where}."), N_("Check the file with whoever made it.")
    ),
    "json-depth": Message(N_("Nested too deep at {where}."), N_("Check the file with whoever made it.")),
    "object-size": Message(N_("An object is too large at {where}."), N_("Split it.")),
    "stix-object": Message(N_("Not a STIX object."), N_("Check the file with whoever made it.")),
    "stix-type": Message(N_("An object without a proper type."), N_("Check the file with whoever made it.")),
    "stix-id": Message(N_("An object without a proper id."), N_("Check the file with whoever made it.")),
    "stix-timestamp": Message(
        N_("A timestamp that names no moment."), N_("Check the file with whoever made it.")
    ),
    "stix-version": Message(N_("A STIX version this program does not know."), N_("Convert it to STIX 2.1.")),
    "stix-2.0": Message(N_("STIX 2.0 is not taken here."), N_("Convert it to STIX 2.1.")),
    "stix-2.0-shape": Message(
        N_("STIX 2.0 that has no counterpart in STIX 2.1."),
        N_("Check the file with whoever made it."),
    ),
    "stix-2.0-reference": Message(
        N_("A reference between observables leads nowhere, or in a circle."),
        N_("Check the file with whoever made it."),
    ),
    "too-many-variants": Message(
        N_("Too many contents for one id and moment are held already."), N_("Settle the conflict first.")
    ),
    "marking-redefined": Message(N_("It redefines a published TLP marking."), N_("Tell whoever made it.")),
    # An older copy of the store
    "rolled-back": Message(
        N_(
            "This is an older copy of the store: it ends with log entry {here}, and this workstation saw {anchored}."
        ),
        N_("Find out who put it back. If it was you, `mithaq-cli head accept` goes on with it."),
        N_(
            "Find out who put it back. If it was you, go on with it: the log says so, every channel begins anew."
        ),
    ),
    "anchor-missing": Message(
        N_(
            "This workstation's keyring does not answer, or has forgotten where the store stood."
            " An older copy would not be noticed."
        ),
        N_(
            "Unlock the keyring. If you know why it is gone and the store ends where it should"
            " (log entry {here}): `mithaq-cli head accept`."
        ),
        N_(
            "Unlock the keyring. If you know why it is gone and the store ends where it should"
            " (log entry {here}), go on with it: the log says so."
        ),
    ),
    "anchor-unwritten": Message(
        N_(
            "This workstation's keyring did not keep where the store stands; nothing is handed over before it does."
        ),
        N_("Unlock the keyring and carry the package again."),
    ),
    "nothing-to-accept": Message(N_("Nothing speaks against this store.")),
    # Backup, restore, moving
    "backup-closed": Message(
        N_("A backup would open on this workstation only: every slot needs its keyring."),
        N_("Add a recovery kit or a passphrase first (`slot add`)."),
        N_("Add a recovery kit or a passphrase first, in the settings."),
    ),
    "backup-differs": Message(
        N_("The medium gives back something else than was written. There is no backup."),
        N_("Use another drive."),
    ),
    "not-a-backup": Message(
        N_("{path} is not a backup of Mithaq."), N_("Check that the right file was chosen.")
    ),
    "backup-passphrase": Message(
        N_("This passphrase or recovery kit does not open the backup."),
        N_("Type one that opened the installation when the backup was made; check the keyboard layout."),
    ),
    "backup-needs-device": Message(
        N_("Every passphrase of this backup needs the keyring of the workstation it was made on."),
        N_("Use the recovery kit."),
    ),
    "backup-damaged": Message(
        N_("The backup was cut or changed ({detail}). Nothing was restored."), N_("Use another copy of it.")
    ),
    "retired": Message(
        N_(
            "This installation was moved to another machine on {since}. It seals and opens no package any more."
        ),
        N_(
            "Use the other one. If the move came to nothing, work here again: in the settings, or `mithaq-cli revive`."
        ),
        N_("Use the other one. If the move came to nothing, work here again: the settings offer it."),
    ),
    "not-retired": Message(N_("This installation was not moved elsewhere.")),
    "revive-unconfirmed": Message(
        N_("If the backup of the move was restored anywhere, two installations would speak with one voice."),
        N_("Make sure that it was not, and will not be; then repeat with --confirmed."),
    ),
    # Purging
    "export-changed": Message(
        N_("What would be written has changed since it was looked at. Nothing was written."),
        N_("Look at it again."),
    ),
    "purge-changed": Message(
        N_("What would be removed has changed since it was looked at. Nothing was removed."),
        N_("Look at it again."),
    ),
    "purge-referring": Message(
        N_("{id} is still held and refers to what was removed."),
        N_("Look whether it says too much by itself."),
    ),
    "purge-waiting": Message(
        N_("Package {number} in the inbox still holds it, not decided."),
        N_("Decide the package; purge again to remove that copy too."),
    ),
    "purge-sealed": Message(
        N_("Package {seq} for {to} carries it and is not acknowledged."),
        N_("Void the package if it has not left; what they have is for them to delete."),
    ),
    "purge-sanitised": Message(
        N_("A sanitised form of it, {id}, went to {to} in package {seq}."),
        N_("What they have they keep: only a recall of that form asks it back."),
    ),
    # age files
    "age-header": Message(
        N_("Not an age file, or its header is malformed."), N_("Check that the right file was chosen.")
    ),
    "age-hmac": Message(N_("The header was changed."), N_("Fetch the file again.")),
    "age-no-match": Message(
        N_("No identity given fits this file."), N_("Give the right identity file or passphrase.")
    ),
    "age-payload": Message(N_("The content was changed or cut."), N_("Fetch the file again.")),
    "age-armor": Message(N_("The armor is malformed."), N_("Fetch the file again.")),
    "age-key": Message(N_("Not an age recipient or identity."), N_("Copy it again, whole.")),
    "age-recipients": Message(N_("These recipients cannot share one file."), N_("Encrypt a file for each.")),
    "age-passphrase": Message(N_("The passphrase is missing."), N_("Give -p with a file that holds it.")),
}
