"""Images that stand in for the public ones where nothing can be pulled, made of this machine's own files.

They carry the real names and the real programs (PostgreSQL, Temporal's server, its schema tool and its Web UI),
with the same users, folders and environment variables; versions are those that are here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.try_compose.docker import Docker
from workers.embedded.finding_temporal import cache_folder
from workers.embedded.go_install import GoBuildError, go_install

FILES = Path(__file__).with_name("images")
SERVER = ("go.temporal.io/server", "v1.29.1")
UI = ("github.com/temporalio/ui-server/v2", "v2.42.1")
PROGRAMS = {
    "temporal-server": (*SERVER, "cmd/server"),
    "temporal-sql-tool": (*SERVER, "cmd/tools/sql"),
    "ui-server": (*UI, "cmd/server"),
}
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
TOOLS = """
    sh dash bash env ls cat id mkdir chmod chown cp mv rm ln sleep test uname sed grep awk mawk head tail tr cut
    date touch find stat getent hostname kill dirname basename readlink expr wc sort nc tar gzip
""".split()  # noqa: SIM905 -- forty words, read as words


class NoStandInError(Exception):
    """A stand-in cannot be made on this machine; the message says what it lacks."""


def make_stand_ins(docker: Docker, tags: Mapping[str, str]) -> None:
    """Make each image under its tag, unless all are there: `python`, `postgres`, `server`, `admin-tools`, `ui`."""
    there = docker.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    if set(tags.values()) <= set(there):
        return
    docker.run("import", "-", "stand-in/base", given=_packed(_base_files()))
    _make(docker, tags["python"], "python", _python())
    _make(docker, tags["postgres"], "postgres", _packed(_postgres_files()))
    for image, program, extra in (
        ("server", "temporal-server", None),
        ("admin-tools", "temporal-sql-tool", _module_folder(*SERVER) / "schema"),
        ("ui", "ui-server", _module_folder(*UI) / "config"),
    ):
        _make_of_program(docker, tags[image], image, go_program(program), extra)


def go_program(name: str) -> Path:
    """A program of Temporal's: from PATH, from our cache, else built by Go and kept there."""
    on_path = shutil.which(name)
    module, version, path = PROGRAMS[name]
    kept = cache_folder() / f"{name}-{version}"
    if on_path or kept.is_file():
        return Path(on_path or kept)
    print(
        f"  Building {name} {version} with Go (once; about 4 minutes on two cores) ...", flush=True
    )
    go = shutil.which("go")
    if go is None:
        raise NoStandInError("go is not on this machine.")
    try:
        go_install(go, {f"{module}/{path}@{version}": kept})
    except GoBuildError as error:
        raise NoStandInError(f"go install {module}/{path}@{version}: {error}") from error
    return kept


def _module_folder(module: str, version: str) -> Path:
    told = _call(["go", "mod", "download", "-json", f"{module}@{version}"], dict(os.environ))
    return Path(json.loads(told)["Dir"])


def _call(command: Sequence[str], environment: Mapping[str, str]) -> str:
    try:
        done = subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True, cwd="/"
        )
    except FileNotFoundError:
        raise NoStandInError(f"{command[0]} is not on this machine.") from None
    if done.returncode != 0:
        raise NoStandInError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _base_files() -> list[str]:
    tools = [found for tool in TOOLS if (found := shutil.which(tool, path="/usr/bin"))]
    libraries = [str(each) for each in Path(LIBRARIES).glob("*.so*")]
    admin = ["useradd", "groupadd", "nologin", "ldconfig"]
    places = [f"/usr/sbin/{name}" for name in admin] + [
        *(
            "/bin",
            "/sbin",
            "/lib",
            "/lib64",
            "/usr/lib64",
            "/etc/ssl",
            "/etc/nsswitch.conf",
            "/etc/login.defs",
        ),
        *("/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/pam.d", "/usr/share/ca-certificates"),
        *("/etc/alternatives", "/usr/local/share/ca-certificates", "/etc/security"),
    ]
    return [*tools, *libraries, *(place for place in places if os.path.lexists(place))]


def _postgres_files() -> list[str]:
    newest = max(
        (
            each
            for each in Path("/usr/lib/postgresql").glob("[0-9]*")
            if (each / "bin/initdb").exists()
        ),
        key=lambda each: int(each.name),
        default=None,
    )
    if newest is None:
        raise NoStandInError("Debian's PostgreSQL is not here: apt-get install postgresql")
    share = f"/usr/share/postgresql/{newest.name}"
    return [str(newest), share, "/usr/share/zoneinfo", "/usr/lib/locale"]


def _packed(files: Sequence[str]) -> bytes:
    """A tar of these, as they lie: links stay links."""
    listed = "\n".join(each.lstrip("/") for each in files).encode()
    command = ["tar", "--create", "--directory", "/", "--files-from", "-"]
    done = subprocess.run(command, input=listed, check=False, capture_output=True)
    if done.returncode != 0:
        raise NoStandInError(f"tar: {done.stderr.decode().strip()[-500:]}")
    return done.stdout


def _python() -> bytes:
    """The Python that runs this, without what was installed into it, but with pip."""
    home = Path(sys.base_prefix)
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    pip = [
        str(each.relative_to(home)) for each in (home / "lib" / name / "site-packages").glob("pip*")
    ]
    libraries = [str(each.relative_to(home)) for each in (home / "lib").glob("libpython3*")]
    command = [
        *("tar", "--create", "--directory", str(home), "--exclude=__pycache__", "--exclude=*.a"),
        f"--exclude=lib/{name}/test/*",
    ]
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "python.tar"
        rest = ["--file", str(first), f"--exclude=lib/{name}/site-packages/*", f"bin/{name}"]
        _call([*command, *rest, *libraries, f"lib/{name}"], os.environ)
        _call(["tar", "--append", "--directory", str(home), "--file", str(first), *pip], os.environ)
        return first.read_bytes()


def _make(docker: Docker, tag: str, image: str, files: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FILES / image, folder, dirs_exist_ok=True)
        (Path(folder) / "files.tar").write_bytes(files)
        docker.run("build", "--network", "host", "--quiet", "--tag", tag, folder)


def _make_of_program(
    docker: Docker, tag: str, image: str, program: Path, extra: Path | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FILES / image, folder, dirs_exist_ok=True)
        shutil.copy(program, Path(folder) / "program")
        if extra is not None:
            shutil.copytree(extra, Path(folder) / "extra")
            _call(["chmod", "-R", "u+w", folder], os.environ)
        docker.run("build", "--network", "host", "--quiet", "--tag", tag, folder)
