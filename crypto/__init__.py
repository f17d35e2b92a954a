"""Bytes in, bytes out: formats, keys and signatures. Knows nothing of STIX, databases or Qt."""
