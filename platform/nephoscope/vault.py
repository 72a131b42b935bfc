"""Secrets at rest: encrypted by keys that the operator keeps, opened one at a time, and never shown by accident."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

KEPT = 2
"""Keys that are kept in the file once all that can be seen is encrypted by the newest."""


class SecretUnreadable(Exception):
    """A secret cannot be decrypted with the keys that there are; says so without any of either."""


class Vault:
    """Encrypts texts by the newest of several keys, and decrypts what any of them encrypted.

    :param given: the keys, newest first, 32 bytes in base64 each. Without them they are kept in ``file``, one a line,
        which is made with a first key and can be read by its owner only.
    """

    def __init__(self, given: Sequence[str], file: Path) -> None:
        self._given, self.file = tuple(given), file

    @property
    def keeps_keys(self) -> bool:
        """Whether the keys are in the file, and not in the operator's hands."""
        return not self._given

    def read_keys(self) -> list[str]:
        """Return the keys, newest first; read anew each time, as another process may have added one.

        :raises SecretUnreadable: the file holds something else.
        """
        if self._given:
            return list(self._given)
        if not self.file.exists():
            with contextlib.suppress(FileExistsError):
                self._write([new_key()], replace=False)
        found = self.file.read_text().split()
        if not found or not all(map(_is_key, found)):
            raise SecretUnreadable(f"{self.file} does not hold encryption keys; put back the one of your backup.")
        return found

    def seal(self, text: str) -> str:
        """Encrypt a text; an empty one stays empty."""
        return Fernet(self.read_keys()[0]).encrypt(text.encode()).decode() if text else ""

    def open(self, sealed: str) -> str:
        """Decrypt a text.

        :raises SecretUnreadable: none of the keys fits.
        """
        if not sealed:
            return ""
        try:
            return MultiFernet([Fernet(each) for each in self.read_keys()]).decrypt(sealed).decode()
        except (InvalidToken, ValueError):
            raise SecretUnreadable(
                "A stored secret cannot be decrypted: its key is neither in NEPHOSCOPE_ENCRYPTION_KEYS nor in the file "
                f"{self.file.name} of the data directory. Put it back, or enter the secret anew."
            ) from None

    def seal_again(self, sealed: str) -> str:
        """Return the same encrypted by the newest key: as it is, when it is by that one already.

        :raises SecretUnreadable: none of the keys fits.
        """
        try:
            if sealed:
                Fernet(self.read_keys()[0]).decrypt(sealed)
        except (InvalidToken, ValueError):
            return self.seal(self.open(sealed))
        return sealed

    def add_key(self) -> None:
        """Make a new key, which encrypts from now on. Those before it still decrypt."""
        with self._changing():
            self._write([new_key(), *self.read_keys()], replace=True)

    def forget_old_keys(self) -> None:
        """Keep the newest key and the one before it.

        By that one a transaction may have encrypted that nobody sees yet; it goes when the next is made.
        """
        with self._changing():
            self._write(self.read_keys()[:KEPT], replace=True)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Let no other process change the keys between reading and writing them: one of its own would be lost.

        The lock is on a file beside them, as theirs is replaced.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.file.with_name(f"{self.file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)  # which unlocks it

    def _write(self, keys: Sequence[str], *, replace: bool) -> None:
        """Write the file at once, so that no process reads half of it.

        :raises FileExistsError: it is there, and not to be replaced.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=self.file.name)  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write("".join(f"{each}\n" for each in keys))
            if replace:
                Path(name).replace(self.file)
            else:
                self.file.hardlink_to(name)
        finally:
            Path(name).unlink(missing_ok=True)


def new_key() -> str:
    return Fernet.generate_key().decode()


def _is_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


class Secrets(Mapping[str, str]):
    """Secret texts by name, as they are stored: which there are is known, each is decrypted when it is asked for."""

    def __init__(self, vault: Vault, sealed: Mapping[str, str]) -> None:
        self._vault, self.sealed = vault, dict(sealed)

    @classmethod
    def of(cls, vault: Vault, texts: Mapping[str, str]) -> Secrets:
        return cls(vault, {name: vault.seal(text) for name, text in texts.items()})

    def __getitem__(self, name: str) -> str:
        """Decrypt one. Raises SecretUnreadable."""
        return self._vault.open(self.sealed[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.sealed)

    def __len__(self) -> int:
        return len(self.sealed)

    def __contains__(self, name: object) -> bool:
        return name in self.sealed

    def is_set(self, name: str) -> bool:
        """Whether there is one of this name that is not empty."""
        return bool(self.sealed.get(name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secrets) and self.sealed == other.sealed

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Secrets: {', '.join(self.sealed) or 'none'}>"
