import scala.math._
object Problem {
    def nextNumber(n : Long) : Long = {

// === reference ===
        n + 1

// === tests ===
    }
    def main(args: Array[String]) = {
    assert(nextNumber((1l)) == (2l));
    assert(nextNumber((-5l)) == (-4l));
    assert(nextNumber((99l)) == (100l));
    }

}

// === end ===
