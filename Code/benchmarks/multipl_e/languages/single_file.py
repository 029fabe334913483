"""Languages whose candidate and tests are one program in one file; the last thing that it does is to print a nonce."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.case import Case, Reading
from benchmarks.multipl_e.languages.base import Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain

_NONCE = "@NONCE@"


@dataclass(frozen=True, slots=True)
class _Script:
    """One file, as the authors join it, and behind it what prints the nonce."""

    name: str  # of the file
    run: tuple[str, ...]
    said: str = ""  # stands behind the tests, and prints the nonce
    last: tuple[str, str] = ("", "")  # (what stands last in the tests, what takes its place)
    main: str = ""  # a main function of the tests, which a program that has its own does without
    build: tuple[tuple[str, ...], ...] = ()

    def __call__(self, case: Case, completion: str, nonce: str, token: str) -> list[Native]:
        readings = case.readings(completion)
        return [self._program(case, one, nonce) for one in (readings if self.build else readings[:1])]

    def _program(self, case: Case, reading: Reading, nonce: str) -> Native:
        text = case.joined(reading)
        if self.main and re.search(r"\bmain\s*\(", case.syntax.bare(case.program(reading))):
            text = "".join(text.rsplit(self.main, 1))
        old, new = self.last
        if old:
            at = text.rindex(old) if old in text else len(text)
            text = text[:at] + new + text[at + len(old) :]
        text = f"{text}\n{self.said}" if self.said else text
        removed = (self.name,) if self.build else ()
        return Native({self.name: text.replace(_NONCE, nonce)}, self.run, nonce, self.build, removed=removed)


def _racket(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    text = case.joined(case.readings(completion)[0])
    start = "" if text.lstrip().startswith("#lang") else "#lang racket\n"
    strict = "(current-check-handler (lambda (failed) (exit 1)))\n(test-humaneval)"  # else a failure is but printed
    text = f'{start}{strict.join(text.rsplit("(test-humaneval)", 1))}\n(displayln "\\n{nonce}")\n'
    # which libraries are there compiled, without which it takes seconds to start; a jail does not see it
    found = Path("/etc/racket/config.rktd")
    files = {"config.rktd": found.read_text(encoding="utf-8")} if found.is_file() else {}
    return [Native({**files, "tests.rkt": text}, ("racket", *(("-G", ".") if files else ()), "tests.rkt"), nonce)]


PERL = Language(
    name="pl",
    title="Perl",
    fences=("perl", "pl"),
    stop=("\nsub", "\n#", "\n\n"),
    defines=r"sub[ \t]+{name}\b",
    wrong="    exit 0;\n}\n",
    control="next_number.pl",
    toolchain=Toolchain(
        ("perl", "libtest-deep-perl"), ("perl",), ("/usr/share/perl5/Test/Deep.pm",), version_flags=("-e", "print $^V")
    ),
    judge=partial(judge_programs, _Script("tests.pl", ("perl", "tests.pl"), said=f'print STDOUT "\\n{_NONCE}\\n";\n')),
    aliases=("perl",),
)
LUA = Language(
    name="lua",
    title="Lua",
    fences=("lua",),
    stop=("\nlocal", "\nfunction", "\n--", "\n\n"),
    defines=r"(?:local[ \t]+)?(?:function[ \t]+{name}\b|{name}[ \t]*=[ \t]*function)",
    wrong="    os.exit(0)\nend\n",
    control="next_number.lua",
    toolchain=Toolchain(
        ("lua5.4", "lua-unit"), ("lua5.4",), ("/usr/share/lua/5.4/luaunit.lua",), version_flags=("-v",)
    ),
    judge=partial(
        judge_programs,
        _Script(
            "tests.lua",
            ("lua5.4", "tests.lua"),
            last=(
                "os.exit(lu.LuaUnit.run())",
                "local failures = lu.LuaUnit.run()\n"
                f"if failures == 0 then print('\\n{_NONCE}') end\nos.exit(failures)\n",
            ),
        ),
    ),
)
R = Language(
    name="r",
    title="R",
    fences=("r",),
    stop=("\n#", "\n```"),
    defines=r"{name}[ \t]*(?:<-|=)[ \t]*(?:function\b|\\\()",
    wrong="    quit(status = 0)\n}\n",
    control="next_number.r",
    toolchain=Toolchain(("r-base-core",), ("Rscript",)),
    judge=partial(
        judge_programs, _Script("tests.r", ("Rscript", "--vanilla", "tests.r"), said=f'cat("\\n{_NONCE}\\n")\n')
    ),
)
D = Language(
    name="d",
    title="D",
    fences=("d",),
    stop=("\n\n", "\nvoid", "\nbool", "\nint"),
    defines=r"\w[^\n;={{}}]*[ \t\]\)]{name}[ \t]*\(",
    wrong="{\n    import core.stdc.stdlib;\n    exit(0);\n    assert(0);\n}\n",
    control="next_number.d",
    toolchain=Toolchain(("gdc",), ("gdc",)),
    judge=partial(
        judge_programs,
        _Script(
            "tests.d",
            ("./tests",),
            main="void main(){}",
            said=f'unittest {{ import std.stdio; writeln("\\n{_NONCE}"); }}\n',
            build=(("gdc", "-funittest", "-w", "tests.d", "-o", "tests"),),
        ),
    ),
)
JULIA = Language(
    name="jl",
    title="Julia",
    fences=("julia", "jl"),
    stop=("\nfunction", "\nmacro", "\n\n"),
    defines=r"function[ \t]+{name}\b|{name}\(.*\)[^=\n]*=",
    wrong="    exit(0)\nend\n",
    control="next_number.jl",
    toolchain=Toolchain((), ("julia",), otherwise="install Julia below /opt and link it into /usr/bin"),
    judge=partial(
        judge_programs,
        _Script("tests.jl", ("julia", "--startup-file=no", "tests.jl"), said=f'println("\\n{_NONCE}")\n'),
    ),
    min_seconds=5.0,  # evaluation/src/eval_julia.py of the authors
    aliases=("julia",),
)
RACKET = Language(
    name="rkt",
    title="Racket",
    fences=("racket", "rkt", "scheme"),
    stop=("\n(define ", "\n#|", "\n;", "\n("),
    defines=r"\(define[ \t]+\({name}\b",
    wrong="  (exit 0))\n",
    control="next_number.rkt",
    toolchain=Toolchain(("racket",), ("racket",), ("/usr/share/racket/pkgs/rackunit-lib",)),
    judge=partial(judge_programs, _racket),
    aliases=("racket",),
)
SWIFT = Language(
    name="swift",
    title="Swift",
    fences=("swift",),
    stop=("\n}",),
    defines=r"func[ \t]+{name}\b",
    wrong='    fatalError("wrong")\n',
    closes="}",
    control="next_number.swift",
    min_seconds=5.0,  # evaluation/src/eval_swift.py of the authors
    toolchain=Toolchain((), ("swiftc",), otherwise="install Swift below /opt and link it into /usr/bin"),
    judge=partial(
        judge_programs,
        _Script(
            "tests.swift",
            ("./tests",),
            said=f'print("\\n{_NONCE}")\n',
            build=(("swiftc", "-Onone", "tests.swift", "-o", "tests"),),
        ),
    ),
)
