#!/bin/bash
# The number after n.
#
# $1 is an integer
next_number() {

# === reference ===
    echo $(($1 + 1))

# === tests ===
}

candidate() {
    next_number "$@"
}

set -e
run_test() {
    [[ $(candidate "1") = "2" ]]
    [[ $(candidate "-5") = "-4" ]]
    [[ $(candidate "99") = "100" ]]
}

run_test

# === end ===
