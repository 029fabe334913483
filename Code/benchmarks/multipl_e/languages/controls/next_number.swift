
/// The number after n.
func next_number(n: Int) -> Int {

// === reference ===
    return n + 1

// === tests ===
}

assert(next_number(n: 1) == 2)
assert(next_number(n: -5) == -4)
assert(next_number(n: 99) == 100)

// === end ===
