"""The code detector on made-up texts: a dozen languages on one side, prose and formulas that look alike on the other."""

import pytest
from RQ4_breadth.code_detector import code_evidence, record_evidence
from seedkit.records import Record

CODE = {
    "python": "def shelf_weight(books):\n    total = 0\n    for book in books:\n        total += book.grams\n    return total",
    "python, one line": "print(sorted(planets, key=len))",
    "python, a short function": "def twice(n):\n    return n * 2",
    "python, sums in a row": "loaves_baked = 14\nprice_each = 3\nearned = loaves_baked * price_each\nans = earned - 5",
    "javascript": 'const gulls = birds.filter(bird => bird.coastal);\nconsole.log("seen", gulls.length);',
    "typescript": "interface Lamp {\n  watts: number;\n  colour?: string;\n}\nconst desk: Lamp = { watts: 7 };",
    "java": "public class Kettle {\n    private int litres;\n\n    public void fill(int amount) {\n        litres += amount;\n    }\n}",
    "c": '#include <stdio.h>\n\nint main(void) {\n    int sheep = 3;\n    printf("%d sheep\\n", sheep);\n    return 0;\n}',
    "c++": "std::vector<int> ages{4, 9};\nfor (auto age : ages) {\n    std::cout << age << std::endl;\n}",
    "c#": 'foreach (var boat in harbour.Boats)\n{\n    Console.WriteLine($"{boat.Name} is in");\n}',
    "go": "func double(n int) int {\n\tresult := n * 2\n\treturn result\n}",
    "rust": 'fn main() {\n    let mut pears = vec![1, 2];\n    pears.push(3);\n    println!("{:?}", pears);\n}',
    "haskell": "factorial :: Integer -> Integer\nfactorial 0 = 1\nfactorial n = n * factorial (n - 1)",
    "r": 'heights <- c(1.7, 1.8, 1.6)\nmean_height <- mean(heights)\nbarplot(heights, main = "Heights")',
    "ruby": 'class Owl\n  def initialize(name)\n    @name = name\n  end\n\n  def hoot\n    puts "#{@name} hoots"\n  end\nend',
    "ruby, a block": "letters.each do |letter|\n  puts letter\nend",
    "php": '<?php\n$mugs = 4;\necho "There are $mugs mugs";',
    "php, no opening tag": "$total = 0;\nforeach ($rows as $row) {\n    $total += $row['price'];\n}\necho $total;",
    "perl": 'my @lines = <STDIN>;\nforeach my $line (@lines) {\n    chomp($line);\n    print length($line), "\\n";\n}',
    "swift": 'struct Cup {\n    var size: Int\n    func describe() -> String {\n        return "size \\(size)"\n    }\n}',
    "kotlin": 'fun main() {\n    val rivers = listOf("Elbe", "Oder")\n    rivers.forEach { println(it) }\n}',
    "scala": "object Mill extends App {\n  val sacks = List(2, 5)\n  println(sacks.map(_ * 2).sum)\n}",
    "lua": 'local function greet(name)\n  if name == nil then\n    return "nobody"\n  end\n  return "hello " .. name\nend',
    "lisp": "(defun cube (n)\n  (* n n n))\n\n(print (cube 3))",
    "matlab": "x = linspace(0, 10, 50);\ny = sin(x);\nplot(x, y);\nxlabel('time');",
    "sql": "SELECT keeper, COUNT(*)\nFROM beehives\nGROUP BY keeper;",
    "sql, small letters": "delete from beehives where empty = 1;",
    "html": '<div class="card">\n  <p>Open on Sundays</p>\n</div>',
    "html, one element": "<h2>The harbour in winter</h2>",
    "css": ".card {\n  color: navy;\n  padding: 4px;\n}",
    "shell": '#!/bin/sh\nfor f in *.txt; do\n  wc -l "$f"\ndone',
    "a command": "grep -rn 'harbour' notes/ | sort -u",
    "a loop in one line of the shell": "for i in 1 2 3; do echo $i; done",
    "code after prose": "The sum can be had in one loop. For example:\n\ntotal = 0\nfor n in numbers:\n    total += n\nprint(total)\n\nIt ends with the last number.",
    "a named fence": "Try this:\n\n```python\nx = 1\n```\n",
    "a fence without a name": "Try this:\n\n```\nwhile True:\n    feed(cat)\n    sleep(60)\n```\n",
    "windows line ends": "def twice(n):\r\n    return n * 2\r\n",
}

PROSE = {
    "empty": "",
    "english": "Let us import the best ideas from abroad; the class, if it is willing, will return to them while I wait.",
    "words at the start of lines": "from the hill we saw the sea\nimport taxes were low\nclass begins at nine\nlet it rain\nreturn the key",
    "brackets and semicolons": "The hall (built in 1820) burned down; the tower [see the map] stands; the bell, cast later, does not.",
    "plurals": "Bring your ticket(s), your child(ren) and the form(s) of the other parent(s); list the item(s) you leave.",
    "gsm8k": "Ann bakes 4 * 6 = 24 rolls.\nShe sells them for $2 each and earns 24 * $2 = $48.\nSo $48 - $8 = $40 is left.\nThe answer is 40",
    "gsm8k with marks": "Ben reads 3*20=<<3*20=60>>60 pages.\nThen 60/2=<<60/2=30>>30 are left.\n#### 30",
    "equations": "Let x = 3y + 2.\nThen 2x - y = 9\n2(3y + 2) - y = 9\n5y = 5\ny = 1, x = 5\nThe answer is B.",
    "assignments with units": "Speed = 54 km/hr\n= 54 * 5/18 m/sec\n= 15 m/sec\nLength = 15 * 8 = 120 m",
    "combinations": "P(A) = 1/4 and P(B) = 1/3, so P(A and B) = 1/12.\nC(5, 2) = 10\nlog(100) = 2, sqrt(16) = 4 and gcd(12, 18) = 6.",
    "latex": r"We have $\frac{a_1 + a_2}{2} \le \sqrt{x_{n+1}}$ and \[ \sum_{i=1}^{n} i = \frac{n(n+1)}{2}. \]",
    "latex, aligned": "\\begin{align*}\nf(x) &= (x+1)^2 \\\\\n&= x^2 + 2x + 1 \\\\\n&\\ge 0.\n\\end{align*}\nThus the least value is $\\boxed{0}$.",
    "latex, a matrix": "$$\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix} \\mathbf{v} = \\lambda \\mathbf{v}, \\quad \\text{so } \\det(A) = -2.$$",
    "latex, cases": "\\[f(n) = \\left\\{\n\\begin{array}{cl}\n2n+1 & \\text{if } n \\text{ is odd}, \\\\\nn/2 & \\text{if } n \\text{ is even}.\n\\end{array}\n\\right.\\]",
    "physics": "v_final = v_start + a*t\nv_final = 3 + 2*5 = 13 m/s\nF_net = m*a = 10 N",
    "a formula in words": "area = length * width\narea = 6 * 4\narea = 24",
    "definitions": "f(x) = x^2 + 1\nArea(ABC) = 1/2 * 6 * 4\nLCM(4, 6) = 12\nmean(X) = 4\nh(x) := f(g(x))",
    "a list": "1. Wash the leaves.\n2. Cut the onion (finely).\n3. Mix: oil, salt, lemon.\n- optional: nuts\n* serve cold",
    "a list of words": "oak\nash\nelm\nbirch\npine",
    "a recipe": "Ingredients:\n2 cups of flour\n1 tsp. salt\n1/2 cup milk (warm)\n\nMethod: mix; rest for 20 min; bake at 180 C.",
    "an e-mail": "Subject: Re: key of flat 3B\n\nDear Ms. Moor,\n\nplease write to keys@house.example or see https://house.example/keys?id=3&x=1.\n\nBest,\nJ. Hill",
    "talk about code": "The built-in `len` counts, and `sorted(x)` sorts; in Java one writes `list.size()` for the same.",
    "talk about markup": "Use the <b> tag for words that matter, and close it with </b>; the <br> tag has no end.",
    "talk about sql": "Select a name from the list, update the form and delete from it what you do not need.",
    "a table": "| Bird | Eggs | Nest |\n|---|:---:|---|\n| Swift | 2-3 | roof |\n| Heron | 4 | tree (tall) |",
    "a poem": "O river, let me go;\nThe mills return, the winds are slow,\nAnd while I wait, if waters rise,\nI'll watch for you with open eyes.",
    "data": '{\n  "name": "Ida",\n  "age": 31,\n  "pets": ["cat", "hen"]\n}',
    "data in words": "Name: Ida Moor; Age: 31; Pets: [cat, hen]; Address: {street: Mill Lane, town: Elm}",
    "python's list as an answer": "[3, 5, 8, 13]",
    "a play": "ANNA: Who's there?\nBEN (aside): It can't be her!\nANNA: I'm not afraid; let me in.",
    "chemistry": "2 H2 + O2 -> 2 H2O, so 4 g of H2 need 32 g of O2 (and give 36 g of H2O).",
    "names of products": "The iPhone, eBay and YouTube are known to all; McDonald's and LinkedIn too.",
    "placeholders": "Dear [name],\nyour order [number] of [date] has been sent to [address].\n<noinput>",
    "hashtags": "Sunny day at the lake! #summer #lake_life @ida_moor",
    "emphasis": "**Step 1:** choose a *quiet* place.\n\n### Step 2\n\n__Breathe__ for 4 s -> hold -> out.",
    "a formula in a fence": "```\n12 * 4 = 48\n```\nThe answer is 48.",
    "latex in a fence": "```latex\n\\frac{1}{2}\n```",
    "verbs that are tools too": "find the key in the drawer\nsort the letters from A to Z\ntouch the bell\nhead to /the gate",
    "speech in brackets": '"I am here," she said ("at last!"). "You are late," he said ("again").',
    "clock and money": "From 9:30 a.m. to 5 p.m. (Mon.-Fri.): $4.50/hr; after that: $6.00/hr.",
}


@pytest.mark.parametrize("name", CODE)
def test_code_is_found(name: str) -> None:
    assert code_evidence(CODE[name])


@pytest.mark.parametrize("name", PROSE)
def test_prose_and_formulas_are_left_alone(name: str) -> None:
    assert code_evidence(PROSE[name]) is None


@pytest.mark.parametrize(
    "name", ["latex", "latex, aligned", "equations", "gsm8k", "a play", "a poem", "brackets and semicolons"]
)
def test_prose_does_not_add_up_to_code(name: str) -> None:
    assert code_evidence("\n\n".join([PROSE[name]] * 20)) is None


def test_the_reason_names_what_was_found_and_where() -> None:
    assert code_evidence(CODE["a named fence"]) == "fenced python block at line 3"
    assert code_evidence("As asked:\n\nSELECT name FROM beehives;") == "SQL at line 3"
    reason = code_evidence(CODE["code after prose"])
    assert reason and "in 4 of 6 lines" in reason and "line 3" in reason


def test_the_first_field_with_code_is_named() -> None:
    in_output = Record("1", "How is a loop written?", "", CODE["python"])
    in_input = Record("2", "What does this do?", CODE["python"], "It adds up weights.")
    without = Record("3", "Who wrote this?", PROSE["a poem"], "I do not know.")
    assert (record_evidence(in_output) or "").startswith("output: ")
    assert (record_evidence(in_input) or "").startswith("input: ")
    assert record_evidence(without) is None
