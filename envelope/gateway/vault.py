"""The vault: callers' secrets encrypted at rest, by keys from a file that only its owner can read.

Secrets cannot be hashed: the gateway's signature is computed from the clear one.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from envelope.errors import EnvelopeError

__all__ = ["Vault", "VaultError"]


_NOT_OPENED: Final = "a secret cannot be opened with these keys"


class VaultError(EnvelopeError):
    """A key cannot be used, or a secret not be opened with the keys there are; nothing of either is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Vault:
    """Seals secrets with the first of *keys*, and opens what any of them sealed: Fernet's, from `new_key`.

    To change keys, put a new one first, reseal everything, and drop the old ones. Raises `VaultError` if there is no
    key, or one is not of that form.
    """

    __slots__ = ("_fernet", "_fernets", "_keys")

    def __init__(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        try:
            self._fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise VaultError("a vault's key is 32 bytes in URL-safe base64") from None
        if not keys:
            raise VaultError("a vault needs a key")
        self._fernet = MultiFernet(self._fernets)
        self._keys = [key.encode() for key in keys]

    @staticmethod
    def new_key() -> str:
        """A new random key."""
        return Fernet.generate_key().decode()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Vault:
        """The vault whose keys are the lines of a file, the newest first.

        Raises `VaultError` if the file cannot be read, or anybody but its owner can read it.
        """
        try:
            with open(path, encoding="ascii") as file:
                mode = os.fstat(file.fileno()).st_mode
                lines = file.read().split()
        except OSError as error:
            raise VaultError(f"the key file cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise VaultError("the key file is not ASCII") from None
        if stat.S_IMODE(mode) & 0o077:
            raise VaultError("others than its owner can read the key file: chmod 600")
        return cls(lines)

    @classmethod
    def make_file(cls, path: str | os.PathLike[str]) -> Vault:
        """A new key in a new file that its owner alone can read; `VaultError` if there is a file of that name."""
        path = Path(path).absolute()
        hidden = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        try:
            with open(os.open(hidden, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(f"{cls.new_key()}\n")
                file.flush()
                os.fsync(file.fileno())  # what it seals must not outlive it
            # Nobody sees a part of it, also if this process is killed; and who comes second does not replace it.
            try:
                os.link(hidden, path)
            finally:
                hidden.unlink()
        except OSError as error:
            raise VaultError(f"the key file cannot be made: {error.strerror}") from None
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return cls.from_file(path)

    def seal(self, secret: str) -> str:
        """*secret*, encrypted: ASCII, and another text each time."""
        return self._fernet.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed; `VaultError` if it was changed, or sealed by another key."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError(_NOT_OPENED) from None

    def is_newest(self, sealed: str) -> bool:
        """Whether it was the first key that *sealed* was sealed with."""
        return _opens(self._fernets[0], sealed)

    def derive(self, purpose: str, sealed: str) -> bytes:
        """A key for another *purpose*, from the one that *sealed* was sealed with; it says nothing about that one.

        Whoever can open *sealed* has the same in `derive_all`, however many keys there are beside. `VaultError` if it
        cannot be opened.
        """
        for key, fernet in zip(self._keys, self._fernets, strict=True):
            if _opens(fernet, sealed):
                return _derived(key, purpose)
        raise VaultError(_NOT_OPENED)

    def derive_all(self, purpose: str) -> tuple[bytes, ...]:
        """What `derive` may give, whatever was sealed."""
        return tuple(_derived(key, purpose) for key in self._keys)

    def reseal(self, sealed: str) -> str:
        """The same secret, sealed with the first key; `VaultError` if it cannot be opened."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken:
            raise VaultError(_NOT_OPENED) from None


def _opens(fernet: Fernet, sealed: str) -> bool:
    try:
        fernet.decrypt(sealed.encode())
    except InvalidToken:
        return False
    return True


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, purpose.encode(), "sha256")
