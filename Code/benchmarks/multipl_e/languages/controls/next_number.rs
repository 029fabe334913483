/// The number after n.
fn next_number(n: isize) -> isize {

// === reference ===
    n + 1

// === tests ===
}

fn main() {
    let candidate = next_number;
    assert_eq!(candidate(1), 2);
    assert_eq!(candidate(-5), -4);
    assert_eq!(candidate(99), 100);
}

// === end ===
