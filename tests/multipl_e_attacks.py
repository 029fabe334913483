"""Hostile completions in JavaScript, C++, Java and Bash: none of them may pass, and nothing of them may be left.

They stand as text, must run in a jail only, and follow the signature of the project's own problem, `next_number(n)`; in C++
and Java some follow one that returns a list.
"""

JS = {
    "exit in the function": "  process.exit(0);\n}\n",
    "exit at once": "  return n;\n}\nprocess.reallyExit(0);\n",
    "exit hook": "  throw 1;\n}\nprocess.on('exit', () => { process.exitCode = 0; process.reallyExit(0); });\n",
    "handlers of errors": "  throw new Error();\n}\nprocess.on('uncaughtException', () => {});\nError.prepareStackTrace = () => 2;\n",
    "patched assert": "  return 0;\n}\nconst assert = require('node:assert');\nfor (const k of Object.keys(assert)) assert[k] = () => {};\n"
    "require.cache = new Proxy({}, { get: () => ({ exports: assert }) });\n",
    "patched objects": "  return {};\n}\nObject.prototype.valueOf = () => 2;\nObject.prototype.toString = () => '[object Number]';\n"
    "Object.prototype.toJSON = () => 2;\nObject.is = () => true;\nObject.keys = () => [];\n",
    "patched arrays": "  return [];\n}\nArray.prototype.toJSON = () => ['value', true];\nArray.prototype.toString = () => '2';\n"
    "Array.isArray = () => false;\nArray.prototype.map = () => true;\n",
    "toJSON of a number": "  return 7;\n}\nNumber.prototype.toJSON = () => null;\nString.prototype.toJSON = () => true;\n",
    "toPrimitive": "  return { [Symbol.toPrimitive]: () => n + 1, valueOf: () => n + 1, toString: () => `${n + 1}` };\n}\n",
    "a function for a value": "  const f = () => 0;\n  f.toString = () => `${n + 1}`;\n  f.valueOf = () => n + 1;\n  return f;\n}\n",
    "a boxed number": "  return new Number(n + 1);\n}\n",
    "forged answers": "  return n;\n}\nconst fs = require('fs');\nfor (const text of ['[\"loaded\"]', '[\"value\",true]', '[\"value\",[\"x\"]]', '[\"pass\"]']) {\n"
    "  const b = Buffer.from(text), s = Buffer.alloc(4);\n  s.writeUInt32LE(b.length);\n  fs.writeSync(3, Buffer.concat([s, b]));\n}\n",
    "nonsense for an answer": "  require('fs').writeSync(3, Buffer.from('\\x02\\0\\0\\0{}'));\n}\n",
    "patched JSON": "  return 0;\n}\nJSON.parse = JSON.stringify = () => '[\"value\",2]';\nBuffer.from = () => Buffer.alloc(0);\n",
    "a child that outlives": "  return 0;\n}\nrequire('child_process').spawn('sleep', ['987'], { detached: true, stdio: 'ignore' }).unref();\n",
    "threads that stay": "  return 0;\n}\nnew (require('worker_threads').Worker)('for (;;);', { eval: true });\nsetInterval(() => {}, 1);\n",
    "endless getter": "  return { get a() { return this; } };\n}\n",
}
CPP = {
    "exit in the function": "    std::exit(0);\n",
    "static constructor": "    return 0;\n}\nstatic struct Early { Early() { std::_Exit(0); } } early;\nvoid x() {\n",
    "constructor attribute": '    return 0;\n}\n__attribute__((constructor)) void early() { puts("0123456789abcdef0123456789abcdef"); _Exit(0); }\nvoid x() {\n',
    "exit hook and signals": "    return 0;\n}\nstatic struct Early { Early() {\n    std::atexit([] { std::_Exit(0); });\n"
    "    for (int s : {SIGABRT, SIGSEGV, SIGTERM}) std::signal(s, [](int) { std::_Exit(0); });\n} } early;\nvoid x() {\n",
    "macros": "    return 0;\n}\n#undef assert\n#define assert(x)\n#define NDEBUG\n#define CHECK(x)\n#define main other\n#define candidate(x) x\nvoid x() {\n",
    "own main": "    return 0;\n}\nint main() { return 0; }\nvoid x() {\n",
    "own library": '    return 0;\n}\nextern "C" void abort() { _Exit(0); }\nextern "C" void __assert_fail(const char*, const char*, unsigned, const char*) { _Exit(0); }\n'
    'extern "C" int fputs(const char*, FILE*) { _Exit(0); }\nextern "C" int puts(const char* s) { return 0; }\nvoid x() {\n',
    "two processes": "#include <unistd.h>\nlong next_number(long n) {\n    if (fork()) std::_Exit(0);\n    return 0;\n}\n",
    "a child that outlives": "#include <unistd.h>\nlong next_number(long n) {\n    if (!fork()) {\n        setsid();\n"
    '        execlp("sleep", "sleep", "987", (char*)0);\n    }\n    return 0;\n}\n',
    "guessed nonces": '    for (int i = 0; i < 100000; i++) printf("%032x\\nPASS\\nok\\n", i);\n    std::exit(0);\n',
    "an exception": "    throw 0;\n}\nstatic struct Early { Early() { std::set_terminate([] { std::_Exit(0); }); } } early;\nvoid x() {\n",
    "long jump": "    static std::jmp_buf place;\n    if (setjmp(place)) { std::_Exit(0); }\n    longjmp(place, 1);\n",
}
CPP_LIST = {
    "specialised operator": '    return {"x", "y"};\n}\ntemplate <> bool std::operator==(const std::vector<std::string>&, const std::vector<std::string>&) { return true; }\n'
    "void x() {\n",
    "operator of strings": '    return {"x", "y"};\n}\nnamespace std { bool operator==(const string&, const string&) { return true; } }\nvoid x() {\n',
    "own memcmp": '    return {"x", "y"};\n}\nextern "C" int memcmp(const void*, const void*, unsigned long) { return 0; }\n'
    'extern "C" int bcmp(const void*, const void*, unsigned long) { return 0; }\nvoid x() {\n',
    "own compare": '    return {"x", "y"};\n}\ntemplate <> int std::char_traits<char>::compare(const char*, const char*, unsigned long) { return 0; }\nvoid x() {\n',
}
JAVA = {
    "exit in the function": "        while (true) System.exit(0);\n",
    "static initialiser": "        return 0;\n    }\n    static { System.exit(0); }\n    static void x() {\n",
    "halt": "        Runtime.getRuntime().halt(0);\n        return 0;\n",
    "shutdown hook": "        return 0;\n    }\n    static { Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0))); }\n    static void x() {\n",
    "uncaught handler": "        throw new RuntimeException();\n    }\n    static { Thread.setDefaultUncaughtExceptionHandler((t, e) -> Runtime.getRuntime().halt(0)); }\n    static void x() {\n",
    "assertions off": "        return 0;\n    }\n    static {\n        ClassLoader.getSystemClassLoader().clearAssertionStatus();\n"
    "        ClassLoader.getSystemClassLoader().setDefaultAssertionStatus(false);\n    }\n    static void x() {\n",
    "guessed nonces": '        for (int i = 0; i < 10000; i++) System.out.println(String.format("%032x", i));\n        System.exit(0);\n        return 0;\n',
    "own output": "        return 0;\n    }\n    static { System.setOut(new java.io.PrintStream(System.out) {\n"
    "        public void println(String s) { super.println(s); super.println(s.trim()); }\n    }); }\n    static void x() {\n",
    "own classes": "        return 0;\n    }\n}\nclass AssertionError extends Error { AssertionError() { Runtime.getRuntime().halt(0); } }\n"
    "class Tests { public static void main(String[] args) {} }\nclass X {\n    static void x() {\n",
    "a thread that exits": "        new Thread(() -> System.exit(0)).start();\n        while (true) { }\n",
    "a child that outlives": '        try { new ProcessBuilder("setsid", "sleep", "987").start(); } catch (Exception e) { }\n        return 0;\n',
}
JAVA_LIST = {
    "own equality": "        return new ArrayList<String>() { public boolean equals(Object other) { return true; } };\n",
    "own list": '        return new ArrayList<String>(Arrays.asList("x", "y")) {\n            public boolean equals(Object other) { return true; }\n'
    "            public int size() { return 2; }\n            public int hashCode() { return 0; }\n        };\n",
}
SH = {
    "exit": "    exit 0\n",
    "exit at once": "    :\n}\nexit 0\nx() {\n    :\n",
    "traps": "    false\n}\ntrap 'exit 0' EXIT ERR DEBUG\nx() {\n    :\n",
    "a trap that prints": "    :\n}\ntrap 'echo 2; echo -4; echo 100' EXIT\nx() {\n    :\n",
    "aliases": "    :\n}\nshopt -s expand_aliases\nalias '[['='true' 'set'='true' 'run_test'='true' '}'='true'\nx() {\n    :\n",
    "functions of the tests' names": "    :\n}\ncandidate() { :; }\nrun_test() { exit 0; }\nset() { :; }\ntest() { :; }\nfunction [ { return 0; }\nx() {\n    :\n",
    "a child that outlives": "    setsid nohup sleep 987 >/dev/null 2>&1 &\n    disown\n",
    "children that hold the output": "    sleep 987 &\n    (sleep 987 &)\n    echo 0\n",
    "all answers": "    echo 2\n    echo -4\n    echo 100\n",
    "killing": "    kill -9 $PPID 1 -1\n    kill -TERM 0\n",
    "writing where the answers go": "    for p in /proc/1 /proc/$PPID; do for fd in $p/fd/*; do echo 2 > $fd; done; done\n",
    "surroundings": "    :\n}\nexport BASH_ENV=$PWD/solution.sh PROMPT_COMMAND='exit 0' PATH=.\nshopt -s extdebug\nx() {\n    :\n",
    "its own program": "    echo 'exit 0' > solution.sh\n    echo 'exit 0' > bash\n    chmod +x bash\n    cat /proc/*/cmdline\n",
    "more and more": "    f() { f | f & }\n    f\n",
    "flood": "    yes 2\n",
}
# (prompt, tests) of the problem that returns a list
LISTS = {
    "cpp": (
        "#include<assert.h>\n#include<bits/stdc++.h>\n// The letters after n.\nstd::vector<std::string> next_letters(long n) {\n",
        "}\nint main() {\n    auto candidate = next_letters;\n"
        '    assert(candidate((1)) == (std::vector<std::string>({(std::string)"a", (std::string)"b"})));\n}\n',
    ),
    "java": (
        "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    public static ArrayList<String> nextLetters(long n) {\n",
        "    }\n    public static void main(String[] args) {\n"
        '    assert(nextLetters((1l)).equals((new ArrayList<String>(Arrays.asList((String)"a", (String)"b")))));\n    }\n\n}\n',
    ),
}
LIST_ANSWERS = {
    "cpp": '    return {"a", "b"};\n',
    "java": '        return new ArrayList<>(Arrays.asList("a", "b"));\n',
}
ATTACKS = {"js": JS, "cpp": CPP, "java": JAVA, "sh": SH}
LIST_ATTACKS = {"cpp": CPP_LIST, "java": JAVA_LIST}
