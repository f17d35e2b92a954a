"""The encrypted database: connection, migrations, queries. The only importer of sqlcipher3."""
