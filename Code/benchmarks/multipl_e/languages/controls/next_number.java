import java.util.*;
import org.javatuples.*;
class Problem {
    public static long nextNumber(long n) {

// === reference ===
        return n + 1;

// === tests ===
    }
    public static void main(String[] args) {
    assert(nextNumber((1l)) == (2l));
    assert(nextNumber((-5l)) == (-4l));
    assert(nextNumber((99l)) == (100l));
    }

}

// === end ===
