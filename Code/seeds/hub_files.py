"""One file of a data set on the hub, downloaded so that an interrupted download goes on where it broke off.

`hf_hub_download` does not do that: from release 2 on, what it has of a file is gone when its process ends. So the file is
located with huggingface_hub and its bytes are appended here, to a partial file that outlives the process.
"""

import hashlib
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedkit.cli import say
from seedkit.errors import InputError, RunError

TRIES = 4  # a download is given up after so many connections in a row that bring nothing new
WAIT_S = 1.0  # between two of them
TIMEOUT_S = 30.0  # without a byte
REPORT_S = 30.0  # between two lines about a download, where there is no terminal for a bar
CHUNK = 1 << 18  # bytes written at a time
CHECKSUM = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")  # the sha1 of a git blob, the sha256 of a file in LFS


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it."""

    name: str
    url: str
    commit: str
    etag: str  # the sha256 of a file in LFS, else its git blob's sha1
    size: int  # bytes

    @property
    def sha256(self) -> str | None:
        """The checksum of the whole file, where the hub gives one."""
        return self.etag if len(self.etag) == 64 else None


def locate(repo: str, file: str, revision: str) -> RemoteFile:
    """Ask the hub, in one request, which commit `revision` is and how large the file is there.

    Raises:
        InputError: the hub is out of reach, or has no such file.
        RunError: the hub refuses, or its answer lacks a field.
    """
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    url = hf_hub_url(repo, file, repo_type="dataset", revision=revision)
    way_out = "or download the files elsewhere and pass --from_dir FOLDER"
    try:
        found = get_hf_file_metadata(url, token=False, timeout=TIMEOUT_S)
    except OfflineModeIsEnabled:
        raise InputError(f"{repo}: HF_HUB_OFFLINE is set; unset it, {way_out}") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403, 404):
            raise InputError(f"{repo}: no {file} at revision {revision}: the hub answered {status}") from None
        raise RunError(
            f"{repo}: expected a description of {file}, the hub answered {status}; run again later"
        ) from None
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise InputError(f"{repo}: the hub cannot be reached ({error}); check the network, {way_out}") from None
    if not found.commit_hash or not found.etag or found.size is None:
        raise RunError(f"{url}: expected commit, checksum and size, got an answer without them; is this a hub?")
    pinned = hf_hub_url(repo, file, repo_type="dataset", revision=found.commit_hash)
    return RemoteFile(Path(file).name, pinned, found.commit_hash, found.etag, found.size)


def download(remote: RemoteFile, folder: Path) -> Path:
    """The file in `folder`, downloaded and compared with its checksum unless it is there already.

    An interrupted download keeps what has arrived, and the next one goes on from there.

    Raises:
        RunError: the download broke off, or the checksum is another.
    """
    target = folder / remote.name
    if target.is_file() and not _fault(target, remote.etag, remote.size):
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{remote.name}.{remote.etag[:16]}.partial"
    for other in folder.glob(f".{remote.name}.*.partial"):
        if other != partial:  # of a file that the hub has replaced
            other.unlink()
    if _size(partial) > remote.size:
        partial.unlink()
    _fill(remote, partial)
    if fault := _fault(partial, remote.etag, remote.size):
        partial.unlink()
        raise RunError(f"{remote.url}: {fault}; it was removed, run again to download it anew")
    partial.replace(target)
    return target


def _fill(remote: RemoteFile, partial: Path) -> None:
    """Append to `partial` until it is as large as the file on the hub."""
    import httpx2
    from tqdm import tqdm

    most = have = _size(partial)
    say(f"{remote.name}: downloading {(remote.size - have) / 1e6:,.1f} of {remote.size / 1e6:,.1f} MB")
    failed, why = 0, "the connection was closed"
    with tqdm(
        total=remote.size, initial=have, desc=remote.name, unit="B", unit_scale=True, disable=None, leave=False
    ) as bar:
        while have < remote.size:
            try:
                _append(remote, partial, have, bar)
            except httpx2.HTTPStatusError as error:
                why = f"the hub answered {error.response.status_code}"
            except httpx2.RequestError as error:
                why = str(error) or type(error).__name__
            have = _size(partial)
            failed = 0 if have > most else failed + 1
            most = max(most, have)
            if have < remote.size and failed >= TRIES:
                raise RunError(
                    f"{remote.url}: broke off at {have:,} of {remote.size:,} bytes ({why}); run again to go on from there"
                )
            if failed:
                say(f"{remote.name}: {why}; trying again")
                time.sleep(WAIT_S)


def _append(remote: RemoteFile, partial: Path, have: int, bar: Any) -> None:
    """Open one connection and append what it brings of the file, from byte `have` on."""
    from huggingface_hub import get_session

    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with get_session().stream("GET", remote.url, headers=headers, timeout=TIMEOUT_S) as response:
        response.raise_for_status()
        with partial.open("ab", buffering=0) as file:
            if response.status_code != 206 and have:  # the server sends the whole file again
                file.truncate(0)
                bar.reset()
            said = time.monotonic()
            for chunk in response.iter_bytes(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
                if bar.disable and time.monotonic() - said >= REPORT_S:
                    said = time.monotonic()
                    say(f"{remote.name}: {_size(partial) / 1e6:,.1f} of {remote.size / 1e6:,.1f} MB")
            os.fsync(file.fileno())


def recorded_commit(path: Path, folder: Path) -> str | None:
    """The commit of a file that the hub's own client downloaded into `folder`; None where it left no record of that.

    `hf download --local-dir FOLDER` leaves FOLDER/.cache/huggingface/download/FILE.metadata with three lines: commit,
    checksum, time.

    Raises:
        InputError: the file has another checksum than the one recorded.
    """
    record = folder / ".cache" / "huggingface" / "download" / f"{path.relative_to(folder)}.metadata"
    try:
        commit, etag = record.read_text(encoding="utf-8").splitlines()[:2]
    except (OSError, ValueError):
        return None
    if not CHECKSUM.fullmatch(etag):
        return None
    if fault := _fault(path, etag, _size(path)):
        raise InputError(f"{path}: {fault}; it is not what was downloaded: fetch it again, or remove {record}")
    return commit


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fault(path: Path, etag: str, expected: int) -> str | None:
    """What is wrong with a download; None if its size in bytes and its checksum are those of the hub."""
    if (size := _size(path)) != expected:
        return f"expected {expected:,} bytes, got {size:,}"
    if len(etag) == 64:
        kind, digest = "sha256", hashlib.sha256()
    elif len(etag) == 40:
        kind, digest = "git blob", hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    else:
        return None
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return None if digest.hexdigest() == etag else f"expected {kind} {etag}, got {digest.hexdigest()}"
