"""What things are called on the screen: STIX types, states of packages, acts of the log, properties of objects."""

from __future__ import annotations

from app.messages import N_, _

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
    "file": (N_("File"), N_("Files")),
    "grouping": (N_("Grouping"), N_("Groupings")),
    "identity": (N_("Identity"), N_("Identities")),
    "indicator": (N_("Indicator"), N_("Indicators")),
    "infrastructure": (N_("Infrastructure"), N_("Infrastructure")),
    "intrusion-set": (N_("Intrusion set"), N_("Intrusion sets")),
    "ipv4-addr": (N_("IPv4 address"), N_("IPv4 addresses")),
    "ipv6-addr": (N_("IPv6 address"), N_("IPv6 addresses")),
    "location": (N_("Location"), N_("Locations")),
    "malware": (N_("Malware"), N_("Malware")),
    "malware-analysis": (N_("Malware analysis"), N_("Malware analyses")),
    "marking-definition": (N_("Marking"), N_("Markings")),
    "mutex": (N_("Mutex"), N_("Mutexes")),
    "network-traffic": (N_("Network traffic"), N_("Network traffic")),
    "note": (N_("Note"), N_("Notes")),
    "observed-data": (N_("Observed data"), N_("Observed data")),
    "opinion": (N_("Opinion"), N_("Opinions")),
    "process": (N_("Process"), N_("Processes")),
    "relationship": (N_("Relationship"), N_("Relationships")),
    "report": (N_("Report"), N_("Reports")),
    "sighting": (N_("Sighting"), N_("Sightings")),
    "software": (N_("Software"), N_("Software")),
    "threat-actor": (N_("Threat actor"), N_("Threat actors")),
    "tool": (N_("Tool"), N_("Tools")),
    "url": (N_("URL"), N_("URLs")),
    "user-account": (N_("User account"), N_("User accounts")),
    "vulnerability": (N_("Vulnerability"), N_("Vulnerabilities")),
    "windows-registry-key": (N_("Registry key"), N_("Registry keys")),
    "x509-certificate": (N_("Certificate"), N_("Certificates")),
}

PROPERTIES: dict[str, str] = {
    "aliases": N_("Also called"),
    "confidence": N_("Confidence"),
    "created": N_("Created"),
    "created_by_ref": N_("Created by"),
    "definition_type": N_("Definition"),
    "description": N_("Description"),
    "external_references": N_("References"),
    "first_seen": N_("First seen"),
    "goals": N_("Goals"),
    "identity_class": N_("Class"),
    "indicator_types": N_("Kind"),
    "infrastructure_types": N_("Kind"),
    "is_family": N_("Family"),
    "kill_chain_phases": N_("Phases"),
    "labels": N_("Labels"),
    "lang": N_("Language"),
    "last_seen": N_("Last seen"),
    "malware_types": N_("Kind"),
    "modified": N_("Changed"),
    "name": N_("Name"),
    "object_marking_refs": N_("Markings"),
    "objective": N_("Objective"),
    "pattern": N_("Pattern"),
    "pattern_type": N_("Pattern language"),
    "published": N_("Published"),
    "relationship_type": N_("Relation"),
    "report_types": N_("Kind"),
    "resource_level": N_("Resources"),
    "revoked": N_("Revoked"),
    "sectors": N_("Sectors"),
    "source_ref": N_("From"),
    "target_ref": N_("To"),
    "threat_actor_types": N_("Kind"),
    "tool_types": N_("Kind"),
    "valid_from": N_("Valid from"),
    "valid_until": N_("Valid until"),
    "value": N_("Value"),
}

# Status token and words of the states that packages and ledger entries go through.
STATES: dict[str, tuple[str, str, str]] = {  # icon, colour, words
    "sealed": ("package", "muted", N_("Sealed")),
    "handed": ("hard-drive", "info", N_("Carried")),
    "carried": ("hard-drive", "info", N_("Carried")),
    "received": ("check", "info", N_("Received")),
    "acked": ("check-check", "success", N_("Acknowledged")),
    "accepted": ("check-check", "success", N_("Accepted")),
    "refused": ("ban", "danger", N_("Refused")),
    "recalled": ("undo-2", "warning", N_("Recalled")),
    "void": ("x", "muted", N_("Void")),
    "pending": ("clock", "warning", N_("Waits for review")),
    "decided": ("check", "muted", N_("Decided")),
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
    "receipt.received": N_("Receipt received"),
    "receipt.unknown": N_("Receipt about something unknown"),
    "receipt.unreadable": N_("Receipt not readable"),
    "package.sealed": N_("Package sealed"),
    "package.carried": N_("Package carried"),
    "package.received": N_("Package opened"),
    "package.accepted": N_("Accepted"),
    "package.refused": N_("Rejected"),
    "counterpart.added": N_("Card added"),
    "counterpart.verified": N_("Counterpart verified"),
    "counterpart.renamed": N_("Counterpart renamed"),
    "counterpart.revoked": N_("Counterpart revoked"),
    "handling.raised": N_("Handling raised"),
    "handling.lowered": N_("Handling lowered"),
    "conflict.resolved": N_("Conflict decided"),
    "rolled-back": N_("Older store accepted"),
    "anchor-missing": N_("Store without an anchor accepted"),
    "backup": N_("Backup made"),
    "moved": N_("Moved to another machine"),
    "revived": N_("Used again after a move"),
    "restored": N_("Restored from a backup"),
    "purge": N_("Objects removed for good"),
    "setting.changed": N_("Setting changed"),
    "officer.added": N_("Officer added"),
    "officer.removed": N_("Officer removed"),
    "drop.added": N_("Drop added"),
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
    "package.void": N_("Package void"),
    "packages.asked": N_("Packages asked for again"),
    "sector.labelled": N_("Sectors said"),
    "slot.added": N_("Way to unlock added"),
    "slot.removed": N_("Way to unlock removed"),
    "store.rekeyed": N_("Store under a new key"),
    "unlocked.recovery": N_("Unlocked with the recovery kit"),
}


def type_word(kind: str, *, many: bool = False) -> str:
    """What a STIX type is called; a type nobody knows keeps its own name."""
    words = TYPES.get(kind)
    return _(words[1 if many else 0]) if words else kind


def property_word(name: str) -> str:
    """What a property is called; unknown ones keep their own name, with spaces."""
    return _(PROPERTIES[name]) if name in PROPERTIES else name.removesuffix("_ref").replace("_", " ")


def state_word(state: str) -> str:
    return _(STATES[state][2]) if state in STATES else state


def act_word(act: str) -> str:
    return _(ACTS[act]) if act in ACTS else act
