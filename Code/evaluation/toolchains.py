"""Which languages can be run here, and what to install for those that cannot.

python Code/evaluation/toolchains.py                  # a table of languages
python Code/evaluation/toolchains.py --install_help   # the Debian packages that are missing, on one line
"""

from benchmarks.multipl_e.languages.toolchain import TOOLCHAINS, missing, version
from seedkit.cli import run
from seedkit.flags import parser


def install_help() -> str:
    """One line: the command that installs what is missing here, or that nothing is."""
    packages = {p for language in TOOLCHAINS if missing(language) for p in TOOLCHAINS[language].packages}
    return f"apt-get install --no-install-recommends {' '.join(sorted(packages))}" if packages else "nothing is missing"


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--install_help", action="store_true", help="print what to install for the missing languages")
    if flags.parse_args().install_help:
        print(install_help())
        return
    for language in TOOLCHAINS:
        why = missing(language)
        print(f"{language:6} {f'not run: {why}' if why else version(language)}")


if __name__ == "__main__":
    run(main)
