# The number after n.
sub next_number {
    my($n) = @_;

# === reference ===
    return $n + 1;
}

# === tests ===
use Test::Deep;


sub testhumaneval {
    my $candidate = \&next_number;
        if(eq_deeply($candidate->(1),2)) {
        print "ok!" }else{
        exit 1;
        }
        if(eq_deeply($candidate->(-5),-4)) {
        print "ok!" }else{
        exit 1;
        }
        if(eq_deeply($candidate->(99),100)) {
        print "ok!" }else{
        exit 1;
        }
}

testhumaneval();

# === end ===
