// One page of each large page goes into a pipe, which keeps all of that page after it is unmapped: 2 MB for every page.
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

int main() {
    const size_t large = 2 << 20;
    for (int number = 0; number < 40; number++) {
        int ends[2];
        if (pipe(ends)) return 1;
        for (int slot = 0; slot < 16; slot++) {
            char *all = static_cast<char *>(mmap(nullptr, 2 * large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
            if (all == MAP_FAILED) return 1;
            char *one = all + (large - reinterpret_cast<size_t>(all) % large) % large;
            madvise(one, large, MADV_HUGEPAGE);
            memset(one, 1, large);
            iovec page{one, 4096};
            if (vmsplice(ends[1], &page, 1, 0) != 4096) return 1;
            munmap(all, 2 * large);
        }
    }
    sleep(1);
    puts("\nNONCE-1");
}
