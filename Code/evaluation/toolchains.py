"""Which languages of MultiPL-E can be run here, and what to install for those that cannot.

python Code/evaluation/toolchains.py                  # a table of languages
python Code/evaluation/toolchains.py --install_help   # the Debian packages that are missing, on one line
"""

from benchmarks.multipl_e.languages.registry import LANGUAGES, install_help, missing, version
from seedkit.cli import run
from seedkit.flags import parser


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--install_help", action="store_true", help="print what to install for the missing languages")
    if flags.parse_args().install_help:
        print(install_help())
        return
    for name, language in LANGUAGES.items():
        if language.toolchain:
            why = missing(name)
            print(f"{name:6} {f'not run: {why}' if why else version(name)}")


if __name__ == "__main__":
    run(main)
