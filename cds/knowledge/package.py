"""The knowledge as one sequence of bytes, and the digest that names it.

The package is text: for every file, sorted by path, a line ``path length`` and then that many bytes and a line end.
Whoever has the package can read, and load, exactly the knowledge that a decision was made with.
"""

import hashlib
from pathlib import Path

SITE_POLICY = "site_policy.yaml"


def package_bytes(folder: Path, site_policy: Path | None = None) -> bytes:
    """Return the canonical package of ``cards/``: line ends as LF, hidden files and folders left out.

    Args:
        folder: the knowledge.
        site_policy: the site's own numbers if they lie elsewhere; they then stand for the folder's site_policy.yaml.

    Raises:
        OSError: if a file cannot be read.
    """
    parts = []
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    if site_policy is not None:
        files[SITE_POLICY] = site_policy
    for name, path in sorted(files.items()):
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            content = path.read_bytes().replace(b"\r\n", b"\n")
            parts.append(f"{name} {len(content)}\n".encode() + content + b"\n")
    return b"".join(parts)


def digest_of(package: bytes) -> str:
    """Return ``sha256:`` and the hex digest of a package.

    >>> digest_of(b"")[:14]
    'sha256:e3b0c44'
    """
    return f"sha256:{hashlib.sha256(package).hexdigest()}"


def unpack(package: bytes, folder: Path) -> None:
    """Write the files of a package into a folder, so that its knowledge can be loaded again.

    Raises:
        ValueError: if the bytes are no package, or a path would lie outside the folder.
    """
    while package:
        head, _, rest = package.partition(b"\n")
        name, _, length = head.decode().rpartition(" ")
        path, size = (folder / name).resolve(), int(length)
        if not path.is_relative_to(folder.resolve()) or rest[size : size + 1] != b"\n":
            raise ValueError(f"Not a knowledge package, at '{name}'.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rest[:size])
        package = rest[size + 1 :]
