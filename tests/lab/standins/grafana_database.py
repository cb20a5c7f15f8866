"""Grafana's database file, as far as users outlive a container by it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

SCHEMA = """
create table if not exists user (id integer primary key, login text unique, salt blob, password blob, is_admin integer);
create table if not exists org (id integer primary key, name text);
"""
ROUNDS = 10_000


class Database:
    """Users and their passwords."""

    def __init__(self, folder: Path, admin: str, password: str) -> None:
        """Opens it; a new one gets its administrator, an old one keeps its own whatever the settings say now."""
        self._file = folder / "grafana.db"
        is_new = not self._file.exists()
        with self._open() as connection:
            connection.executescript(SCHEMA)
            if is_new:
                connection.execute("insert into org (id, name) values (1, 'Main Org.')")
                salt, hashed = _hashed(password)
                row = (admin, salt, hashed, 1)
                connection.execute("insert into user (login, salt, password, is_admin) values (?, ?, ?, ?)", row)
        self._file.chmod(0o640)

    def accepts(self, login: str, password: str) -> bool:
        """Whether that is a user's password."""
        with self._open() as connection:
            row = connection.execute("select salt, password from user where login = ?", (login,)).fetchone()
        return row is not None and _hashed(password, row[0])[1] == row[1]

    def set_password(self, login: str, password: str) -> bool:
        """False when there is no such user."""
        with self._open() as connection:
            row = (*_hashed(password), login)
            return connection.execute("update user set salt = ?, password = ? where login = ?", row).rowcount == 1

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file)


def _hashed(password: str, salt: bytes | None = None) -> tuple[bytes, bytes]:
    salt = salt or os.urandom(16)
    return salt, hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
