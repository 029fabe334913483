// The same in 20 processes, each of which maps less than 64 GiB.
#include <cstdio>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main() {
    const size_t size = 50ull << 30;
    for (int number = 0; number < 20; number++) {
        if (fork()) continue;
        void *all = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (all == MAP_FAILED) return 1;
        madvise(all, size, MADV_NOHUGEPAGE);
        long sum = 0;
        for (size_t at = 0; at < size; at += 2 << 20) sum += static_cast<volatile char *>(all)[at];
        sleep(5);
        return sum;
    }
    while (wait(nullptr) > 0) {}
    puts("\nNONCE-1");
}
