// The first thread ends, and with it what /proc says of the process's memory; the second takes 1.5 GB.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

void *second(void *) {
    usleep(100000);
    const size_t size = 1500 << 20;
    void *all = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) exit(1);
    memset(all, 1, size);
    sleep(1);
    puts("\nNONCE-1");
    exit(0);
}

int main() {
    pthread_t thread;
    pthread_create(&thread, nullptr, second, nullptr);
    pthread_exit(nullptr);
}
