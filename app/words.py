"""What codes are called: types of STIX, states of what is exchanged, acts of the log, for the window and the terminal.

In English the terminal says the codes as they are, which docs/cli.md explains; in other languages it says their words
(`word`). A code without a word keeps its own name.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.messages import N_, NP_, _, translated

TYPES: dict[str, tuple[str, str]] = {
    "artifact": (N_("Artifact"), N_("Artifacts")),
    "attack-pattern": (N_("Technique"), N_("Techniques")),
    "autonomous-system": (N_("Autonomous system"), N_("Autonomous systems")),
    "campaign": (N_("Campaign"), N_("Campaigns")),
    "course-of-action": (N_("Course of action"), N_("Courses of action")),
    "directory": (N_("Directory"), N_("Directories")),
    "domain-name": (N_("Domain"), N_("Domains")),
    "email-addr": (N_("Mail address"), N_("Mail addresses")),
    "email-message": (N_("Mail"), N_("Mails")),
    "extension-definition": (N_("Extension"), N_("Extensions")),
    "file": (NP_("type of object", "File"), N_("Files")),
    "grouping": (N_("Grouping"), N_("Groupings")),
    "identity": (N_("Identity"), N_("Identities")),
    "indicator": (N_("Indicator"), N_("Indicators")),
    "infrastructure": (N_("Infrastructure"), NP_("several objects", "Infrastructure")),
    "intrusion-set": (N_("Intrusion set"), N_("Intrusion sets")),
    "ipv4-addr": (N_("IPv4 address"), N_("IPv4 addresses")),
    "ipv6-addr": (N_("IPv6 address"), N_("IPv6 addresses")),
    "location": (N_("Location"), N_("Locations")),
    "malware": (N_("Malware"), NP_("several objects", "Malware")),
    "malware-analysis": (N_("Malware analysis"), N_("Malware analyses")),
    "marking-definition": (NP_("type of object", "Marking"), N_("Markings")),
    "mutex": (N_("Mutex"), N_("Mutexes")),
    "network-traffic": (N_("Network traffic"), NP_("several objects", "Network traffic")),
    "note": (NP_("type of object", "Note"), N_("Notes")),
    "observed-data": (N_("Observed data"), NP_("several objects", "Observed data")),
    "opinion": (N_("Opinion"), N_("Opinions")),
    "process": (N_("Process"), N_("Processes")),
    "relationship": (N_("Relationship"), N_("Relationships")),
    "report": (N_("Report"), N_("Reports")),
    "sighting": (N_("Sighting"), N_("Sightings")),
    "software": (N_("Software"), NP_("several objects", "Software")),
    "threat-actor": (N_("Threat actor"), N_("Threat actors")),
    "tool": (N_("Tool"), N_("Tools")),
    "url": (N_("URL"), N_("URLs")),
    "user-account": (N_("User account"), N_("User accounts")),
    "vulnerability": (N_("Vulnerability"), N_("Vulnerabilities")),
    "windows-registry-key": (N_("Registry key"), N_("Registry keys")),
    "x509-certificate": (N_("Certificate"), N_("Certificates")),
}

# How far packages got, here and at the counterpart.
PACKAGE_STATES: dict[str, str] = {
    "sealed": NP_("package", "Sealed"),
    "handed": NP_("package", "Carried"),
    "carried": NP_("package", "Carried"),
    "received": NP_("package", "Received"),
    "acked": NP_("package", "Acknowledged"),
    "accepted": NP_("package", "Accepted"),
    "refused": NP_("package", "Refused"),
    "recalled": NP_("package", "Recalled"),
    "void": NP_("package", "Void"),
    "pending": NP_("package", "Waits for review"),
    "decided": NP_("package", "Decided"),
    "left": NP_("package", "Epoch over"),
    "closed": NP_("package", "Closed"),
}

# The same words where they are said of an object that came or went out, and what becomes of one.
OBJECT_STATES: dict[str, str] = {
    "sealed": NP_("object", "Sealed"),
    "handed": NP_("object", "Carried"),
    "carried": NP_("object", "Carried"),
    "received": NP_("object", "Received"),
    "accepted": NP_("object", "Accepted"),
    "refused": NP_("object", "Refused"),
    "recalled": NP_("object", "Recalled"),
    "void": NP_("object", "Void"),
    "pending": NP_("object", "Waits for review"),
    "decided": NP_("object", "Decided"),
    "removed": NP_("object", "Removed"),
    "held": NP_("object", "Held"),
    "never": NP_("object", "Never came"),
}

# How an object of a package compares with the holdings.
STATUSES: dict[str, str] = {
    "new": N_("New"),
    "newer": N_("Newer"),
    "same": N_("Same"),
    "older": N_("Older"),
    "conflict": N_("Conflict"),
    "revoked": N_("Revoked"),
}

PRIORITIES: dict[str, str] = {"flash": N_("Flash"), "routine": N_("Routine")}

AGREEMENT_STATES: dict[str, str] = {
    "in-force": N_("In force"),
    "proposed": N_("Proposed"),
    "upcoming": N_("Not begun yet"),
    "expired": N_("Period over"),
    "superseded": N_("Replaced"),
    "ended": N_("Ended"),
    "closed": N_("Not signed in time"),
}

KINDS: dict[str, str] = {
    "threats": N_("Threats"),
    "vulnerabilities": N_("Vulnerabilities"),
    "best-practices": N_("Best practices"),
}

ONWARD: dict[str, str] = {
    "never": N_("Never passed on"),
    "consent": N_("Passed on with consent"),
    "within-tlp": N_("Passed on within TLP"),
}

# A request for information, or for a consent.
REQUEST_STATES: dict[str, str] = {
    "open": NP_("request", "Open"),
    "answered": NP_("request", "Answered"),
    "declined": NP_("request", "Declined"),
    "withdrawn": NP_("request", "Withdrawn"),
    "closed": NP_("request", "Closed"),
}

CONSENT_STATES: dict[str, str] = {
    "in-force": N_("In force"),
    "expired": NP_("consent", "Period over"),
    "withdrawn": NP_("consent", "Withdrawn"),
    "waiting": NP_("consent", "Waits for its request"),
    "void": NP_("consent", "Without effect"),
}

# What is asked of a counterpart, or given, and about what.
ASKED: dict[str, str] = {
    "request": NP_("what is asked or given", "Request"),
    "consent": NP_("what is asked or given", "Consent"),
    "onward": N_("Passing on"),
    "retention": NP_("what is asked or given", "Retention"),
}

RECALL_STATES: dict[str, str] = {
    "open": NP_("recall", "Open"),
    "confirmed": NP_("recall", "Confirmed"),
    "refused": NP_("recall", "Refused"),
    "withdrawn": NP_("recall", "Withdrawn"),
}

# Whose statement it is.
SIDES: dict[str, str] = {"ours": N_("ours"), "theirs": N_("theirs")}

# How an object came in.
ORIGINS: dict[str, str] = {
    "import": NP_("how an object came", "Import"),
    "package": NP_("how an object came", "Package"),
}

# What stands in an agreement: its clauses, and what is known of it here.
CLAUSES: dict[str, str] = {
    "number": NP_("agreement", "Number"),
    "id": NP_("agreement", "Id"),
    "counterpart": N_("Counterpart"),
    "proposer": NP_("agreement", "Proposed by"),
    "state": N_("State"),
    "ceiling": N_("Ceiling"),
    "from": NP_("day", "From"),
    "until": N_("Until"),
    "supersedes": NP_("agreement", "Replaces"),
    "purposes": N_("Purposes"),
    "kinds": N_("Kinds"),
    "sectors": N_("Sectors"),
    "onward": N_("Passing on"),
    "retention": NP_("agreement", "Retention, days"),
    "exercise": N_("For exercises only"),
    "open_until": N_("Sign by"),
    "receipts": NP_("agreement", "Receipts"),
    "proposed": NP_("time", "Proposed"),
    "signed": NP_("time", "Signed"),
    "ended": NP_("time", "Ended"),
}

# What a receipt tells of the objects of a package.
RECEIPTS: dict[str, str] = {
    "counts": NP_("what receipts tell", "How many"),
    "ids": NP_("what receipts tell", "Which"),
}

# What opens an installation.
SLOTS: dict[str, str] = {
    "passphrase": N_("Passphrase"),
    "passphrase+device": N_("Passphrase, with this workstation's keyring"),
    "recovery": N_("Recovery kit"),
}

ACTS: dict[str, str] = {
    "created": N_("Installation created"),
    "unlocked": N_("Unlocked"),
    "locked": N_("Locked"),
    "unlock.failed": N_("Unlocking failed before"),
    "unlock.refused": N_("Unlocking refused"),
    "checked": N_("Store checked"),
    "log.checked": N_("Log checked"),
    "log.checkpoint": N_("Checkpoint written"),
    "log.converted": N_("Log taken over into the tree"),
    "log.exported": N_("Log exported"),
    "log.opened": N_("Commitment to the log opened"),
    "log.proved": N_("Entry proved to others"),
    "log.reported": N_("Report for an inspector"),
    "import": N_("Imported"),
    "release": N_("Released"),
    "receipt": N_("Receipt sealed"),
    "receipt.sealed": N_("Receipt sealed"),
    "receipt.heard": N_("Receipt heard over the telephone"),
    "receipt.received": N_("Receipt received"),
    "receipt.unknown": N_("Receipt about something unknown"),
    "receipt.unreadable": N_("Receipt not readable"),
    "receipt.contradicts": N_("Receipt contradicts another"),
    "package.sealed": N_("Package sealed"),
    "package.carried": N_("Package carried"),
    "package.received": N_("Package opened"),
    "package.accepted": NP_("act", "Accepted"),
    "package.refused": NP_("act", "Rejected"),
    "counterpart.added": N_("Card added"),
    "counterpart.verified": N_("Counterpart verified"),
    "counterpart.replaced": N_("Counterpart's card replaced"),
    "counterpart.merged": N_("Card known twice made one"),
    "identity.rotated": N_("Own keys rotated"),
    "identity.replaced": N_("Own keys replaced"),
    "identity.followed": N_("Counterpart's keys changed"),
    "identity.forked": N_("Counterpart's key names two successors"),
    "rollback.proven": N_("Older store proven by a counterpart"),
    "manifest.returned": N_("Own package shown by a counterpart"),
    "slots.mended": N_("Old key slots put right"),
    "slots.undone": N_("Key slots as before still"),
    "counterpart.renamed": N_("Counterpart renamed"),
    "counterpart.revoked": N_("Counterpart revoked"),
    "handling.raised": N_("Handling raised"),
    "handling.lowered": N_("Handling lowered"),
    "conflict.resolved": N_("Conflict decided"),
    "rolled-back": N_("Older store accepted"),
    "anchor-missing": N_("Store without an anchor accepted"),
    "store.compacted": N_("Store compacted"),
    "indexes.remade": N_("Indexes made anew"),
    "backup": N_("Backup made"),
    "moved": N_("Moved to another machine"),
    "revived": N_("Used again after a move"),
    "restored": N_("Restored from a backup"),
    "purge": N_("Objects removed for good"),
    "setting.changed": N_("Setting changed"),
    "officer.added": N_("Officer added"),
    "officer.removed": N_("Officer removed"),
    "drop.added": N_("Drop added"),
    "drop.removed": N_("Drop removed"),
    "agreement.proposed": N_("Agreement proposed"),
    "agreement.signed": N_("Agreement signed"),
    "agreement.ended": N_("Agreement ended"),
    "channel.forked": N_("Channel stopped: a fork"),
    "ack.excused": N_("False acknowledgement recorded"),
    "agreement.received": N_("Agreement received"),
    "agreement.unreadable": N_("Agreement not readable"),
    "epoch.announced": N_("New epoch announced by them"),
    "epoch.confirmed": N_("New epoch confirmed"),
    "epoch.restarted": N_("Epoch restarted"),
    "export": N_("Exported"),
    "attachment.added": N_("Attachment added"),
    "attachment.saved": N_("Attachment saved out"),
    "attachment.removed": N_("Attachment destroyed"),
    "package.void": N_("Package void"),
    "packages.asked": N_("Packages asked for again"),
    "sector.labelled": N_("Sectors said"),
    "slot.added": N_("Way to unlock added"),
    "slot.removed": N_("Way to unlock removed"),
    "store.rekeyed": N_("Store under a new key"),
    "store.rekey-undone": N_("Store under its old key still"),
    "unlocked.recovery": N_("Unlocked with the recovery kit"),
    "acceptance.undone": N_("Acceptance undone"),
    "clock.corrected": N_("Clock corrected"),
    "consent.requested": N_("Consent asked for"),
    "consent.given": N_("Consent given"),
    "consent.withdrawn": N_("Request or consent withdrawn"),
    "consent.received": N_("Request or consent received"),
    "creator.pinned": N_("Creator of objects said"),
    "embargo": N_("Embargo set"),
    "feedback": N_("Feedback written"),
    "information.requested": N_("Information asked for"),
    "information.closed": N_("Request for information closed"),
    "information.received": N_("Request for information received"),
    "recall.sent": N_("Recall sent"),
    "recall.answered": N_("Recall answered"),
    "recall.withdrawn": N_("Recall withdrawn"),
    "recall.received": N_("Recall received"),
    "recall.deleted": N_("Recalled objects removed for good"),
    "retention.purged": N_("Removed at the end of retention"),
    "sanitised": N_("Sanitised form prepared"),
    "sanitised.ended": N_("Sanitised form given up"),
    "source.declared": N_("Independent source declared"),
}

# What an officer may set (`app.settings`), and to what.
SETTING_NAMES: dict[str, str] = {
    "handling": N_("Default handling"),
    "idle_minutes": N_("Lock after"),
    "language": N_("Language"),
    "theme": N_("Colours"),
    "density": N_("Rows"),
}
LANGUAGES: dict[str, str] = {
    "system": N_("As the desktop"),
    "en": "English",
    "ar": "العربية",
    "fr": "Français",
}
THEMES: dict[str, str] = {
    "system": N_("As the desktop"),
    "light": N_("Light"),
    "dark": N_("Dark"),
    "high_contrast": N_("High contrast"),
}
DENSITIES: dict[str, str] = {"normal": N_("Normal"), "compact": N_("Compact")}

YES_NO: dict[str, str] = {"True": N_("yes"), "False": N_("no")}

# Why a channel began anew.
EPOCH_REASONS: dict[str, str] = {
    "first": NP_("why a channel began", "First"),
    "restored": N_("Restored from a backup"),
    "forked": NP_("why a channel began", "Two packages with one number"),
    "rotated": NP_("why a channel began", "Keys rotated"),
    "replaced": NP_("why a channel began", "Keys replaced"),
}


def logged_words(act: str, name: str, value: object) -> Mapping[str, str]:
    """The words of what an entry of the log tells under a name, where that is one of a list; an officer's own words
    are none.
    """
    if isinstance(value, bool):
        return YES_NO
    if name == "reason" and act.startswith("epoch."):
        return EPOCH_REASONS
    if name == "kind" and act == "slot.added":
        return SLOTS | {"device": SLOTS["passphrase+device"]}
    if name == "undone" and act == "slots.undone":
        return ACTS
    if act == "setting.changed":
        return SETTING_NAMES if name == "name" else LANGUAGES | THEMES | DENSITIES
    return {}


def word(words: Mapping[str, str], code: str) -> str:
    """A code for the terminal: in English the code itself, in other languages its word, if it has one."""
    return _(words[code]) if code in words and translated() else code


def type_name(kind: str) -> str:
    """A STIX type for the terminal, likewise."""
    return _(TYPES[kind][0]) if kind in TYPES and translated() else kind
