/*
 * The disk that loses its power: files as bytes that are safe, bytes as the program sees them, and the steps between.
 */
#include "live/power.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "unit/must.h"

#define NAME_BYTES   256
#define FILES        16
#define SECTOR_BYTES 512
#define SHM_REGIONS  8

struct bytes {
    char *at;
    size_t len, room;
};

/* Something done to a file since its last sync. */
struct step {
    struct step *next;
    size_t at, len; /* a write; or the length cut to */
    bool is_cut;
    char bytes[];
};

/* A file of the disk. A deleted one may come back when the power goes, unless its deletion was synced. */
struct inode {
    char name[NAME_BYTES];
    struct bytes safe, seen;
    struct step *first, **last;
    bool is_safe; /* it is in its directory for sure */
    bool is_journal;
    bool deleted;
    void *shm[SHM_REGIONS];
    int shm_bytes;
};

struct handle {
    sqlite3_file base;
    struct inode *inode; /* NULL: a temporary one, in `own` */
    struct inode *own;
};

static struct {
    sqlite3_vfs vfs;
    struct rand rand;
    struct inode *files[FILES];
    uint64_t steps, cut_at, fail_at;
    bool lies;
    atomic_bool off, protected;
} disk;

/* ---------------------------------------------------------------- bytes */

static void
resize(struct bytes *b, size_t len)
{
    if (len > b->room) {
        b->room = 2 * len;
        b->at = mem_grow(b->at, b->room);
        must(b->at);
    }
    if (len > b->len)
        memset(b->at + b->len, 0, len - b->len);
    b->len = len;
}

static void
copy_in(struct bytes *b, size_t at, const char *from, size_t len)
{
    if (at + len > b->len)
        resize(b, at + len);
    if (len > 0)
        memcpy(b->at + at, from, len);
}

static void
copy_all(struct bytes *to, const struct bytes *from)
{
    resize(to, 0);
    copy_in(to, 0, from->len ? from->at : "", from->len);
}

/* ---------------------------------------------------------------- inodes */

static struct inode *
inode_new(const char *name)
{
    struct inode *inode = mem_new(sizeof *inode);

    must(inode && strlen(name) < NAME_BYTES);
    memcpy(inode->name, name, strlen(name) + 1);
    inode->last = &inode->first;
    return inode;
}

static void
forget_steps(struct inode *inode)
{
    while (inode->first) {
        struct step *step = inode->first;

        inode->first = step->next;
        mem_free(step);
    }
    inode->last = &inode->first;
}

static void
forget_shm(struct inode *inode)
{
    for (int i = 0; i < SHM_REGIONS; i++) {
        mem_free(inode->shm[i]);
        inode->shm[i] = NULL;
    }
}

static void
inode_free(struct inode *inode)
{
    forget_steps(inode);
    forget_shm(inode);
    mem_free(inode->safe.at);
    mem_free(inode->seen.at);
    mem_free(inode);
}

static struct inode *
find(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (disk.files[i] && !disk.files[i]->deleted && strcmp(disk.files[i]->name, name) == 0)
            return disk.files[i];
    return NULL;
}

static struct inode *
create(const char *name)
{
    for (int i = 0; i < FILES; i++)
        if (!disk.files[i]) {
            disk.files[i] = inode_new(name);
            return disk.files[i];
        }
    ck_abort_msg("too many files");
}

static void
forget(int i)
{
    inode_free(disk.files[i]);
    disk.files[i] = NULL;
}

/* Names that were made stay, and what was deleted stays so. */
static void
sync_directory(void)
{
    for (int i = 0; i < FILES; i++)
        if (disk.files[i] && disk.files[i]->deleted)
            forget(i);
        else if (disk.files[i])
            disk.files[i]->is_safe = true;
}

static void
add_step(struct inode *inode, bool is_cut, size_t at, const char *bytes, size_t len)
{
    struct step *step = mem_new(sizeof *step + len);

    must(step);
    *step = (struct step){ .at = at, .len = len, .is_cut = is_cut };
    if (len > 0)
        memcpy(step->bytes, bytes, len);
    *inode->last = step;
    inode->last = &step->next;
}

/* ---------------------------------------------------------------- power */

static uint64_t
chance(uint64_t n)
{
    return rand_below(&disk.rand, n);
}

/* Counts a step: may it be taken, does it fail, or does the power go with it? */
enum fate { GOES, FAILS, GOES_OUT };

static enum fate
count_step(void)
{
    if (atomic_load(&disk.off) || atomic_load(&disk.protected))
        return FAILS;
    disk.steps++;
    if (disk.steps == disk.cut_at) {
        atomic_store(&disk.off, true);
        return GOES_OUT;
    }
    return disk.steps == disk.fail_at ? FAILS : GOES;
}

/* What of a write comes through: all, nothing, a head, or some sectors of it. */
static void
survive_write(struct bytes *safe, const struct step *step)
{
    uint64_t how = chance(4);

    if (how == 0)
        copy_in(safe, step->at, step->bytes, step->len);
    else if (how == 1 && step->len > 0)
        copy_in(safe, step->at, step->bytes, chance(step->len + 1));
    else if (how == 2)
        for (size_t at = 0; at < step->len; at += SECTOR_BYTES) {
            size_t len = step->len - at < SECTOR_BYTES ? step->len - at : SECTOR_BYTES;

            if (chance(2))
                copy_in(safe, step->at + at, step->bytes + at, len);
        }
}

static void
survive(struct inode *inode)
{
    for (const struct step *step = inode->first; step; step = step->next)
        if (!step->is_cut)
            survive_write(&inode->safe, step);
        else if (chance(2))
            resize(&inode->safe, step->at);
    forget_steps(inode);
    forget_shm(inode);
    copy_all(&inode->seen, &inode->safe);
    inode->is_safe = true;
}

/* What was deleted may come back, if nothing new of its name was saved. */
void
power_on(void)
{
    for (int i = 0; i < FILES; i++)
        if (disk.files[i] && !disk.files[i]->deleted && !disk.files[i]->is_safe && chance(2))
            forget(i);
    for (int i = 0; i < FILES; i++)
        if (disk.files[i] && disk.files[i]->deleted) {
            if (find(disk.files[i]->name) || chance(2))
                forget(i);
            else
                disk.files[i]->deleted = false;
        }
    for (int i = 0; i < FILES; i++)
        if (disk.files[i])
            survive(disk.files[i]);
    disk.cut_at = disk.fail_at = 0;
    atomic_store(&disk.off, false);
}

void
power_lie(void)
{
    disk.lies = true;
}

void
power_protect(bool on)
{
    atomic_store(&disk.protected, on);
}

void
power_cut_after(uint64_t n)
{
    disk.cut_at = n ? disk.steps + n : 0;
}

void
power_fail_after(uint64_t n)
{
    disk.fail_at = n ? disk.steps + n : 0;
}

bool
power_is_off(void)
{
    return atomic_load(&disk.off);
}

/* ---------------------------------------------------------------- a file's methods */

static struct inode *
inode_of(sqlite3_file *file)
{
    struct handle *handle = (struct handle *)(void *)file;

    return handle->inode ? handle->inode : handle->own;
}

static int
file_close(sqlite3_file *file)
{
    struct handle *handle = (struct handle *)(void *)file;

    if (handle->own)
        inode_free(handle->own);
    return SQLITE_OK;
}

static int
file_read(sqlite3_file *file, void *to, int amount, sqlite3_int64 offset)
{
    const struct bytes *seen = &inode_of(file)->seen;
    size_t at = (size_t)offset, len = (size_t)amount, there;

    if (atomic_load(&disk.off))
        return SQLITE_IOERR_READ;
    there = at >= seen->len ? 0 : seen->len - at < len ? seen->len - at : len;
    if (there > 0)
        memcpy(to, seen->at + at, there);
    memset((char *)to + there, 0, len - there);
    return there == len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int
file_write(sqlite3_file *file, const void *from, int amount, sqlite3_int64 offset)
{
    struct inode *inode = inode_of(file);
    enum fate fate = count_step();

    if (fate == FAILS)
        return power_is_off() || atomic_load(&disk.protected) ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    add_step(inode, false, (size_t)offset, from, (size_t)amount);
    copy_in(&inode->seen, (size_t)offset, from, (size_t)amount);
    return fate == GOES ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct inode *inode = inode_of(file);
    enum fate fate = count_step();

    if (fate == FAILS)
        return SQLITE_IOERR_TRUNCATE;
    add_step(inode, true, (size_t)size, NULL, 0);
    resize(&inode->seen, (size_t)size);
    return fate == GOES ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

/* A sync that is cut short, or fails, has saved nothing for sure; what it was to save is still to be saved. */
static int
file_sync(sqlite3_file *file, int flags)
{
    struct inode *inode = inode_of(file);

    (void)flags;
    if (count_step() != GOES)
        return SQLITE_IOERR_FSYNC;
    if (disk.lies)
        return SQLITE_OK;
    copy_all(&inode->safe, &inode->seen);
    forget_steps(inode);
    if (!inode->is_safe && inode->is_journal)
        sync_directory(); /* as SQLite does on unix, once for each journal that it makes */
    return SQLITE_OK;
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)inode_of(file)->seen.len;
    return SQLITE_OK;
}

/* There is one connection: locks are always free. */
static int
file_lock(sqlite3_file *file, int level)
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

static int
file_check_lock(sqlite3_file *file, int *held)
{
    (void)file;
    *held = 0;
    return SQLITE_OK;
}

static int
file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

/* As SQLite takes real disks to be: a write that is cut short spoils nothing beside it. */
static int
file_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int
shm_map(sqlite3_file *file, int region, int bytes, int extend, void volatile **at)
{
    struct inode *inode = inode_of(file);

    must(region < SHM_REGIONS);
    if (!inode->shm[region] && extend) {
        inode->shm[region] = mem_new((size_t)bytes);
        must(inode->shm[region]);
    }
    *at = inode->shm[region];
    return SQLITE_OK;
}

static int
shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    (void)file;
    (void)offset;
    (void)n;
    (void)flags;
    return SQLITE_OK;
}

static void
shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static int
shm_unmap(sqlite3_file *file, int delete)
{
    (void)delete;
    forget_shm(inode_of(file)); /* the last connection leaves */
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_lock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---------------------------------------------------------------- the disk's methods */

static int
disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct handle *handle = (struct handle *)(void *)file;

    (void)vfs;
    *handle = (struct handle){ .base.pMethods = NULL };
    if (atomic_load(&disk.off))
        return SQLITE_CANTOPEN;
    if (name && atomic_load(&disk.protected)) /* as SQLite does on unix */
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if (!name)
        handle->own = inode_new("");
    else if (!(handle->inode = find(name)) && (flags & SQLITE_OPEN_CREATE))
        handle->inode = create(name);
    if (handle->inode)
        handle->inode->is_journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    if (!handle->own && !handle->inode)
        return SQLITE_CANTOPEN;
    handle->base.pMethods = &methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int
disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct inode *inode = find(name);
    enum fate fate;

    (void)vfs;
    if (!inode)
        return SQLITE_IOERR_DELETE_NOENT;
    fate = count_step();
    if (fate == FAILS)
        return SQLITE_IOERR_DELETE;
    inode->deleted = true;
    if (sync && fate == GOES)
        sync_directory();
    return fate == GOES ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static int
disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *there)
{
    const struct inode *inode = find(name);

    (void)vfs;
    *there = inode && (flags != SQLITE_ACCESS_EXISTS || inode->seen.len > 0);
    return SQLITE_OK;
}

static int
disk_full_path(sqlite3_vfs *vfs, const char *name, int room, char *to)
{
    (void)vfs;
    must(strlen(name) < (size_t)room);
    memcpy(to, name, strlen(name) + 1);
    return SQLITE_OK;
}

static int
disk_randomness(sqlite3_vfs *vfs, int bytes, char *to)
{
    (void)vfs;
    for (int i = 0; i < bytes; i++)
        to[i] = (char)chance(256);
    return bytes;
}

static int
disk_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int
disk_time(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
    (void)vfs;
    *now = INT64_C(212000000000000);
    return SQLITE_OK;
}

static int
disk_last_error(sqlite3_vfs *vfs, int room, char *to)
{
    (void)vfs;
    (void)room;
    (void)to;
    return 0;
}

void
power_start(uint64_t seed)
{
    memset(&disk.files, 0, sizeof disk.files);
    disk.steps = disk.cut_at = disk.fail_at = 0;
    disk.lies = false;
    atomic_store(&disk.off, false);
    rand_seed(&disk.rand, seed);
    disk.vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = NAME_BYTES - 1,
        .zName = "power",
        .xOpen = disk_open,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_path,
        .xRandomness = disk_randomness,
        .xSleep = disk_sleep,
        .xGetLastError = disk_last_error,
        .xCurrentTimeInt64 = disk_time,
    };
    must(sqlite3_vfs_register(&disk.vfs, 1) == SQLITE_OK);
}

void
power_stop(void)
{
    sqlite3_vfs_unregister(&disk.vfs);
    for (int i = 0; i < FILES; i++)
        if (disk.files[i])
            forget(i);
}
