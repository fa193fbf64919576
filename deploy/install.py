"""Make `.venv` ready: a virtual environment, uv in it, and everything uv.lock names.

Runs on any Python from 3.11 with nothing installed, so it uses the standard library only.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

UV = "uv==0.13.9"
CLONE = Path(__file__).resolve().parents[1]
VENV = CLONE / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"


class InstallError(Exception):
    """A step of the installation failed; the message has the remedy."""


def main() -> int:
    """Do what is missing, say what takes long, and leave a stamp for the next time."""
    try:
        make_environment()
        put_uv_in()
        synchronise()
    except InstallError as failed:
        print(failed, file=sys.stderr)
        return 1
    STAMP.touch()
    return 0


def make_environment() -> None:
    """A virtual environment of a Python that is new enough; a broken one is made anew."""
    if works(PYTHON):
        return
    print(f"Making .venv from Python {sys.version.split()[0]} (a few seconds) ...")
    shutil.rmtree(VENV, ignore_errors=True)
    if run([sys.executable, "-m", "venv", str(VENV)]) != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise InstallError(
            f"{sys.executable} cannot make virtual environments. On Debian: "
            "apt-get install python3-venv"
        )


def works(python: Path) -> bool:
    """Whether the interpreter is there and new enough (a moved checkout leaves a broken one)."""
    if not python.exists():
        return False
    return run([str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]) == 0


def put_uv_in() -> None:
    """uv, from the package registry, inside the environment itself."""
    if (VENV / "bin" / "uv").exists():
        return
    print("Installing uv into .venv (about 10 seconds) ...")
    if run([str(PYTHON), "-m", "pip", "install", "--quiet", UV]) != 0:
        raise InstallError(f"pip could not install {UV}: is a package registry within reach?")


def synchronise() -> None:
    """Exactly what uv.lock says, in the environment; uv itself stays (`--inexact`)."""
    print("Installing the locked packages (about a minute the first time, 250 MB) ...")
    command = [
        str(VENV / "bin" / "uv"),
        "sync",
        "--quiet",
        "--locked",
        "--inexact",
        "--python",
        str(PYTHON),
    ]
    if run(command) != 0:
        raise InstallError("uv could not install what uv.lock names; its words are above.")


def run(command: list[str]) -> int:
    """Run a program in the checkout; returns its exit code."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)  # another project's environment may be active
    return subprocess.run(command, cwd=CLONE, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
