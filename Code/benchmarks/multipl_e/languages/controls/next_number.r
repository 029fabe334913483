# The number after n.
next_number <- function(n) {
# === reference ===

  n + 1
}

# === tests ===
test_humaneval <- function() {
    candidate <- next_number
    stopifnot(isTRUE(all.equal(candidate(1), 2)))
    stopifnot(isTRUE(all.equal(candidate(-5), -4)))
    stopifnot(isTRUE(all.equal(candidate(99), 100)))
}
test_humaneval()
# === end ===
