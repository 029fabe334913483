<?php
// The number after n.
function next_number($n) {

// === reference ===
    return $n + 1;
}

// === tests ===
function candidate(...$args) {
    return next_number(...$args);
}

function test(): void {
    if (candidate(1) !== 2) { throw new Exception("Test failed!"); }
    if (candidate(-5) !== -4) { throw new Exception("Test failed!"); }
    if (candidate(99) !== 100) { throw new Exception("Test failed!"); }
}

test();
// === end ===
