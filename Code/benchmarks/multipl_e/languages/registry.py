"""The languages of MultiPL-E, one a line. To add one, see README.md."""

from benchmarks.multipl_e.languages import bash, cpp, go, java_csharp, javascript, python, rust, single_file, two_files
from benchmarks.multipl_e.languages.base import Language

_ALL = (
    python.PYTHON,
    javascript.JAVASCRIPT,
    javascript.TYPESCRIPT,
    bash.BASH,
    cpp.CPP,
    java_csharp.JAVA,
    java_csharp.CSHARP,
    go.GO,
    rust.RUST,
    two_files.PHP,
    two_files.RUBY,
    single_file.PERL,
    single_file.LUA,
    single_file.R,
    single_file.D,
    single_file.JULIA,
    single_file.RACKET,
    two_files.SCALA,
    single_file.SWIFT,
)
LANGUAGES: dict[str, Language] = {language.name: language for language in _ALL}


def missing(name: str) -> str | None:
    """Why programs of a language cannot be run here, with what to install; None if they can. Python always can."""
    toolchain = LANGUAGES[name].toolchain
    return toolchain.missing() if toolchain else None


def version(name: str) -> str:
    """The version of a language's compiler or interpreter as it says itself, "" if it does not."""
    toolchain = LANGUAGES[name].toolchain
    return toolchain.version() if toolchain else ""


def install_help() -> str:
    """One line: the command that installs what is missing here, or that nothing is."""
    toolchains = [language.toolchain for language in LANGUAGES.values() if language.toolchain]
    packages = {package for toolchain in toolchains if toolchain.missing() for package in toolchain.packages}
    return f"apt-get install --no-install-recommends {' '.join(sorted(packages))}" if packages else "nothing is missing"
