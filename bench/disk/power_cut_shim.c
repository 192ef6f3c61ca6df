/* Records what a process does to the files of one folder, for bench/disk/replay.py to take away again.
 *
 * Loaded with LD_PRELOAD. POWER_CUT_DIR names the folder, POWER_CUT_LOG the log. Each record is
 *     u8 op, u64 file (its inode), u64 offset, u64 length of data, data        (little-endian, packed)
 * with op one of C create (data: name), O open (name), W write, T truncate (offset: new length), S sync,
 * F sync that failed, D sync of the folder, X one that failed, R rename (name NUL name), U unlink (name). Markers (M) are
 * written into the same log by the process itself. POWER_CUT_FAIL_SYNC=first,last makes the syncs with these
 * numbers fail with EIO, unsynced. One lock around call and record: the log's order is the order of effect.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FDS 1024
enum { OTHER, FILE_OF_OURS, FOLDER };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { int what; uint64_t id; } fds[MOST_FDS];
static const char *folder;
static int log_fd = -1;
static long syncs, fail_first = 0, fail_last = -1;

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static void record(char op, uint64_t id, uint64_t offset, const void *data, uint64_t length)
{
    char head[25];
    head[0] = op;
    memcpy(head + 1, &id, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &length, 8);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)data, length}};
    if (writev(log_fd, parts, 2) != (ssize_t)(sizeof head + length))
        abort(); /* a log with a hole would prove nothing */
}

static void set_up(void)
{
    if (log_fd >= 0)
        return;
    folder = getenv("POWER_CUT_DIR");
    const char *log_path = getenv("POWER_CUT_LOG"), *fail = getenv("POWER_CUT_FAIL_SYNC");
    if (!folder || !log_path)
        abort();
    log_fd = REAL(int, open64, const char *, int, ...)(log_path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (log_fd < 0 || (fail && sscanf(fail, "%ld,%ld", &fail_first, &fail_last) != 2))
        abort();
}

/* The name inside the folder, "" for the folder itself, NULL for anything else. */
static const char *inside(const char *path)
{
    set_up();
    size_t length = strlen(folder);
    if (strncmp(path, folder, length) != 0 || (path[length] && path[length] != '/'))
        return NULL;
    return path[length] ? path + length + 1 : path + length;
}

static int ours(int fd) { return fd >= 0 && fd < MOST_FDS && fds[fd].what == FILE_OF_OURS; }

static int opened(const char *path, int flags, mode_t mode)
{
    const char *name = inside(path);
    struct stat before, now;
    pthread_mutex_lock(&lock);
    int existed = stat(path, &before) == 0;
    int fd = REAL(int, open64, const char *, int, ...)(path, flags, mode);
    int error = errno;
    if (name && fd >= 0 && fd < MOST_FDS && fstat(fd, &now) == 0) {
        fds[fd].what = *name ? FILE_OF_OURS : FOLDER;
        fds[fd].id = now.st_ino;
        if (*name)
            record(existed ? 'O' : 'C', now.st_ino, 0, name, strlen(name));
        if (*name && existed && flags & O_TRUNC)
            record('T', now.st_ino, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return opened(path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < MOST_FDS)
        fds[fd].what = OTHER;
    return REAL(int, close, int)(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset)
{
    pthread_mutex_lock(&lock);
    ssize_t done = REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, data, length, offset);
    if (done > 0 && ours(fd))
        record('W', fds[fd].id, offset, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite64(fd, data, length, offset);
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (!ours(fd))
        return REAL(ssize_t, write, int, const void *, size_t)(fd, data, length);
    pthread_mutex_lock(&lock);
    off64_t offset = lseek64(fd, 0, SEEK_CUR);
    ssize_t done = REAL(ssize_t, write, int, const void *, size_t)(fd, data, length);
    if (done > 0)
        record('W', fds[fd].id, offset, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate64(int fd, off64_t length)
{
    pthread_mutex_lock(&lock);
    int failed = REAL(int, ftruncate64, int, off64_t)(fd, length);
    if (!failed && ours(fd))
        record('T', fds[fd].id, length, "", 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, int (*real)(int))
{
    if (fd < 0 || fd >= MOST_FDS || fds[fd].what == OTHER)
        return real(fd);
    pthread_mutex_lock(&lock);
    syncs++;
    int failed = syncs >= fail_first && syncs <= fail_last;
    /* What matters is the record, not this machine's disk: nothing is synced here, so it is quick. */
    if (fds[fd].what == FOLDER)
        record(failed ? 'X' : 'D', fds[fd].id, 0, "", 0);
    else
        record(failed ? 'F' : 'S', fds[fd].id, 0, "", 0);
    pthread_mutex_unlock(&lock);
    if (failed)
        errno = EIO;
    return failed ? -1 : 0;
}

int fsync(int fd) { return synced(fd, REAL(int, fsync, int)); }
int fdatasync(int fd) { return synced(fd, REAL(int, fdatasync, int)); }

int unlink(const char *path)
{
    const char *name = inside(path);
    pthread_mutex_lock(&lock);
    int failed = REAL(int, unlink, const char *)(path);
    if (!failed && name)
        record('U', 0, 0, name, strlen(name));
    pthread_mutex_unlock(&lock);
    return failed;
}

/* A link's content is one with its inode: it is there with the name, or not at all. */
int symlink(const char *target, const char *path)
{
    const char *name = inside(path);
    struct stat now;
    pthread_mutex_lock(&lock);
    int failed = REAL(int, symlink, const char *, const char *)(target, path);
    if (!failed && name && lstat(path, &now) == 0) {
        record('C', now.st_ino, 0, name, strlen(name));
        record('W', now.st_ino, 0, target, strlen(target));
        record('S', now.st_ino, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    return failed;
}

int rename(const char *from, const char *to)
{
    const char *name = inside(from), *other = inside(to);
    pthread_mutex_lock(&lock);
    int failed = REAL(int, rename, const char *, const char *)(from, to);
    if (!failed && name && other) {
        char both[512];
        int length = snprintf(both, sizeof both, "%s%c%s", name, 0, other);
        record('R', 0, 0, both, length);
    }
    pthread_mutex_unlock(&lock);
    return failed;
}
