using System;
using System.Diagnostics;
class Problem {
    public static long NextNumber(long n) {

// === reference ===
        return n + 1;

// === tests ===
    }
    public static void Main(string[] args) {
    Debug.Assert(NextNumber((1L)) == (2L));
    Debug.Assert(NextNumber((-5L)) == (-4L));
    Debug.Assert(NextNumber((99L)) == (100L));
    }

}

// === end ===
