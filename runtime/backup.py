"""Back-up and restore of every database: ``python -m runtime.backup save FOLDER`` and ``... restore FOLDER/<time>``.

Works while everything runs: SQLite files are copied by SQLite's own online back-up, PostgreSQL by ``pg_dump`` (which must
be installed, of the server's version or newer). The intake store is copied first and the case desk last: what was
delivered in between is then delivered again and recognised, instead of missing.

Words of patients stay encrypted in the copy. The keys are not in it, and must be kept elsewhere: whoever has both has
everything, and without the master key a copy is of no use. So a restore refuses to run where that key is not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from runtime.settings import Settings, secret, settings
from runtime.vault import known_masters


class BackupError(RuntimeError):
    """Why nothing, or not everything, was saved or restored; a sentence for the operator."""


def databases(config: Settings) -> dict[str, str]:
    """Name -> address of every database, in the order in which they are copied. The same one is listed once."""
    named = {
        "intake": config.database_url,
        "tracker": config.tracker_database_url,
        "channels": config.channels_database_url,
        "gateway": config.gateway_database_url,
        "casedesk": config.casedesk_database_url,
    }
    first = {url: name for name, url in reversed(list(named.items()))}
    return {name: url for name, url in named.items() if first[url] == name}


def save(config: Settings, folder: Path) -> Path:
    """Copy every database into a new folder under ``folder``. Returns it. Raises BackupError."""
    target = folder / datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    target.mkdir(parents=True, mode=0o700)
    saved = {}
    for name, url in databases(config).items():
        file = target / f"{name}.{'sqlite3' if _sqlite(url) else 'pgdump'}"
        if _sqlite(url):
            if not _path(url).exists():
                continue  # a part that was never used
            _copy_sqlite(_path(url), file)
        else:
            _run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={_plain(url)}")
        file.chmod(0o600)
        saved[name] = {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    manifest: dict[str, Any] = {"at": target.name, "master_key": _name_of_key(secret("master")), "databases": saved}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return target


def restore(config: Settings, source: Path, *, replace: bool = False) -> list[str]:
    """Put the copies in ``source`` in the places that the settings name, with every process stopped.

    Everything is checked before anything is written. Returns the names of the databases. Raises BackupError.

    Args:
        replace: overwrite SQLite files that exist. (PostgreSQL's databases exist; their tables are replaced.)
    """
    try:
        manifest = json.loads((source / "manifest.json").read_text())
    except (OSError, ValueError):
        raise BackupError(f"{source} is not a complete back-up: it has no readable manifest.json.") from None
    if manifest["master_key"] not in map(_name_of_key, known_masters()):
        raise BackupError("The master key of this back-up is not here: put it into PLAINSPOKEN_SECRET_MASTER first.")
    places = databases(config)
    for name, entry in manifest["databases"].items():
        if hashlib.sha256((source / entry["file"]).read_bytes()).hexdigest() != entry["sha256"]:
            raise BackupError(f"{entry['file']} was changed or damaged since it was saved.")
        if name not in places or _sqlite(places[name]) != entry["file"].endswith(".sqlite3"):
            raise BackupError(f"{name} was saved from another kind of database than the settings name.")
        if _sqlite(places[name]) and _path(places[name]).exists() and not replace:
            raise BackupError(f"{_path(places[name])} exists. Stop every process, and say --replace to overwrite it.")
    for name, entry in manifest["databases"].items():
        if _sqlite(places[name]):
            _put_sqlite(source / entry["file"], _path(places[name]))
        else:
            _run(
                *("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction"),
                *(f"--dbname={_plain(places[name])}", str(source / entry["file"])),
            )
    return list(manifest["databases"])


def _copy_sqlite(source: Path, target: Path) -> None:
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
    with closing(reading) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        if new.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise BackupError(f"{source} is damaged; its copy is not usable.")


def _put_sqlite(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.restored")
    draft.write_bytes(source.read_bytes())
    draft.chmod(0o600)
    for rest in ("-wal", "-shm"):  # of the file that goes: applied to the new one they would destroy it
        place.with_name(place.name + rest).unlink(missing_ok=True)
    draft.replace(place)


def _sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _path(url: str) -> Path:
    return Path(url.split("///", 1)[1])


def _plain(url: str) -> str:
    """The address as PostgreSQL's own programs read it, without the name of a Python driver."""
    return "postgresql://" + url.split("://", 1)[1]


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        raise BackupError(f"{command[0]} is not installed here; it comes with PostgreSQL's client programs.") from None
    if done.returncode:
        raise BackupError(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")


def _name_of_key(master: str) -> str:
    """Tells keys apart without telling them."""
    return hashlib.sha256(b"back-up" + bytes.fromhex(master)).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m runtime.backup", description="Back-up and restore.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("save", help="copy every database").add_argument("folder", type=Path)
    back = commands.add_parser("restore", help="put the copies back; stop every process first")
    back.add_argument("folder", type=Path)
    back.add_argument("--replace", action="store_true", help="overwrite the databases that are there")
    arguments = parser.parse_args()
    try:
        if arguments.command == "save":
            print(f"Saved to {save(settings(), arguments.folder)}. The keys are not in it: keep them apart.")
        else:
            restored = restore(settings(), arguments.folder, replace=arguments.replace)
            print(f"Restored: {', '.join(restored)}. Start the processes again; what was not delivered goes out now.")
    except BackupError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
