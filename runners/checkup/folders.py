"""Folders that gridsearch writes to: what lies below them, and whether they can be written. Nothing is left there."""

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

ON_THE_NETWORK = frozenset(
    (
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "glusterfs"),
        *("ocfs2", "gfs2", "panfs", "pvfs2", "wekafs", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs"),
        *("fuse.gcsfuse", "fuse.rclone", "fuse.juicefs"),
    )
)
IN_MEMORY = frozenset(("tmpfs", "ramfs"))


@dataclass(frozen=True)
class Folder:
    """A folder, which need not be there yet. ``fault``: why it cannot be written, in the system's words; else empty."""

    path: str
    disk_bytes: int
    free_bytes: int
    filesystem: str
    on_network: bool
    writable: bool
    fault: str


def examine(path: Path, root: Path = Path("/")) -> Folder:
    """Try to write where a folder is or would be made."""
    path = path.expanduser().absolute()
    place = next(place for place in (path, *path.parents) if os.path.lexists(place))
    disk = shutil.disk_usage(next(place for place in (path, *path.parents) if place.exists()))
    kind, fault = filesystem(place, root), _fault(place)
    return Folder(str(path), disk.total, disk.free, kind, kind in ON_THE_NETWORK, not fault, fault)


def _fault(place: Path) -> str:
    """Write a small database, as a study's ledger is one; the cache needs the same locks."""
    if not place.is_dir():
        return f"{place} is a file" if place.exists() else f"{place} is a link to nothing"
    try:
        with (
            tempfile.TemporaryDirectory(dir=place, prefix=".gridsearch-doctor-", ignore_cleanup_errors=True) as scratch,
            contextlib.closing(sqlite3.connect(Path(scratch, "ledger.sqlite"), timeout=1)) as ledger,
            ledger,
        ):
            ledger.execute("CREATE TABLE a (b)")
            ledger.execute("INSERT INTO a VALUES (zeroblob(65536))")
    except OSError as error:
        return (error.strerror or str(error)).lower()
    except sqlite3.Error as error:
        return str(error)
    return ""


def filesystem(place: Path, root: Path = Path("/")) -> str:
    """Name the kind of file system of a folder that is there; empty where the system does not tell.

    The last mount at the longest path that leads to it, as proc(5) describes ``mountinfo``.
    """
    try:
        lines = (root / "proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    real, found, depth = place.resolve(), "", 0
    for line in lines:
        mount, _, disk = line.partition(" - ")
        point = Path(_spelled(mount.split()[4]))
        if real.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = disk.split()[0], len(point.parts)
    return found


def _spelled(text: str) -> str:
    r"""Undo the kernel's octal spelling of spaces and the like.

    >>> _spelled(r"/my\040disk")
    '/my disk'
    """
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
