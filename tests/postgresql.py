"""A PostgreSQL server for the length of a test, where the program is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def program(name: str) -> str | None:
    """Path of one of PostgreSQL's programs; Debian keeps them off the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((found for f in [*folders, None] if (found := shutil.which(name, path=f and str(f)))), None)


@contextmanager
def server() -> Iterator[str]:
    """The address of an empty database. The server refuses to run as root, so another user runs it then."""
    user = {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg") as folder:  # a short path: sockets' names have a limit
        if user:
            shutil.chown(folder, "postgres")
        run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **user}
        data, control = f"{folder}/data", [str(program("pg_ctl")), "-D", f"{folder}/data"]
        subprocess.run([str(program("initdb")), "-D", data, "-A", "trust", "-U", "inat"], check=True, **run)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        subprocess.run([*control, "-o", options, "-w", "start"], check=True, **run)
        try:
            yield f"postgresql+psycopg://inat@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **run)
