/* Records what a process does to the files of one folder, in the order in which it is done, and fails one call
 * of it on purpose. Preloaded into a writer of the store; our Rust stays without `unsafe`.
 *
 * PB_SHIM_FOLDER     the folder
 * PB_SHIM_RECORDING  the file to record in, outside of the folder
 * PB_SHIM_FAIL_AT    which call fails, from 1; absent or 0: none
 * PB_SHIM_ERRNO      with which error
 *
 * One lock is held from before a call until it is recorded: the order of the recording is the order on the disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS_MAX 4096
#define FILES_MAX 4096

struct header { uint32_t kind, file; uint64_t offset, bytes; };
struct file { dev_t device; ino_t inode; int named; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *folder;
static size_t folder_bytes;
static int recording = -1;
static uint64_t calls, fail_at;
static int fail_errno;
static int fds[FDS_MAX]; /* 0: not ours, -1: the folder, else the number of its file */
static struct file files[FILES_MAX];
static int files_count;

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_close)(int);

static void begin(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_close = dlsym(RTLD_NEXT, "close");
    const char *path = getenv("PB_SHIM_RECORDING"), *at = getenv("PB_SHIM_FAIL_AT"), *number = getenv("PB_SHIM_ERRNO");
    folder = getenv("PB_SHIM_FOLDER");
    if (!folder || !path) { folder = NULL; return; }
    folder_bytes = strlen(folder);
    fail_at = at ? strtoull(at, NULL, 10) : 0;
    fail_errno = number ? atoi(number) : EIO;
    recording = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (recording < 0) abort();
}

static void put(const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t count = real_write(recording, at, bytes);
        if (count <= 0) abort();
        at += count;
        bytes -= (size_t)count;
    }
}

static void record(char kind, int file, uint64_t offset, uint64_t number, const void *data, size_t bytes) {
    int kept = errno;
    struct header header = { (uint32_t)kind, (uint32_t)file, offset, data ? bytes : number };
    put(&header, sizeof header);
    if (data) put(data, bytes);
    errno = kept;
}

/* The name of a path in the folder; NULL for any other. */
static const char *name_of(const char *path) {
    if (!folder || strncmp(path, folder, folder_bytes) != 0 || path[folder_bytes] != '/') return NULL;
    return path + folder_bytes + 1;
}

static int ends_with(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* Counts a call; whether it is the one that fails. What is said to the witness never does. */
static int fails(char what, int file) {
    record('N', file, (uint64_t)what, ++calls, NULL, 0);
    if (calls != fail_at) return 0;
    record('F', file, (uint64_t)what, 0, NULL, 0);
    errno = fail_errno;
    return 1;
}

static int file_of(int fd) { return fd >= 0 && fd < FDS_MAX ? fds[fd] : 0; }
static int is_witness(int file) { return file > 0 && files[file].named == 2; }

static int number_of(int fd, const char *name) {
    struct stat stat;
    if (fstat(fd, &stat) != 0) abort();
    for (int i = 1; i <= files_count; i++)
        if (files[i].named && files[i].device == stat.st_dev && files[i].inode == stat.st_ino) return i;
    if (++files_count >= FILES_MAX) abort();
    files[files_count] = (struct file){ stat.st_dev, stat.st_ino, ends_with(name, "witness") ? 2 : 1 };
    record('C', files_count, 0, 0, name, strlen(name));
    return files_count;
}

static int open_any(const char *path, int flags, mode_t mode) {
    pthread_once(&once, begin);
    const char *name = name_of(path);
    if (folder && strcmp(path, folder) == 0) name = "";
    if (!name) return real_open(path, flags, mode);
    pthread_mutex_lock(&lock);
    int fd = -1;
    if (name[0] == 0 || ends_with(name, "witness") || !fails('o', 0)) fd = real_open(path, flags, mode);
    if (fd >= 0) {
        if (fd >= FDS_MAX) abort();
        fds[fd] = name[0] == 0 ? -1 : number_of(fd, name);
        if (fds[fd] > 0 && (flags & O_TRUNC)) record('T', fds[fd], 0, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(symbol) int symbol(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return open_any(path, flags, mode); }
OPEN(open)
OPEN(open64)

int close(int fd) {
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FDS_MAX) fds[fd] = 0;
    int done = real_close(fd);
    pthread_mutex_unlock(&lock);
    return done;
}

static ssize_t write_any(int fd, const void *data, size_t bytes, off_t offset, int at_end) {
    pthread_once(&once, begin);
    if (file_of(fd) <= 0) return at_end ? real_write(fd, data, bytes) : real_pwrite(fd, data, bytes, offset);
    pthread_mutex_lock(&lock);
    int file = file_of(fd);
    ssize_t done = -1;
    if (is_witness(file) || !fails('w', file)) {
        if (at_end) offset = lseek(fd, 0, SEEK_CUR);
        done = at_end ? real_write(fd, data, bytes) : real_pwrite(fd, data, bytes, offset);
        if (done > 0) record('W', file, (uint64_t)offset, 0, data, (size_t)done);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t bytes) { return write_any(fd, data, bytes, 0, 1); }
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at) { return write_any(fd, data, bytes, at, 0); }
ssize_t pwrite64(int fd, const void *data, size_t bytes, off_t at) { return write_any(fd, data, bytes, at, 0); }

static int truncate_any(int fd, off_t length) {
    pthread_once(&once, begin);
    if (file_of(fd) <= 0) return real_ftruncate(fd, length);
    pthread_mutex_lock(&lock);
    int done = fails('t', file_of(fd)) ? -1 : real_ftruncate(fd, length);
    if (done == 0) record('T', file_of(fd), 0, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) { return truncate_any(fd, length); }
int ftruncate64(int fd, off_t length) { return truncate_any(fd, length); }

/* A failed sync is told once, as Linux does: what it was to write counts as written, and is not. */
static int sync_any(int fd, int (*real)(int)) {
    if (file_of(fd) == 0) return real(fd);
    pthread_mutex_lock(&lock);
    int file = file_of(fd), done = 0;
    if (file < 0) {
        done = real(fd);
        if (done == 0) record('D', 0, 0, 0, NULL, 0);
    } else if (fails('s', file)) {
        record('E', file, 0, 0, NULL, 0);
        done = -1;
    } else {
        done = real(fd);
        if (done == 0) record('S', file, 0, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { pthread_once(&once, begin); return sync_any(fd, real_fsync); }
int fdatasync(int fd) { pthread_once(&once, begin); return sync_any(fd, real_fdatasync); }

int unlink(const char *path) {
    pthread_once(&once, begin);
    const char *name = name_of(path);
    if (!name) return real_unlink(path);
    pthread_mutex_lock(&lock);
    struct stat stat_before;
    int there = lstat(path, &stat_before) == 0;
    int done = there && fails('u', 0) ? -1 : real_unlink(path);
    if (done == 0) {
        record('U', 0, 0, 0, name, strlen(name));
        for (int i = 1; there && i <= files_count; i++)
            if (files[i].device == stat_before.st_dev && files[i].inode == stat_before.st_ino) files[i].named = 0;
    }
    pthread_mutex_unlock(&lock);
    return done;
}
