import std.math;
/*
The number after n.
*/
long next_number(long n) 

// === reference ===
{
    return n + 1;
}

// === tests ===
unittest
{
    alias candidate = next_number;

    assert(candidate(1L) == 2L);
    assert(candidate(-5L) == -4L);
    assert(candidate(99L) == 100L);
}
void main(){}
// === end ===
