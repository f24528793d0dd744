/*
 * A page that its file cannot give becomes one of zeros.
 */
#include "base/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t faults;

/* Of length 0 only a shared mapping can be mapped a second time (mremap(2)). */
static bool
is_shared(void *page, size_t bytes)
{
    void *twin = mremap(page, 0, bytes, MREMAP_MAYMOVE);

    if (twin == MAP_FAILED)
        return false;
    munmap(twin, bytes);
    return true;
}

static bool
put_zeros(void *page, size_t bytes)
{
    return is_shared(page, bytes) && mmap(page, bytes, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page;
}

/* Another thread may have been faster with the same page. The kernel reads there as if it were a name. */
static bool
is_readable(const char *at)
{
    return access(at, F_OK) == 0 || errno != EFAULT;
}

/* Calls of the kernel only: the thread may hold any lock. */
static void
on_fault(int number, siginfo_t *info, void *context)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    char *at = info->si_addr;
    bool is_page = info->si_code == BUS_ADRERR;
    int err = errno;

    (void)context;
    if (is_page && put_zeros(at - (uintptr_t)at % bytes, bytes)) {
        atomic_fetch_add(&faults, 1);
    } else if (!is_page || !is_readable(at)) {
        signal(number, SIG_DFL); /* it comes again, and is the end … */
        if (info->si_code <= 0)
            raise(number); /* … of one that somebody sent only so */
    }
    errno = err;
}

void
fault_catch(void)
{
    struct sigaction catcher = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

    sigaction(SIGBUS, &catcher, NULL);
}

uint64_t
fault_count(void)
{
    return atomic_load(&faults);
}
