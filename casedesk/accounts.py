"""Staff accounts: roles, argon2 passwords, lock-out after failures, log-ins that time out.

``python -m casedesk.accounts add --role admin NAME`` makes an account; the password is asked for, or made and shown
once with ``--generate``.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import os
import re
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from casedesk.db import Database
from casedesk.desk import Desk, open_desk
from casedesk.models import Account, LogIn
from runtime.settings import settings

ROLES: dict[str, frozenset[str]] = {
    "nurse": frozenset({"read", "work", "acknowledge", "export", "resend"}),
    "reviewer": frozenset({"read", "review"}),
    "admin": frozenset({"read", "work", "acknowledge", "export", "resend", "review", "erase", "audit", "accounts"}),
}
"""What each role may do. A reviewer reads, writes notes and says when the report is ready."""

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=15)
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SHORTEST_PASSWORD = 12
NAME = re.compile(r"[\w.@' -]{2,60}")

_hasher = PasswordHasher()
# Checked when a name is unknown, so that the time taken does not tell which names exist.
_nobody = _hasher.hash(secrets.token_hex(16))


class AccountError(ValueError):
    """An account cannot be made or changed as asked. The text is for the person asking."""


@dataclass(frozen=True)
class Staff:
    """Who is at the desk, for the time of one request."""

    id: int
    name: str
    role: str
    csrf: str
    token_hash: str

    def may(self, right: str) -> bool:
        return right in ROLES[self.role]


def add(session: Session, name: str, role: str, password: str) -> Account:
    """Make an account. Raises AccountError when name, role or password will not do."""
    name = " ".join(name.split())
    if not NAME.fullmatch(name):
        raise AccountError("A name has 2 to 60 letters, digits, spaces, dots or @.")
    if role not in ROLES:
        raise AccountError(f"The role must be one of {', '.join(ROLES)}.")
    if session.scalar(select(Account.id).where(func.lower(Account.name) == name.lower())):
        raise AccountError(f"There is an account named {name} already.")
    account = Account(name=name, role=role, password_hash="", created_at=datetime.now(UTC), failures=0, active=True)
    set_password(account, password)
    session.add(account)
    session.flush()
    return account


def set_password(account: Account, password: str) -> None:
    """Set a password and lift a lock. Raises AccountError when it is too short or holds the name."""
    if len(password) < SHORTEST_PASSWORD:
        raise AccountError(f"A password has at least {SHORTEST_PASSWORD} characters.")
    if account.name.lower() in password.lower():
        raise AccountError("A password does not hold the account's name.")
    account.password_hash = _hasher.hash(password)
    account.failures, account.locked_until = 0, None


def password_of(session: Session, name: str) -> tuple[int | None, str]:
    """Return id and password hash of an account that may log in now, or a hash that fits nothing."""
    account = session.scalar(select(Account).where(func.lower(Account.name) == " ".join(name.split()).lower()))
    if account is None or not account.active:
        return None, _nobody
    if account.locked_until and account.locked_until > datetime.now(UTC):
        return None, _nobody
    return account.id, account.password_hash


def fits(password_hash: str, password: str) -> bool:
    """Slow on purpose (argon2id): call it outside a transaction."""
    try:
        return _hasher.verify(password_hash, password[:1000])
    except (VerificationError, InvalidHashError):
        return False


def log_in(session: Session, desk: Desk, account_id: int | None, right_password: bool) -> str | None:
    """Record an attempt. Returns the cookie's token, or None when it failed; the fifth failure locks the account."""
    account = session.get(Account, account_id, with_for_update=True) if account_id else None
    now = datetime.now(UTC)
    if account is None:
        desk.record(session, "unknown", "log-in failed", "desk")
        return None
    if not right_password:
        account.failures += 1
        if account.failures >= FAILURES_ALLOWED:
            account.locked_until, account.failures = now + LOCKED_FOR, 0
            desk.record(session, account.name, "account locked", "desk")
        else:
            desk.record(session, account.name, "log-in failed", "desk")
        return None
    account.failures, account.locked_until = 0, None
    session.execute(delete(LogIn).where(LogIn.seen_at < now - LONGEST))
    token = secrets.token_urlsafe(32)
    session.add(
        LogIn(
            token_hash=_hash(token), account_id=account.id, csrf=secrets.token_urlsafe(24), created_at=now, seen_at=now
        )
    )
    desk.record(session, account.name, "logged in", "desk")
    return token


def staff_of(session: Session, token: str | None, *, seen: bool = True) -> Staff | None:
    """Return who holds ``token``, or None when the log-in ended. ``seen=False`` does not keep it alive."""
    row = session.get(LogIn, _hash(token)) if token else None
    if row is None:
        return None
    now = datetime.now(UTC)
    if row.seen_at < now - IDLE or row.created_at < now - LONGEST or not row.account.active:
        session.delete(row)
        return None
    if seen and row.seen_at < now - timedelta(seconds=30):
        row.seen_at = now
    return Staff(
        id=row.account.id, name=row.account.name, role=row.account.role, csrf=row.csrf, token_hash=row.token_hash
    )


def log_out(session: Session, desk: Desk, staff: Staff) -> None:
    session.execute(delete(LogIn).where(LogIn.token_hash == staff.token_hash))
    desk.record(session, staff.name, "logged out", "desk")


def end_log_ins(session: Session, account: Account) -> None:
    """Log an account out everywhere, as after a change of role or password."""
    session.execute(delete(LogIn).where(LogIn.account_id == account.id))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def first_admin(database: Database, desk: Desk, path: Path) -> bool:
    """When there is no account yet, make ``admin`` and write its password to ``path``, readable by its owner alone."""
    with database.transaction() as session:
        if session.scalar(select(func.count()).select_from(Account)):
            return False
        password = secrets.token_urlsafe(15)
        add(session, "admin", "admin", password)
        desk.record(session, "operator", "account added", "account:admin", "first start")
        write_private(path, password)
    return True


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to a file only its owner may read, at once: a reader never sees half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    draft.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m casedesk.accounts", description="Staff accounts of the desk.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, words in (("add", "make an account"), ("password", "set a password and lift a lock")):
        one = commands.add_parser(command, help=words)
        one.add_argument("name")
        one.add_argument("--generate", action="store_true", help="make a password and show it once")
        if command == "add":
            one.add_argument("--role", choices=list(ROLES), required=True)
    commands.add_parser("list", help="names, roles and locks")
    arguments = parser.parse_args()
    database, desk = Database(settings().casedesk_database_url), open_desk()
    database.migrate()
    try:
        with database.transaction() as session:
            if arguments.command == "list":
                for account in session.scalars(select(Account).order_by(Account.name)):
                    print(f"{account.name}\t{account.role}\t{'active' if account.active else 'closed'}")
                return
            password = secrets.token_urlsafe(15) if arguments.generate else _ask()
            if arguments.command == "add":
                add(session, arguments.name, arguments.role, password)
                desk.record(session, "operator", "account added", f"account:{arguments.name}", arguments.role)
            else:
                account_ = session.scalar(select(Account).where(Account.name == arguments.name))
                if account_ is None:
                    raise AccountError(f"There is no account named {arguments.name}.")
                set_password(account_, password)
                end_log_ins(session, account_)
                desk.record(session, "operator", "password set", f"account:{arguments.name}")
            if arguments.generate:
                print(f"Password of {arguments.name}: {password}")
    except AccountError as error:
        raise SystemExit(str(error)) from None
    finally:
        database.close()


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise AccountError("The two passwords differ.")
    return password


if __name__ == "__main__":
    main()
