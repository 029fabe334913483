"""Languages whose candidate stands in a file of its own, which the tests bring in; their last act is to print a nonce."""

import re
from functools import partial

from sandbox.judging.native_judge import Native

from benchmarks.multipl_e.case import Case
from benchmarks.multipl_e.languages.base import Language, judge_programs
from benchmarks.multipl_e.languages.toolchain import Toolchain


def _php(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    solution = case.program(completion)
    start = "" if solution.lstrip().startswith("<?") else "<?php\n"
    tests = f"<?php\nrequire 'solution.php';\n{case.tests}\necho \"\\n{nonce}\\n\";\n"
    return [Native({"solution.php": f"{start}{solution}\n", "tests.php": tests}, ("php", "tests.php"), nonce)]


def _ruby(case: Case, completion: str, nonce: str, token: str) -> list[Native]:
    """The tests with an assert_equal of their own, which like that of the gem test-unit asks for `expected == actual`.

    The candidate's own tests are not run: what it requires for them is empty.
    """
    solution = case.program(completion)
    tests = case.tests.replace("require 'test/unit'", "", 1)
    names = re.findall(r"^class (\w+) < Test::Unit::TestCase\n\s*def (\w+)", tests, re.MULTILINE)
    runs = "\n".join(f"{kind}.new.{method}" for kind, method in names) if names else "raise 'no tests'"
    unit = (
        "module Test\n  module Unit\n    class TestCase\n      def assert_equal(expected, actual)\n"
        "        raise 'Test failed' unless expected == actual\n      end\n    end\n  end\nend\n"
    )
    mini = "module Minitest\n  class Test\n  end\nend\n"
    text = f'require_relative "solution"\n{unit}{tests}\n{runs}\nSTDOUT.puts "\\n{nonce}"\nSTDOUT.flush\n'
    files = {"solution.rb": f"{solution}\n", "tests.rb": text, "test/unit.rb": unit, "minitest/autorun.rb": mini}
    return [Native(files, ("ruby", "-I", ".", "tests.rb"), nonce)]


PHP = Language(
    name="php",
    title="PHP",
    fences=("php",),
    stop=("\nfunction", "\n?>", "\n//", "\n#"),
    defines=r"function[ \t]+&?{name}\b",
    wrong="    exit(0);\n}\n",
    control="next_number.php",
    toolchain=Toolchain(("php-cli",), ("php",)),
    judge=partial(judge_programs, _php),
)
RUBY = Language(
    name="rb",
    title="Ruby",
    fences=("ruby", "rb"),
    stop=("\nclass", "\ndef", "\n#", "\n\n"),
    defines=r"def[ \t]+{name}\b",
    wrong="  exit!(0)\nend\n",
    control="next_number.rb",
    toolchain=Toolchain(("ruby",), ("ruby",)),
    judge=partial(judge_programs, _ruby),
    aliases=("ruby",),
)
