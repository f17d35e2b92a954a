"""Names that are written again and again stand as a number, any other name as it is.

The numbers are stored: what was added stays where it is, and more goes to the end.
"""

from __future__ import annotations

NAMES = (
    # Properties that refer.
    *(
        "created_by_ref",
        "sighting_of_ref",
        "where_sighted_refs",
        "observed_data_refs",
        "object_refs",
        "object_ref",
    ),
    *("source_ref", "target_ref", "extensions", "parent_directory_ref", "contains_refs", "resolves_to_refs"),
    *(
        "belongs_to_ref",
        "belongs_to_refs",
        "from_ref",
        "sender_ref",
        "to_refs",
        "cc_refs",
        "bcc_refs",
        "src_ref",
    ),
    *(
        "dst_ref",
        "src_payload_ref",
        "dst_payload_ref",
        "encapsulates_refs",
        "encapsulated_by_ref",
        "image_ref",
    ),
    *(
        "opened_connection_refs",
        "creator_user_ref",
        "parent_ref",
        "child_refs",
        "raw_email_ref",
        "body_raw_ref",
    ),
    *(
        "analysis_sco_refs",
        "sample_refs",
        "sample_ref",
        "operating_system_refs",
        "host_vm_ref",
        "software_refs",
    ),
    *("installed_software_refs", "content_ref", "service_dll_refs", "x_mitre_modified_by_ref", "tactic_refs"),
    *("x_mitre_data_source_ref", "x_mitre_analytic_refs", "x_mitre_log_source_references"),
    # Relationships.
    *("uses", "targets", "indicates", "mitigates", "attributed-to", "based-on", "related-to", "derived-from"),
    *(
        "duplicate-of",
        "subtechnique-of",
        "detects",
        "revoked-by",
        "delivers",
        "drops",
        "exploits",
        "downloads",
    ),
    *("communicates-with", "consists-of", "controls", "has", "hosts", "owns", "located-at", "impersonates"),
    *(
        "compromises",
        "originates-from",
        "beacons-to",
        "exfiltrates-to",
        "authored-by",
        "variant-of",
        "remediates",
    ),
    *(
        "investigates",
        "characterizes",
        "analysis-of",
        "static-analysis-of",
        "dynamic-analysis-of",
        "resolves-to",
    ),
    *("belongs-to", "member-of", "contains"),
    # Kinds of observables that are no name above.
    *("ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr", "file", "directory", "mutex"),
    *(
        "windows-registry-key",
        "autonomous-system",
        "user-account",
        "process",
        "x509-certificate",
        "email-message",
    ),
    *("md5", "sha-1", "sha-224", "sha-256", "sha-384", "sha-512", "sha3-256", "sha3-512", "ssdeep", "tlsh"),
)

CODES = {name: number for number, name in enumerate(NAMES)}
"""The numbers, by name."""


def code(name: str) -> int | str:
    """What is stored for a name."""
    return CODES.get(name, name)


def name(code: int | str) -> str:
    """The name that was stored."""
    return NAMES[code] if isinstance(code, int) else code
