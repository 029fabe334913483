"""A folder of this user's for what is made once and jails only read."""

import os
import stat
from pathlib import Path

from seedkit.errors import RunError

_PREPARED = "/var/tmp/instructiondata-toolchains"


def prepared() -> Path:
    """A folder for what compilers make once and jails only read, such as precompiled headers.

    RunError where somebody else could have put something there.
    """
    place = Path(f"{_PREPARED}-{os.getuid()}")
    old = os.umask(0o022)
    try:
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(f"{place}: {error.strerror}") from None
    finally:
        os.umask(old)
    facts = place.lstat()
    if facts.st_uid != os.getuid() or not stat.S_ISDIR(facts.st_mode) or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RunError(f"{place}: expected a folder that only this user can write to; remove it")
    return place
