"""The store's key, which stands in for KMS: function environments are encrypted with it at rest."""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Undecryptable(Exception):
    """An environment can't be decrypted: the key is another one, or kept from whoever asks, or the text was changed."""


class StoreKey:
    """A random AES-256-GCM key in a file of mode 0600, made when it is first used; several processes share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cipher: AESGCM | None = None

    def seal(self, variables: dict[str, str], owner: str) -> str:
        """Variables as base64 text that only this key opens, and only for the same owner (a function's name)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._load().encrypt(nonce, json.dumps(variables).encode(), owner.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, owner: str) -> dict[str, str]:
        """The variables again. Undecryptable if key, text or owner don't fit, or the key can't be read."""
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(sealed)
        try:
            opened = self._load().decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError, OSError) as error:
            raise Undecryptable(str(self._path)) from error
        found: dict[str, str] = json.loads(opened)
        return found

    def _load(self) -> AESGCM:
        if self._cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            try:
                key = self._path.read_bytes()
            except FileNotFoundError:
                key = self._make()
            try:
                self._cipher = AESGCM(key)
            except ValueError as error:
                raise Undecryptable(str(self._path)) from error  # no key of ours is that long
        return self._cipher

    def _make(self) -> bytes:
        """A new key, whole or not at all; if another process was faster, its key."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(KEY_BYTES))
            os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(partial, self._path)
        finally:
            os.close(descriptor)
            partial.unlink()
        return self._path.read_bytes()
