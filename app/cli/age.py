"""Commands for plain age files, so that a package can be opened with standard tools in an emergency, and
the reverse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import click

from app.cli.base import Session
from app.courier import folder
from app.messages import Refused
from crypto import age as format_
from crypto.errors import CryptoError

IDENTITY_FILE_LIMIT = 1 << 20


@click.group()
def age() -> None:
    """Plain age v1 files."""


@age.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The identity file to write (default: standard output).",
)
@click.option("--classic", is_flag=True, help="An X25519 key instead of a post-quantum one.")
@click.pass_obj
def keygen(session: Session, output: Path | None, classic: bool) -> int:
    """Make an identity and print its recipient."""
    kind = format_.X25519Identity if classic else format_.HybridIdentity
    identity = kind.generate()
    text = format_.identity_file(identity, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    recipient = str(identity.recipient)
    if output is None:
        document = {"recipient": recipient, "identity": str(identity)}
        return session.show(document, text.decode().splitlines())
    folder.write_pieces(output, [text])
    return session.show({"recipient": recipient, "file": str(output)}, [recipient])


@age.command()
@click.option(
    "-r",
    "--recipient",
    "recipients",
    multiple=True,
    help="age1... or age1pq1...; may be given more than once.",
)
@click.option(
    "-p",
    "--passphrase",
    type=click.Path(path_type=Path),
    help="Encrypt to the passphrase in this file instead.",
)
@click.option("-a", "--armor", is_flag=True, help="Write text instead of bytes.")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.pass_obj
def encrypt(
    session: Session,
    recipients: tuple[str, ...],
    passphrase: Path | None,
    armor: bool,
    source: Path,
    output: Path,
) -> int:
    """Encrypt SOURCE for recipients, or to a passphrase."""
    with _age_errors():
        if passphrase is not None:
            keys: list[format_.Recipient] = [format_.ScryptRecipient(_passphrase(passphrase))]
            keys += [format_.parse_recipient(text) for text in recipients]
        else:
            keys = [format_.parse_recipient(text) for text in recipients]
        with _source(source) as file, folder.new_file(output) as target:
            format_.encrypt(file, target, keys, armored=armor)
    return session.show({"file": str(output)}, [str(output)])


@age.command()
@click.option(
    "-i", "--identity", "identities", type=click.Path(path_type=Path), multiple=True, help="An identity file."
)
@click.option(
    "-p", "--passphrase", type=click.Path(path_type=Path), help="The file that holds the passphrase."
)
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.pass_obj
def decrypt(
    session: Session, identities: tuple[Path, ...], passphrase: Path | None, source: Path, output: Path
) -> int:
    """Decrypt SOURCE, armored or not. Nothing is written unless all of it is sound."""
    with _age_errors():
        keys: list[format_.Identity] = []
        for path in identities:
            with _source(path) as file:
                keys += format_.parse_identity_file(file.read(IDENTITY_FILE_LIMIT + 1))
        if passphrase is not None:
            keys.append(format_.ScryptIdentity(_passphrase(passphrase)))
        with _source(source) as file, folder.new_file(output) as target:
            format_.decrypt(file, target, keys)
    return session.show({"file": str(output)}, [str(output)])


@contextmanager
def _age_errors() -> Iterator[None]:
    try:
        yield
    except CryptoError as error:
        raise Refused(error.code) from error


@contextmanager
def _source(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise Refused("file-unreadable", path=path, why=error.strerror) from error
    with file:
        yield file


def _passphrase(path: Path) -> str:
    with _source(path) as file:
        try:
            text = file.read(IDENTITY_FILE_LIMIT).split(b"\n", 1)[0].removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise Refused("age-passphrase") from error
    if not text:
        raise Refused("age-passphrase")
    return text


COMMANDS: dict[str, click.Command] = {"age": age}
