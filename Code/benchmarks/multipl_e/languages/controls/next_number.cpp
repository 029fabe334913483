#include<assert.h>
#include<bits/stdc++.h>
// The number after n.
long next_number(long n) {

// === reference ===
    return n + 1;

// === tests ===
}
int main() {
    auto candidate = next_number;
    assert(candidate((1)) == (2));
    assert(candidate((-5)) == (-4));
    assert(candidate((99)) == (100));
}

// === end ===
