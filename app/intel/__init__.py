"""What STIX 2.1 means, without I/O: reading, envelopes, versions, markings, folding, comparing, identifiers.

Knows nothing of databases, packages or windows. Bytes and plain values in, plain values out.
"""
